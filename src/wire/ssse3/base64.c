/* base64 decoding, SSSE3 tier. */
#include "kernels.h"

#ifdef WIRE_X86
#include <string.h>
#include <tmmintrin.h>

#include "base64_rows.h"

#define EACH for (int i = 0; i < n; i++)

/* Decodes n * 16 symbols, n at most 4. Each 16 of them become 12 bytes, followed by four of zero.
 * `*wrong` collects sign bits, set for bytes outside the alphabet. Each step is done for all n
 * vectors before the next one, because the instructions of one vector depend on each other. */
static PORTABLE_INLINE void decode(int n, const uint8_t *src, __m128i bytes[], __m128i *wrong) {
    const __m128i limits = _mm_setr_epi8(LIMITS), offsets = _mm_setr_epi8(OFFSETS);
    __m128i codes[4], rows[4];
    EACH codes[i] = _mm_loadu_si128((const __m128i *)(const void *)(src + 16 * i));
    /* Moves bits 6, 5, 4 and 2 to 4, 3, 2 and 0. The rounding average with 0, (x + 1) >> 1, moves
     * the first three one further and leaves the last where it is. */
    EACH rows[i] = _mm_and_si128(_mm_srli_epi32(codes[i], 2), _mm_set1_epi8(0x1D));
    EACH rows[i] = _mm_avg_epu8(rows[i], _mm_setzero_si128());
    EACH bytes[i] = _mm_add_epi8(codes[i], _mm_shuffle_epi8(offsets, rows[i]));
    /* The rows of codes from 128 on mean nothing; their own sign bit marks them. */
    EACH *wrong = _mm_or_si128(*wrong, codes[i]);
    EACH *wrong = _mm_or_si128(*wrong, _mm_add_epi8(codes[i], _mm_shuffle_epi8(limits, rows[i])));
    /* From six bits each: pairs become first * 64 + second, then first * 4096 + second. */
    EACH bytes[i] = _mm_maddubs_epi16(bytes[i], _mm_set1_epi16(0x0140));
    EACH bytes[i] = _mm_madd_epi16(bytes[i], _mm_set1_epi32(0x00011000));
    /* A group's bytes are bytes 2, 1, 0 of its word. */
    EACH bytes[i] = _mm_shuffle_epi8(
        bytes[i], _mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
}

/* Writes 16 bytes, the last four of them zero. */
static inline void store16(uint8_t *out, __m128i bytes) {
    _mm_storeu_si128((__m128i *)(void *)out, bytes);
}

static inline void store12(uint8_t *out, __m128i bytes) {
    int last = _mm_cvtsi128_si32(_mm_srli_si128(bytes, 8));
    _mm_storel_epi64((__m128i *)(void *)out, bytes);
    memcpy(out + 8, &last, 4);
}

/* How many symbols come before the first group with a fault. */
static inline size_t sound(__m128i wrong, size_t length) {
    unsigned faults = (unsigned)_mm_movemask_epi8(wrong);
    return faults ? (unsigned)portable_lowest_bit(faults) & ~3u : length;
}

size_t wire_base64_ssse3(const uint8_t *src, size_t length, uint8_t *out) {
    size_t at = 0;
    __m128i bytes[4];
    /* 64 symbols per iteration: reads src[at .. at + 64), which ends before `length`. The four
     * stores end at bytes 16, 28, 40 and 52: four past the 48 of these groups, where the next eight
     * symbols have room for six bytes. One test covers all; if it fails, the loop below looks at
     * the same 64 again. */
    for (; length - at >= 64 + 8; at += 64, out += 48) {
        __m128i wrong = _mm_setzero_si128();
        decode(4, src + at, bytes, &wrong);
        for (int i = 0; i < 4; i++) store16(out + 12 * i, bytes[i]);
        if (_mm_movemask_epi8(wrong)) break;
    }
    /* 16 symbols per iteration; reads and writes exactly these. */
    for (; length - at >= 16; at += 16, out += 12) {
        __m128i wrong = _mm_setzero_si128();
        decode(1, src + at, bytes, &wrong);
        store12(out, bytes[0]);
        size_t taken = sound(wrong, 16);
        if (taken < 16) return at + taken;
    }
    size_t rest = length - at;
    if (rest == 0) return at;
    __m128i wrong = _mm_setzero_si128();
    if (at) {
        /* The last 16 symbols; the first 16 - rest of them are decoded again. They are in src,
         * because 16 or more were decoded, and give the same bytes. */
        decode(1, src + length - 16, bytes, &wrong);
        store12(out + rest / 4 * 3 - 12, bytes[0]);
        return length - 16 + sound(wrong, 16);
    }
    /* 4 to 12 symbols in all: through the stack, padded with 'A', which is valid. */
    uint8_t symbols[16], only[16];
    memset(symbols, 'A', sizeof symbols);
    memcpy(symbols, src, rest);
    decode(1, symbols, bytes, &wrong);
    store16(only, bytes[0]);
    memcpy(out, only, rest / 4 * 3);
    return sound(wrong, rest);
}
#endif
