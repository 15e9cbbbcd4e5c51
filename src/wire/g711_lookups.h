/* G.711 as lookups of 16 entries, for the tiers that shuffle 16 bytes at a time: SSSE3, and AVX2 in
 * two halves. */
#ifndef REALTIME_PCM_G711_LOOKUPS_H
#define REALTIME_PCM_G711_LOOKUPS_H

#include <stdint.h>

/* A G.711 law as lookups by the code as it is on the wire (g711_values.h has the formulas). A
 * code's upper four bits, sign and chord e, and its lower four, the step m, are looked up
 * separately; one multiply-add of bytes makes
 *
 *     sample / 2 = steep * (sign * 2 * (2m + 33)) + once * offset
 *
 * where for mu-law steep = 2^e, once = 1 and offset = -sign * 66, for A-law steep = 2^max(e, 1),
 * once = 2 in chord 0 and 0 above, offset = -sign * 64. All factors fit: steep and once are at most
 * 128, unsigned; the others are within -126 to 126. `offset` is never 0, so it also carries the
 * sign, inverted; `step` holds -2 * (2m + 33). */
typedef struct law {
    _Alignas(16) int8_t step[16];
    uint8_t steep[16], once[16];
    int8_t offset[16];
} law;

#define STEP(m) -2 * (2 * (m) + 33)

/* All bits inverted: the tables run from chord 7 down to 0, from step 15 down to 0, negative
 * first. */
/* clang-format off */
static const law ulaw = {
    {STEP(15), STEP(14), STEP(13), STEP(12), STEP(11), STEP(10), STEP(9), STEP(8),
     STEP(7), STEP(6), STEP(5), STEP(4), STEP(3), STEP(2), STEP(1), STEP(0)},
    {128, 64, 32, 16, 8, 4, 2, 1, 128, 64, 32, 16, 8, 4, 2, 1},
    {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
    {66, 66, 66, 66, 66, 66, 66, 66, -66, -66, -66, -66, -66, -66, -66, -66},
};
/* clang-format on */

/* Bits 0 and 2 of both halves inverted: index 0 is chord or step 5, index 5 is 0. */
/* clang-format off */
static const law alaw = {
    {STEP(5), STEP(4), STEP(7), STEP(6), STEP(1), STEP(0), STEP(3), STEP(2),
     STEP(13), STEP(12), STEP(15), STEP(14), STEP(9), STEP(8), STEP(11), STEP(10)},
    {32, 16, 128, 64, 2, 2, 8, 4, 32, 16, 128, 64, 2, 2, 8, 4},
    {0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0},
    {64, 64, 64, 64, 64, 64, 64, 64, -64, -64, -64, -64, -64, -64, -64, -64},
};
/* clang-format on */

#endif
