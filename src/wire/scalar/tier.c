/* The scalar tier: plain C, for every machine. */
#include "tiers.h"
#include "kernels.h"

#include "bytes.h"

/* Looks at eight bytes at once: sets the high bit of each byte that is special, and no other
 * bit. */
static inline uint64_t special_word(uint64_t word) {
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones * 0x80, low = ~high;
    /* A byte is zero if adding 0x7F to its low seven bits does not carry into the high bit, and its
     * own high bit is clear. */
    uint64_t quote = word ^ (ones * '"'), backslash = word ^ (ones * '\\');
    uint64_t not_quote = ((quote & low) + low) | quote,
             not_backslash = ((backslash & low) + low) | backslash;
    /* A byte of ASCII is below 0x20 if adding 0x60 does not carry into the high bit. */
    uint64_t not_control = (word & low) + ones * 0x60;
    return (~(not_quote & not_backslash & not_control) | word) & high;
}

/* Loads eight bytes; the first becomes the lowest byte of the word. */
static inline uint64_t word_at(const uint8_t *p) {
#if PORTABLE_BIG_ENDIAN
    return portable_swap_64(wire_load64(p));
#else
    return wire_load64(p);
#endif
}

/* Collects the high bits of eight bytes: the multiplication moves them to the top byte, where the
 * first byte's bit is the lowest. */
static inline uint64_t gathered(uint64_t high_bits) {
    return (high_bits >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

static inline uint64_t special_block(const uint8_t *p) {
    uint64_t special = 0;
    for (unsigned i = 0; i < 64; i += 8) special |= gathered(special_word(word_at(p + i))) << i;
    return special;
}

static inline uint64_t equal_block(const uint8_t *p, char byte) {
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones * 0x80, low = ~high;
    uint64_t equal = 0;
    for (unsigned i = 0; i < 64; i += 8) {
        uint64_t other = word_at(p + i) ^ (ones * (uint8_t)byte);
        equal |= gathered(~(((other & low) + low) | other) & high) << i;
    }
    return equal;
}

static inline bool special_in_run(const uint8_t *p) {
    return (special_block(p) | special_block(p + 64) | special_block(p + 128) |
            special_block(p + 192)) != 0;
}

#define TIER scalar
#define TIER_SUPPORTED wire_always_supported
#include "generic/tier.h"
