/* int16 and float32 to samples of the wire, AVX2 tier. */
#include "kernels.h"
#include "encode_blocks.h"

#ifdef WIRE_X86
#include <immintrin.h>

static inline __m256i load(const uint8_t *in) {
    return _mm256_loadu_si256((const __m256i *)(const void *)in);
}

static inline __m256 load_floats(const uint8_t *in) {
    return _mm256_loadu_ps((const float *)(const void *)in);
}

static inline void store(uint8_t *out, __m256i bytes) {
    _mm256_storeu_si256((__m256i *)(void *)out, bytes);
}

#define TWICE(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)

/* Turns 32 samples (samples[0]: the first 16) into codes, in quarters of 8: 0 2 1 3.
 *
 * The chord is looked up twice by the upper byte of m, which is below 128: by its lower half for
 * chords 0 to 4, and by its upper half for chords 5 to 7; the larger result counts. Both halves of
 * a table's byte have the chord, so it is both the index of the next lookup and the upper half of
 * the code. That lookup gives 2^(7 - chord). Multiplied by it, m has its highest bit at bit 14 and
 * the step at bits 13 .. 10 in every chord. In A-law's chord 0 the power is 2^6, which puts the
 * step at bits 13 .. 10 too, with nothing above it. */
static inline __m256i compress(const wire_law *law, const __m256i samples[2]) {
    const __m256i chords = TWICE(0, 0x11, 0x22, 0x22, 0x33, 0x33, 0x33, 0x33, 0x44, 0x44, 0x44,
                                 0x44, 0x44, 0x44, 0x44, 0x44);
    const __m256i upper_chords =
        TWICE(0, 0x55, 0x66, 0x66, 0x77, 0x77, 0x77, 0x77, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m256i powers =
        TWICE((char)(1024 >> law->shift_in_0), 64, 32, 16, 8, 4, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m256i zero = _mm256_setzero_si256(), nibble = _mm256_set1_epi8(15);
    __m256i m[2];
    for (int i = 0; i < 2; i++) {
        m[i] = _mm256_xor_si256(samples[i], _mm256_srai_epi16(samples[i], 15));
        m[i] = _mm256_adds_epi16(m[i], _mm256_set1_epi16(law->bias));
    }
    __m256i high = _mm256_packus_epi16(_mm256_srli_epi16(m[0], 8), _mm256_srli_epi16(m[1], 8));
    __m256i chord =
        _mm256_shuffle_epi8(upper_chords, _mm256_and_si256(_mm256_srli_epi16(high, 4), nibble));
    chord = _mm256_max_epu8(chord, _mm256_shuffle_epi8(chords, high));
    __m256i power = _mm256_shuffle_epi8(powers, chord);
    /* Packing and unpacking work within halves of a vector, and undo each other's order. */
    m[0] = _mm256_srli_epi16(_mm256_mullo_epi16(m[0], _mm256_unpacklo_epi8(power, zero)), 10);
    m[1] = _mm256_srli_epi16(_mm256_mullo_epi16(m[1], _mm256_unpackhi_epi8(power, zero)), 10);
    __m256i code = _mm256_and_si256(_mm256_packus_epi16(m[0], m[1]), nibble);
    code = _mm256_or_si256(code, _mm256_and_si256(chord, _mm256_set1_epi8(0x70)));
    /* Packing saturates, which keeps the sign. */
    __m256i negative =
        _mm256_and_si256(_mm256_packs_epi16(samples[0], samples[1]), _mm256_set1_epi8((char)0x80));
    return _mm256_xor_si256(code,
                            _mm256_xor_si256(negative, _mm256_set1_epi8((char)law->inverted)));
}

/* Floats below 2 in magnitude are scaled to less than 65536, which the conversion to 32 bits holds
 * and the packing to 16 bits saturates. All others, called wild here, have an exponent of 128 or
 * more, whose highest bit is bit 30 of the float: larger numbers, infinities and NaN. They are
 * tamed first: NaN, which is unordered with itself, becomes 0, and anything above 1 becomes 1,
 * because the conversion gives -2^31 for whatever it cannot hold. For anything too far below, -2^31
 * is right. Audio has no wild floats: a block is tested once, and hardly ever tamed. */
static inline bool any_wild(const __m256 values[4]) {
    __m256 bits =
        _mm256_or_ps(_mm256_or_ps(values[0], values[1]), _mm256_or_ps(values[2], values[3]));
    /* The mask takes sign bits: bit 30 is moved there. */
    return _mm256_movemask_ps(
               _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(bits), 1))) != 0;
}

