/* int16 and float32 to samples of the wire, scalar tier: portable C, either byte order. */
#include "kernels.h"
#include "g711_encode.h"

#include <string.h>

/* The code of one sample; g711_encode.h has the formulas. */
static inline uint8_t compress(const wire_law *law, int sample) {
    int negative = sample >> 15; /* all ones, or 0 */
    int m = (sample ^ negative) + law->bias;
    m = m > 32767 ? 32767 : m;
    /* The zeros above the highest bit, of which none below bit 7 counts: 24 in chord 0, 17 in chord
     * 7. */
    unsigned chord = 24 - (unsigned)portable_leading_zeros((unsigned)m | 0x80);
    unsigned shift = chord ? chord + 3 : law->shift_in_0;
    return (uint8_t)((chord << 4 | (((unsigned)m >> shift) & 15)) ^ law->inverted ^
                     ((unsigned)negative & 0x80));
}

static inline int sample_at(const void *in, size_t i) {
    int16_t sample;
    memcpy(&sample, (const char *)in + 2 * i, 2);
    return sample;
}

/* Rounds a float to the nearest sample. Within 2^22 of 1.5 * 2^23, the last bit of a float is worth
 * 1: the addition itself rounds, half to even, and the lower bits of the sum are the integer. */
static inline int rounded_at(const void *in, size_t i) {
    const float round = 12582912.0f;
    float value;
    int32_t bits, base;
    memcpy(&value, (const char *)in + 4 * i, 4);
    value *= 32768.0f;
    value = value == value ? value : 0.0f;
    value = value < 32767.0f ? value : 32767.0f;
    value = value > -32768.0f ? value : -32768.0f;
    value += round;
    memcpy(&bits, &value, 4);
    memcpy(&base, &round, 4);
    return bits - base;
}

void wire_float32_to_pcm16_scalar(const void *in, size_t count, uint8_t *out) {
    for (size_t i = 0; i < count; i++) {
        unsigned sample = (unsigned)rounded_at(in, i);
        out[2 * i] = (uint8_t)sample;
        out[2 * i + 1] = (uint8_t)(sample >> 8);
    }
}

void wire_int16_to_ulaw_scalar(const void *in, size_t count, uint8_t *out) {
    for (size_t i = 0; i < count; i++) out[i] = compress(&wire_ulaw, sample_at(in, i));
}

void wire_int16_to_alaw_scalar(const void *in, size_t count, uint8_t *out) {
    for (size_t i = 0; i < count; i++) out[i] = compress(&wire_alaw, sample_at(in, i));
}

void wire_float32_to_ulaw_scalar(const void *in, size_t count, uint8_t *out) {
    for (size_t i = 0; i < count; i++) out[i] = compress(&wire_ulaw, rounded_at(in, i));
}

void wire_float32_to_alaw_scalar(const void *in, size_t count, uint8_t *out) {
    for (size_t i = 0; i < count; i++) out[i] = compress(&wire_alaw, rounded_at(in, i));
}
