/* base64 encoding, SSSE3 tier. */
#include "kernels.h"
#include "base64_encode.h"

#ifdef WIRE_X86
#include <string.h>
#include <tmmintrin.h>

/* avx2/base64_encode.c, the same at twice the width, derives the order of the bytes, how they are
 * cut into sixes, and the offsets of the symbols. */
#define ORDER _mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10)
#define DIGIT '0' - 52
#define OFFSETS \
    _mm_setr_epi8('A', 'a' - 26, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, \
                  DIGIT, '+' - 62, '/' - 63, 0, 0)

#define EACH for (int i = 0; i < n; i++)

/* Turns the first 12 bytes of bytes[i] into 16 symbols, n at most 4. Each step is done for all n
 * vectors before the next one, because the instructions of one vector depend on each other. */
static PORTABLE_INLINE void encode(int n, __m128i bytes[]) {
    __m128i high[4], row[4];
    EACH bytes[i] = _mm_shuffle_epi8(bytes[i], ORDER);
    EACH high[i] = _mm_mulhi_epu16(_mm_and_si128(bytes[i], _mm_set1_epi32(0x0FC0FC00)),
                                   _mm_set1_epi32(0x04000040));
    EACH bytes[i] = _mm_mullo_epi16(_mm_and_si128(bytes[i], _mm_set1_epi32(0x003F03F0)),
                                    _mm_set1_epi32(0x01000010));
    EACH bytes[i] = _mm_or_si128(bytes[i], high[i]);
    EACH row[i] = _mm_subs_epu8(bytes[i], _mm_set1_epi8(51));
    EACH row[i] = _mm_sub_epi8(row[i], _mm_cmpgt_epi8(bytes[i], _mm_set1_epi8(25)));
    EACH bytes[i] = _mm_add_epi8(bytes[i], _mm_shuffle_epi8(OFFSETS, row[i]));
}

/* Reads 16 bytes, of which encode uses the first 12. */
static inline __m128i load16(const uint8_t *src) {
    return _mm_loadu_si128((const __m128i *)(const void *)src);
}

static inline __m128i load12(const uint8_t *src) {
    int last;
    memcpy(&last, src + 8, 4);
    return _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)(const void *)src),
                              _mm_cvtsi32_si128(last));
}

static inline void store16(uint8_t *out, __m128i symbols) {
    _mm_storeu_si128((__m128i *)(void *)out, symbols);
}

void wire_base64_encode_ssse3(const uint8_t *src, size_t length, uint8_t *out) {
    size_t whole = length / 3 * 3, at = 0;
    uint8_t *end = out + whole / 3 * 4;
    __m128i vectors[4];
    /* 48 bytes per iteration, written as exactly 64 symbols. The four loads end at bytes 16, 28, 40
     * and 52: four past these groups, which exist. */
    for (; length - at >= 48 + 4; at += 48, out += 64) {
        for (int i = 0; i < 4; i++) vectors[i] = load16(src + at + 12 * i);
        encode(4, vectors);
        for (int i = 0; i < 4; i++) store16(out + 16 * i, vectors[i]);
    }
    /* 12 bytes per iteration; reads and writes exactly these. */
    for (; whole - at >= 12; at += 12, out += 16) {
        vectors[0] = load12(src + at);
        encode(1, vectors);
        store16(out, vectors[0]);
    }
    if (at < whole) {
        if (at) {
            /* The last 12 bytes of whole groups; the first of them are encoded again. They are in
             * src, because 12 or more were encoded, and give the same symbols. */
            vectors[0] = load12(src + whole - 12);
            encode(1, vectors);
            store16(end - 16, vectors[0]);
        } else {
            /* 3, 6 or 9 bytes of whole groups in all: through the stack. */
            uint8_t bytes[16] = {0}, symbols[16];
            memcpy(bytes, src, whole);
            vectors[0] = load16(bytes);
            encode(1, vectors);
            store16(symbols, vectors[0]);
            memcpy(out, symbols, whole / 3 * 4);
        }
    }
    wire_encode_last_group(src + whole, length - whole, end);
}
#endif
