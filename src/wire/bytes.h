/* Small inline functions on bytes: loads, comparisons, hashes, escapes. */
#ifndef REALTIME_PCM_BYTES_H
#define REALTIME_PCM_BYTES_H

#include "compiler.h"
#include "wire.h"

#include <string.h>

static inline uint64_t wire_load64(const void *bytes) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    return word;
}

static inline uint16_t wire_load16(const void *bytes) {
    uint16_t word;
    memcpy(&word, bytes, 2);
    return word;
}

static inline uint32_t wire_load32(const void *bytes) {
    uint32_t word;
    memcpy(&word, bytes, 4);
    return word;
}

/* Whether `length` bytes are equal. The last word compared may overlap the one before it, so no
 * byte past `length` is read. Calling memcmp would cost more than comparing a whole name. */
static inline bool wire_same(const void *a, const void *b, size_t length) {
    const char *x = a, *y = b;
    if (length >= 16) {
        portable_pair different = portable_difference(x + length - 16, y + length - 16);
        for (size_t i = 0; i + 16 < length; i += 16)
            different = portable_either(different, portable_difference(x + i, y + i));
        return portable_is_zero(different);
    }
    if (length >= 8) {
        return ((wire_load64(x) ^ wire_load64(y)) |
                (wire_load64(x + length - 8) ^ wire_load64(y + length - 8))) == 0;
    }
    if (length >= 4) {
        return wire_load32(x) == wire_load32(y) &&
               wire_load32(x + length - 4) == wire_load32(y + length - 4);
    }
    for (size_t i = 0; i < length; i++) {
        if (x[i] != y[i]) return false;
    }
    return true;
}

/* The special bytes of a string are '"', '\\', those below 0x20 and those above 0x7F. Flipping the
 * bits of WIRE_FLIP turns '"' into 0x20, next to the control bytes, which stay below it, and moves
 * ' ' and '!' above it. One signed comparison with WIRE_FLIPPED_PLAIN, in which bytes above 0x7F
 * are negative, then finds all of them except '\\'; the minimum of many bytes tells whether it
 * would find one. */
enum { WIRE_FLIP = 2, WIRE_FLIPPED_PLAIN = 0x21, WIRE_FLIPPED_BACKSLASH = '\\' ^ WIRE_FLIP };

/* How many bytes ahead special_in_run prefetches: long frames come from the second-level cache or
 * beyond. */
#define WIRE_AHEAD 1024

/* Marks the values of `count` keys and of their inner keys as absent. `place`: index of the first
 * in `found`. */
static inline void wire_forget_found(const wire_key *keys, size_t count, wire_value *found,
                                     size_t place) {
    for (size_t i = 0; i < count; i++) {
        found[place + i].kind = WIRE_ABSENT;
        if (keys[i].inner_count)
            wire_forget_found(keys[i].inner, keys[i].inner_count, found, keys[i].inner_place);
    }
}

/* Whether `name` is the name of the pattern. */
static inline bool wire_pattern_names(const wire_pattern *pattern, const uint8_t *name,
                                      size_t length) {
    return pattern->length == length && wire_same(pattern->bytes + 1, name, length);
}

/* Whether `"name":` is at p, followed by at least one byte. Reads no byte at or past `end`. */
static inline bool wire_pattern_at(const wire_pattern *pattern, const uint8_t *p,
                                   const uint8_t *end) {
    size_t length = pattern->pattern_length;
    if (end - p < pattern->room) return false;
    if ((wire_load64(p) ^ wire_load64(pattern->bytes)) & pattern->first_mask) return false;
    if (length <= 8) return true;
    if (wire_load64(p + length - 8) != wire_load64(pattern->bytes + length - 8)) return false;
    return length <= 16 || wire_same(p + 8, pattern->bytes + 8, length - 16);
}

/* The length and the first, middle and last byte nearly always tell the field names of one message
 * apart. */
static inline uint32_t wire_field_hash(const uint8_t *name, size_t length) {
    return (uint32_t)(length * 7 + name[0] * 3u + name[length / 2] * 5u + name[length - 1] * 11u) &
           63;
}

/* The four hexadecimal digits of a validated escape. */
static inline uint32_t wire_hex4(const uint8_t *p) {
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++)
        unit = unit << 4 | (uint32_t)(p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
    return unit;
}

#endif
