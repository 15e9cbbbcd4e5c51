/* The NEON tier: 16 bytes at once. AArch64 has NEON always: no flags. */
#include "tiers.h"
#include "kernels.h"

#ifdef WIRE_NEON

#include <arm_neon.h>

#include "bytes.h"

/* One bit a byte, by adding neighbours: each pair of bytes keeps its own bits. Compared as signed, below 0x20 is also
 * all that is above 0x7F. */
static inline uint8x16_t special_bytes(const uint8_t *p) {
    static const uint8_t bits[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t bytes = vld1q_u8(p);
    uint8x16_t special = vorrq_u8(vceqq_u8(bytes, vdupq_n_u8('"')), vceqq_u8(bytes, vdupq_n_u8('\\')));
    special = vorrq_u8(special, vcltq_s8(vreinterpretq_s8_u8(bytes), vdupq_n_s8(0x20)));
    return vandq_u8(special, vld1q_u8(bits));
}

static inline uint64_t special_block(const uint8_t *p) {
    uint8x16_t low = vpaddq_u8(special_bytes(p), special_bytes(p + 16));
    uint8x16_t high = vpaddq_u8(special_bytes(p + 32), special_bytes(p + 48));
    uint8x16_t all = vpaddq_u8(low, high);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(all, all)), 0);
}

static inline bool special_in_run(const uint8_t *p) {
    return (special_block(p) | special_block(p + 64) | special_block(p + 128) | special_block(p + 192)) != 0;
}

#define WALK walk_neon
#define WALK_TIER wire_tier_neon
#include "walk.h"

const wire_tier wire_tier_neon = {
    .name = "neon",
    .supported = wire_always_supported,
    .walk = walk_neon,
    .members = walk_members,
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
