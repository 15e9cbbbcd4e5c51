/* JSON values: strings, escapes, UTF-8, numbers, literals, containers of any depth. Included by
 * tier.h.
 *
 * A function named walk_ takes a pointer into the frame and returns a pointer past what it has
 * read; for a string, a pointer to its closing quote. NULL: a fault, which is in walker.status and
 * walker.fault. One named try_ returns NULL if it has read nothing, and the caller reads the
 * general way. The byte at `end` is never read.
 */
#include "wire.h"
#include "bytes.h"

#include <string.h>

/* Bytes that special_in_run looks at: enough that its one branch costs nothing. */
#define WALK_RUN 256
/* After this many single escapes of a string, walk_string tries to pass whole blocks of them. */
#define WALK_ESCAPES 8
/* After this many single numbers of an array, pass_numbers tries to pass whole blocks of them. If
 * that gains fewer bytes than WALK_NUMBERS_GAIN, it waits for twice as many from then on. */
#define WALK_NUMBERS 8
#define WALK_NUMBERS_GAIN 32

typedef struct walker {
    const uint8_t *data, *end;
    /* Start of the 64 bytes looked at last. A new walker has looked at nothing: call look_at before
     * any scan. */
    const uint8_t *block;
    uint64_t special; /* bit i: block[i] is special (see special_block) */
    const uint8_t *fault;
    wire_status status;
    wire_entry *outline; /* where walk_container notes members; NULL: nowhere */
    uint32_t outline_count;
} walker;

static const uint8_t *fail(walker *w, wire_status status, const uint8_t *at) {
    w->status = status;
    w->fault = at;
    return NULL;
}

#ifndef TIER_OWN_TAIL
/* special_block for the end of the frame, when fewer than 64 bytes are left. Sets no bit past the
 * end. */
static PORTABLE_NOINLINE uint64_t special_tail(const walker *w, const uint8_t *p) {
    size_t left = (size_t)(w->end - p);
    if (w->end - w->data >= 64) return special_block(w->end - 64) >> (64 - left);
    uint8_t block[64];
    memset(block, ' ', sizeof block);
    memcpy(block, p, left);
    return special_block(block);
}
#endif

/* Looks at the 64 bytes that begin at p. */
static inline void look_at(walker *w, const uint8_t *p) {
    w->block = p;
    w->special = w->end - p >= 64 ? special_block(p) : special_tail(w, p);
}

/* p: inside a string. Returns the first byte from p on that is a quote, a backslash, a control byte
 * or not ASCII; `end` if there is none. Most strings are short, so one look at 64 bytes serves
 * several. */
static inline const uint8_t *scan_string(walker *w, const uint8_t *p) {
    size_t offset = (size_t)(p - w->block);
    if (offset < 64) {
        uint64_t special = w->special >> offset;
        if (special) return p + portable_lowest_bit_64(special);
        p = w->block + 64;
    }
    while (p < w->end) {
        look_at(w, p);
        if (w->special) return p + portable_lowest_bit_64(w->special);
        p += 64;
        /* A block without special bytes is usually followed by more of them. */
        while (w->end - p >= WALK_RUN && !special_in_run(p)) p += WALK_RUN;
    }
    return w->end;
}

/* p: just past the opening quote of a string. Returns its closing quote if that is the next special
 * byte within 64 bytes, as in most strings. NULL: walk_string must read the string. */
static inline const uint8_t *near_quote(walker *w, const uint8_t *p) {
    size_t offset = (size_t)(p - w->block);
    if (offset > 63 || w->special >> offset == 0) {
        if (p == w->end) return NULL;
        look_at(w, p);
        offset = 0;
        if (w->special == 0) return NULL;
    }
    p += portable_lowest_bit_64(w->special >> offset);
    return *p == '"' ? p : NULL;
}

static inline const uint8_t *skip_space(const uint8_t *p, const uint8_t *end) {
    while (p < end && *p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) p++;
    return p;
}

/* Returns the first byte from p on that is not white space; NULL, with the fault set, if the frame
 * ends. */
static inline const uint8_t *next_token(walker *w, const uint8_t *p, const uint8_t *end) {
    if (p < end && *p > ' ') return p;
    p = skip_space(p, end);
    return p == end ? fail(w, WIRE_END, p) : p;
}

