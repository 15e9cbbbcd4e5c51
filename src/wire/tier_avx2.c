/* The AVX2 tier: 32 bytes at once. Compiled with -mavx2 -mbmi -mbmi2 -mpopcnt. */
#include "tiers.h"
#include "kernels.h"

#ifdef WIRE_X86

#include <immintrin.h>

#include "bytes.h"

/* One bit a byte: quote, backslash, and, compared as signed, all that is below 0x20 or above 0x7F. */
static inline uint32_t special_bytes(const uint8_t *p) {
    __m256i bytes = _mm256_loadu_si256((const __m256i *)p);
    __m256i special = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('"')),
                                      _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\\')));
    special = _mm256_or_si256(special, _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), bytes));
    return (uint32_t)_mm256_movemask_epi8(special);
}

static inline const uint8_t *scan_string(const uint8_t *p, const uint8_t *end, const uint8_t *data) {
    for (; end - p >= 32; p += 32) {
        uint32_t special = special_bytes(p);
        if (special) return p + __builtin_ctz(special);
    }
    if (p == end) return p;
    if (end - data >= 32) {
        /* The frame's last 32 bytes, of which those before p are shifted out. */
        uint32_t special = special_bytes(end - 32) >> (32 - (end - p));
        return special ? p + __builtin_ctz(special) : end;
    }
    while (p < end && *p != '"' && *p != '\\' && (uint8_t)(*p - 0x20) < 0x60) p++;
    return p;
}

#define WALK walk_avx2
#define WALK_TIER wire_tier_avx2
#include "walk.h"

const wire_tier wire_tier_avx2 = {
    .name = "avx2",
    .supported = wire_avx2_supported,
    .walk = walk_avx2,
    .base64 = wire_base64_avx2,
    .pcm16_to_float32 = wire_pcm16_to_float32_avx2,
    .ulaw_to_int16 = wire_ulaw_to_int16_avx2,
    .ulaw_to_float32 = wire_ulaw_to_float32_avx2,
    .alaw_to_int16 = wire_alaw_to_int16_avx2,
    .alaw_to_float32 = wire_alaw_to_float32_avx2,
};

#else

typedef int wire_empty_translation_unit;

#endif
