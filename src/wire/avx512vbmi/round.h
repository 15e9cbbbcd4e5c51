/* Floats to samples, for the AVX-512 kernels: convert_encode.c and base64_encode.c share it. */
#ifndef REALTIME_PCM_AVX512VBMI_ROUND_H
#define REALTIME_PCM_AVX512VBMI_ROUND_H

#include <immintrin.h>
#include <stdbool.h>

/* Whether any float of an even number of vectors is wild: 2 or more in magnitude, infinite or NaN.
 * Bit 30 tells; avx2/convert_encode.c says why such floats are handled apart. */
static inline bool any_wild(const __m512 values[], int vectors) {
    __m512i bits = _mm512_castps_si512(values[0]);
    for (int i = 1; i + 1 < vectors; i += 2)
        bits = _mm512_ternarylogic_epi32(bits, _mm512_castps_si512(values[i]),
                                         _mm512_castps_si512(values[i + 1]), 0xFE); /* a | b | c */
    bits = _mm512_or_si512(bits, _mm512_castps_si512(values[vectors - 1]));
    return _mm512_test_epi32_mask(bits, _mm512_set1_epi32(1 << 30)) != 0;
}

static inline __m512 tame(__m512 values) {
    return _mm512_maskz_min_ps(_mm512_cmp_ps_mask(values, values, _CMP_ORD_Q), values,
                               _mm512_set1_ps(1.0f));
}

/* Rounds 16 floats to 32-bit integers, half to even. */
static inline __m512i round_sixteen(__m512 values) {
    return _mm512_cvt_roundps_epi32(_mm512_mul_ps(values, _mm512_set1_ps(32768.0f)),
                                    _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/* Turns an even number of vectors of floats into half as many of samples, each in eighths of 4: 0 4
 * 1 5 2 6 3 7. */
static inline void round_all(__m512 values[], int vectors, __m512i samples[]) {
    if (any_wild(values, vectors)) {
        for (int i = 0; i < vectors; i++) values[i] = tame(values[i]);
    }
    for (int i = 0; i < vectors; i += 2)
        samples[i / 2] = _mm512_packs_epi32(round_sixteen(values[i]), round_sixteen(values[i + 1]));
}

#endif