static inline bool is_digit(uint8_t byte) {
    return (uint8_t)(byte - '0') < 10;
}

/* Whether p is at a one-digit number, the commonest kind. */
static inline bool is_one_digit(const uint8_t *p, const uint8_t *end) {
    return end - p > 1 && is_digit(*p) && (p[1] == ',' || p[1] == '}');
}

static inline const uint8_t *skip_digits(const uint8_t *p, const uint8_t *end) {
    while (p < end && is_digit(*p)) p++;
    return p;
}

/* Whether a number is below 1.7e308, by its power of ten and its first two digits. first: its first
 * digit; digits: how many precede its point, at most 200; exponent: its three digits. The answer
 * may be a false no for a number that begins with 0. */
static inline bool is_below_limit(const uint8_t *first, ptrdiff_t digits, const uint8_t *exponent) {
    const ptrdiff_t power =
        (exponent[0] - '0') * 100 + (exponent[1] - '0') * 10 + (exponent[2] - '0') + digits - 1;
    if (power != 308) return power < 308;
    const uint8_t second = first[1] == '.' ? first[2] : first[1];
    return *first == '1' && second < '7';
}

/* p: the first byte of a value. Returns the byte after it if it is a number that is clearly within
 * a double: at most 200 digits before its point, and an exponent that is negative, has at most two
 * digits, or is_below_limit. Otherwise returns p: walk_plain must read the value. */
static inline const uint8_t *pass_common_number(const uint8_t *p, const uint8_t *end) {
    const uint8_t *const first = p + (p < end && *p == '-');
    const uint8_t *behind = skip_digits(first, end);
    const ptrdiff_t digits = behind - first;
    if (digits == 0 || digits > 200 || (digits > 1 && *first == '0')) return p;
    if (behind < end && *behind == '.') {
        const uint8_t *fraction = behind + 1;
        behind = skip_digits(fraction, end);
        if (behind == fraction) return p;
    }
    if (behind < end && (*behind | 0x20) == 'e') {
        const uint8_t *exponent = behind + 1;
        const bool negative = exponent < end && *exponent == '-';
        if (exponent < end && (*exponent == '+' || *exponent == '-')) exponent++;
        behind = skip_digits(exponent, end);
        const ptrdiff_t length = behind - exponent;
        if (length == 0) return p;
        if (length > 2 && !negative && (length > 3 || !is_below_limit(first, digits, exponent)))
            return p;
    }
    return behind;
}

#ifdef TIER_HAS_DIGITS
/* For each bit of `from`: the first bit from there on that is not in `run`. */
static inline uint64_t behind_runs(uint64_t run, uint64_t from) {
    return (run + from) & ~run;
}

/* p: the byte after a number of an array. Looks at 64 bytes at a time, and passes the numbers and
 * commas that lie whole within them. Returns the byte after the last number passed, or p. Bit i of
 * a mask is p[i]. `bad` has a bit in each number that is malformed or not clearly within a double,
 * or at the comma after it, and at each byte outside a number. */
static inline const uint8_t *pass_number_blocks(const uint8_t *p, const uint8_t *end) {
    while (end - p >= 64) {
        const uint64_t digit = digit_block(p), comma = equal_block(p, ','),
                       point = equal_block(p, '.');
        const uint64_t minus = equal_block(p, '-'), sign = minus | equal_block(p, '+');
        const uint64_t e = equal_block(p, 'e') | equal_block(p, 'E'), behind_e = e << 1;
        const uint64_t space = equal_block(p, ' ') | equal_block(p, '\n');
        const uint64_t start = behind_runs(space, comma << 1);
        const uint64_t first = (start | (start & minus) << 1) & digit;
        const uint64_t behind_whole = behind_runs(digit, first),
                       behind_fraction = behind_runs(digit, point << 1);
        const uint64_t behind_number = behind_runs(space, (digit << 1 | 1) & ~digit);
        const uint64_t exponent = (behind_e | (behind_e & ~minus) << 1) & digit;
        uint64_t bad = ~(digit | comma | point | sign | e | space);
        bad |= comma & ~behind_number;
        bad |= behind_number & space << 1 & ~comma;
        bad |= sign & ~((start & minus) | behind_e);
        bad |= ((sign | point) << 1 | (behind_e & ~sign)) & ~digit;
        bad |= point & ~behind_whole;
        bad |= e & ~(behind_whole | behind_fraction);
        bad |= (first & equal_block(p, '0')) << 1 & digit;
        bad |= exponent << 2 & digit << 1 &
               digit; /* three digits: with two, and less than 64 before it, no number overflows */
        const uint64_t passed = comma & (bad - 1) & ~bad;
        if (passed <= 1) break;
        p += portable_highest_bit_64(passed);
    }
    return p;
}
#else
#define pass_number_blocks(p, end) (p)
#endif