static inline __m256 tame(__m256 values) {
    __m256 numbers = _mm256_cmp_ps(values, values, _CMP_ORD_Q);
    return _mm256_and_ps(_mm256_min_ps(values, _mm256_set1_ps(1.0f)), numbers);
}

/* Rounds eight floats to 32-bit integers by the rounding mode of the processor: half to even,
 * unless the caller has changed that. */
static inline __m256i round_eight(__m256 values) {
    return _mm256_cvtps_epi32(_mm256_mul_ps(values, _mm256_set1_ps(32768.0f)));
}

/* Turns 32 floats into samples (samples[0]: the first 16), each in quarters of 4: 0 2 1 3. */
static inline void round_block(const uint8_t *in, __m256i samples[2]) {
    __m256 values[4] = {load_floats(in), load_floats(in + 32), load_floats(in + 64),
                        load_floats(in + 96)};
    if (any_wild(values)) {
        for (int i = 0; i < 4; i++) values[i] = tame(values[i]);
    }
    samples[0] = _mm256_packs_epi32(round_eight(values[0]), round_eight(values[1]));
    samples[1] = _mm256_packs_epi32(round_eight(values[2]), round_eight(values[3]));
}

static inline void int16_block(const wire_law *law, const uint8_t *in, uint8_t *out) {
    const __m256i samples[2] = {load(in), load(in + 32)};
    store(out, _mm256_permute4x64_epi64(compress(law, samples), _MM_SHUFFLE(3, 1, 2, 0)));
}

/* Packed twice: the eighths of 4 codes come in the order 0 2 4 6 1 3 5 7. */
static inline void float32_block(const wire_law *law, const uint8_t *in, uint8_t *out) {
    __m256i samples[2];
    round_block(in, samples);
    store(out, _mm256_permutevar8x32_epi32(compress(law, samples),
                                           _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)));
}

static inline void pcm16_block(const wire_law *none, const uint8_t *in, uint8_t *out) {
    (void)none;
    __m256i samples[2];
    round_block(in, samples);
    store(out, _mm256_permute4x64_epi64(samples[0], _MM_SHUFFLE(3, 1, 2, 0)));
    store(out + 32, _mm256_permute4x64_epi64(samples[1], _MM_SHUFFLE(3, 1, 2, 0)));
}

void wire_float32_to_pcm16_avx2(const void *in, size_t count, uint8_t *out) {
    wire_in_blocks(pcm16_block, NULL, 32, 4, 2, in, count, out);
}

void wire_int16_to_ulaw_avx2(const void *in, size_t count, uint8_t *out) {
    wire_in_blocks(int16_block, &wire_ulaw, 32, 2, 1, in, count, out);
}

void wire_int16_to_alaw_avx2(const void *in, size_t count, uint8_t *out) {
    wire_in_blocks(int16_block, &wire_alaw, 32, 2, 1, in, count, out);
}

void wire_float32_to_ulaw_avx2(const void *in, size_t count, uint8_t *out) {
    wire_in_blocks(float32_block, &wire_ulaw, 32, 4, 1, in, count, out);
}

void wire_float32_to_alaw_avx2(const void *in, size_t count, uint8_t *out) {
    wire_in_blocks(float32_block, &wire_alaw, 32, 4, 1, in, count, out);
}
#endif
