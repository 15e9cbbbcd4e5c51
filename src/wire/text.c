/* Reads strings and numbers that the walk has accepted: they are valid, so nothing here can
 * fail. */
#include "wire.h"
#include "bytes.h"

#include <string.h>

/* Reads the code point at *at, and moves *at past it. The text is valid, so its length needs no
 * check. */
static inline uint32_t next_code_point(const uint8_t **at) {
    const uint8_t *p = *at;
    uint32_t c = p[0];
    if (c == '\\') {
        switch (p[1]) {
        case 'b': c = '\b'; break;
        case 'f': c = '\f'; break;
        case 'n': c = '\n'; break;
        case 'r': c = '\r'; break;
        case 't': c = '\t'; break;
        case 'u':
            c = wire_hex4(p + 2);
            if (c >= 0xD800 && c <= 0xDBFF) {
                *at = p + 12;
                return 0x10000 + ((c - 0xD800) << 10) + (wire_hex4(p + 8) - 0xDC00);
            }
            *at = p + 6;
            return c;
        default: c = p[1]; break;
        }
        *at = p + 2;
    } else if (c < 0x80) {
        *at = p + 1;
    } else if (c < 0xE0) {
        c = (c & 0x1F) << 6 | (p[1] & 0x3Fu);
        *at = p + 2;
    } else if (c < 0xF0) {
        c = (c & 0x0F) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
        *at = p + 3;
    } else {
        c = (c & 0x07) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
        *at = p + 4;
    }
    return c;
}

size_t wire_text_measure(const uint8_t *data, const wire_value *value, uint32_t *largest) {
    const uint8_t *p = data + value->start, *end = data + value->end;
    size_t count = 0;
    uint32_t most = 0;
    while (p < end) {
        uint32_t c = next_code_point(&p);
        if (c > most) most = c;
        count++;
    }
    *largest = most;
    return count;
}

void wire_text_write(const uint8_t *data, const wire_value *value, unsigned width, void *out) {
    const uint8_t *p = data + value->start, *end = data + value->end;
    uint8_t *one = out;
    uint16_t *two = out;
    uint32_t *four = out;
    switch (width) {
    case 1:
        while (p < end) *one++ = (uint8_t)next_code_point(&p);
        break;
    case 2:
        while (p < end) *two++ = (uint16_t)next_code_point(&p);
        break;
    default:
        while (p < end) *four++ = next_code_point(&p);
        break;
    }
}

size_t wire_text_begin(const uint8_t *data, const wire_value *value, uint8_t *out, size_t room,
                       bool *whole) {
    const uint8_t *p = data + value->start, *end = data + value->end;
    size_t n = 0;
    while (p < end) {
        uint32_t c = next_code_point(&p);
        size_t width = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        if (n + width > room) {
            *whole = false;
            return n;
        }
        if (width == 1) {
            out[n++] = (uint8_t)c;
            continue;
        }
        static const uint8_t leads[5] = {0, 0, 0xC0, 0xE0, 0xF0};
        for (size_t i = width - 1; i > 0; i--, c >>= 6) out[n + i] = (uint8_t)(0x80 | (c & 0x3F));
        out[n] = (uint8_t)(leads[width] | c);
        n += width;
    }
    *whole = true;
    return n;
}

size_t wire_text_utf8(const uint8_t *data, const wire_value *value, uint8_t *out, size_t room) {
    bool whole;
    const size_t length = wire_text_begin(data, value, out, room, &whole);
    return whole ? length : 0;
}

/* The digits of 2^1024 - 2^970, halfway between the largest double and 2^1024: this number and
 * larger ones round to infinity. */
static const char overflow_digits[] =
    "1797693134862315807937289714053034150799341327100378269361737789804449682927647509466490179775"
    "87207096330286416692"
    "8879109465555478519404026306574886715058206819089020007083836762738548458177115317644757302700"
    "69855571366959622842"
    "914819860834936475292719074168444365510704342711559699508093042880177904174497792";

