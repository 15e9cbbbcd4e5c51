/* base64 encoding, NEON tier (aarch64, little endian). */
#include "kernels.h"
#include "base64_encode.h"

#ifdef WIRE_NEON
#include <arm_neon.h>
#include <string.h>

/* Turns 48 bytes into 64 symbols; reads and writes exactly these. Lane n of the registers is
 * group n: the load spreads its bytes over three registers, and the store collects its symbols
 * from four. */
static inline void encode(uint8x16x4_t alphabet, const uint8_t *src, uint8_t *out) {
    const uint8x16_t six = vdupq_n_u8(63);
    uint8x16x3_t bytes = vld3q_u8(src);
    uint8x16x4_t sixes = {{
        vshrq_n_u8(bytes.val[0], 2),
        /* Moves the lower bits of one byte up, and inserts the upper bits of the next one below
         * them. */
        vandq_u8(vsriq_n_u8(vshlq_n_u8(bytes.val[0], 4), bytes.val[1], 4), six),
        vandq_u8(vsriq_n_u8(vshlq_n_u8(bytes.val[1], 2), bytes.val[2], 6), six),
        vandq_u8(bytes.val[2], six),
    }};
    uint8x16x4_t symbols = {{
        vqtbl4q_u8(alphabet, sixes.val[0]),
        vqtbl4q_u8(alphabet, sixes.val[1]),
        vqtbl4q_u8(alphabet, sixes.val[2]),
        vqtbl4q_u8(alphabet, sixes.val[3]),
    }};
    vst4q_u8(out, symbols);
}

void wire_base64_encode_neon(const uint8_t *src, size_t length, uint8_t *out) {
    const uint8x16x4_t alphabet = vld1q_u8_x4((const uint8_t *)wire_alphabet);
    size_t whole = length / 3 * 3, at = 0;
    uint8_t *end = out + whole / 3 * 4;
    /* 48 bytes per iteration; reads and writes exactly these. */
    for (; whole - at >= 48; at += 48, out += 64) encode(alphabet, src + at, out);
    if (at < whole) {
        if (at) {
            /* The last 48 bytes of whole groups; the first of them are encoded again. They are in
             * src, because 48 or more were encoded, and give the same symbols. */
            encode(alphabet, src + whole - 48, end - 64);
        } else {
            /* 3 to 45 bytes of whole groups in all: through the stack. */
            uint8_t bytes[48] = {0}, symbols[64];
            memcpy(bytes, src, whole);
            encode(alphabet, bytes, symbols);
            memcpy(out, symbols, whole / 3 * 4);
        }
    }
    wire_encode_last_group(src + whole, length - whole, end);
}
#endif
