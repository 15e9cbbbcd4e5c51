/* The SSSE3 tier: 16 bytes at once. Compiled with -mssse3. */
#include "tiers.h"
#include "kernels.h"

#ifdef WIRE_X86

#include <tmmintrin.h>

#include "bytes.h"

/* One bit a byte: quote, backslash, and, compared as signed, all that is below 0x20 or above 0x7F. */
static inline uint32_t special_bytes(const uint8_t *p) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)p);
    __m128i special = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    special = _mm_or_si128(special, _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)));
    return (uint32_t)_mm_movemask_epi8(special);
}

static inline const uint8_t *scan_string(const uint8_t *p, const uint8_t *end, const uint8_t *data) {
    for (; end - p >= 16; p += 16) {
        uint32_t special = special_bytes(p);
        if (special) return p + __builtin_ctz(special);
    }
    if (p == end) return p;
    if (end - data >= 16) {
        /* The frame's last 16 bytes, of which those before p are shifted out. */
        uint32_t special = special_bytes(end - 16) >> (16 - (end - p));
        return special ? p + __builtin_ctz(special) : end;
    }
    while (p < end && *p != '"' && *p != '\\' && (uint8_t)(*p - 0x20) < 0x60) p++;
    return p;
}

#define WALK walk_ssse3
#define WALK_TIER wire_tier_ssse3
#include "walk.h"

const wire_tier wire_tier_ssse3 = {
    .name = "ssse3",
    .supported = wire_ssse3_supported,
    .walk = walk_ssse3,
    .base64 = wire_base64_ssse3,
    .pcm16_to_float32 = wire_pcm16_to_float32_ssse3,
    .ulaw_to_int16 = wire_ulaw_to_int16_ssse3,
    .ulaw_to_float32 = wire_ulaw_to_float32_ssse3,
    .alaw_to_int16 = wire_alaw_to_int16_ssse3,
    .alaw_to_float32 = wire_alaw_to_float32_ssse3,
};

#else

typedef int wire_empty_translation_unit;

#endif