bool wire_number_overflows(const uint8_t *text, size_t length) {
    const uint8_t *p = text, *end = text + length;
    if (*p == '-') p++;
    /* The significant digits run from the first digit that is not 0 (`first`) to the exponent.
     * `magnitude`: the power of ten of the first one. */
    const uint8_t *first = NULL, *digits_end = p;
    int64_t magnitude = -1;
    bool fraction = false;
    for (; digits_end < end && (*digits_end | 0x20) != 'e'; digits_end++) {
        if (*digits_end == '.') {
            fraction = true;
        } else if (first != NULL) {
            magnitude += !fraction;
        } else if (*digits_end != '0') {
            first = digits_end;
            magnitude += !fraction;
        } else {
            magnitude -= fraction;
        }
    }
    if (first == NULL) return false;
    /* An exponent far beyond the length of any frame decides alone. Further digits are not added,
     * so that it cannot overflow. */
    int64_t exponent = 0;
    const uint8_t *e = digits_end;
    bool negative = false;
    if (e < end) {
        e++;
        if (*e == '+' || *e == '-') negative = *e++ == '-';
        for (; e < end; e++) {
            if (exponent < INT64_C(1) << 58) exponent = exponent * 10 + (*e - '0');
        }
    }
    magnitude += negative ? -exponent : exponent;
    if (magnitude != 308) return magnitude > 308;
    size_t i = 0;
    for (; first < digits_end && i < sizeof overflow_digits - 1; first++) {
        if (*first == '.') continue;
        if (*first != (uint8_t)overflow_digits[i]) return *first > (uint8_t)overflow_digits[i];
        i++;
    }
    /* All digits of the number equal those of the limit. If the limit has more, the number is below
     * it, because the last digit of the limit is not 0. */
    return i == sizeof overflow_digits - 1;
}

/* More characters than any whole number of 64 bits needs. */
#define WHOLE_LENGTH 64

bool wire_whole_number(const uint8_t *data, const wire_value *value, int64_t *number) {
    if (value->kind != WIRE_INTEGER && value->kind != WIRE_REAL &&
        (value->kind != WIRE_STRING || value->escaped))
        return false;
    const uint8_t *p = data + value->start, *end = data + value->end;
    if (end - p > WHOLE_LENGTH) return false;
    /* A string may hold anything, so this follows the grammar of JSON numbers, and stops at
     * `end`. */
    const bool negative = p < end && *p == '-';
    p += negative;
    if (p == end || *p < '0' || *p > '9' ||
        (*p == '0' && end - p > 1 && p[1] >= '0' && p[1] <= '9'))
        return false;
    uint8_t digits[WHOLE_LENGTH];
    size_t count = 0;
    int scale = 0; /* the number is `digits` times ten to the power of `scale` */
    for (; p < end && *p >= '0' && *p <= '9'; p++) digits[count++] = (uint8_t)(*p - '0');
    if (p < end && *p == '.') {
        const uint8_t *fraction = ++p;
        for (; p < end && *p >= '0' && *p <= '9'; p++, scale--)
            digits[count++] = (uint8_t)(*p - '0');
        if (p == fraction) return false;
    }
    if (p < end && (*p | 0x20) == 'e') {
        const bool down = ++p < end && *p == '-';
        if (p < end && (*p == '-' || *p == '+')) p++;
        const uint8_t *first = p;
        int exponent = 0;
        for (; p < end && *p >= '0' && *p <= '9'; p++)
            exponent = exponent < 1000 ? exponent * 10 + (*p - '0') : exponent;
        if (p == first) return false;
        scale += down ? -exponent : exponent;
    }
    if (p != end) return false;
    while (count > 0 && digits[count - 1] == 0) {
        count--;
        scale++;
    }
    uint64_t magnitude = 0;
    if (count > 0) {
        if (scale < 0 || scale > 19) return false;
        for (size_t i = 0; i < count + (size_t)scale; i++) {
            const uint64_t digit = i < count ? digits[i] : 0;
            if (magnitude > (UINT64_MAX - digit) / 10) return false;
            magnitude = magnitude * 10 + digit;
        }
    }
    if (magnitude > (uint64_t)INT64_MAX + negative) return false;
    *number = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

/* Whether p is at \uXXXX, with a unit in low .. low + 0x3FF. */
static bool is_surrogate_escape(const uint8_t *p, const uint8_t *end, uint32_t low) {
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u') return false;
    for (int i = 2; i < 6; i++) {
        const uint8_t c = p[i] | 0x20;
        if (!(p[i] >= '0' && p[i] <= '9') && !(c >= 'a' && c <= 'f')) return false;
    }
    return wire_hex4(p + 2) - low < 0x400;
}

void wire_replace_surrogates(uint8_t *data, size_t length, bool raw) {
    uint8_t *p = data, *end = data + length;
    while (p < end) {
        if (raw && *p == 0xED && end - p >= 3 && p[1] >= 0xA0) {
            memcpy(p, "\xEF\xBF\xBD", 3);
            p += 3;
        } else if (*p != '\\') {
            p++;
        } else if (is_surrogate_escape(p, end, 0xD800) && is_surrogate_escape(p + 6, end, 0xDC00)) {
            p += 12;
        } else if (is_surrogate_escape(p, end, 0xD800) || is_surrogate_escape(p, end, 0xDC00)) {
            memcpy(p, "\\ufffd", 6);
            p += 6;
        } else {
            p += end - p > 1 ? 2 : 1;
        }
    }
}
