/* The values of G.711 codes, as constant expressions, for the tables of several tiers.
 *
 * ITU-T G.711 (11/88), tables 1 and 2, gives each code a value of 13 bits (A-law) or 14 bits
 * (mu-law) with sign, on chords of 16 steps, each chord twice as steep as the one below. Put on the
 * scale of 16 bits those are multiples of 8 and of 4, from -32256 to 32256 and from -32124 to
 * 32124. Bit 7 of a code on the wire is set for positive samples. */
#ifndef REALTIME_PCM_G711_VALUES_H
#define REALTIME_PCM_G711_VALUES_H

/* mu-law: all bits of the code are inverted on the wire; then sign, three bits of chord e, four of
 * step m, and the magnitude is (2m + 33) * 2^e - 33. */
#define ULAW_CHORD(code) (7 - ((code) >> 4 & 7))
#define ULAW_STEP(code) (15 - ((code) & 15))
#define ULAW_MAGNITUDE(code) ((((2 * ULAW_STEP(code) + 33) << ULAW_CHORD(code)) - 33) * 4)

/* A-law: every second bit is inverted; then the same, but chord 0 is as steep as chord 1 and has no
 * offset: (2m + 1) for e = 0, (2m + 33) * 2^(e - 1) above. */
#define ALAW_CHORD(code) (((code) >> 4 & 7) ^ 5)
#define ALAW_STEP(code) (((code) & 15) ^ 5)
#define ALAW_MAGNITUDE(code) \
    ((ALAW_CHORD(code) ? (2 * ALAW_STEP(code) + 33) << ALAW_CHORD(code) \
                       : (2 * ALAW_STEP(code) + 1) << 1) * \
     4)

#endif
