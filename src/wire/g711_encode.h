/* How a sample becomes a G.711 code, for the encoding kernels of all tiers.
 *
 * The rule is that of ITU-T G.191 (the Software Tool Library, G.711 module). A negative sample
 * counts by its one's complement, so that its magnitude is -1 - sample. In terms of the decision
 * values of ITU-T G.711 (11/88), tables 1 and 2, put on the scale of 16 bits, this rule says: a
 * sample that lies on a decision value belongs to the interval above it, towards the positive end,
 * on both sides of zero.
 *
 * mu-law adds 132 (33 on the scale of 14 bits) to the magnitude, A-law nothing, and neither goes
 * beyond 32767. The result m has 15 bits. Its chord e is 0 if m is below 256, else the place of its
 * highest bit minus 7. The step is the four bits under the highest one:
 *
 *     step = m >> (e + 3) & 15
 *
 * except in A-law's chord 0, which is as steep as chord 1 and has no bit above its steps: there,
 * step = m >> 4. The code is 16 * e + step. Bit 7 is set for samples from 0 up; then the law's bits
 * are inverted.
 *
 * audioop, which Python had up to 3.12, differs from this rule in mu-law, for 508 of the 65,536
 * samples. Its lin2ulaw divides a negative sample by 4, rounding down, before it takes the
 * magnitude. Thus the four negative samples that are next to a decision value on its upper side, -4
 * to -1 being the first, go to the interval below it: -1 becomes the code 0x7E, whose value is -8,
 * where the rule here gives 0x7F, whose value is 0. Its lin2alaw gives the
 * same codes as this rule. */
#ifndef REALTIME_PCM_G711_ENCODE_H
#define REALTIME_PCM_G711_ENCODE_H

#include <stdint.h>

typedef struct wire_law {
    int16_t bias;       /* added to the magnitude */
    uint8_t shift_in_0; /* what m is shifted by in chord 0; in chord e above it is e + 3 */
    uint8_t inverted;   /* in a code whose bit 7 was set for NEGATIVE samples before */
} wire_law;

static const wire_law wire_ulaw = {132, 3, 0xFF}, wire_alaw = {0, 4, 0xD5};

#endif
