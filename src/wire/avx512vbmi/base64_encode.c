/* base64 encoding, AVX-512 VBMI tier. */
#include "kernels.h"
#include "base64_encode.h"

#ifdef WIRE_X86
#include <immintrin.h>

#include "avx512vbmi/round.h"

/* A group's three bytes a, b, c become a word of 32 bits, in memory b a c b. In its bits, the
 * lowest first, that is b: 0 .. 7, a: 8 .. 15, c: 16 .. 23, b again: 24 .. 31, and each of the
 * group's sixes is in one piece:
 *
 *     six 0 = upper six of a                 from bit 10
 *     six 1 = lower two of a, upper four of b from bit 4
 *     six 2 = lower four of b, upper two of c from bit 22
 *     six 3 = lower six of c                 from bit 16
 *
 * vpmultishiftqb takes eight bits, starting at any bit. The two extra bits do not matter: the
 * lookup in the 64 symbols uses the lower six. */
#define GROUP(at, n) at(3 * (n) + 1), at(3 * (n)), at(3 * (n) + 2), at(3 * (n) + 1)
#define FOUR_GROUPS(at, n) GROUP(at, n), GROUP(at, (n) + 1), GROUP(at, (n) + 2), GROUP(at, (n) + 3)
#define SIXTEEN_GROUPS(at, n) \
    FOUR_GROUPS(at, n), FOUR_GROUPS(at, (n) + 4), FOUR_GROUPS(at, (n) + 8), \
        FOUR_GROUPS(at, (n) + 12)
#define SHIFTS UINT64_C(0x3036242A1016040A) /* even group: 10, 4, 22, 16; odd group: 32 more */

#define ITSELF(byte) byte
_Alignas(64) static const uint8_t order[64] = {SIXTEEN_GROUPS(ITSELF, 0)};

/* Turns 16 groups, each b a c b in memory, into 64 symbols. */
static inline __m512i symbols_of(__m512i groups) {
    __m512i sixes = _mm512_multishift_epi64_epi8(_mm512_set1_epi64((long long)SHIFTS), groups);
    return _mm512_permutexvar_epi8(sixes, _mm512_load_si512(wire_alphabet));
}

/* Turns the first 48 bytes of a vector into 64 symbols. */
static inline __m512i encode(__m512i bytes) {
    return symbols_of(_mm512_permutexvar_epi8(_mm512_load_si512(order), bytes));
}

void wire_base64_encode_avx512vbmi(const uint8_t *src, size_t length, uint8_t *out) {
    /* 192 bytes per iteration, written as exactly 256 symbols. The four loads end at bytes 64, 112,
     * 160 and 208: 16 past these groups, which exist. */
    for (; length >= 192 + 16; length -= 192, src += 192, out += 256) {
        for (int i = 0; i < 4; i++)
            _mm512_storeu_si512(out + 64 * i, encode(_mm512_loadu_si512(src + 48 * i)));
    }
    /* 48 bytes per iteration. Masked loads neither touch nor fault on bytes outside their mask. */
    const __mmask64 first_48 = UINT64_C(0xFFFFFFFFFFFF);
    for (; length >= 48; length -= 48, src += 48, out += 64)
        _mm512_storeu_si512(out, encode(_mm512_maskz_loadu_epi8(first_48, src)));
    if (length) {
        /* The last 1 to 47 bytes, masked again. Missing bytes are zero. There is one symbol for
         * each byte and one more for each group; '=' fills up to a multiple of four. */
        unsigned rest = (unsigned)length, groups = (rest + 2) / 3;
        __m512i symbols = encode(_mm512_maskz_loadu_epi8(_bzhi_u64(~0ull, rest), src));
        symbols =
            _mm512_mask_blend_epi8(_bzhi_u64(~0ull, rest + groups), _mm512_set1_epi8('='), symbols);
        _mm512_mask_storeu_epi8(out, _bzhi_u64(~0ull, 4 * groups), symbols);
    }
}

/* ---- Floats in one go ---------------------------------------------------------------------------
 *
 * 96 samples are 192 bytes, or 64 groups, 16 for each of four vectors of symbols. Three vectors
 * hold the samples, each in eighths of 4, 0 4 1 5 2 6 3 7, as the packing leaves them (round.h).
 * The permutation that hands the bytes out to groups also puts the eighths in order. PLACE(n) is
 * the place of byte n of one vector's 32 samples. Groups 0 to 15 are bytes 0 to 47 and come from
 * the first vector; groups 48 to 63 are bytes 144 to 191 and come from the third. The groups
 * between come from two vectors; an index from 64 up means the second one. */
#define PLACE(n) ((n) / 8 % 4 * 16 + (n) / 32 * 8 + (n) % 8)
#define OF_TWO(n) ((n) / 64 * 64 + PLACE((n) % 64))
#define OF_SECOND_ON(n) OF_TWO((n) - 64)
#define OF_THIRD(n) PLACE((n) - 128)
_Alignas(64) static const uint8_t from_samples[4][64] = {
    {SIXTEEN_GROUPS(PLACE, 0)},
    {SIXTEEN_GROUPS(OF_TWO, 16)},
    {SIXTEEN_GROUPS(OF_SECOND_ON, 32)},
    {SIXTEEN_GROUPS(OF_THIRD, 48)},
};

void wire_float32_to_base64_avx512vbmi(const void *samples, size_t count, uint8_t *out) {
    const uint8_t *in = samples;
    /* 96 floats per iteration; reads exactly these, and writes exactly 256 symbols. */
    for (; count >= 96; count -= 96, in += 96 * 4, out += 256) {
        __m512 values[6] = {_mm512_loadu_ps(in),       _mm512_loadu_ps(in + 64),
                            _mm512_loadu_ps(in + 128), _mm512_loadu_ps(in + 192),
                            _mm512_loadu_ps(in + 256), _mm512_loadu_ps(in + 320)};
        __m512i bytes[3];
        round_all(values, 6, bytes);
        __m512i groups[4] = {
            _mm512_permutexvar_epi8(_mm512_load_si512(from_samples[0]), bytes[0]),
            _mm512_permutex2var_epi8(bytes[0], _mm512_load_si512(from_samples[1]), bytes[1]),
            _mm512_permutex2var_epi8(bytes[1], _mm512_load_si512(from_samples[2]), bytes[2]),
            _mm512_permutexvar_epi8(_mm512_load_si512(from_samples[3]), bytes[2]),
        };
        for (int i = 0; i < 4; i++) _mm512_storeu_si512(out + 64 * i, symbols_of(groups[i]));
    }
    /* The rest goes through the stack. */
    if (count) {
        uint8_t bytes[95 * 2];
        wire_float32_to_pcm16_avx512vbmi(in, count, bytes);
        wire_base64_encode_avx512vbmi(bytes, count * 2, out);
    }
}
#endif
