/* int16 and float32 to samples of the wire, SSSE3 tier. */
#include "kernels.h"
#include "encode_blocks.h"

#ifdef WIRE_X86
#include <tmmintrin.h>

static inline __m128i load(const uint8_t *in) {
    return _mm_loadu_si128((const __m128i *)(const void *)in);
}

static inline __m128 load_floats(const uint8_t *in) {
    return _mm_loadu_ps((const float *)(const void *)in);
}

static inline void store(uint8_t *out, __m128i bytes) {
    _mm_storeu_si128((__m128i *)(void *)out, bytes);
}

/* Turns 16 samples (samples[0]: the first 8) into codes. avx2/convert_encode.c, the same at twice
 * the width, has the reasoning. */
static inline __m128i compress(const wire_law *law, const __m128i samples[2]) {
    const __m128i chords = _mm_setr_epi8(0, 0x11, 0x22, 0x22, 0x33, 0x33, 0x33, 0x33, 0x44, 0x44,
                                         0x44, 0x44, 0x44, 0x44, 0x44, 0x44);
    const __m128i upper_chords =
        _mm_setr_epi8(0, 0x55, 0x66, 0x66, 0x77, 0x77, 0x77, 0x77, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m128i powers = _mm_setr_epi8((char)(1024 >> law->shift_in_0), 64, 32, 16, 8, 4, 2, 1, 0,
                                         0, 0, 0, 0, 0, 0, 0);
    const __m128i zero = _mm_setzero_si128(), nibble = _mm_set1_epi8(15);
    __m128i m[2];
    for (int i = 0; i < 2; i++) {
        m[i] = _mm_xor_si128(samples[i], _mm_srai_epi16(samples[i], 15));
        m[i] = _mm_adds_epi16(m[i], _mm_set1_epi16(law->bias));
    }
    __m128i high = _mm_packus_epi16(_mm_srli_epi16(m[0], 8), _mm_srli_epi16(m[1], 8));
    __m128i chord = _mm_shuffle_epi8(upper_chords, _mm_and_si128(_mm_srli_epi16(high, 4), nibble));
    chord = _mm_max_epu8(chord, _mm_shuffle_epi8(chords, high));
    __m128i power = _mm_shuffle_epi8(powers, chord);
    m[0] = _mm_srli_epi16(_mm_mullo_epi16(m[0], _mm_unpacklo_epi8(power, zero)), 10);
    m[1] = _mm_srli_epi16(_mm_mullo_epi16(m[1], _mm_unpackhi_epi8(power, zero)), 10);
    __m128i code = _mm_and_si128(_mm_packus_epi16(m[0], m[1]), nibble);
    code = _mm_or_si128(code, _mm_and_si128(chord, _mm_set1_epi8(0x70)));
    __m128i negative =
        _mm_and_si128(_mm_packs_epi16(samples[0], samples[1]), _mm_set1_epi8((char)0x80));
    return _mm_xor_si128(code, _mm_xor_si128(negative, _mm_set1_epi8((char)law->inverted)));
}

/* Wild floats, those of 2 or more in magnitude, infinities and NaN, have bit 30 set.
 * avx2/convert_encode.c says why they are tamed. */
static inline bool any_wild(const __m128 values[4]) {
    __m128 bits = _mm_or_ps(_mm_or_ps(values[0], values[1]), _mm_or_ps(values[2], values[3]));
    return _mm_movemask_ps(_mm_castsi128_ps(_mm_slli_epi32(_mm_castps_si128(bits), 1))) != 0;
}

static inline __m128 tame(__m128 values) {
    return _mm_and_ps(_mm_min_ps(values, _mm_set1_ps(1.0f)), _mm_cmpord_ps(values, values));
}

static inline __m128i round_four(__m128 values) {
    return _mm_cvtps_epi32(_mm_mul_ps(values, _mm_set1_ps(32768.0f)));
}

/* Turns 16 floats into samples (samples[0]: the first 8). */
static inline void round_block(const uint8_t *in, __m128i samples[2]) {
    __m128 values[4] = {load_floats(in), load_floats(in + 16), load_floats(in + 32),
                        load_floats(in + 48)};
    if (any_wild(values)) {
        for (int i = 0; i < 4; i++) values[i] = tame(values[i]);
    }
    samples[0] = _mm_packs_epi32(round_four(values[0]), round_four(values[1]));
    samples[1] = _mm_packs_epi32(round_four(values[2]), round_four(values[3]));
}

static inline void int16_block(const wire_law *law, const uint8_t *in, uint8_t *out) {
    const __m128i samples[2] = {load(in), load(in + 16)};
    store(out, compress(law, samples));
}

static inline void float32_block(const wire_law *law, const uint8_t *in, uint8_t *out) {
    __m128i samples[2];
    round_block(in, samples);
    store(out, compress(law, samples));
}

static inline void pcm16_block(const wire_law *none, const uint8_t *in, uint8_t *out) {
    (void)none;
    __m128i samples[2];
    round_block(in, samples);
    store(out, samples[0]);
    store(out + 16, samples[1]);
}

void wire_float32_to_pcm16_ssse3(const void *in, size_t count, uint8_t *out) {
    wire_in_blocks(pcm16_block, NULL, 16, 4, 2, in, count, out);
}

void wire_int16_to_ulaw_ssse3(const void *in, size_t count, uint8_t *out) {
    wire_in_blocks(int16_block, &wire_ulaw, 16, 2, 1, in, count, out);
}

void wire_int16_to_alaw_ssse3(const void *in, size_t count, uint8_t *out) {
    wire_in_blocks(int16_block, &wire_alaw, 16, 2, 1, in, count, out);
}

void wire_float32_to_ulaw_ssse3(const void *in, size_t count, uint8_t *out) {
    wire_in_blocks(float32_block, &wire_ulaw, 16, 4, 1, in, count, out);
}

void wire_float32_to_alaw_ssse3(const void *in, size_t count, uint8_t *out) {
    wire_in_blocks(float32_block, &wire_alaw, 16, 4, 1, in, count, out);
}
#endif
