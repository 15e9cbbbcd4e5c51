/* int16 and float32 to samples of the wire, AVX-512 VBMI tier. */
#include "kernels.h"
#include "g711_encode.h"

#ifdef WIRE_X86
#include <immintrin.h>

#include "avx512vbmi/round.h"

/* By the upper byte of m (g711_encode.h), which is below 128: the chord in the upper half, and in
 * the lower half the shift of m, for chords 2 to 7 at least. */
#define E(chord) (chord) << 4 | ((chord) + 3)
#define E8(chord) E(chord), E(chord), E(chord), E(chord), E(chord), E(chord), E(chord), E(chord)
#define E16(chord) E8(chord), E8(chord)
#define REST \
    E(2), E(2), E(3), E(3), E(3), E(3), E8(4), E16(5), E16(6), E16(6), E16(7), E16(7), E16(7), \
        E16(7)
_Alignas(64) static const uint8_t ulaw_chords[128] = {E(0), E(1), REST};
_Alignas(64) static const uint8_t alaw_chords[128] = {4, E(1), REST};

typedef struct law {
    const wire_law *law;
    const uint8_t *chords;
} law;

static const law ulaw = {&wire_ulaw, ulaw_chords}, alaw = {&wire_alaw, alaw_chords};

/* Turns 64 samples (samples[0]: the first 32) into codes, in eighths of 8: 0 4 1 5 2 6 3 7, because
 * packing and unpacking work within quarters of a vector; they undo each other's order. */
static inline __m512i compress(const law *law, const __m512i samples[2]) {
    const __m512i zero = _mm512_setzero_si512(), nibble = _mm512_set1_epi8(15);
    __m512i m[2];
    for (int i = 0; i < 2; i++) {
        m[i] = _mm512_xor_si512(samples[i], _mm512_srai_epi16(samples[i], 15));
        m[i] = _mm512_adds_epi16(m[i], _mm512_set1_epi16(law->law->bias));
    }
    __m512i high = _mm512_packus_epi16(_mm512_srli_epi16(m[0], 8), _mm512_srli_epi16(m[1], 8));
    __m512i chord = _mm512_permutex2var_epi8(_mm512_load_si512(law->chords), high,
                                             _mm512_load_si512(law->chords + 64));
    __m512i shift = _mm512_and_si512(chord, nibble);
    m[0] = _mm512_srlv_epi16(m[0], _mm512_unpacklo_epi8(shift, zero));
    m[1] = _mm512_srlv_epi16(m[1], _mm512_unpackhi_epi8(shift, zero));
    /* m is now at most 31: the upper half of the code comes from the chord, the lower half from
     * m. */
    __m512i code = _mm512_ternarylogic_epi32(nibble, _mm512_packus_epi16(m[0], m[1]), chord,
                                             0xCA); /* a ? b : c */
    /* Packing saturates, which keeps the sign. */
    __m512i sign =
        _mm512_and_si512(_mm512_packs_epi16(samples[0], samples[1]), _mm512_set1_epi8((char)0x80));
    return _mm512_ternarylogic_epi32(code, sign, _mm512_set1_epi8((char)law->law->inverted),
                                     0x96); /* a ^ b ^ c */
}

/* The lowest `count` of 64 lanes. */
static inline __mmask64 lanes(size_t count) {
    return _bzhi_u64(~0ull, (unsigned)count);
}

/* Turns up to 64 live floats into samples (samples[0]: the first 32), each in eighths of 4: 0 4 1 5
 * 2 6 3 7. Lanes that are not live are 0 and not read. */
static inline void round_sixty_four(const uint8_t *in, __mmask64 live, __m512i samples[2]) {
    __m512 values[4];
    for (int i = 0; i < 4; i++)
        values[i] = _mm512_maskz_loadu_ps((__mmask16)(live >> 16 * i), in + 64 * i);
    round_all(values, 4, samples);
}

/* The blocks: up to 64 live samples become bytes of the wire. */

static inline void pcm16_block(const uint8_t *in, __mmask64 live, uint8_t *out) {
    const __m512i in_order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    __m512i samples[2];
    round_sixty_four(in, live, samples);
    _mm512_mask_storeu_epi16(out, (__mmask32)live, _mm512_permutexvar_epi64(in_order, samples[0]));
    _mm512_mask_storeu_epi16(out + 64, (__mmask32)(live >> 32),
                             _mm512_permutexvar_epi64(in_order, samples[1]));
}

static inline void int16_block(const law *law, const uint8_t *in, __mmask64 live, uint8_t *out) {
    const __m512i in_order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    const __m512i samples[2] = {_mm512_maskz_loadu_epi16((__mmask32)live, in),
                                _mm512_maskz_loadu_epi16((__mmask32)(live >> 32), in + 64)};
    _mm512_mask_storeu_epi8(out, live, _mm512_permutexvar_epi64(in_order, compress(law, samples)));
}

/* Packed twice: the sixteenths of 4 codes come in the order 0 4 8 12 1 5 9 13 2 6 10 14 3 7 11
 * 15. */
static inline void float32_block(const law *law, const uint8_t *in, __mmask64 live, uint8_t *out) {
    const __m512i in_order =
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i samples[2];
    round_sixty_four(in, live, samples);
    _mm512_mask_storeu_epi8(out, live, _mm512_permutexvar_epi32(in_order, compress(law, samples)));
}

/* All loops: 64 samples per iteration while enough are left, under masks of all ones, which the
 * compiler drops. The rest is loaded and stored under masks that neither touch nor fault on
 * anything past `count`. */
#define ALL_LANES ~(__mmask64)0

static inline void int16_to_law(const law *law, const uint8_t *in, size_t count, uint8_t *out) {
    for (; count >= 64; count -= 64, in += 128, out += 64) int16_block(law, in, ALL_LANES, out);
    if (count) int16_block(law, in, lanes(count), out);
}

static inline void float32_to_law(const law *law, const uint8_t *in, size_t count, uint8_t *out) {
    for (; count >= 64; count -= 64, in += 256, out += 64) float32_block(law, in, ALL_LANES, out);
    if (count) float32_block(law, in, lanes(count), out);
}

void wire_float32_to_pcm16_avx512vbmi(const void *samples, size_t count, uint8_t *out) {
    const uint8_t *in = samples;
    for (; count >= 64; count -= 64, in += 256, out += 128) pcm16_block(in, ALL_LANES, out);
    if (count) pcm16_block(in, lanes(count), out);
}

void wire_int16_to_ulaw_avx512vbmi(const void *in, size_t count, uint8_t *out) {
    int16_to_law(&ulaw, in, count, out);
}

void wire_int16_to_alaw_avx512vbmi(const void *in, size_t count, uint8_t *out) {
    int16_to_law(&alaw, in, count, out);
}

void wire_float32_to_ulaw_avx512vbmi(const void *in, size_t count, uint8_t *out) {
    float32_to_law(&ulaw, in, count, out);
}

void wire_float32_to_alaw_avx512vbmi(const void *in, size_t count, uint8_t *out) {
    float32_to_law(&alaw, in, count, out);
}
#endif