/* p: a value of an array. Passes common numbers separated by commas. Returns a byte after the last
 * of them, or p if the value is no such number. *patience: WALK_NUMBERS at first. */
static PORTABLE_NOINLINE const uint8_t *pass_numbers(const uint8_t *p, const uint8_t *end,
                                                     unsigned *patience) {
    const uint8_t *behind = p;
    for (unsigned count = 1;; count++) {
        const uint8_t *next = pass_common_number(p, end);
        if (next == p) return behind;
        behind = next;
        if (count == *patience) {
            behind = pass_number_blocks(behind, end);
            if (behind - next < WALK_NUMBERS_GAIN) *patience *= 2;
            count = 0;
        }
        if (behind < end && *behind != ',') behind = skip_space(behind, end);
        if (behind == end || *behind != ',') return behind;
        p = skip_space(behind + 1, end);
    }
}

/* p: the backslash of \uXXXX. Returns the value of the four digits, or -1 at the first fault: a
 * byte that is not a digit, or the end of the frame. */
static int walk_hex4(walker *w, const uint8_t *p) {
    int value = 0;
    for (int i = 2; i < 6; i++) {
        if (p + i == w->end) return fail(w, WIRE_END, w->end), -1;
        uint8_t c = p[i];
        int digit = is_digit(c)                              ? c - '0'
                    : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                             : -1;
        if (digit < 0) return fail(w, WIRE_ESCAPE, p), -1;
        value = value << 4 | digit;
    }
    return value;
}

/* Whether this byte after a backslash makes an escape of two bytes: any of JSON's except \u. */
static inline bool is_short_escape(uint8_t byte) {
    const uint64_t low = UINT64_C(1) << '"' | UINT64_C(1) << '/';
    const uint64_t high = UINT64_C(1) << ('\\' - 64) | UINT64_C(1) << ('b' - 64) |
                          UINT64_C(1) << ('f' - 64) | UINT64_C(1) << ('n' - 64) |
                          UINT64_C(1) << ('r' - 64) | UINT64_C(1) << ('t' - 64);
    return byte < 128 && (byte < 64 ? low : high) >> (byte & 63) & 1;
}

/* p: a backslash that does not begin an escape of two bytes. Returns the byte after \uXXXX, or
 * after a surrogate pair. A fault is at p, or at the end of the frame if that is inside the
 * escape. */
static const uint8_t *walk_escape(walker *w, const uint8_t *p) {
    size_t left = (size_t)(w->end - p);
    if (left < 2) return fail(w, WIRE_END, w->end);
    if (p[1] != 'u') return fail(w, WIRE_ESCAPE, p);
    int unit = walk_hex4(w, p);
    if (unit < 0) return NULL;
    if (unit < 0xD800 || unit > 0xDFFF) return p + 6;
    if (unit > 0xDBFF) return fail(w, WIRE_SURROGATE, p);
    if (left == 6) return fail(w, WIRE_END, w->end);
    if (p[6] != '\\') return fail(w, WIRE_SURROGATE, p);
    if (left == 7) return fail(w, WIRE_END, w->end);
    if (p[7] != 'u') return fail(w, WIRE_SURROGATE, p);
    int low = walk_hex4(w, p + 6);
    if (low < 0) return NULL;
    if (low < 0xDC00 || low > 0xDFFF) return fail(w, WIRE_SURROGATE, p);
    return p + 12;
}

/* For long strings full of escapes: slashes, or JSON within JSON. p: a backslash. Passes whole
 * blocks as long as their only escapes are slashes, quotes and line feeds, and they have no other
 * special byte. Returns the byte after these blocks: p if the first block is not like that. */
