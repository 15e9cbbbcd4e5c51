/* What the base64 encoding kernels of all tiers share: the alphabet, and the group that padding
 * completes.
 *
 * Each kernel encodes whole groups of three bytes in its own way. For the last one or two bytes it
 * calls wire_encode_last_group. */
#ifndef REALTIME_PCM_BASE64_ENCODE_H
#define REALTIME_PCM_BASE64_ENCODE_H

#include <stddef.h>
#include <stdint.h>

/* A symbol by its six bits (RFC 4648, section 4). Aligned for the widest vector that is loaded from
 * it. */
_Alignas(64) static const
    char wire_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Writes the four symbols of a last group of `rest` bytes, 1 or 2; nothing if `rest` is 0. Missing
 * bytes count as zero, and a symbol with no bit of a present byte is '='. Reads src[0 .. rest). */
static inline void wire_encode_last_group(const uint8_t *src, size_t rest, uint8_t *out) {
    if (rest == 0) return;
    unsigned first = src[0], second = rest == 2 ? src[1] : 0;
    out[0] = (uint8_t)wire_alphabet[first >> 2];
    out[1] = (uint8_t)wire_alphabet[(first & 3) << 4 | second >> 4];
    out[2] = rest == 2 ? (uint8_t)wire_alphabet[(second & 15) << 2] : '=';
    out[3] = '=';
}

#endif
