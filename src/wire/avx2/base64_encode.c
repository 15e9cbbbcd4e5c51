/* base64 encoding, AVX2 tier. */
#include "kernels.h"
#include "base64_encode.h"

#ifdef WIRE_X86
#include <immintrin.h>
#include <string.h>

/* A group's three bytes a, b, c become a word of 32 bits, in memory b a c b: its low half is a *
 * 256 + b, its high half b * 256 + c. Each half has two of the group's sixes:
 *
 *     low half    aaaaaabb bbbbcccc    six 0 = bits 15..10, six 1 = bits 9..4
 *     high half   ddddaaaa aabbbbbb    six 2 = bits 11..6,  six 3 = bits 5..0
 *
 * (equal letters are bits of one six). Six 0 and six 2 belong in the lower byte of their half: a
 * multiplication by 2^6 and 2^10, of which the upper 16 bits are kept, moves them down by 10 and 6.
 * Six 1 and six 3 belong in the upper byte: a multiplication by 2^4 and 2^8 moves them up. Bits of
 * other sixes come along, and are masked off all bytes at once afterwards. */
#define GROUP(first) (first) + 1, (first), (first) + 2, (first) + 1
#define ORDER(first) GROUP(first), GROUP((first) + 3), GROUP((first) + 6), GROUP((first) + 9)

/* A symbol is its six plus an offset that depends on the row of the six: row 0 for A..Z (0 .. 25),
 * row 1 for a..z (26 .. 51), then one row for each of the twelve other sixes, 52 in row 2 to 63 in
 * row 13. A saturating subtraction of 51 gives 0 for A..Z and a..z and 1 .. 12 for the others; from
 * 26 on, 1 is added. */
#define DIGIT '0' - 52
#define OFFSETS \
    'A', 'a' - 26, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, '+' - 62, \
        '/' - 63, 0, 0

#define EACH for (int i = 0; i < n; i++)

/* Turns 24 bytes into 32 symbols, n times, n at most 4. `order`: where the 12 bytes of each half of
 * bytes[i] are. Each step is done for all n vectors before the next one, because the instructions
 * of one vector depend on each other. */
static PORTABLE_INLINE void encode(int n, __m256i bytes[], __m256i order) {
    const __m256i offsets = _mm256_setr_epi8(OFFSETS, OFFSETS);
    __m256i high[4], row[4];
    EACH bytes[i] = _mm256_shuffle_epi8(bytes[i], order);
    EACH high[i] = _mm256_mulhi_epu16(bytes[i], _mm256_set1_epi32(0x04000040));
    EACH bytes[i] = _mm256_mullo_epi16(bytes[i], _mm256_set1_epi32(0x01000010));
    EACH bytes[i] = _mm256_blendv_epi8(bytes[i], high[i], _mm256_set1_epi16(0x00FF));
    EACH bytes[i] = _mm256_and_si256(bytes[i], _mm256_set1_epi8(0x3F));
    EACH row[i] = _mm256_subs_epu8(bytes[i], _mm256_set1_epi8(51));
    EACH row[i] = _mm256_sub_epi8(row[i], _mm256_cmpgt_epi8(bytes[i], _mm256_set1_epi8(25)));
    EACH bytes[i] = _mm256_add_epi8(bytes[i], _mm256_shuffle_epi8(offsets, row[i]));
}

/* Reads 24 bytes: 0 .. 16, of which the first 12 count, and 8 .. 24, of which the last 12 count. */
static inline __m256i load24(const uint8_t *src) {
    __m128i low = _mm_loadu_si128((const __m128i *)(const void *)src);
    __m128i high = _mm_loadu_si128((const __m128i *)(const void *)(src + 8));
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}
#define ORDER_OF_LOAD24 _mm256_setr_epi8(ORDER(0), ORDER(4))

static inline void store32(uint8_t *out, __m256i symbols) {
    _mm256_storeu_si256((__m256i *)(void *)out, symbols);
}

/* Turns 24 bytes into 32 symbols; reads and writes exactly these. */
static inline void encode_exactly(const uint8_t *src, uint8_t *out) {
    __m256i vector[1] = {load24(src)};
    encode(1, vector, ORDER_OF_LOAD24);
    store32(out, vector[0]);
}

void wire_base64_encode_avx2(const uint8_t *src, size_t length, uint8_t *out) {
    size_t whole = length / 3 * 3, at = 0;
    uint8_t *end = out + whole / 3 * 4;
    if (whole >= 24) {
        encode_exactly(src, out);
        at = 24;
        out += 32;
    } else if (whole) {
        /* 3 to 21 bytes of whole groups in all: through the stack. */
        uint8_t bytes[24] = {0}, symbols[32];
        memcpy(bytes, src, whole);
        encode_exactly(bytes, symbols);
        memcpy(out, symbols, whole / 3 * 4);
        at = whole;
    }
    /* 96 bytes per iteration, written as exactly 128 symbols. A load that begins four bytes early
     * gives each half 12 bytes of its own; those four exist, because 24 bytes are already encoded.
     * The four loads begin at at - 4, at + 20, at + 44 and at + 68; the last one ends at at + 100,
     * four bytes past these groups, which exist too. */
    for (; length - at >= 96 + 4; at += 96, out += 128) {
        __m256i vectors[4];
        for (int i = 0; i < 4; i++)
            vectors[i] = _mm256_loadu_si256((const __m256i *)(const void *)(src + at + 24 * i - 4));
        encode(4, vectors, _mm256_setr_epi8(ORDER(4), ORDER(0)));
        for (int i = 0; i < 4; i++) store32(out + 32 * i, vectors[i]);
    }
    for (; whole - at >= 24; at += 24, out += 32) encode_exactly(src + at, out);
    /* The last 24 bytes of whole groups; the first of them are encoded again. They are in src,
     * because 24 or more were encoded, and give the same symbols. */
    if (at < whole) encode_exactly(src + whole - 24, end - 32);
    wire_encode_last_group(src + whole, length - whole, end);
}
#endif
