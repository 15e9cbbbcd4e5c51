/* The SSSE3 tier: 16 bytes at once. */
#include "tiers.h"
#include "kernels.h"

#ifdef WIRE_X86

#include <tmmintrin.h>

#include "bytes.h"

/* Finds quotes, backslashes, control bytes and bytes above 0x7F, which are negative in a signed
 * comparison and so also below 0x20. */
static inline uint64_t special_bytes(const uint8_t *p) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)p);
    __m128i special = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                   _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    special = _mm_or_si128(special, _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)));
    return (uint32_t)_mm_movemask_epi8(special);
}

static inline uint64_t special_block(const uint8_t *p) {
    return special_bytes(p) | special_bytes(p + 16) << 16 | special_bytes(p + 32) << 32 |
           special_bytes(p + 48) << 48;
}

/* SSSE3 has no minimum of signed bytes; with the highest bit flipped too, that of unsigned bytes
 * gives the same. */
static inline bool special_in_run(const uint8_t *p) {
    const __m128i flip = _mm_set1_epi8(WIRE_FLIP ^ -128);
    __m128i backslashes = _mm_setzero_si128(), least = _mm_set1_epi8(-1);
    for (int i = 0; i < 256; i += 16) {
        if (i % 64 == 0) portable_prefetch((uintptr_t)p + i + WIRE_AHEAD);
        __m128i bytes = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(p + i)), flip);
        backslashes = _mm_or_si128(
            backslashes, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(WIRE_FLIPPED_BACKSLASH ^ -128)));
        least = _mm_min_epu8(least, bytes);
    }
    least = _mm_xor_si128(least, _mm_set1_epi8(-128));
    return _mm_movemask_epi8(_mm_or_si128(
               backslashes, _mm_cmplt_epi8(least, _mm_set1_epi8(WIRE_FLIPPED_PLAIN)))) != 0;
}

static inline uint64_t equal_block(const uint8_t *p, char byte) {
    uint64_t equal = 0;
    for (unsigned i = 0; i < 64; i += 16) {
        __m128i lanes =
            _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(p + i)), _mm_set1_epi8(byte));
        equal |= (uint64_t)(uint32_t)_mm_movemask_epi8(lanes) << i;
    }
    return equal;
}

static inline uint64_t digit_block(const uint8_t *p) {
    uint64_t digits = 0;
    for (unsigned i = 0; i < 64; i += 16) {
        __m128i above =
            _mm_sub_epi8(_mm_loadu_si128((const __m128i *)(p + i)), _mm_set1_epi8('0' - 128));
        digits |=
            (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmplt_epi8(above, _mm_set1_epi8(10 - 128)))
            << i;
    }
    return digits;
}

#define TIER_HAS_DIGITS
#define TIER ssse3
#define TIER_SUPPORTED wire_ssse3_supported
#include "generic/tier.h"

#else

typedef int wire_empty_translation_unit;

#endif
