/* The AVX-512 tier: 64 bytes at once. */
#include "tiers.h"
#include "kernels.h"

#ifdef WIRE_X86

#include <immintrin.h>

#include "bytes.h"

/* Finds quotes, backslashes, control bytes and bytes above 0x7F, which are negative in a signed
 * comparison and so also below 0x20. `live`: the bytes for which this comparison counts. */
static inline uint64_t special_of(__m512i bytes, __mmask64 live) {
    return _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('"')) |
           _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('\\')) |
           _mm512_mask_cmplt_epi8_mask(live, bytes, _mm512_set1_epi8(0x20));
}

static inline uint64_t special_block(const uint8_t *p) {
    return special_of(_mm512_loadu_si512(p), ~UINT64_C(0));
}

static inline uint64_t equal_block(const uint8_t *p, char byte) {
    return _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(p), _mm512_set1_epi8(byte));
}

static inline uint64_t digit_block(const uint8_t *p) {
    __m512i above = _mm512_sub_epi8(_mm512_loadu_si512(p), _mm512_set1_epi8('0'));
    return _mm512_cmplt_epu8_mask(above, _mm512_set1_epi8(10));
}

static inline bool special_in_run(const uint8_t *p) {
    __m512i least = _mm512_set1_epi8(0x7F);
    __mmask64 special = 0;
    for (int i = 0; i < 256; i += 64) {
        portable_prefetch((uintptr_t)p + i + WIRE_AHEAD);
        __m512i bytes = _mm512_xor_si512(_mm512_loadu_si512(p + i), _mm512_set1_epi8(WIRE_FLIP));
        special |= _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(WIRE_FLIPPED_BACKSLASH));
        least = _mm512_min_epi8(least, bytes);
    }
    return (special | _mm512_cmplt_epi8_mask(least, _mm512_set1_epi8(WIRE_FLIPPED_PLAIN))) != 0;
}

/* special_tail: loads the last bytes of a frame under a mask, and touches no byte outside it. */
#define TIER_OWN_TAIL
#define special_tail(w, p) special_masked(p, (unsigned)((w)->end - (p)))
static inline uint64_t special_masked(const uint8_t *p, unsigned left) {
    __mmask64 live = _bzhi_u64(~UINT64_C(0), left);
    return special_of(_mm512_maskz_loadu_epi8(live, p), live);
}

#define TIER_HAS_DIGITS
#define TIER_HAS_PEXT
#define TIER avx512vbmi
#define TIER_SUPPORTED wire_avx512vbmi_supported
#define TIER_FLOAT32_TO_BASE64 wire_float32_to_base64_avx512vbmi
#include "generic/tier.h"

#else

typedef int wire_empty_translation_unit;

#endif
