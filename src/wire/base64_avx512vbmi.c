/* base64 decoding, AVX-512 VBMI tier. Flags: -mavx512f -mavx512bw -mavx512vl -mavx512vbmi -mbmi -mbmi2 */
#include "kernels.h"

#ifdef WIRE_X86
#include <immintrin.h>

#define ALIGNED _Alignas(64)
#define NO 0x80 /* outside the alphabet */

/* A symbol's six bits by its seven-bit code: vpermi2b looks up 64 codes in all 128 entries at once. Codes above 127
 * wrap round to an entry of their low seven bits, so the code's own sign bit has to be tested as well. */
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

/* A decoded vector has a group's 24 bits in each of its 16 words of 32 bits, most significant first on the wire: the
 * group's bytes are 2, 1, 0 of the word. Four vectors hold 192 bytes, three full ones. G(n) are the three bytes of
 * group n where the second source of vpermi2b begins at group 16 (byte 64). The first table takes groups 0 to 20 and
 * a byte of 21 from vectors 0 and 1; the second the rest of 1 and half of 2; the third the rest of 2 and all of 3. */
#define G(n) 4 * (n) + 2, 4 * (n) + 1, 4 * (n)
#define G4(n) G(n), G((n) + 1), G((n) + 2), G((n) + 3)
ALIGNED static const uint8_t pack[3][64] = {
    {G4(0), G4(4), G4(8), G4(12), G4(16), G(20), 4 * 21 + 2},
    {4 * 5 + 1, 4 * 5, G(6), G(7), G4(8), G4(12), G4(16), G4(20), G(24), G(25), 4 * 26 + 2, 4 * 26 + 1},
    {4 * 10, G(11), G4(12), G4(16), G4(20), G4(24), G4(28)},
};

/* 64 symbols to 16 words of 24 bits. `*wrong` gathers the sign bits of what is outside the alphabet. */
static inline __m512i decode(__m512i codes, __m512i *wrong) {
    const __m512i low = _mm512_load_si512(symbols), high = _mm512_load_si512(symbols + 64);
    __m512i six = _mm512_permutex2var_epi8(low, codes, high);
    *wrong = _mm512_or_si512(*wrong, _mm512_or_si512(codes, six));
    __m512i twelve = _mm512_maddubs_epi16(six, _mm512_set1_epi16(0x0140));  /* first * 64 + second */
    return _mm512_madd_epi16(twelve, _mm512_set1_epi32(0x00011000));        /* first * 4096 + second */
}

size_t wire_base64_avx512vbmi(const uint8_t *src, size_t length, uint8_t *out) {
    size_t at = 0;
    const __m512i pack0 = _mm512_load_si512(pack[0]), pack1 = _mm512_load_si512(pack[1]),
                  pack2 = _mm512_load_si512(pack[2]);

    length &= ~(size_t)3;
    /* 256 symbols a turn: reads src[at .. at + 256), which ends at or before `length`, and writes exactly the 192
     * bytes of those groups. One test for all; where it fails, the loop below looks at the same 256 again. */
    for (; length - at >= 256; at += 256, out += 192) {
        __m512i wrong = _mm512_setzero_si512();
        __m512i a = decode(_mm512_loadu_si512(src + at), &wrong);
        __m512i b = decode(_mm512_loadu_si512(src + at + 64), &wrong);
        __m512i c = decode(_mm512_loadu_si512(src + at + 128), &wrong);
        __m512i d = decode(_mm512_loadu_si512(src + at + 192), &wrong);
        _mm512_storeu_si512(out, _mm512_permutex2var_epi8(a, pack0, b));
        _mm512_storeu_si512(out + 64, _mm512_permutex2var_epi8(b, pack1, c));
        _mm512_storeu_si512(out + 128, _mm512_permutex2var_epi8(c, pack2, d));
        if (_mm512_movepi8_mask(wrong))
            break;
    }
    /* Up to 64 symbols a turn. Masked loads and stores touch no byte outside their mask, and do not fault on one: the
     * load takes the `step` symbols there are, the store the three bytes of each of their groups. Lanes not loaded
     * are 'A', which is no fault. */
    while (at < length) {
        size_t step = length - at < 64 ? length - at : 64;
        __m512i wrong = _mm512_setzero_si512();
        __m512i codes = _mm512_mask_loadu_epi8(_mm512_set1_epi8('A'), _bzhi_u64(~0ull, (unsigned)step), src + at);
        __m512i words = _mm512_permutexvar_epi8(pack0, decode(codes, &wrong));
        _mm512_mask_storeu_epi8(out, _bzhi_u64(~0ull, (unsigned)(step / 4 * 3)), words);
        __mmask64 faults = _mm512_movepi8_mask(wrong);
        if (faults)
            return at + (_tzcnt_u64(faults) & ~(size_t)3);
        at += step;
        out += step / 4 * 3;
    }
    return at;
}
#endif
