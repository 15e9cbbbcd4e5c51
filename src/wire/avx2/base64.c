/* base64 decoding, AVX2 tier. */
#include "kernels.h"

#ifdef WIRE_X86
#include <immintrin.h>
#include <string.h>

#include "base64_rows.h"

#define EACH for (int i = 0; i < n; i++)

/* Decodes n * 32 symbols, n at most 4. Each 32 of them become 24 bytes: 12 at the start of each
 * half of bytes[i], followed by zeros. `*wrong` collects sign bits, set for bytes outside the
 * alphabet. Each step is done for all n vectors before the next one, because the instructions of
 * one vector depend on each other and fill the schedulers while they wait. */
static PORTABLE_INLINE void decode(int n, const uint8_t *src, __m256i bytes[], __m256i *wrong) {
    const __m256i limits = _mm256_setr_epi8(LIMITS, LIMITS),
                  offsets = _mm256_setr_epi8(OFFSETS, OFFSETS);
    __m256i codes[4], rows[4];
    EACH codes[i] = _mm256_loadu_si256((const __m256i *)(const void *)(src + 32 * i));
    /* Moves bits 6, 5, 4 and 2 to 4, 3, 2 and 0. The rounding average with 0, (x + 1) >> 1, moves
     * the first three one further and leaves the last where it is. */
    EACH rows[i] = _mm256_and_si256(_mm256_srli_epi32(codes[i], 2), _mm256_set1_epi8(0x1D));
    EACH rows[i] = _mm256_avg_epu8(rows[i], _mm256_setzero_si256());
    EACH bytes[i] = _mm256_add_epi8(codes[i], _mm256_shuffle_epi8(offsets, rows[i]));
    /* The rows of codes from 128 on mean nothing; their own sign bit marks them. */
    EACH *wrong = _mm256_or_si256(*wrong, codes[i]);
    EACH *wrong =
        _mm256_or_si256(*wrong, _mm256_add_epi8(codes[i], _mm256_shuffle_epi8(limits, rows[i])));
    /* From six bits each: pairs become first * 64 + second, then first * 4096 + second. */
    EACH bytes[i] = _mm256_maddubs_epi16(bytes[i], _mm256_set1_epi16(0x0140));
    EACH bytes[i] = _mm256_madd_epi16(bytes[i], _mm256_set1_epi32(0x00011000));
    /* A group's bytes are bytes 2, 1, 0 of its word. */
    /* clang-format off */
    EACH bytes[i] = _mm256_shuffle_epi8(bytes[i], _mm256_setr_epi8(
        2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1, 2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
    /* clang-format on */
}

/* Writes 28 bytes, the last four of them zero. */
static inline void store28(uint8_t *out, __m256i bytes) {
    _mm_storeu_si128((__m128i *)(void *)out, _mm256_castsi256_si128(bytes));
    _mm_storeu_si128((__m128i *)(void *)(out + 12), _mm256_extracti128_si256(bytes, 1));
}

static inline void store24(uint8_t *out, __m256i bytes) {
    __m128i high = _mm256_extracti128_si256(bytes, 1);
    int last = _mm_extract_epi32(high, 2);
    _mm_storeu_si128((__m128i *)(void *)out, _mm256_castsi256_si128(bytes));
    _mm_storel_epi64((__m128i *)(void *)(out + 12), high);
    memcpy(out + 20, &last, 4);
}

/* How many symbols come before the first group with a fault. */
static inline size_t sound(__m256i wrong, size_t length) {
    unsigned faults = (unsigned)_mm256_movemask_epi8(wrong);
    return faults ? _tzcnt_u32(faults) & ~3u : length;
}

size_t wire_base64_avx2(const uint8_t *src, size_t length, uint8_t *out) {
    size_t at = 0;
    __m256i bytes[4];
    /* 128 symbols per iteration: reads src[at .. at + 128), which ends before `length`. The four
     * stores end at bytes 28, 52, 76 and 100: four past the 96 of these groups, where the next
     * eight symbols have room for six bytes. One test covers all; if it fails, the loop below looks
     * at the same 128 again. */
    for (; length - at >= 128 + 8; at += 128, out += 96) {
        __m256i wrong = _mm256_setzero_si256();
        decode(4, src + at, bytes, &wrong);
        for (int i = 0; i < 4; i++) store28(out + 24 * i, bytes[i]);
        if (_mm256_movemask_epi8(wrong)) break;
    }
    /* 32 symbols per iteration; reads and writes exactly these. */
    for (; length - at >= 32; at += 32, out += 24) {
        __m256i wrong = _mm256_setzero_si256();
        decode(1, src + at, bytes, &wrong);
        store24(out, bytes[0]);
        size_t taken = sound(wrong, 32);
        if (taken < 32) return at + taken;
    }
    size_t rest = length - at;
    if (rest == 0) return at;
    __m256i wrong = _mm256_setzero_si256();
    if (at) {
        /* The last 32 symbols; the first 32 - rest of them are decoded again. They are in src,
         * because 32 or more were decoded, and give the same bytes. */
        decode(1, src + length - 32, bytes, &wrong);
        store24(out + rest / 4 * 3 - 24, bytes[0]);
        return length - 32 + sound(wrong, 32);
    }
    /* 4 to 28 symbols in all: through the stack, padded with 'A', which is valid. */
    uint8_t symbols[32], only[28];
    memset(symbols, 'A', sizeof symbols);
    memcpy(symbols, src, rest);
    decode(1, symbols, bytes, &wrong);
    store28(only, bytes[0]);
    memcpy(out, only, rest / 4 * 3);
    return sound(wrong, rest);
}
#endif
