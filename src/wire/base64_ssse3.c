/* base64 decoding, SSSE3 tier. Flags: -mssse3 */
#include "kernels.h"

#ifdef WIRE_X86
#include <string.h>
#include <tmmintrin.h>

/* The tables go by rows of eight codes, row = (code + 4) >> 3 of a code below 124: base64_avx2.c, the same at half
 * the width, has the reasoning and the rows spelled out. `biased` is code + 128, saturated; adding a row's limit
 * leaves the sign bit clear exactly for the symbols: 128 - L where L is the row's first symbol, 255 - U where U is its
 * last, 0 where it has none. '/' is in a row with digits and takes its offset from row 0, which has no symbols. */
#define FROM(code) (char)(128 - (code))
#define UP_TO(code) (char)(255 - (code))
#define LIMITS 0, 0, 0, 0, 0, FROM('+'), FROM('/'), UP_TO('9'), FROM('A'), FROM('A'), FROM('A'), UP_TO('Z'), \
    FROM('a'), FROM('a'), FROM('a'), UP_TO('z')
#define OFFSETS 63 - '/', 0, 0, 0, 0, 62 - '+', 52 - '0', 52 - '0', -'A', -'A', -'A', -'A', \
    26 - 'a', 26 - 'a', 26 - 'a', 26 - 'a'

/* 16 symbols to 12 bytes and four of zero. `*wrong` gathers sign bits. */
static inline __m128i decode(__m128i codes, __m128i *wrong) {
    const __m128i limits = _mm_setr_epi8(LIMITS), offsets = _mm_setr_epi8(OFFSETS);
    __m128i biased = _mm_adds_epu8(codes, _mm_set1_epi8(-128));
    /* Bits 0 to 3 are the row; the shift by words leaves a neighbour's bits in 4 to 6, which the lookup ignores, and
     * a set bit 7 only where `biased` was 255: both lookups give 0 there, and `biased` keeps its sign. */
    __m128i row = _mm_avg_epu8(_mm_srli_epi32(biased, 2), _mm_setzero_si128());
    *wrong = _mm_or_si128(*wrong, _mm_add_epi8(biased, _mm_shuffle_epi8(limits, row)));
    __m128i slash = _mm_cmpeq_epi8(codes, _mm_set1_epi8('/'));
    __m128i six = _mm_add_epi8(codes, _mm_shuffle_epi8(offsets, _mm_andnot_si128(slash, row)));
    __m128i twelve = _mm_maddubs_epi16(six, _mm_set1_epi16(0x0140));        /* first * 64 + second */
    __m128i words = _mm_madd_epi16(twelve, _mm_set1_epi32(0x00011000));     /* first * 4096 + second */
    /* A group's bytes are 2, 1, 0 of its word. */
    return _mm_shuffle_epi8(words, _mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
}

static inline __m128i load(const uint8_t *src) {
    return _mm_loadu_si128((const __m128i *)(const void *)src);
}

/* Writes 16 bytes, the last four of them zero. */
static inline void store16(uint8_t *out, __m128i bytes) {
    _mm_storeu_si128((__m128i *)(void *)out, bytes);
}

/* Writes 12 bytes. */
static inline void store12(uint8_t *out, __m128i bytes) {
    int last = _mm_cvtsi128_si32(_mm_srli_si128(bytes, 8));
    _mm_storel_epi64((__m128i *)(void *)out, bytes);
    memcpy(out + 8, &last, 4);
}

size_t wire_base64_ssse3(const uint8_t *src, size_t length, uint8_t *out) {
    size_t at = 0;
    length &= ~(size_t)3;
    /* 64 symbols a turn: reads src[at .. at + 64), which ends before `length`. The four stores end at 16, 28, 40 and 52
     * bytes: four beyond the 48 of these groups, which the next eight symbols' six bytes have room for. One test for
     * all; where it fails, the loop below looks at the same 64 again. */
    for (; length - at >= 64 + 8; at += 64, out += 48) {
        __m128i wrong = _mm_setzero_si128();
        store16(out, decode(load(src + at), &wrong));
        store16(out + 12, decode(load(src + at + 16), &wrong));
        store16(out + 24, decode(load(src + at + 32), &wrong));
        store16(out + 36, decode(load(src + at + 48), &wrong));
        if (_mm_movemask_epi8(wrong))
            break;
    }
    /* 16 symbols a turn, read and written exactly. */
    for (; length - at >= 16; at += 16, out += 12) {
        __m128i wrong = _mm_setzero_si128();
        store12(out, decode(load(src + at), &wrong));
        unsigned faults = (unsigned)_mm_movemask_epi8(wrong);
        if (faults)
            return at + ((unsigned)__builtin_ctz(faults) & ~3u);
    }
    /* The last 4 to 12 symbols, through the stack. 'A' behind them is no fault. */
    size_t rest = length - at;
    if (rest) {
        uint8_t symbols[16], bytes[16];
        __m128i wrong = _mm_setzero_si128();
        memset(symbols, 'A', sizeof symbols);
        memcpy(symbols, src + at, rest);
        store16(bytes, decode(load(symbols), &wrong));
        memcpy(out, bytes, rest / 4 * 3);
        unsigned faults = (unsigned)_mm_movemask_epi8(wrong);
        at += faults ? (unsigned)__builtin_ctz(faults) & ~3u : rest;
    }
    return at;
}
#endif