static const uint8_t *walk_escaped_blocks(walker *w, const uint8_t *p) {
    uint64_t behind = 0; /* 1: the byte before p is the backslash of an escape */
    for (; w->end - p >= 64; p += 64) {
        uint64_t special = special_block(p), backslashes = equal_block(p, '\\'),
                 escaped = backslashes << 1 | behind;
        uint64_t quotes = equal_block(p, '"');
        if (special & ~(backslashes | (quotes & escaped)) || backslashes & escaped) break;
        if (escaped & ~(quotes | equal_block(p, '/') | equal_block(p, 'n'))) break;
        behind = backslashes >> 63;
    }
    return p - behind;
}

static inline bool is_continuation(uint8_t byte) {
    return (byte & 0xC0) == 0x80;
}

/* p: a byte above 0x7F. Reads consecutive multi-byte characters, by table 3-7 of the Unicode
 * standard. A fault is at the first byte of the ill-formed sequence. */
static const uint8_t *walk_utf8(walker *w, const uint8_t *p) {
    do {
        size_t left = (size_t)(w->end - p);
        uint8_t lead = p[0];
        if (lead < 0xC2) {
            return fail(w, WIRE_UTF8, p);
        } else if (lead < 0xE0) {
            if (left < 2 || !is_continuation(p[1])) return fail(w, WIRE_UTF8, p);
            p += 2;
        } else if (lead < 0xF0) {
            uint8_t low = lead == 0xE0 ? 0xA0 : 0x80, high = lead == 0xED ? 0x9F : 0xBF;
            if (left < 3 || p[1] < low || p[1] > high || !is_continuation(p[2]))
                return fail(w, WIRE_UTF8, p);
            p += 3;
        } else {
            uint8_t low = lead == 0xF0 ? 0x90 : 0x80, high = lead == 0xF4 ? 0x8F : 0xBF;
            if (lead > 0xF4 || left < 4 || p[1] < low || p[1] > high || !is_continuation(p[2]) ||
                !is_continuation(p[3])) {
                return fail(w, WIRE_UTF8, p);
            }
            p += 4;
        }
    } while (p < w->end && *p > 0x7F);
    return p;
}

/* p: just past the opening quote. Returns the closing quote. */
static inline const uint8_t *walk_string(walker *w, const uint8_t *p, bool *escaped,
                                         bool *non_ascii) {
    unsigned escapes = 0;
    for (;;) {
        p = scan_string(w, p);
        if (p == w->end) return fail(w, WIRE_END, p);
        if (*p == '"') return p;
        if (*p == '\\') {
            *escaped = true;
            if (++escapes % WALK_ESCAPES == 0) p = walk_escaped_blocks(w, p);
            /* Consecutive escapes are common in hostile frames and in JSON within JSON: do not scan
             * between them. */
            while (p != NULL && p < w->end && *p == '\\') {
                p = w->end - p > 1 && is_short_escape(p[1]) ? p + 2 : walk_escape(w, p);
            }
        } else if (*p > 0x7F) {
            *non_ascii = true;
            p = walk_utf8(w, p);
        } else {
            return fail(w, WIRE_CONTROL, p);
        }
        if (p == NULL) return NULL;
    }
}

/* walk_string if only the end of the string is needed. */
static inline const uint8_t *skip_string(walker *w, const uint8_t *p) {
    bool ignored;
    const uint8_t *closing = near_quote(w, p);
    return closing != NULL ? closing : walk_string(w, p, &ignored, &ignored);
}

static const uint8_t *walk_digits(walker *w, const uint8_t *p) {
    if (p == w->end) return fail(w, WIRE_END, p);
    if (!is_digit(*p)) return fail(w, WIRE_NUMBER, p);
    return skip_digits(p, w->end);
}

