/* base64 decoding, AVX-512 VBMI tier. */
#include "kernels.h"

#ifdef WIRE_X86
#include <immintrin.h>

#define ALIGNED _Alignas(64)
#define NO 0x80 /* outside the alphabet */

/* A symbol's six bits by its seven-bit code: vpermi2b looks up 64 codes in all 128 entries at once.
 * Codes above 127 wrap around to the entry of their low seven bits, so the code's own sign bit must
 * be tested as well. */
/* clang-format off */
ALIGNED static const uint8_t symbols[128] = {
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, 62, NO, NO, NO, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NO, NO, NO, NO, NO, NO,
    NO,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NO, NO, NO, NO, NO,
    NO, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NO, NO, NO, NO, NO,
};
/* clang-format on */

/* A decoded vector has a group's 24 bits in each of its 16 words of 32 bits. The wire has the most
 * significant byte first, so a group's bytes are bytes 2, 1, 0 of its word. The 192 bytes of four
 * vectors fill three. G(n): the three bytes of group n, when the second source of vpermi2b begins
 * at group 16 (byte 64). The first table takes groups 0 to 20 and a byte of 21 from vectors 0 and
 * 1; the second the rest of 1 and half of 2; the third the rest of 2 and all of 3. */
#define G(n) 4 * (n) + 2, 4 * (n) + 1, 4 * (n)
#define G4(n) G(n), G((n) + 1), G((n) + 2), G((n) + 3)
ALIGNED static const uint8_t pack[3][64] = {
    {G4(0), G4(4), G4(8), G4(12), G4(16), G(20), 4 * 21 + 2},
    {4 * 5 + 1, 4 * 5, G(6), G(7), G4(8), G4(12), G4(16), G4(20), G(24), G(25), 4 * 26 + 2,
     4 * 26 + 1},
    {4 * 10, G(11), G4(12), G4(16), G4(20), G4(24), G4(28)},
};

static inline __m512i lookup(__m512i codes) {
    return _mm512_permutex2var_epi8(_mm512_load_si512(symbols), codes,
                                    _mm512_load_si512(symbols + 64));
}

#define EACH for (int i = 0; i < n; i++)

/* Decodes n * 64 symbols, n at most 8. Each 64 of them become 16 words of 24 bits. Returns sign
 * bits, set for bytes outside the alphabet. Each step is done for all n vectors before the next
 * one, because the instructions of one vector depend on each other and fill the schedulers while
 * they wait. */
static PORTABLE_INLINE __m512i decode(int n, const uint8_t *src, __m512i words[]) {
    __m512i codes[8], wrong = _mm512_setzero_si512();
    EACH {
        codes[i] = _mm512_loadu_si512(src + 64 * i);
        PORTABLE_KEEP_IN_REGISTER(codes[i]); /* vpermi2b overwrites an operand */
    }
    EACH words[i] = lookup(codes[i]);
    EACH wrong = _mm512_ternarylogic_epi32(wrong, words[i], codes[i], 0xFE); /* a | b | c */
    /* first * 64 + second, then first * 4096 + second */
    EACH words[i] = _mm512_maddubs_epi16(words[i], _mm512_set1_epi16(0x0140));
    EACH words[i] = _mm512_madd_epi16(words[i], _mm512_set1_epi32(0x00011000));
    return wrong;
}

/* Writes the 192 bytes of four vectors. */
static inline void store192(uint8_t *out, const __m512i words[4]) {
    _mm512_storeu_si512(out,
                        _mm512_permutex2var_epi8(words[0], _mm512_load_si512(pack[0]), words[1]));
    _mm512_storeu_si512(out + 64,
                        _mm512_permutex2var_epi8(words[1], _mm512_load_si512(pack[1]), words[2]));
    _mm512_storeu_si512(out + 128,
                        _mm512_permutex2var_epi8(words[2], _mm512_load_si512(pack[2]), words[3]));
}

/* One iteration of the loop below for up to 64 symbols, any multiple of 4. Masked loads and stores
 * neither touch nor fault on bytes outside their mask: the load takes the `length` symbols, the
 * store the three bytes of each group. Lanes not loaded are 'A', which is valid. Returns how many
 * symbols come before the first group with a fault. */
static inline size_t decode_masked(const uint8_t *src, size_t length, uint8_t *out) {
    __m512i codes =
        _mm512_mask_loadu_epi8(_mm512_set1_epi8('A'), _bzhi_u64(~0ull, (unsigned)length), src);
    __m512i six = lookup(codes);
    __m512i words = _mm512_maddubs_epi16(six, _mm512_set1_epi16(0x0140));
    words = _mm512_madd_epi16(words, _mm512_set1_epi32(0x00011000));
    __m512i bytes = _mm512_permutexvar_epi8(_mm512_load_si512(pack[0]), words);
    _mm512_mask_storeu_epi8(out, _bzhi_u64(~0ull, (unsigned)(length / 4 * 3)), bytes);
    __mmask64 faults = _mm512_movepi8_mask(_mm512_or_si512(codes, six));
    return faults ? _tzcnt_u64(faults) & ~3ull : length;
}

size_t wire_base64_avx512vbmi(const uint8_t *src, size_t length, uint8_t *out) {
    size_t at = 0;
    /* 512 symbols per iteration, then 256: reads src[at .. at + 512), which ends at or before
     * `length`, and writes exactly the 384 bytes of those groups. One test covers all; if it fails,
     * the last loop looks at the same symbols again. */
    for (; length - at >= 512; at += 512, out += 384) {
        __m512i words[8];
        __m512i wrong = decode(8, src + at, words);
        store192(out, words);
        store192(out + 192, words + 4);
        if (_mm512_movepi8_mask(wrong)) goto exactly;
    }
    for (; length - at >= 256; at += 256, out += 192) {
        __m512i words[4];
        __m512i wrong = decode(4, src + at, words);
        store192(out, words);
        if (_mm512_movepi8_mask(wrong)) break;
    }
exactly:
    while (at < length) {
        size_t step = length - at < 64 ? length - at : 64;
        size_t taken = decode_masked(src + at, step, out);
        at += taken;
        if (taken < step) break;
        out += 48;
    }
    return at;
}
#endif
