/* Samples to int16 and float32, AVX-512 VBMI tier. */
#include "kernels.h"

#ifdef WIRE_X86
#include <immintrin.h>

#include "g711_values.h"

/* The magnitude of a G.711 code's sample, by the code's lower seven bits on the wire, low bytes and
 * high bytes apart: vpermi2b looks up 64 codes in 128 bytes. g711_values.h has the formulas. */
typedef struct law {
    _Alignas(64) uint8_t low[128], high[128];
} law;

#define LOW(sample) ((sample) & 255)
#define HIGH(sample) ((sample) >> 8)
#define FOUR(half, law, code) \
    half(law(code)), half(law((code) + 1)), half(law((code) + 2)), half(law((code) + 3))
#define CHORD(half, law, code) \
    FOUR(half, law, code), FOUR(half, law, (code) + 4), FOUR(half, law, (code) + 8), \
        FOUR(half, law, (code) + 12)
#define CHORDS(half, law) \
    CHORD(half, law, 0), CHORD(half, law, 16), CHORD(half, law, 32), CHORD(half, law, 48), \
        CHORD(half, law, 64), CHORD(half, law, 80), CHORD(half, law, 96), CHORD(half, law, 112)

static const law ulaw = {{CHORDS(LOW, ULAW_MAGNITUDE)}, {CHORDS(HIGH, ULAW_MAGNITUDE)}};
static const law alaw = {{CHORDS(LOW, ALAW_MAGNITUDE)}, {CHORDS(HIGH, ALAW_MAGNITUDE)}};

/* Bytes of two vectors, alternating: n of the first, n of the second (from 64 on), n + 1 of the
 * first, ... */
#define TURN(n) (n), (n) + 64
#define TURN8(n) \
    TURN(n), TURN((n) + 1), TURN((n) + 2), TURN((n) + 3), TURN((n) + 4), TURN((n) + 5), \
        TURN((n) + 6), TURN((n) + 7)
_Alignas(64) static const uint8_t in_turn[2][64] = {
    {TURN8(0), TURN8(8), TURN8(16), TURN8(24)},
    {TURN8(32), TURN8(40), TURN8(48), TURN8(56)},
};

static inline __m512i lookup(const uint8_t table[128], __m512i index) {
    return _mm512_permutex2var_epi8(_mm512_load_si512(table), index, _mm512_load_si512(table + 64));
}

/* Turns 64 codes into samples (samples[0]: the first 32). */
static inline void expand(const law *law, __m512i codes, __m512i samples[2]) {
    const __m512i zero = _mm512_setzero_si512();
    __m512i low = lookup(law->low, codes), high = lookup(law->high, codes);
    __mmask64 negative = _knot_mask64(_mm512_movepi8_mask(codes));
    __m512i first = _mm512_permutex2var_epi8(low, _mm512_load_si512(in_turn[0]), high);
    __m512i second = _mm512_permutex2var_epi8(low, _mm512_load_si512(in_turn[1]), high);
    samples[0] = _mm512_mask_sub_epi16(first, (__mmask32)negative, zero, first);
    samples[1] = _mm512_mask_sub_epi16(second, (__mmask32)(negative >> 32), zero, second);
}

static inline __m512 to_float(__m256i samples) {
    return _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(samples)),
                         _mm512_set1_ps(1.0f / 32768.0f));
}

/* The lowest `count` of 64 lanes. */
static inline __mmask64 lanes(size_t count) {
    return _bzhi_u64(~0ull, (unsigned)count);
}

/* All loops: 64 or 32 samples per iteration while enough are left. The rest is loaded and stored
 * under masks, which neither touch nor fault on anything past `count`. */

static inline void law_to_int16(const law *law, const uint8_t *in, size_t count, int16_t *out) {
    __m512i samples[2];
    for (; count >= 64; count -= 64, in += 64, out += 64) {
        expand(law, _mm512_loadu_si512(in), samples);
        _mm512_storeu_si512(out, samples[0]);
        _mm512_storeu_si512(out + 32, samples[1]);
    }
    if (count) {
        __mmask64 live = lanes(count);
        expand(law, _mm512_maskz_loadu_epi8(live, in), samples);
        _mm512_mask_storeu_epi16(out, (__mmask32)live, samples[0]);
        if (count > 32) _mm512_mask_storeu_epi16(out + 32, (__mmask32)(live >> 32), samples[1]);
    }
}

static inline void law_to_float32(const law *law, const uint8_t *in, size_t count, float *out) {
    __m512i samples[2];
    for (; count >= 64; count -= 64, in += 64, out += 64) {
        expand(law, _mm512_loadu_si512(in), samples);
        for (int i = 0; i < 2; i++) {
            _mm512_storeu_ps(out + 32 * i, to_float(_mm512_castsi512_si256(samples[i])));
            _mm512_storeu_ps(out + 32 * i + 16, to_float(_mm512_extracti64x4_epi64(samples[i], 1)));
        }
    }
    if (count) {
        __mmask64 live = lanes(count);
        expand(law, _mm512_maskz_loadu_epi8(live, in), samples);
        for (int i = 0; i < 2 && live; i++, out += 32, live >>= 32) {
            _mm512_mask_storeu_ps(out, (__mmask16)live,
                                  to_float(_mm512_castsi512_si256(samples[i])));
            if (live >> 16)
                _mm512_mask_storeu_ps(out + 16, (__mmask16)(live >> 16),
                                      to_float(_mm512_extracti64x4_epi64(samples[i], 1)));
        }
    }
}

void wire_pcm16_to_float32_avx512vbmi(const uint8_t *in, size_t count, float *out) {
    for (; count >= 32; count -= 32, in += 64, out += 32) {
        __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)in);
        __m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(in + 32));
        _mm512_storeu_ps(out, to_float(low));
        _mm512_storeu_ps(out + 16, to_float(high));
    }
    if (count) {
        __mmask64 live = lanes(count);
        __m512i samples = _mm512_maskz_loadu_epi16((__mmask32)live, in);
        _mm512_mask_storeu_ps(out, (__mmask16)live, to_float(_mm512_castsi512_si256(samples)));
        if (count > 16)
            _mm512_mask_storeu_ps(out + 16, (__mmask16)(live >> 16),
                                  to_float(_mm512_extracti64x4_epi64(samples, 1)));
    }
}

void wire_ulaw_to_int16_avx512vbmi(const uint8_t *in, size_t count, int16_t *out) {
    law_to_int16(&ulaw, in, count, out);
}

void wire_ulaw_to_float32_avx512vbmi(const uint8_t *in, size_t count, float *out) {
    law_to_float32(&ulaw, in, count, out);
}

void wire_alaw_to_int16_avx512vbmi(const uint8_t *in, size_t count, int16_t *out) {
    law_to_int16(&alaw, in, count, out);
}

void wire_alaw_to_float32_avx512vbmi(const uint8_t *in, size_t count, float *out) {
    law_to_float32(&alaw, in, count, out);
}
#endif