static const uint8_t *walk_number(walker *w, const uint8_t *p, uint8_t *kind) {
    const uint8_t *start = p;
    if (*p == '-') p++;
    const uint8_t *first = p;
    p = walk_digits(w, p);
    if (p == NULL) return NULL;
    if (*first == '0' && p - first > 1) return fail(w, WIRE_LEADING_ZERO, first + 1);
    *kind = WIRE_INTEGER;
    bool may_overflow = p - first > 308;
    if (p < w->end && *p == '.') {
        *kind = WIRE_REAL;
        p = walk_digits(w, p + 1);
        if (p == NULL) return NULL;
    }
    if (p < w->end && (*p | 0x20) == 'e') {
        *kind = WIRE_REAL;
        may_overflow = true;
        p++;
        if (p < w->end && (*p == '+' || *p == '-')) p++;
        p = walk_digits(w, p);
        if (p == NULL) return NULL;
    }
    if (may_overflow && wire_number_overflows(start, (size_t)(p - start)))
        return fail(w, WIRE_NUMBER_RANGE, start);
    return p;
}

static const uint8_t *walk_literal(walker *w, const uint8_t *p, const char *literal,
                                   size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (p + i == w->end) return fail(w, WIRE_END, w->end);
        if (p[i] != (uint8_t)literal[i]) return fail(w, WIRE_LITERAL, p + i);
    }
    return p + length;
}

static inline void put_value(wire_value *value, size_t start, size_t end, uint8_t kind) {
    value->start = start;
    value->end = end;
    value->kind = kind;
    value->escaped = value->non_ascii = false;
}

/* Reads a literal or a number. */
static const uint8_t *walk_plain(walker *w, const uint8_t *p, wire_value *value) {
    const uint8_t *behind;
    uint8_t kind = WIRE_INTEGER;
    switch (*p) {
        /* clang-format off */
    case 'n': kind = WIRE_NULL; behind = walk_literal(w, p, "null", 4); break;
    case 't': kind = WIRE_TRUE; behind = walk_literal(w, p, "true", 4); break;
    case 'f': kind = WIRE_FALSE; behind = walk_literal(w, p, "false", 5); break;
    case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
        behind = walk_number(w, p, &kind);
        break;
    default:
        return fail(w, WIRE_EXPECTED_VALUE, p);
        /* clang-format on */
    }
    if (behind != NULL) put_value(value, (size_t)(p - w->data), (size_t)(behind - w->data), kind);
    return behind;
}

/* Returns the byte after `null`, `true` or `false` if p is at one of them, else p. */
static inline const uint8_t *pass_literal(const uint8_t *p, const uint8_t *end) {
    if (end - p < 5) return p;
    if (wire_load32(p) == wire_load32("null") || wire_load32(p) == wire_load32("true"))
        return p + 4;
    return *p == 'f' && wire_load32(p + 1) == wire_load32(&"false"[1]) ? p + 5 : p;
}

/* Notes a member in the outline. `behind`: the byte after the value, if it is not a container. */
static inline void note_member(const walker *w, wire_entry *entry, unsigned level,
                               const uint8_t *key, const uint8_t *key_end, const uint8_t *value,
                               const uint8_t *behind, bool escaped, bool non_ascii) {
    entry->key = (uint32_t)(key - w->data);
    entry->start = (uint32_t)(value - w->data);
    entry->end = (uint32_t)(behind - w->data);
    entry->key_length = (uint8_t)(key_end - key < UINT8_MAX ? key_end - key : UINT8_MAX);
    entry->level = (uint8_t)level;
    entry->escaped = escaped;
    entry->non_ascii = non_ascii;
}

/* p: a '{' or '[' inside `depth` levels. Reads the whole object or array without recursion: one bit
 * per level says which of the two is open there, so 1,024 levels take 128 bytes. Notes the members
 * if w->outline is not NULL. */
