/* Samples to int16 and float32, scalar tier: portable C, either byte order. */
#include "g711_values.h"
#include "kernels.h"

#define ULAW(code) ((code) & 0x80 ? ULAW_MAGNITUDE(code) : -ULAW_MAGNITUDE(code))
#define ALAW(code) ((code) & 0x80 ? ALAW_MAGNITUDE(code) : -ALAW_MAGNITUDE(code))

#define FOUR(law, code) law(code), law((code) + 1), law((code) + 2), law((code) + 3)
#define SIXTEEN(law, code) \
    FOUR(law, code), FOUR(law, (code) + 4), FOUR(law, (code) + 8), FOUR(law, (code) + 12)
#define CHORDS(law, code) \
    SIXTEEN(law, code), SIXTEEN(law, (code) + 16), SIXTEEN(law, (code) + 32), \
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
    for (size_t i = 0; i < count; i++) out[i] = law[in[i]];
}

static inline void to_float32(const int16_t law[256], const uint8_t *in, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) out[i] = (float)law[in[i]] * SCALE;
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
