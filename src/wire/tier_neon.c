/* The NEON tier: 16 bytes at once. Compiled without flags, because every AArch64 CPU has NEON. */
#include "tiers.h"
#include "kernels.h"

#ifdef WIRE_NEON

#include <arm_neon.h>

#include "bytes.h"

/* Finds quotes, backslashes, control bytes and bytes above 0x7F. In a signed comparison, bytes above 0x7F are negative and so
 * also below 0x20. */
static inline uint8x16_t special_bytes(const uint8_t *p) {
    uint8x16_t bytes = vld1q_u8(p);
    uint8x16_t special = vorrq_u8(vceqq_u8(bytes, vdupq_n_u8('"')), vceqq_u8(bytes, vdupq_n_u8('\\')));
    return vorrq_u8(special, vcltq_s8(vreinterpretq_s8_u8(bytes), vdupq_n_s8(0x20)));
}

/* Gathers one bit of each byte of four vectors: each byte keeps the bit of its place, and neighbours are added until eight bytes
 * have become one. No sum carries, because the bits of neighbours differ. */
static inline uint64_t bits_of(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d) {
    static const uint8_t places[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t bits = vld1q_u8(places);
    uint8x16_t low = vpaddq_u8(vandq_u8(a, bits), vandq_u8(b, bits));
    uint8x16_t high = vpaddq_u8(vandq_u8(c, bits), vandq_u8(d, bits));
    uint8x16_t all = vpaddq_u8(low, high);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(all, all)), 0);
}

static inline uint64_t special_block(const uint8_t *p) {
    return bits_of(special_bytes(p), special_bytes(p + 16), special_bytes(p + 32), special_bytes(p + 48));
}

static inline uint64_t equal_block(const uint8_t *p, char byte) {
    uint8x16_t value = vdupq_n_u8((uint8_t)byte);
    return bits_of(vceqq_u8(vld1q_u8(p), value), vceqq_u8(vld1q_u8(p + 16), value), vceqq_u8(vld1q_u8(p + 32), value),
                   vceqq_u8(vld1q_u8(p + 48), value));
}

static inline uint8x16_t digit_bytes(const uint8_t *p) {
    return vcltq_u8(vsubq_u8(vld1q_u8(p), vdupq_n_u8('0')), vdupq_n_u8(10));
}

static inline uint64_t digit_block(const uint8_t *p) {
    return bits_of(digit_bytes(p), digit_bytes(p + 16), digit_bytes(p + 32), digit_bytes(p + 48));
}

static inline bool special_in_run(const uint8_t *p) {
    return (special_block(p) | special_block(p + 64) | special_block(p + 128) | special_block(p + 192)) != 0;
}

#define TIER_HAS_DIGITS
#define TIER neon
#define TIER_SUPPORTED wire_always_supported
#include "generic/tier.h"

#else

typedef int wire_empty_translation_unit;

#endif
