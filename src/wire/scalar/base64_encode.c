/* base64 encoding, scalar tier: portable C, either byte order. */
#include "kernels.h"
#include "base64_encode.h"

static inline void encode_group(const uint8_t *src, uint8_t *out) {
    unsigned bits = (unsigned)src[0] << 16 | (unsigned)src[1] << 8 | src[2];
    out[0] = (uint8_t)wire_alphabet[bits >> 18];
    out[1] = (uint8_t)wire_alphabet[bits >> 12 & 63];
    out[2] = (uint8_t)wire_alphabet[bits >> 6 & 63];
    out[3] = (uint8_t)wire_alphabet[bits & 63];
}

void wire_base64_encode_scalar(const uint8_t *src, size_t length, uint8_t *out) {
    /* One group per iteration: reads three bytes and writes their four symbols. */
    for (; length >= 3; length -= 3, src += 3, out += 4) encode_group(src, out);
    wire_encode_last_group(src, length, out);
}
