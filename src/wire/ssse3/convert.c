/* Samples to int16 and float32, SSSE3 tier. */
#include "kernels.h"

#ifdef WIRE_X86
#include <string.h>
#include <tmmintrin.h>

#include "g711_lookups.h"

static inline __m128i lookup(const void *table, __m128i index) {
    return _mm_shuffle_epi8(_mm_load_si128((const __m128i *)table), index);
}

/* Reads 16 codes. samples[0] is the first 8 of them. */
static inline void expand(const law *law, const uint8_t *in, __m128i samples[2]) {
    __m128i codes = _mm_loadu_si128((const __m128i *)(const void *)in), nibble = _mm_set1_epi8(15);
    __m128i chord = _mm_and_si128(_mm_srli_epi16(codes, 4), nibble);
    __m128i steep = lookup(law->steep, chord), once = lookup(law->once, chord),
            offset = lookup(law->offset, chord);
    __m128i step = _mm_sign_epi8(lookup(law->step, _mm_and_si128(codes, nibble)), offset);
    __m128i low =
        _mm_maddubs_epi16(_mm_unpacklo_epi8(steep, once), _mm_unpacklo_epi8(step, offset));
    __m128i high =
        _mm_maddubs_epi16(_mm_unpackhi_epi8(steep, once), _mm_unpackhi_epi8(step, offset));
    samples[0] = _mm_add_epi16(low, low);
    samples[1] = _mm_add_epi16(high, high);
}

static inline void store_int16(const __m128i samples[2], int16_t *out) {
    _mm_storeu_si128((__m128i *)(void *)out, samples[0]);
    _mm_storeu_si128((__m128i *)(void *)(out + 8), samples[1]);
}

/* The samples become the upper halves of words of 32 bits: 65536 times too large, which the scale
 * undoes. */
static inline void store_eight(__m128i samples, float *out) {
    const __m128i zero = _mm_setzero_si128();
    const __m128 scale = _mm_set1_ps(1.0f / 32768.0f / 65536.0f);
    _mm_storeu_ps(out, _mm_mul_ps(_mm_cvtepi32_ps(_mm_unpacklo_epi16(zero, samples)), scale));
    _mm_storeu_ps(out + 4, _mm_mul_ps(_mm_cvtepi32_ps(_mm_unpackhi_epi16(zero, samples)), scale));
}

static inline void store_float32(const __m128i samples[2], float *out) {
    store_eight(samples[0], out);
    store_eight(samples[1], out + 8);
}

/* All loops: 16 or 8 samples per iteration while enough are left. The rest goes through the stack,
 * so that nothing past `count` is touched. */

static inline void law_to_int16(const law *law, const uint8_t *in, size_t count, int16_t *out) {
    __m128i samples[2];
    for (; count >= 16; count -= 16, in += 16, out += 16) {
        expand(law, in, samples);
        store_int16(samples, out);
    }
    if (count) {
        uint8_t codes[16] = {0};
        int16_t rest[16];
        memcpy(codes, in, count);
        expand(law, codes, samples);
        store_int16(samples, rest);
        memcpy(out, rest, count * sizeof *out);
    }
}

static inline void law_to_float32(const law *law, const uint8_t *in, size_t count, float *out) {
    __m128i samples[2];
    for (; count >= 16; count -= 16, in += 16, out += 16) {
        expand(law, in, samples);
        store_float32(samples, out);
    }
    if (count) {
        uint8_t codes[16] = {0};
        float rest[16];
        memcpy(codes, in, count);
        expand(law, codes, samples);
        store_float32(samples, rest);
        memcpy(out, rest, count * sizeof *out);
    }
}

static inline void pcm16_block(const uint8_t *in, float *out) {
    store_eight(_mm_loadu_si128((const __m128i *)(const void *)in), out);
}

void wire_pcm16_to_float32_ssse3(const uint8_t *in, size_t count, float *out) {
    for (; count >= 8; count -= 8, in += 16, out += 8) pcm16_block(in, out);
    if (count) {
        uint8_t bytes[16] = {0};
        float rest[8];
        memcpy(bytes, in, count * 2);
        pcm16_block(bytes, rest);
        memcpy(out, rest, count * sizeof *out);
    }
}

void wire_ulaw_to_int16_ssse3(const uint8_t *in, size_t count, int16_t *out) {
    law_to_int16(&ulaw, in, count, out);
}

void wire_ulaw_to_float32_ssse3(const uint8_t *in, size_t count, float *out) {
    law_to_float32(&ulaw, in, count, out);
}

void wire_alaw_to_int16_ssse3(const uint8_t *in, size_t count, int16_t *out) {
    law_to_int16(&alaw, in, count, out);
}

void wire_alaw_to_float32_ssse3(const uint8_t *in, size_t count, float *out) {
    law_to_float32(&alaw, in, count, out);
}
#endif
