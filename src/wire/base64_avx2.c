/* base64 decoding, AVX2 tier. Flags: -mavx2 -mbmi -mbmi2 */
#include "kernels.h"

#ifdef WIRE_X86
#include <immintrin.h>
#include <string.h>

/* The tables go by rows of eight codes, row = (code + 4) >> 3 of a code below 124:
 *
 *      row      codes    symbols     limit         offset          row      codes    symbols     limit       offset
 *     0..4   0x00..0x23  none        -             (see below)      11   0x54..0x5B  T..Z        code <= 'Z'  -65
 *        5   0x24..0x2B  +           code >= '+'   62 - '+'         12   0x5C..0x63  a..c        code >= 'a'  -71
 *        6   0x2C..0x33  / 0..3      code >= '/'   52 - '0'      13,14   0x64..0x73  d..s        (any)        -71
 *        7   0x34..0x3B  4..9        code <= '9'   52 - '0'         15   0x74..0x7B  t..z        code <= 'z'  -71
 *        8   0x3C..0x43  A..C        code >= 'A'   0 - 'A'           0   0x7C..0xFF  none        -
 *     9,10   0x44..0x53  D..S        (any)         0 - 'A'
 *
 * Rows begin at a multiple of eight plus four because then, and only then, no row needs more than one limit, and one
 * addition checks it: `biased` is code + 128, saturated, so that codes from 127 on are all 255; adding `limits` leaves
 * the sign bit clear exactly for the symbols. For "code >= L" that is 128 - L (L itself comes out as 0), for
 * "code <= U" 255 - U (U itself comes out as 127), for none 0.
 * Row 6 has '/' beside the digits, with an offset of its own; its index is made 0, a row without symbols. */
#define FROM(code) (char)(128 - (code))
#define UP_TO(code) (char)(255 - (code))
#define ROWS(slash, plus, digit, upper, lower) \
    slash, 0, 0, 0, 0, plus, digit, digit, upper, upper, upper, upper, lower, lower, lower, lower
#define LIMITS 0, 0, 0, 0, 0, FROM('+'), FROM('/'), UP_TO('9'), FROM('A'), FROM('A'), FROM('A'), UP_TO('Z'), \
    FROM('a'), FROM('a'), FROM('a'), UP_TO('z')
#define OFFSETS ROWS(63 - '/', 62 - '+', 52 - '0', -'A', 26 - 'a')

/* 32 symbols to 24 bytes, 12 at the start of each half. `*wrong` gathers sign bits. */
static inline __m256i decode(__m256i codes, __m256i *wrong) {
    const __m256i limits = _mm256_setr_epi8(LIMITS, LIMITS);
    const __m256i offsets = _mm256_setr_epi8(OFFSETS, OFFSETS);
    __m256i biased = _mm256_adds_epu8(codes, _mm256_set1_epi8(-128));
    /* The shift by words leaves a neighbour's bits in bits 6 and 7. The rounding average with 0 adds one and shifts
     * once more: the row is in bits 0 to 3, the rest in 4 to 6, which the lookup ignores. Bit 7 is set only where
     * `biased` was 255; both lookups give 0 there, and `biased` keeps its sign. */
    __m256i row = _mm256_avg_epu8(_mm256_srli_epi32(biased, 2), _mm256_setzero_si256());
    *wrong = _mm256_or_si256(*wrong, _mm256_add_epi8(biased, _mm256_shuffle_epi8(limits, row)));
    __m256i slash = _mm256_cmpeq_epi8(codes, _mm256_set1_epi8('/'));
    __m256i six = _mm256_add_epi8(codes, _mm256_shuffle_epi8(offsets, _mm256_andnot_si256(slash, row)));
    __m256i twelve = _mm256_maddubs_epi16(six, _mm256_set1_epi16(0x0140));      /* first * 64 + second */
    __m256i words = _mm256_madd_epi16(twelve, _mm256_set1_epi32(0x00011000));   /* first * 4096 + second */
    /* A group's bytes are 2, 1, 0 of its word. */
    return _mm256_shuffle_epi8(words, _mm256_setr_epi8(
        2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1, 2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
}

static inline __m256i load(const uint8_t *src) {
    return _mm256_loadu_si256((const __m256i *)(const void *)src);
}

/* Writes 28 bytes, the last four of them zero. */
static inline void store28(uint8_t *out, __m256i bytes) {
    _mm_storeu_si128((__m128i *)(void *)out, _mm256_castsi256_si128(bytes));
    _mm_storeu_si128((__m128i *)(void *)(out + 12), _mm256_extracti128_si256(bytes, 1));
}

/* Writes 24 bytes. */
static inline void store24(uint8_t *out, __m256i bytes) {
    __m128i high = _mm256_extracti128_si256(bytes, 1);
    _mm_storeu_si128((__m128i *)(void *)out, _mm256_castsi256_si128(bytes));
    _mm_storel_epi64((__m128i *)(void *)(out + 12), high);
    int last = _mm_extract_epi32(high, 2);
    memcpy(out + 20, &last, 4);
}

size_t wire_base64_avx2(const uint8_t *src, size_t length, uint8_t *out) {
    size_t at = 0;
    length &= ~(size_t)3;
    /* 128 symbols a turn: reads src[at .. at + 128), which ends before `length`. The four stores end at 28, 52, 76 and
     * 100 bytes: four beyond the 96 of these groups, which the next eight symbols' six bytes have room for. One test
     * for all; where it fails, the loop below looks at the same 128 again. */
    for (; length - at >= 128 + 8; at += 128, out += 96) {
        __m256i wrong = _mm256_setzero_si256();
        store28(out, decode(load(src + at), &wrong));
        store28(out + 24, decode(load(src + at + 32), &wrong));
        store28(out + 48, decode(load(src + at + 64), &wrong));
        store28(out + 72, decode(load(src + at + 96), &wrong));
        if (_mm256_movemask_epi8(wrong))
            break;
    }
    /* 32 symbols a turn, read and written exactly. */
    for (; length - at >= 32; at += 32, out += 24) {
        __m256i wrong = _mm256_setzero_si256();
        store24(out, decode(load(src + at), &wrong));
        unsigned faults = (unsigned)_mm256_movemask_epi8(wrong);
        if (faults)
            return at + (_tzcnt_u32(faults) & ~3u);
    }
    /* The last 4 to 28 symbols, through the stack. 'A' behind them is no fault. */
    size_t rest = length - at;
    if (rest) {
        uint8_t symbols[32], bytes[28];
        __m256i wrong = _mm256_setzero_si256();
        memset(symbols, 'A', sizeof symbols);
        memcpy(symbols, src + at, rest);
        store28(bytes, decode(load(symbols), &wrong));
        memcpy(out, bytes, rest / 4 * 3);
        unsigned faults = (unsigned)_mm256_movemask_epi8(wrong);
        at += faults ? _tzcnt_u32(faults) & ~3u : rest;
    }
    return at;
}
#endif
