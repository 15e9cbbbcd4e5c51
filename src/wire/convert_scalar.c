/* Samples to int16 and float32, scalar tier: portable C, either byte order. Flags: none.
 *
 * ITU-T G.711 (11/88), tables 1 and 2, gives each code a value of 13 bits (A-law) or 14 bits (mu-law) with sign, on
 * chords of 16 steps, each chord twice as steep as the one below. Put on the scale of 16 bits those are multiples of
 * 8 and of 4, from -32256 to 32256 and from -32124 to 32124. */
#include "kernels.h"

/* mu-law: all bits of the code are inverted on the wire; then sign, three bits of chord e, four of step m, and the
 * magnitude is (2m + 33) * 2^e - 33. */
#define ULAW_CHORD(code) (7 - ((code) >> 4 & 7))
#define ULAW_STEP(code) (15 - ((code) & 15))
#define ULAW_MAGNITUDE(code) ((((2 * ULAW_STEP(code) + 33) << ULAW_CHORD(code)) - 33) * 4)
#define ULAW(code) ((code) & 0x80 ? ULAW_MAGNITUDE(code) : -ULAW_MAGNITUDE(code))

/* A-law: every second bit is inverted; then the same, but chord 0 is as steep as chord 1 and has no offset:
 * (2m + 1) for e = 0, (2m + 33) * 2^(e - 1) above. */
#define ALAW_CHORD(code) (((code) >> 4 & 7) ^ 5)
#define ALAW_STEP(code) (((code) & 15) ^ 5)
#define ALAW_MAGNITUDE(code) \
    ((ALAW_CHORD(code) ? (2 * ALAW_STEP(code) + 33) << ALAW_CHORD(code) : (2 * ALAW_STEP(code) + 1) << 1) * 4)
#define ALAW(code) ((code) & 0x80 ? ALAW_MAGNITUDE(code) : -ALAW_MAGNITUDE(code))

#define FOUR(law, code) law(code), law((code) + 1), law((code) + 2), law((code) + 3)
#define SIXTEEN(law, code) FOUR(law, code), FOUR(law, (code) + 4), FOUR(law, (code) + 8), FOUR(law, (code) + 12)
#define CHORDS(law, code) SIXTEEN(law, code), SIXTEEN(law, (code) + 16), SIXTEEN(law, (code) + 32), \
    SIXTEEN(law, (code) + 48)
#define ALL(law) CHORDS(law, 0), CHORDS(law, 64), CHORDS(law, 128), CHORDS(law, 192)

static const int16_t ulaw[256] = {ALL(ULAW)};
static const int16_t alaw[256] = {ALL(ALAW)};

#define SCALE (1.0f / 32768.0f)

void wire_pcm16_to_float32_scalar(const uint8_t *in, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) {
        int sample = in[2 * i] | in[2 * i + 1] << 8;
        out[i] = (float)(sample - (sample >> 15) * 65536) * SCALE;
    }
}

static inline void to_int16(const int16_t law[256], const uint8_t *in, size_t count, int16_t *out) {
    for (size_t i = 0; i < count; i++)
        out[i] = law[in[i]];
}

static inline void to_float32(const int16_t law[256], const uint8_t *in, size_t count, float *out) {
    for (size_t i = 0; i < count; i++)
        out[i] = (float)law[in[i]] * SCALE;
}

void wire_ulaw_to_int16_scalar(const uint8_t *in, size_t count, int16_t *out) {
    to_int16(ulaw, in, count, out);
}

void wire_ulaw_to_float32_scalar(const uint8_t *in, size_t count, float *out) {
    to_float32(ulaw, in, count, out);
}

void wire_alaw_to_int16_scalar(const uint8_t *in, size_t count, int16_t *out) {
    to_int16(alaw, in, count, out);
}

void wire_alaw_to_float32_scalar(const uint8_t *in, size_t count, float *out) {
    to_float32(alaw, in, count, out);
}
