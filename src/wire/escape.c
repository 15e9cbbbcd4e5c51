/* Writes text as JSON strings of ASCII. */
#include "wire.h"
#include "bytes.h"

#include <string.h>

#define LONGEST_ESCAPE 12 /* \ud83d\ude00 */

/* The character after the backslash, if JSON has an escape of two bytes for `c`; else 0. */
static inline char short_escape(uint32_t c) {
    switch (c) {
    case '"':
    case '\\': return (char)c;
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    default: return 0;
    }
}

static inline bool is_plain(uint32_t c) {
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

static inline bool is_surrogate(uint32_t c) {
    return c >= 0xD800 && c <= 0xDFFF;
}

/* Bytes that a code point takes as it is, as \n, as \u0000, or as two of those if it is above
 * U+FFFF. */
static inline unsigned escaped_length(uint32_t c) {
    if (is_plain(c)) return 1;
    if (c <= 0xFFFF) return short_escape(c) ? 2 : 6;
    return LONGEST_ESCAPE;
}

static inline uint32_t code_point(const void *text, size_t i, unsigned width) {
    const uint8_t *p = (const uint8_t *)text + i * width;
    switch (width) {
    case 1: return *p;
    case 2: return wire_load16(p);
    default: return wire_load32(p);
    }
}

/* Whether eight bytes are all plain. The sums are of numbers below 0x80, so no byte carries into
 * the next one. The high bit of a sum is set: with 0x60, if the low seven bits are 0x20 or more;
 * with 1, if they are 0x7F; with 0x7F, if they are not 0, as they would be if the byte were the one
 * it was compared with. */
static inline bool all_plain(uint64_t word) {
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones * 0x80, low = ~high;
    uint64_t bits = word & low, quote = bits ^ (ones * '"'), backslash = bits ^ (ones * '\\');
    uint64_t plain =
        (bits + ones * 0x60) & ~(bits + ones) & (quote + low) & (backslash + low) & ~word;
    return (plain & high) == high;
}

static inline wire_status measure(const void *text, size_t count, unsigned width, size_t *length,
                                  size_t *position) {
    size_t total = 0, i = 0;
    while (i < count) {
        if (width == 1 && count - i >= 8 && all_plain(wire_load64((const uint8_t *)text + i))) {
            total += 8;
            i += 8;
            continue;
        }
        uint32_t c = code_point(text, i, width);
        if (is_surrogate(c)) {
            *position = i;
            return WIRE_SURROGATE;
        }
        total += escaped_length(c);
        i++;
    }
    *length = total;
    return WIRE_OK;
}

wire_status wire_escape_measure(const void *text, size_t count, unsigned width, size_t *length,
                                size_t *position) {
    *length = WIRE_TOO_LONG;
    if (count > (size_t)PTRDIFF_MAX / LONGEST_ESCAPE) return WIRE_OK;
    switch (width) {
    case 1: return measure(text, count, 1, length, position);
    case 2: return measure(text, count, 2, length, position);
    default: return measure(text, count, 4, length, position);
    }
}

/* Writes \u and four hexadecimal digits. */
static inline uint8_t *write_unit(uint32_t unit, uint8_t *out) {
    static const char digits[] = "0123456789abcdef";
    *out++ = '\\';
    *out++ = 'u';
    for (int shift = 12; shift >= 0; shift -= 4) *out++ = (uint8_t)digits[unit >> shift & 15];
    return out;
}

static inline uint8_t *write_one(uint32_t c, uint8_t *out) {
    if (is_plain(c)) {
        *out++ = (uint8_t)c;
        return out;
    }
    if (c > 0xFFFF) {
        out = write_unit(0xD800 + ((c - 0x10000) >> 10), out);
        return write_unit(0xDC00 + (c & 0x3FF), out);
    }
    if (short_escape(c) == 0) return write_unit(c, out);
    *out++ = '\\';
    *out++ = (uint8_t)short_escape(c);
    return out;
}

static inline void write_all(const void *text, size_t count, unsigned width, uint8_t *out) {
    for (size_t i = 0; i < count; i++) out = write_one(code_point(text, i, width), out);
}

void wire_escape_write(const void *text, size_t count, unsigned width, size_t length,
                       uint8_t *out) {
    /* No longer than the text: there is no escape. */
    if (width == 1 && length == count) {
        if (count) memcpy(out, text, count);
        return;
    }
    switch (width) {
    case 1: write_all(text, count, 1, out); break;
    case 2: write_all(text, count, 2, out); break;
    default: write_all(text, count, 4, out); break;
    }
}

unsigned wire_json_holds(const void *json, size_t length) {
    /* No exit from the middle of these loops, so that compilers make vector code of them. */
    const uint8_t *text = json;
    uint8_t high = 0, begun = length > WIRE_LONG_JSON;
    if (begun) {
        for (size_t i = 0; i < length; i++) high |= text[i];
    } else if (length) {
        for (size_t i = 0; i + 1 < length; i++) {
            high |= text[i];
            begun |= (text[i] == 'n') & (text[i + 1] == 'u');
        }
        high |= text[length - 1];
    }
    return (high >= 0x80 ? WIRE_NON_ASCII : 0) | (begun ? WIRE_MAYBE_NULL : 0);
}

static inline uint8_t is_null(const uint8_t *text) {
    return (text[0] == 'n') & (text[1] == 'u') & (text[2] == 'l') & (text[3] == 'l');
}

size_t wire_json_nulls(const void *json, size_t length) {
    const uint8_t *text = json;
    size_t count = 0, i = 0;
    if (length > WIRE_LONG_JSON) return SIZE_MAX;
    for (; i + 64 + 3 < length; i += 64) {
        uint8_t found = 0;
        for (size_t j = i; j < i + 64; j++) found |= is_null(text + j);
        for (size_t j = i; found && j < i + 64; j++) count += is_null(text + j);
    }
    for (; i + 3 < length; i++) count += is_null(text + i);
    return count;
}
