/* base64 decoding, NEON tier (aarch64, little endian). */
#include "kernels.h"

#ifdef WIRE_NEON
#include <arm_neon.h>
#include <string.h>

#define NO 0x80 /* outside the alphabet */

/* A symbol's six bits by its seven-bit code, in halves of 64: what one table lookup of four
 * registers holds. */
/* clang-format off */
static const uint8_t symbols[128] = {
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, 62, NO, NO, NO, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NO, NO, NO, NO, NO, NO,
    NO,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NO, NO, NO, NO, NO,
    NO, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NO, NO, NO, NO, NO,
};
/* clang-format on */

typedef struct tables {
    uint8x16x4_t low, high;
} tables;

static inline uint8x16x4_t load_four(const uint8_t *from) {
    return (uint8x16x4_t){
        {vld1q_u8(from), vld1q_u8(from + 16), vld1q_u8(from + 32), vld1q_u8(from + 48)}};
}

static inline tables load_tables(void) {
    return (tables){load_four(symbols), load_four(symbols + 64)};
}

/* A lookup ignores codes beyond its 64 entries: the first gives 0 for them, the second keeps what
 * the first found. Codes from 128 on are beyond both, so their own sign bit is collected in
 * `*wrong` too. */
static inline uint8x16_t lookup(const tables *table, uint8x16_t codes, uint8x16_t *wrong) {
    uint8x16_t six = vqtbl4q_u8(table->low, codes);
    six = vqtbx4q_u8(six, table->high, veorq_u8(codes, vdupq_n_u8(64)));
    *wrong = vorrq_u8(*wrong, vorrq_u8(codes, six));
    return six;
}

/* Turns 64 symbols into 48 bytes; reads and writes exactly these. Lane n of the four registers is
 * group n. */
static inline void decode(const tables *table, const uint8_t *src, uint8_t *out,
                          uint8x16_t *wrong) {
    uint8x16x4_t codes = vld4q_u8(src);
    uint8x16_t a = lookup(table, codes.val[0], wrong), b = lookup(table, codes.val[1], wrong);
    uint8x16_t c = lookup(table, codes.val[2], wrong), d = lookup(table, codes.val[3], wrong);
    uint8x16x3_t bytes = {{
        vorrq_u8(vshlq_n_u8(a, 2), vshrq_n_u8(b, 4)),
        vorrq_u8(vshlq_n_u8(b, 4), vshrq_n_u8(c, 2)),
        vorrq_u8(vshlq_n_u8(c, 6), d),
    }};
    vst3q_u8(out, bytes);
}

static inline int any(uint8x16_t wrong) {
    return vmaxvq_u8(wrong) >= 0x80;
}

/* How many of up to 64 symbols come before the first byte outside the alphabet, in whole groups. */
static size_t sound_prefix(const uint8_t *src, size_t length) {
    size_t at = 0;
    while (at < length && src[at] < 128 && symbols[src[at]] != NO) at++;
    return at & ~(size_t)3;
}

size_t wire_base64_neon(const uint8_t *src, size_t length, uint8_t *out) {
    const tables table = load_tables();
    size_t at = 0;
    length &= ~(size_t)3;
    /* 128 symbols per iteration; reads and writes exactly these. One test covers both halves. */
    for (; length - at >= 128; at += 128, out += 96) {
        uint8x16_t wrong = vdupq_n_u8(0);
        decode(&table, src + at, out, &wrong);
        decode(&table, src + at + 64, out + 48, &wrong);
        if (any(wrong)) break;
    }
    /* 64 symbols per iteration; reads and writes exactly these. */
    for (; length - at >= 64; at += 64, out += 48) {
        uint8x16_t wrong = vdupq_n_u8(0);
        decode(&table, src + at, out, &wrong);
        if (any(wrong)) return at + sound_prefix(src + at, 64);
    }
    size_t rest = length - at;
    if (rest == 0) return at;
    uint8x16_t wrong = vdupq_n_u8(0);
    if (at) {
        /* The last 64 symbols; the first 64 - rest of them are decoded again. They are in src,
         * because 64 or more were decoded, and give the same bytes. */
        decode(&table, src + length - 64, out + rest / 4 * 3 - 48, &wrong);
        return any(wrong) ? at + sound_prefix(src + at, rest) : length;
    }
    /* 4 to 60 symbols in all: through the stack, padded with 'A', which is valid. */
    uint8_t codes[64], bytes[48];
    memset(codes, 'A', sizeof codes);
    memcpy(codes, src, rest);
    decode(&table, codes, bytes, &wrong);
    memcpy(out, bytes, rest / 4 * 3);
    return any(wrong) ? sound_prefix(src, rest) : rest;
}
#endif
