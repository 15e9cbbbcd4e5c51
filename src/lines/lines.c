/* Splits a line of a recording into its frame and the other members of the object. */
#include "lines.h"

#include <math.h>
#include <string.h>

static const uint8_t *past_spaces(const uint8_t *at, const uint8_t *end) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r')) at++;
    return at;
}

static const uint8_t *before_spaces(const uint8_t *start, const uint8_t *at) {
    while (at > start && (at[-1] == ' ' || at[-1] == '\t' || at[-1] == '\r' || at[-1] == '\n'))
        at--;
    return at;
}

static const uint8_t *past_digits(const uint8_t *at, const uint8_t *end) {
    while (at < end && *at >= '0' && *at <= '9') at++;
    return at;
}

static const uint8_t *past_word(const uint8_t *at, const uint8_t *end, const char *word,
                                size_t length) {
    return (size_t)(end - at) >= length && memcmp(at, word, length) == 0 ? at + length : NULL;
}

/* The byte after the scalar at `at`: a number, true, false, null, or a string of printable ASCII
 * without escapes. NULL if there is none. */
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

/* Where the scalar that ends at `tail` begins, as far as its last bytes show; not before `at`. */
static const uint8_t *start_of_scalar(const uint8_t *at, const uint8_t *tail) {
    if (tail > at && tail[-1] == '"') {
        tail--;
        while (tail > at && tail[-1] != '"') tail--;
        return tail > at ? tail - 1 : at;
    }
    while (tail > at &&
           ((tail[-1] >= '0' && tail[-1] <= '9') || (tail[-1] >= 'a' && tail[-1] <= 'z') ||
            tail[-1] == '.' || tail[-1] == '-' || tail[-1] == '+' || tail[-1] == 'E')) {
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
        if ((size_t)(tail - at) < size || memcmp(tail - size, keys->behind[i].start, size) != 0)
            return false;
        tail = before_spaces(at, tail - size);
        if (tail == at || tail[-1] != ',') return false;
        tail--;
    }
    found[0].start = at;
    found[0].end = before_spaces(at, tail);
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
    static const double powers[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
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

/* The number that `count` digits make; -1 if one of them is not a digit. */
static int digits_at(const uint8_t *at, int count) {
    int number = 0;
    for (int i = 0; i < count; i++) {
        if (at[i] < '0' || at[i] > '9') return -1;
        number = number * 10 + (at[i] - '0');
    }
    return number;
}

/* Days from 1970-01-01 to a date; -1 if the calendar has no such date, or it is earlier. */
static int64_t days_of(int year, int month, int day) {
    static const uint8_t lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    static const uint16_t before[12] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (year < 1970 || month < 1 || month > 12 || day < 1 ||
        day > lengths[month - 1] + (leap && month == 2))
        return -1;
    const int past = year - 1;
    const int64_t to_year = (int64_t)past * 365 + past / 4 - past / 100 + past / 400 - 719162;
    return to_year + before[month - 1] + (leap && month > 2) + day - 1;
}

/* Seconds east of UTC. false: [at, end) is not a zone. */
static bool zone_of(const uint8_t *at, const uint8_t *end, int *seconds) {
    *seconds = 0;
    if (at == end || (end - at == 1 && *at == 'Z')) return true;
    if (end - at != 6 || (*at != '+' && *at != '-') || at[3] != ':') return false;
    const int hours = digits_at(at + 1, 2), minutes = digits_at(at + 4, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return false;
    *seconds = (*at == '-' ? -60 : 60) * (60 * hours + minutes);
    return true;
}

bool line_moment(const uint8_t *start, const uint8_t *end, double *seconds) {
    enum { SHORTEST = sizeof "\"2026-05-01T10:00:00\"" - 1 };
    if (end - start < SHORTEST || *start != '"' || end[-1] != '"') return false;
    const uint8_t *at = start + 1;
    end--;
    if (at[4] != '-' || at[7] != '-' || (at[10] != 'T' && at[10] != ' ') || at[13] != ':' ||
        at[16] != ':')
        return false;
    const int hour = digits_at(at + 11, 2), minute = digits_at(at + 14, 2),
              second = digits_at(at + 17, 2);
    const int64_t days = days_of(digits_at(at, 4), digits_at(at + 5, 2), digits_at(at + 8, 2));
    if (days < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return false;
    at += 19;
    int64_t micros = 0;
    if (at < end && *at == '.') {
        const uint8_t *digits = ++at;
        at = past_digits(at, end);
        if (at == digits) return false;
        for (int i = 0; i < 6; i++) micros = micros * 10 + (digits + i < at ? digits[i] - '0' : 0);
    }
    int zone;
    if (!zone_of(at, end, &zone)) return false;
    micros += 1000000 * (86400 * days + 3600 * hour + 60 * minute + second - zone);
    *seconds = (double)micros / 1e6; /* both operands are exact: rounded once */
    return true;
}

bool line_time(const uint8_t *start, const uint8_t *end, double scale, double origin,
               double *time) {
    double number;
    if (isnan(scale)) return false;
    if (line_number(start, end, &number)) {
        volatile double scaled = number * scale; /* rounded twice, as in Python: not fused */
        *time = scaled - origin;
        return true;
    }
    if (!line_moment(start, end, &number)) return false;
    *time = number - origin;
    return true;
}
