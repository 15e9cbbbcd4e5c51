/* Samples to int16 and float32, AVX2 tier. */
#include "kernels.h"

#ifdef WIRE_X86
#include <immintrin.h>
#include <string.h>

#include "g711_lookups.h"

static inline __m256i lookup(const void *table, __m256i index) {
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)table)),
                               index);
}

/* Reads 32 codes. samples[0] is the first 16 of them. */
static inline void expand(const law *law, const uint8_t *in, __m256i samples[2]) {
    __m256i codes = _mm256_loadu_si256((const __m256i *)(const void *)in),
            nibble = _mm256_set1_epi8(15);
    /* Quarters in the order 0 2 1 3, because the unpacking below works within halves: 0 and 1 low,
     * 2 and 3 high. */
    codes = _mm256_permute4x64_epi64(codes, _MM_SHUFFLE(3, 1, 2, 0));
    __m256i chord = _mm256_and_si256(_mm256_srli_epi16(codes, 4), nibble);
    __m256i steep = lookup(law->steep, chord), once = lookup(law->once, chord),
            offset = lookup(law->offset, chord);
    __m256i step = _mm256_sign_epi8(lookup(law->step, _mm256_and_si256(codes, nibble)), offset);
    __m256i low =
        _mm256_maddubs_epi16(_mm256_unpacklo_epi8(steep, once), _mm256_unpacklo_epi8(step, offset));
    __m256i high =
        _mm256_maddubs_epi16(_mm256_unpackhi_epi8(steep, once), _mm256_unpackhi_epi8(step, offset));
    samples[0] = _mm256_add_epi16(low, low);
    samples[1] = _mm256_add_epi16(high, high);
}

static inline __m256 to_float(__m128i samples) {
    return _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(samples)),
                         _mm256_set1_ps(1.0f / 32768.0f));
}

static inline void store_int16(const __m256i samples[2], int16_t *out) {
    _mm256_storeu_si256((__m256i *)(void *)out, samples[0]);
    _mm256_storeu_si256((__m256i *)(void *)(out + 16), samples[1]);
}

static inline void store_float32(const __m256i samples[2], float *out) {
    _mm256_storeu_ps(out, to_float(_mm256_castsi256_si128(samples[0])));
    _mm256_storeu_ps(out + 8, to_float(_mm256_extracti128_si256(samples[0], 1)));
    _mm256_storeu_ps(out + 16, to_float(_mm256_castsi256_si128(samples[1])));
    _mm256_storeu_ps(out + 24, to_float(_mm256_extracti128_si256(samples[1], 1)));
}

/* All loops: 32 or 16 samples per iteration while enough are left. The rest goes through the stack,
 * so that nothing past `count` is touched. */

static inline void law_to_int16(const law *law, const uint8_t *in, size_t count, int16_t *out) {
    __m256i samples[2];
    for (; count >= 32; count -= 32, in += 32, out += 32) {
        expand(law, in, samples);
        store_int16(samples, out);
    }
    if (count) {
        uint8_t codes[32] = {0};
        int16_t rest[32];
        memcpy(codes, in, count);
        expand(law, codes, samples);
        store_int16(samples, rest);
        memcpy(out, rest, count * sizeof *out);
    }
}

static inline void law_to_float32(const law *law, const uint8_t *in, size_t count, float *out) {
    __m256i samples[2];
    for (; count >= 32; count -= 32, in += 32, out += 32) {
        expand(law, in, samples);
        store_float32(samples, out);
    }
    if (count) {
        uint8_t codes[32] = {0};
        float rest[32];
        memcpy(codes, in, count);
        expand(law, codes, samples);
        store_float32(samples, rest);
        memcpy(out, rest, count * sizeof *out);
    }
}

static inline void pcm16_block(const uint8_t *in, float *out) {
    __m128i low = _mm_loadu_si128((const __m128i *)(const void *)in);
    __m128i high = _mm_loadu_si128((const __m128i *)(const void *)(in + 16));
    _mm256_storeu_ps(out, to_float(low));
    _mm256_storeu_ps(out + 8, to_float(high));
}

void wire_pcm16_to_float32_avx2(const uint8_t *in, size_t count, float *out) {
    for (; count >= 16; count -= 16, in += 32, out += 16) pcm16_block(in, out);
    if (count) {
        uint8_t bytes[32] = {0};
        float rest[16];
        memcpy(bytes, in, count * 2);
        pcm16_block(bytes, rest);
        memcpy(out, rest, count * sizeof *out);
    }
}

void wire_ulaw_to_int16_avx2(const uint8_t *in, size_t count, int16_t *out) {
    law_to_int16(&ulaw, in, count, out);
}

void wire_ulaw_to_float32_avx2(const uint8_t *in, size_t count, float *out) {
    law_to_float32(&ulaw, in, count, out);
}

void wire_alaw_to_int16_avx2(const uint8_t *in, size_t count, int16_t *out) {
    law_to_int16(&alaw, in, count, out);
}

void wire_alaw_to_float32_avx2(const uint8_t *in, size_t count, float *out) {
    law_to_float32(&alaw, in, count, out);
}
#endif
