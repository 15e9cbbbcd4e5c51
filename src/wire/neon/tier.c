/* The NEON tier: 16 bytes at once. */
#include "tiers.h"
#include "kernels.h"

#ifdef WIRE_NEON

#include <arm_neon.h>

#include "bytes.h"

/* Finds quotes, backslashes, control bytes and bytes above 0x7F, which are negative in a signed
 * comparison and so also below 0x20. */
static inline uint8x16_t special_bytes(const uint8_t *p) {
    uint8x16_t bytes = vld1q_u8(p);
    uint8x16_t special =
        vorrq_u8(vceqq_u8(bytes, vdupq_n_u8('"')), vceqq_u8(bytes, vdupq_n_u8('\\')));
    return vorrq_u8(special, vcltq_s8(vreinterpretq_s8_u8(bytes), vdupq_n_s8(0x20)));
}

/* Collects one bit of each byte of four vectors: each byte keeps the bit of its place, and
 * neighbours are added until eight bytes have become one. No sum carries, because the bits of
 * neighbours differ. */
static inline uint64_t bits_of(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d) {
    static const uint8_t places[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t bits = vld1q_u8(places);
    uint8x16_t low = vpaddq_u8(vandq_u8(a, bits), vandq_u8(b, bits));
    uint8x16_t high = vpaddq_u8(vandq_u8(c, bits), vandq_u8(d, bits));
    uint8x16_t all = vpaddq_u8(low, high);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(all, all)), 0);
}

static inline uint64_t special_block(const uint8_t *p) {
    return bits_of(special_bytes(p), special_bytes(p + 16), special_bytes(p + 32),
                   special_bytes(p + 48));
}

static inline uint64_t equal_block(const uint8_t *p, char byte) {
    uint8x16_t value = vdupq_n_u8((uint8_t)byte);
    return bits_of(vceqq_u8(vld1q_u8(p), value), vceqq_u8(vld1q_u8(p + 16), value),
                   vceqq_u8(vld1q_u8(p + 32), value), vceqq_u8(vld1q_u8(p + 48), value));
}

static inline uint8x16_t digit_bytes(const uint8_t *p) {
    return vcltq_u8(vsubq_u8(vld1q_u8(p), vdupq_n_u8('0')), vdupq_n_u8(10));
}

static inline uint64_t digit_block(const uint8_t *p) {
    return bits_of(digit_bytes(p), digit_bytes(p + 16), digit_bytes(p + 32), digit_bytes(p + 48));
}

static inline bool special_in_run(const uint8_t *p) {
    uint8x16_t backslashes = vdupq_n_u8(0);
    int8x16_t least = vdupq_n_s8(0x7F);
    for (int i = 0; i < 256; i += 16) {
        if (i % 64 == 0) portable_prefetch((uintptr_t)p + i + WIRE_AHEAD);
        uint8x16_t bytes = veorq_u8(vld1q_u8(p + i), vdupq_n_u8(WIRE_FLIP));
        backslashes = vorrq_u8(backslashes, vceqq_u8(bytes, vdupq_n_u8(WIRE_FLIPPED_BACKSLASH)));
        least = vminq_s8(least, vreinterpretq_s8_u8(bytes));
    }
    return vmaxvq_u8(vorrq_u8(backslashes, vcltq_s8(least, vdupq_n_s8(WIRE_FLIPPED_PLAIN)))) != 0;
}

#define TIER_HAS_DIGITS
#define TIER neon
#define TIER_SUPPORTED wire_always_supported
#include "generic/tier.h"

#else

typedef int wire_empty_translation_unit;

#endif
