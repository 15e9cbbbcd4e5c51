/* The NEON tier: 16 bytes at once. AArch64 has NEON always: no flags. */
#include "tiers.h"
#include "kernels.h"

#ifdef WIRE_NEON

#include <arm_neon.h>

#include "bytes.h"

/* Four bits a byte: quote, backslash, and, compared as signed, all that is below 0x20 or above 0x7F. */
static inline uint64_t special_bytes(const uint8_t *p) {
    uint8x16_t bytes = vld1q_u8(p);
    uint8x16_t special = vorrq_u8(vceqq_u8(bytes, vdupq_n_u8('"')), vceqq_u8(bytes, vdupq_n_u8('\\')));
    special = vorrq_u8(special, vcltq_s8(vreinterpretq_s8_u8(bytes), vdupq_n_s8(0x20)));
    /* Four bits a byte: NEON has no movemask, a narrowing shift stands in for it. */
    return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(special), 4)), 0);
}

static inline const uint8_t *scan_string(const uint8_t *p, const uint8_t *end, const uint8_t *data) {
    for (; end - p >= 16; p += 16) {
        uint64_t special = special_bytes(p);
        if (special) return p + __builtin_ctzll(special) / 4;
    }
    if (p == end) return p;
    if (end - data >= 16) {
        /* The frame's last 16 bytes, of which those before p are shifted out. */
        uint64_t special = special_bytes(end - 16) >> 4 * (16 - (end - p));
        return special ? p + __builtin_ctzll(special) / 4 : end;
    }
    while (p < end && *p != '"' && *p != '\\' && (uint8_t)(*p - 0x20) < 0x60) p++;
    return p;
}

#define WALK walk_neon
#define WALK_TIER wire_tier_neon
#include "walk.h"

const wire_tier wire_tier_neon = {
    .name = "neon",
    .supported = wire_always_supported,
    .walk = walk_neon,
    .base64 = wire_base64_neon,
    .pcm16_to_float32 = wire_pcm16_to_float32_neon,
    .ulaw_to_int16 = wire_ulaw_to_int16_neon,
    .ulaw_to_float32 = wire_ulaw_to_float32_neon,
    .alaw_to_int16 = wire_alaw_to_int16_neon,
    .alaw_to_float32 = wire_alaw_to_float32_neon,
};

#else

typedef int wire_empty_translation_unit;

#endif
