/* Splits a line of a recording into its frame and the other members of the object. */
#include "lines.h"

#include <string.h>

static const uint8_t *past_spaces(const uint8_t *at, const uint8_t *end) {
    while (at < end && (*at == ' ' || *at == '\t')) at++;
    return at;
}

static const uint8_t *before_spaces(const uint8_t *start, const uint8_t *at) {
    while (at > start && (at[-1] == ' ' || at[-1] == '\t' || at[-1] == '\r' || at[-1] == '\n')) at--;
    return at;
}

static const uint8_t *past_digits(const uint8_t *at, const uint8_t *end) {
    while (at < end && *at >= '0' && *at <= '9') at++;
    return at;
}

static const uint8_t *past_word(const uint8_t *at, const uint8_t *end, const char *word, size_t length) {
    return (size_t)(end - at) >= length && memcmp(at, word, length) == 0 ? at + length : NULL;
}

/* Behind the scalar that begins at `at`: a number, true, false, null, or a string of printable ASCII without escapes. NULL where
 * there is none. */
static const uint8_t *past_scalar(const uint8_t *at, const uint8_t *end) {
    if (at == end) return NULL;
    if (*at == '"') {
        at++;
        while (at < end && *at >= 0x20 && *at < 0x7F && *at != '"' && *at != '\\') at++;
        return at < end && *at == '"' ? at + 1 : NULL;
    }
    if (*at == 't') return past_word(at, end, "true", 4);
    if (*at == 'f') return past_word(at, end, "false", 5);
    if (*at == 'n') return past_word(at, end, "null", 4);
    if (*at == '-') at++;
    const uint8_t *digits = at;
    at = past_digits(at, end);
    if (at == digits || (*digits == '0' && at - digits > 1)) return NULL;
    if (at < end && *at == '.') {
        digits = at + 1;
        at = past_digits(digits, end);
        if (at == digits) return NULL;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-')) at++;
        digits = at;
        at = past_digits(at, end);
        if (at == digits) return NULL;
    }
    return at;
}

/* Where the scalar begins that ends at `tail`, as far as its last bytes show; not before `at`. */
static const uint8_t *start_of_scalar(const uint8_t *at, const uint8_t *tail) {
    if (tail > at && tail[-1] == '"') {
        tail--;
        while (tail > at && tail[-1] != '"') tail--;
        return tail > at ? tail - 1 : at;
    }
    while (tail > at && ((tail[-1] >= '0' && tail[-1] <= '9') || (tail[-1] >= 'a' && tail[-1] <= 'z') || tail[-1] == '.' ||
                         tail[-1] == '-' || tail[-1] == '+' || tail[-1] == 'E')) {
        tail--;
    }
    return tail;
}

bool line_split(const uint8_t *start, const uint8_t *end, const line_keys *keys, line_span *found) {
    const uint8_t *at = past_spaces(start, end);
    if (at == end || *at != '{') return false;
    at++;
    for (size_t i = 0; i < keys->before_count; i++) {
        const size_t size = (size_t)(keys->before[i].end - keys->before[i].start);
        at = past_spaces(at, end);
        if ((size_t)(end - at) < size || memcmp(at, keys->before[i].start, size) != 0) return false;
        at = past_spaces(at + size, end);
        if (at == end || *at != ':') return false;
        at = past_spaces(at + 1, end);
        if (i + 1 == keys->before_count) break;
        found[i + 1].start = at;
        at = past_scalar(at, end);
        if (at == NULL) return false;
        found[i + 1].end = at;
        at = past_spaces(at, end);
        if (at == end || *at != ',') return false;
        at++;
    }
    const uint8_t *tail = before_spaces(at, end);
    if (tail == at || tail[-1] != '}') return false;
    tail--;
    for (size_t i = keys->behind_count; i-- > 0;) {
        const size_t size = (size_t)(keys->behind[i].end - keys->behind[i].start);
        const uint8_t *value_end = before_spaces(at, tail);
        tail = start_of_scalar(at, value_end);
        if (tail <= at || past_scalar(tail, value_end) != value_end) return false;
        found[keys->before_count + i].start = tail;
        found[keys->before_count + i].end = value_end;
        tail = before_spaces(at, tail);
        if (tail == at || tail[-1] != ':') return false;
        tail = before_spaces(at, tail - 1);
        if ((size_t)(tail - at) < size || memcmp(tail - size, keys->behind[i].start, size) != 0) return false;
        tail = before_spaces(at, tail - size);
        if (tail == at || tail[-1] != ',') return false;
        tail--;
    }
    found[0].start = at;
    found[0].end = tail;
    return true;
}

size_t line_unquote(const uint8_t *start, const uint8_t *end, uint8_t *out) {
    const uint8_t *at = start;
    end = before_spaces(start, end);
    if (end - at < 2 || *at != '"' || end[-1] != '"') return SIZE_MAX;
    const uint8_t *first = out;
    at++;
    end--;
    for (;;) {
        const uint8_t *stop = memchr(at, '\\', (size_t)(end - at));
        if (stop == NULL) stop = end;
        const size_t length = (size_t)(stop - at);
        if (memchr(at, '"', length) != NULL) return SIZE_MAX;
        memcpy(out, at, length);
        out += length;
        if (stop == end) return (size_t)(out - first);
        at = stop + 1;
        if (at == end || (*at != '"' && *at != '\\' && *at != '/')) return SIZE_MAX;
        *out++ = *at++;
    }
}

bool line_number(const uint8_t *start, const uint8_t *end, double *number) {
    static const double powers[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const uint8_t *at = start;
    const bool negative = at < end && *at == '-';
    uint64_t digits = 0;
    int count = 0, behind = 0;
    bool point = false, any = false;
    for (at += negative; at < end; at++) {
        if (*at == '.' && !point && any) {
            point = true;
            continue;
        }
        if (*at < '0' || *at > '9') return false;
        any = true;
        if (digits != 0 || *at != '0') count++;
        behind += point;
        if (count > 15 || behind > 22) return false;
        digits = digits * 10 + (uint64_t)(*at - '0');
    }
    if (!any || (point && behind == 0)) return false;
    const double found = (double)digits / powers[behind];
    *number = negative ? -found : found;
    return true;
}