static const uint8_t *walk_container(walker *w, const uint8_t *p, unsigned depth) {
    const uint8_t *const end = w->end;
    const unsigned outside = depth;
    uint64_t objects[WIRE_MAX_DEPTH / 64 + 1]; /* a word is cleared when its first level opens */
    unsigned patience = WALK_NUMBERS;
    wire_value ignored;
    /* While depth <= noted, the open container is an object whose members are noted. */
    unsigned deepest = w->outline == NULL ? 0 : outside + WIRE_OUTLINE_LEVELS, noted = deepest;
    wire_entry *unclosed[WIRE_OUTLINE_LEVELS + 1]; /* per level: the member whose value is open */
    uint32_t count = 0;
    const uint8_t *key = NULL, *key_end = NULL;
    bool escaped, non_ascii, object;

    objects[(outside + 1) >> 6] = 0;

open:
    if (++depth > WIRE_MAX_DEPTH) return fail(w, WIRE_DEPTH, p);
    const uint64_t bit = UINT64_C(1) << (depth & 63);
    if (bit == 1) objects[depth >> 6] = 0;
    object = *p == '{';
    if (object) {
        objects[depth >> 6] |= bit;
    } else {
        objects[depth >> 6] &= ~bit;
        if (depth <= noted) noted = depth - 1;
    }
    if ((p = next_token(w, p + 1, end)) == NULL) return NULL;
    if (*p == (object ? '}' : ']')) goto close;
    if (!object) goto value;
key:
    if (*p != '"') return fail(w, WIRE_EXPECTED_KEY, p);
    key = p + 1;
    p = near_quote(w, key);
    if (p == NULL) {
        escaped = false;
        p = walk_string(w, key, &escaped, &non_ascii);
        if (p == NULL) return NULL;
        if (escaped && depth <= noted) count = deepest = noted = 0; /* there will be no outline */
    }
    key_end = p;
    if ((p = next_token(w, p + 1, end)) == NULL) return NULL;
    if (*p != ':') return fail(w, WIRE_EXPECTED_COLON, p);
    if ((p = next_token(w, p + 1, end)) == NULL) return NULL;
value:;
    const uint8_t *const start = p;
    escaped = non_ascii = false;
    if (*p == '"') {
        p = near_quote(w, start + 1);
        if (p == NULL) p = walk_string(w, start + 1, &escaped, &non_ascii);
        if (p == NULL) return NULL;
        p++;
    } else if (*p == '{' || *p == '[') {
        if (depth <= noted) {
            if (count < WIRE_OUTLINE) {
                unclosed[depth - outside] = &w->outline[count];
                note_member(w, &w->outline[count++], depth - outside, key, key_end, start, start,
                            false, false);
            } else {
                count = deepest = noted = 0;
            }
        }
        goto open;
    } else {
        p = *p > '9' ? pass_literal(p, end)
            : object ? pass_common_number(p, end)
                     : pass_numbers(p, end, &patience);
        if (p == start) p = walk_plain(w, p, &ignored);
        if (p == NULL) return NULL;
    }
    if (depth <= noted) {
        if (count < WIRE_OUTLINE) {
            note_member(w, &w->outline[count++], depth - outside, key, key_end, start, p, escaped,
                        non_ascii);
        } else {
            count = deepest = noted = 0;
        }
    }
behind:
    if ((p = next_token(w, p, end)) == NULL) return NULL;
    if (*p == ',') {
        if ((p = next_token(w, p + 1, end)) == NULL) return NULL;
        if (object) goto key;
        goto value;
    }
    if (*p != (object ? '}' : ']')) return fail(w, WIRE_EXPECTED_COMMA, p);
close:
    p++;
    if (depth == noted + 1) noted = deepest;
    if (--depth > outside) {
        object = objects[depth >> 6] >> (depth & 63) & 1;
        if (depth <= noted) unclosed[depth - outside]->end = (uint32_t)(p - w->data);
        goto behind;
    }
    w->outline_count = count;
    return p;
}

static inline const uint8_t *walk_value(walker *w, const uint8_t *p, wire_value *value,
                                        unsigned depth) {
    const uint8_t *behind;
    if (p == w->end) return fail(w, WIRE_END, p);
    if (*p == '"') {
        bool escaped = false, non_ascii = false;
        behind = walk_string(w, ++p, &escaped, &non_ascii);
        if (behind == NULL) return NULL;
        value->start = (size_t)(p - w->data);
        value->end = (size_t)(behind - w->data);
        value->kind = WIRE_STRING;
        value->escaped = escaped;
        value->non_ascii = non_ascii;
        return behind + 1;
    }
    if (*p != '{' && *p != '[') {
        if (is_one_digit(p, w->end)) {
            put_value(value, (size_t)(p - w->data), (size_t)(p + 1 - w->data), WIRE_INTEGER);
            return p + 1;
        }
        return walk_plain(w, p, value);
    }
    behind = walk_container(w, p, depth);
    if (behind != NULL) {
        put_value(value, (size_t)(p - w->data), (size_t)(behind - w->data),
                  *p == '{' ? WIRE_OBJECT : WIRE_ARRAY);
    }
    return behind;
}
