/* The frame walk, once per tier.
 *
 * A tier's file defines WALK (the name of the function), WALK_TIER (its table) and
 *
 *     static inline uint64_t special_block(const uint8_t *p)
 *
 * which looks at p[0 .. 64) and sets bit i where p[i] is '"', '\\', below 0x20 or above 0x7F, and
 *
 *     static inline bool special_in_run(const uint8_t *p)
 *
 * whether there is such a byte in p[0 .. WALK_RUN), for long strings, and
 *
 *     static inline uint64_t equal_block(const uint8_t *p, char byte)
 *
 * which sets bit i where p[i] is `byte`; WALK_HAS_PEXT where _pext_u64 is at hand; and then includes this file. Everything is static:
 * functions of one instruction set never call those of another.
 *
 * Every function here takes a pointer into the frame and returns the one behind what it has read, or NULL after
 * it has put the fault into walker.status and walker.fault. `end` is never read.
 */
#include "wire.h"
#include "bytes.h"

#include <string.h>

/* What special_in_run looks at: long enough that its one test does not count. */
#define WALK_RUN 256
/* Escapes one by one in a string before whole blocks of them are tried, and each time that fails. */
#define WALK_ESCAPES 8
/* Members seen before "type" is known; more than these, and the frame is walked twice. */
#define WALK_PENDING 16
/* The window before the end of a frame in which a payload's closing quote is looked for. What follows the payload
 * is about 300 bytes at xAI, 2 at OpenAI. */
#define WALK_TRAILER 512
/* A guessed payload longer than this is not allocated before its end is known: a wrong guess may cost 60 KiB. Azure's
 * longest deltas, 73,600 symbols, are within it. */
#define WALK_GUESS (80 * 1024)

typedef struct walker {
    const uint8_t *data, *end;
    const uint8_t *block;       /* 64 bytes from here were looked at: */
    uint64_t special;           /* which of them a string does not simply run over */
    const uint8_t *fault;
    wire_status status;
} walker;

typedef struct member {
    const uint8_t *key;         /* what stands between the quotes */
    size_t length;
    bool escaped;
    wire_value value;
} member;

static const uint8_t *fail(walker *w, wire_status status, const uint8_t *at) {
    w->status = status;
    w->fault = at;
    return NULL;
}

#ifndef WALK_OWN_TAIL
/* special_block of the last, fewer than 64, bytes of the frame; no bits behind its end. */
static __attribute__((noinline)) uint64_t special_tail(const walker *w, const uint8_t *p) {
    size_t left = (size_t)(w->end - p);
    if (w->end - w->data >= 64) return special_block(w->end - 64) >> (64 - left);
    uint8_t block[64];
    memset(block, ' ', sizeof block);
    memcpy(block, p, left);
    return special_block(block);
}
#endif

static inline void look_at(walker *w, const uint8_t *p) {
    w->block = p;
    w->special = w->end - p >= 64 ? special_block(p) : special_tail(w, p);
}

/* The first byte at or behind p, in a string, that is a quote, a backslash, a control byte or not ASCII; or end. Strings
 * are short: one look at 64 bytes serves several of them. */
static inline const uint8_t *scan_string(walker *w, const uint8_t *p) {
    size_t offset = (size_t)(p - w->block);
    if (offset < 64) {
        uint64_t special = w->special >> offset;
        if (special) return p + __builtin_ctzll(special);
        p = w->block + 64;
    }
    while (p < w->end) {
        look_at(w, p);
        if (w->special) return p + __builtin_ctzll(w->special);
        p += 64;
        /* Behind a block that holds nothing comes more of the kind. */
        while (w->end - p >= WALK_RUN && !special_in_run(p)) p += WALK_RUN;
    }
    return w->end;
}

static inline const uint8_t *skip_space(const uint8_t *p, const uint8_t *end) {
    while (p < end && *p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) p++;
    return p;
}

static inline bool is_digit(uint8_t byte) {
    return (uint8_t)(byte - '0') < 10;
}

/* p: the backslash of a \uXXXX. What it stands for, or -1: a digit that is none comes before an end that comes too early. */
static int walk_hex4(walker *w, const uint8_t *p) {
    int value = 0;
    for (int i = 2; i < 6; i++) {
        if (p + i == w->end) return fail(w, WIRE_END, w->end), -1;
        uint8_t c = p[i];
        int digit = is_digit(c) ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
        if (digit < 0) return fail(w, WIRE_ESCAPE, p), -1;
        value = value << 4 | digit;
    }
    return value;
}

/* Of the character behind a backslash: all but the 'u' of JSON's escapes. */
static inline bool is_short_escape(uint8_t byte) {
    const uint64_t low = UINT64_C(1) << '"' | UINT64_C(1) << '/';
    const uint64_t high = UINT64_C(1) << ('\\' - 64) | UINT64_C(1) << ('b' - 64) | UINT64_C(1) << ('f' - 64) |
                          UINT64_C(1) << ('n' - 64) | UINT64_C(1) << ('r' - 64) | UINT64_C(1) << ('t' - 64);
    return byte < 128 && (byte < 64 ? low : high) >> (byte & 63) & 1;
}

/* p: a backslash. A fault stands at it; a frame that ends inside the escape is a frame that ends. */
static const uint8_t *walk_escape(walker *w, const uint8_t *p) {
    size_t left = (size_t)(w->end - p);
    if (left < 2) return fail(w, WIRE_END, w->end);
    if (is_short_escape(p[1])) return p + 2;
    if (p[1] == 'u') {
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
    return fail(w, WIRE_ESCAPE, p);
}

/* Escapes that come in a long string again and again: slashes, or JSON within JSON. p: a backslash. Goes over whole blocks as
 * far as they hold none but \\/, \\" and \\n; returns p itself where the first block holds another. */
static const uint8_t *walk_escaped_blocks(walker *w, const uint8_t *p) {
    uint64_t behind = 0;            /* 1: the byte before p is a backslash */
    for (; w->end - p >= 64; p += 64) {
        uint64_t special = special_block(p), backslashes = equal_block(p, '\\'), escaped = backslashes << 1 | behind;
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

/* p: a byte above 0x7F. All the multi-byte characters from here on, by table 3-7 of the Unicode standard. A fault
 * stands at the first byte of the ill-formed sequence. */
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
            if (left < 3 || p[1] < low || p[1] > high || !is_continuation(p[2])) return fail(w, WIRE_UTF8, p);
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

/* p: behind the opening quote. Returns the closing one. */
static inline const uint8_t *walk_string(walker *w, const uint8_t *p, bool *escaped, bool *non_ascii) {
    unsigned escapes = 0;
    for (;;) {
        p = scan_string(w, p);
        if (p == w->end) return fail(w, WIRE_END, p);
        if (*p == '"') return p;
        if (*p == '\\') {
            *escaped = true;
            if (++escapes % WALK_ESCAPES == 0) p = walk_escaped_blocks(w, p);
            /* Runs of escapes are common in hostile frames and in JSON within JSON: no scan between them. */
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

static const uint8_t *walk_digits(walker *w, const uint8_t *p) {
    if (p == w->end) return fail(w, WIRE_END, p);
    if (!is_digit(*p)) return fail(w, WIRE_NUMBER, p);
    do p++; while (p < w->end && is_digit(*p));
    return p;
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
    if (may_overflow && wire_number_overflows(start, (size_t)(p - start))) return fail(w, WIRE_NUMBER_RANGE, start);
    return p;
}

static const uint8_t *walk_literal(walker *w, const uint8_t *p, const char *literal, size_t length) {
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

/* A literal or a number. */
static const uint8_t *walk_plain(walker *w, const uint8_t *p, wire_value *value) {
    const uint8_t *behind;
    uint8_t kind = WIRE_INTEGER;
    switch (*p) {
    case 'n': kind = WIRE_NULL; behind = walk_literal(w, p, "null", 4); break;
    case 't': kind = WIRE_TRUE; behind = walk_literal(w, p, "true", 4); break;
    case 'f': kind = WIRE_FALSE; behind = walk_literal(w, p, "false", 5); break;
    case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
        behind = walk_number(w, p, &kind);
        break;
    default:
        return fail(w, WIRE_EXPECTED_VALUE, p);
    }
    if (behind != NULL) put_value(value, (size_t)(p - w->data), (size_t)(behind - w->data), kind);
    return behind;
}

/* p: a '{' or '[' inside `depth` levels. Goes through all of it without recursion: one bit a level tells what
 * is open there, so 1,024 levels take 128 bytes. */
static const uint8_t *walk_container(walker *w, const uint8_t *p, unsigned depth) {
    const uint8_t *const end = w->end;
    const unsigned outside = depth;
    uint64_t objects[WIRE_MAX_DEPTH / 64 + 1] = {0};
    wire_value ignored;
    bool flag = false;

open:
    if (++depth > WIRE_MAX_DEPTH) return fail(w, WIRE_DEPTH, p);
    uint64_t bit = UINT64_C(1) << (depth & 63);
    bool object = *p == '{';
    if (object) objects[depth >> 6] |= bit; else objects[depth >> 6] &= ~bit;
    p = skip_space(p + 1, end);
    if (p == end) return fail(w, WIRE_END, p);
    if (*p == (object ? '}' : ']')) goto close;
    if (!object) goto value;
key:
    if (p == end) return fail(w, WIRE_END, p);
    if (*p != '"') return fail(w, WIRE_EXPECTED_KEY, p);
    p = walk_string(w, p + 1, &flag, &flag);
    if (p == NULL) return NULL;
    p = skip_space(p + 1, end);
    if (p == end) return fail(w, WIRE_END, p);
    if (*p != ':') return fail(w, WIRE_EXPECTED_COLON, p);
    p = skip_space(p + 1, end);
value:
    if (p == end) return fail(w, WIRE_END, p);
    if (*p == '"') {
        p = walk_string(w, p + 1, &flag, &flag);
        if (p == NULL) return NULL;
        p++;
    } else if (*p == '{' || *p == '[') {
        goto open;
    } else {
        p = walk_plain(w, p, &ignored);
        if (p == NULL) return NULL;
    }
behind:
    p = skip_space(p, end);
    if (p == end) return fail(w, WIRE_END, p);
    object = objects[depth >> 6] >> (depth & 63) & 1;
    if (*p == ',') {
        p = skip_space(p + 1, end);
        if (object) goto key;
        goto value;
    }
    if (*p != (object ? '}' : ']')) return fail(w, WIRE_EXPECTED_COMMA, p);
close:
    p++;
    if (--depth > outside) goto behind;
    return p;
}

static inline const uint8_t *walk_value(walker *w, const uint8_t *p, wire_value *value, unsigned depth) {
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
        /* Indexes of one digit are the commonest numbers. */
        if (is_digit(*p) && w->end - p > 1 && (p[1] == ',' || p[1] == '}')) {
            put_value(value, (size_t)(p - w->data), (size_t)(p + 1 - w->data), WIRE_INTEGER);
            return p + 1;
        }
        return walk_plain(w, p, value);
    }
    behind = walk_container(w, p, depth);
    if (behind != NULL) {
        put_value(value, (size_t)(p - w->data), (size_t)(behind - w->data), *p == '{' ? WIRE_OBJECT : WIRE_ARRAY);
    }
    return behind;
}

/* An escaped key, plain; the length, or 0 where it is longer than any name (or empty: no name either). */
static size_t plain_key(const uint8_t *data, const uint8_t *key, size_t length, uint8_t out[WIRE_MAX_NAME]) {
    wire_value text = {(size_t)(key - data), (size_t)(key - data) + length, WIRE_STRING, true, false};
    return wire_text_utf8(data, &text, out, WIRE_MAX_NAME);
}

static uint32_t find_field(const wire_layout *layout, const uint8_t *data, const member *m) {
    if (!m->escaped) return wire_layout_find(layout, m->key, m->length);
    uint8_t plain[WIRE_MAX_NAME];
    size_t length = plain_key(data, m->key, m->length, plain);
    return length ? wire_layout_find(layout, plain, length) : WIRE_NO_FIELD;
}

static bool is_type_key(const uint8_t *data, const member *m) {
    if (!m->escaped) return m->length == 4 && wire_load32(m->key) == wire_load32("type");
    uint8_t plain[WIRE_MAX_NAME];
    return plain_key(data, m->key, m->length, plain) == 4 && memcmp(plain, "type", 4) == 0;
}

/* The catalogue's type for a "type" string; what is in no catalogue, or longer than a name can be, is unknown. */
static const wire_type *find_type(const wire_frame *f) {
    const wire_value *value = &f->type_value;
    const uint8_t *name = f->data + value->start;
    size_t length = value->end - value->start;
    uint8_t plain[WIRE_MAX_TYPE];
    if (value->escaped) {
        length = wire_text_utf8(f->data, value, plain, WIRE_MAX_TYPE);
        name = plain;
    }
    const wire_type *type = length && length <= WIRE_MAX_TYPE ? wire_catalogue_find(f->catalogue, name, length) : NULL;
    return type ? type : &f->catalogue->unknown;
}

static inline bool is_payload(const wire_layout *layout, uint32_t field) {
    return field - layout->payload_first < layout->payload_count;
}

static void use_type(wire_frame *f, const wire_type *type) {
    f->type = type;
    for (uint32_t i = 0; i < type->layout->field_count; i++) f->values[i].kind = WIRE_ABSENT;
    f->present = f->containers = 0;
    f->payload = WIRE_PAYLOAD_NONE;
    f->payload_field = type->layout->payload_first;
    f->expected = 0;
}

/* values[field] has been written: the last of duplicate keys counts. */
static inline void mark(wire_frame *f, uint32_t field) {
    uint32_t bit = 1u << field;
    f->present |= bit;
    f->containers = (f->containers & ~bit) | (f->values[field].kind >= WIRE_OBJECT ? bit : 0);
    f->expected = field + 1;
}

static void store(wire_frame *f, const member *m) {
    uint32_t field = find_field(f->type->layout, f->data, m);
    if (field == WIRE_NO_FIELD) return;
    f->values[field] = m->value;
    mark(f, field);
}

/* The payload may stand under one of several keys, each of which may stand there twice: the first declared key
 * that is neither absent nor null holds it. What was decoded on the way counts if it is that one's last value. */
static void settle_payload(wire_frame *f, size_t decoded_start) {
    const wire_layout *layout = f->type->layout;
    f->payload = WIRE_PAYLOAD_NONE;
    for (uint32_t i = 0; i < layout->payload_count; i++) {
        const wire_value *value = &f->values[layout->payload_first + i];
        if (value->kind <= WIRE_NULL) continue;
        f->payload_field = layout->payload_first + i;
        f->payload = value->kind != WIRE_STRING            ? WIRE_PAYLOAD_WRONG_KIND
                     : value->start == decoded_start       ? WIRE_PAYLOAD_DONE
                                                           : WIRE_PAYLOAD_SPAN;
        return;
    }
}

/* Where a payload that begins at `src` probably ends: at the first quote of the frame's last bytes. NULL where there
 * is none, or where what lies between is no canonical length. */
static const uint8_t *guess_end(walker *w, const uint8_t *src) {
    const uint8_t *p = src;
    if (w->end - src > 64) {
        p = w->end - 64;
        look_at(w, p);
        /* Last of all members, as OpenAI sends it: nothing but the closing quote stands there. */
        if (w->special != UINT64_C(1) << 62) p = w->end - src > WALK_TRAILER ? w->end - WALK_TRAILER : src;
    }
    p = scan_string(w, p);
    if (p == w->end || *p != '"' || p == src || (p - src) % 4 != 0 || p - src > WALK_GUESS) return NULL;
    return p;
}

/* Finds all of it once "type" is fixed, in a frame that is known to be valid. */
static void walk_again(walker *w, wire_frame *f) {
    const uint8_t *p = skip_space(w->data, w->end);
    p = skip_space(p + 1, w->end);
    while (*p != '}') {
        member m = {.key = p + 1, .escaped = false};
        bool ignored;
        p = walk_string(w, m.key, &m.escaped, &ignored);
        m.length = (size_t)(p - m.key);
        p = skip_space(p + 1, w->end);
        p = walk_value(w, skip_space(p + 1, w->end), &m.value, 1);
        store(f, &m);
        p = skip_space(p, w->end);
        if (*p == ',') p = skip_space(p + 1, w->end);
    }
}

static bool looks_binary(const walker *w) {
    size_t length = (size_t)(w->end - w->data);
    if (length > 256) length = 256;
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = w->data[i];
        if (byte < ' ' && byte != '\n' && byte != '\r' && byte != '\t') return true;
    }
    return false;
}

/* A frame whose root is no object: what is wrong with it, JSON first. */
static wire_status walk_other_root(walker *w, const uint8_t *p) {
    wire_value ignored;
    const uint8_t *root = p;
    if (p == w->end) {
        fail(w, WIRE_EMPTY, p);
    } else if (w->end - w->data >= 3 && memcmp(w->data, "\xEF\xBB\xBF", 3) == 0) {
        fail(w, WIRE_BYTE_ORDER_MARK, w->data);
    } else if ((p = walk_value(w, p, &ignored, 0)) != NULL) {
        p = skip_space(p, w->end);
        if (p == w->end) fail(w, WIRE_ROOT, root); else fail(w, WIRE_TRAILING, p);
    }
    if (w->status != WIRE_ROOT && looks_binary(w)) w->status = WIRE_BINARY;
    return w->status;
}

/* The common member in one go: the key that is expected, no white space, a plain string, a number of one digit or null.
 * Returns the byte behind it, or NULL for anything else, which is then walked in full. */
static inline const uint8_t *walk_expected(walker *w, wire_frame *f, const wire_layout *layout, const uint8_t *p) {
    uint32_t field = f->expected;
    if (field >= layout->field_count || is_payload(layout, field)) return NULL;
    const wire_name *name = &layout->fields[field];
    if (!wire_pattern_at(name, p, w->end)) return NULL;
    p += name->pattern_length;
    size_t start = (size_t)(p - w->data);
    if (*p == '"') {
        const uint8_t *closing = scan_string(w, p + 1);
        if (closing == w->end || *closing != '"') return NULL;
        put_value(&f->values[field], start + 1, (size_t)(closing - w->data), WIRE_STRING);
        p = closing + 1;
    } else if (w->end - p < 5) {
        return NULL;
    } else if (is_digit(*p) && (p[1] == ',' || p[1] == '}')) {
        put_value(&f->values[field], start, start + 1, WIRE_INTEGER);
        p++;
    } else if (wire_load32(p) == wire_load32("null")) {
        put_value(&f->values[field], start, start + 4, WIRE_NULL);
        p += 4;
    } else {
        return NULL;
    }
    mark(f, field);
    return p;
}

/* The fault is in the value of this member. */
static wire_status in_member(wire_frame *f, const member *m, wire_status status) {
    size_t start = (size_t)(m->key - f->data);
    f->key = (wire_value){start, start + m->length, WIRE_STRING, m->escaped, true};
    return status;
}

static wire_status walk_frame(wire_frame *f, walker *w) {
    const uint8_t *const data = f->data, *const end = w->end;
    const uint8_t *p;
    const wire_layout *layout = NULL;
    member pending[WALK_PENDING];
    unsigned pending_count = 0;
    bool again = false;
    size_t decoded_start = SIZE_MAX;    /* no value starts there */
    member m;
    uint32_t field;

    if (f->resumed) {
        /* Back with a sink: all that is lost are `pending`, used up when the type was found. */
        layout = f->type->layout;
        field = f->payload_field;
        p = data + f->cursor;
        const uint8_t *closing = data + f->payload_end;
        m.key = data + f->key.start;
        m.length = f->key.end - f->key.start;
        m.escaped = f->key.escaped;
        f->key.kind = WIRE_ABSENT;
        if (f->sink.out != NULL && wire_payload_fill(&WALK_TIER, p + 1, (size_t)(closing - p - 1), &f->sink)) {
            decoded_start = f->cursor + 1;
            put_value(&f->values[field], decoded_start, f->payload_end, WIRE_STRING);
            mark(f, field);
            p = closing + 1;
            goto next;
        }
        goto value;
    }

    p = skip_space(data, end);
    if (p == end || *p != '{') return walk_other_root(w, p);
    p = skip_space(p + 1, end);
    if (p == end) return fail(w, WIRE_END, p), w->status;
    if (*p == '}') goto root_closed;

    for (;;) {
        if (*p != '"') return fail(w, WIRE_EXPECTED_KEY, p), w->status;
        m.escaped = false;
        if (layout != NULL) {
            const uint8_t *behind = walk_expected(w, f, layout, p);
            if (behind != NULL) {
                p = behind;
                goto next;
            }
            /* The key that is expected before any other value, a payload among them: not scanned either. */
            if (f->expected < layout->field_count && wire_pattern_at(&layout->fields[f->expected], p, end)) {
                field = f->expected;
                m.key = p + 1;
                m.length = layout->fields[field].length;
                p = skip_space(p + layout->fields[field].pattern_length, end);
                goto value_of_field;
            }
        } else if (end - p > 8 && wire_load64(p) == wire_load64("\"type\":\"")) {
            m.key = p + 1;
            m.length = 4;
            field = WIRE_NO_FIELD;
            p += 7;
            goto value_of_key;
        }
        bool ignored;
        m.key = ++p;
        p = walk_string(w, p, &m.escaped, &ignored);
        if (p == NULL) return w->status;
        m.length = (size_t)(p - m.key);
        field = layout != NULL ? find_field(layout, data, &m) : WIRE_NO_FIELD;
        p++;
        if (p == end || *p != ':') {
            p = skip_space(p, end);
            if (p == end) return fail(w, WIRE_END, p), w->status;
            if (*p != ':') return fail(w, WIRE_EXPECTED_COLON, p), w->status;
        }
        p = skip_space(p + 1, end);

    value_of_key:
        if (field == WIRE_NO_FIELD) {
            bool names_type = is_type_key(data, &m);
            member *kept = !names_type && layout == NULL && pending_count < WALK_PENDING ? &pending[pending_count] : &m;
            wire_value *value = names_type ? &f->type_value : &kept->value;
            p = walk_value(w, p, value, 1);
            if (p == NULL) return in_member(f, &m, w->status);
            if (names_type) {
                const wire_type *type = value->kind == WIRE_STRING ? find_type(f) : NULL;
                if (layout != NULL) {
                    again |= type != f->type;   /* the last "type" wins: all that was found stands under another */
                } else if (type != NULL) {
                    use_type(f, type);
                    layout = type->layout;
                    for (unsigned i = 0; i < pending_count; i++) store(f, &pending[i]);
                }
            } else if (kept != &m) {
                kept->key = m.key;
                kept->length = m.length;
                kept->escaped = m.escaped;
                pending_count++;
            } else {
                again |= layout == NULL;        /* more than are remembered */
            }
            goto next;
        }

    value_of_field:
        if (is_payload(layout, field) && !f->defer_payload && !f->resumed && !again && p < end &&
            *p == '"') {
            const uint8_t *closing = guess_end(w, p + 1);
            if (closing != NULL) {
                f->payload_bytes = (size_t)(closing - p - 1) / 4 * 3 - (closing[-1] == '=') - (closing[-2] == '=');
                f->payload_field = field;
                f->cursor = (size_t)(p - data);
                f->payload_end = (size_t)(closing - data);
                f->resumed = true;
                return in_member(f, &m, WIRE_NEED_SINK);
            }
        }
    value:
        /* Straight into its place: copying a value that was just written byte by byte stalls on every store. */
        p = walk_value(w, p, &f->values[field], 1);
        if (p == NULL) return in_member(f, &m, w->status);
        mark(f, field);
    next:
        if (p < end && *p == ',') {
            p++;
        } else {
            p = skip_space(p, end);
            if (p == end) return fail(w, WIRE_END, p), w->status;
            if (*p == '}') break;
            if (*p != ',') return fail(w, WIRE_EXPECTED_COMMA, p), w->status;
            p++;
        }
        if (p < end && *p == '"') continue;
        p = skip_space(p, end);
        if (p == end) return fail(w, WIRE_END, p), w->status;
    }

root_closed:;
    const uint8_t *behind = skip_space(p + 1, end);
    if (behind != end) return fail(w, WIRE_TRAILING, behind), w->status;
    if (f->type_value.kind == WIRE_ABSENT) return fail(w, WIRE_TYPE_MISSING, p), w->status;
    if (f->type_value.kind != WIRE_STRING) {
        f->type = NULL;
        return fail(w, WIRE_TYPE_KIND, data + f->type_value.start), w->status;
    }
    if (again) {
        use_type(f, find_type(f));
        walk_again(w, f);
        decoded_start = SIZE_MAX;
    }
    settle_payload(f, decoded_start);
    return WIRE_OK;
}

static wire_status WALK(wire_frame *f) {
    walker w = {f->data, f->data + f->length, f->data, 0, f->data, WIRE_OK};
    if (f->length > 0) look_at(&w, f->resumed ? f->data + f->payload_end : f->data);
    wire_status status = walk_frame(f, &w);
    if (status > WIRE_NEED_SINK) f->position = (size_t)(w.fault - f->data);
    return status;
}

static void walk_members(const uint8_t *data, const wire_value *object, const wire_key *keys, size_t count,
                         wire_value *found) {
    for (size_t i = 0; i < count; i++) found[i].kind = WIRE_ABSENT;
    if (object->kind != WIRE_OBJECT) return;
    walker w = {data, data + object->end, data + object->start, 0, data, WIRE_OK};
    look_at(&w, w.block);
    const uint8_t *p = skip_space(w.block + 1, w.end);
    while (*p != '}') {
        member m = {.key = p + 1, .escaped = false};
        bool ignored;
        p = walk_string(&w, m.key, &m.escaped, &ignored);
        m.length = (size_t)(p - m.key);
        p = skip_space(p + 1, w.end);
        p = walk_value(&w, skip_space(p + 1, w.end), &m.value, 1);
        uint8_t plain[WIRE_MAX_NAME];
        if (m.escaped) {
            m.length = plain_key(data, m.key, m.length, plain);
            m.key = plain;
        }
        for (size_t i = 0; i < count; i++) {
            if (keys[i].length == m.length && wire_same(keys[i].bytes, m.key, m.length)) found[i] = m.value;
        }
        p = skip_space(p, w.end);
        if (*p == ',') p = skip_space(p + 1, w.end);
    }
}

/* Copies a block without the bytes of `drop`. Writes to[0 .. 64) at the most; returns where the next byte goes. */
static inline uint8_t *copy_without(const uint8_t *block, uint64_t drop, uint8_t *to) {
#ifdef WALK_HAS_PEXT
    /* No branch on what is data: eight bytes at a time, squeezed in a register. */
    for (unsigned i = 0; i < 64; i += 8) {
        uint64_t kept = ~drop >> i & 0xFF;
        uint64_t word = _pext_u64(wire_load64(block + i), _pdep_u64(kept, UINT64_C(0x0101010101010101)) * 0xFF);
        memcpy(to, &word, 8);
        to += __builtin_popcountll(kept);
    }
    return to;
#else
    unsigned from = 0;
    for (; drop; drop &= drop - 1) {
        unsigned next = (unsigned)__builtin_ctzll(drop);
        for (; from < next; from++) *to++ = block[from];
        from = next + 1;
    }
    for (; from < 64; from++) *to++ = block[from];
    return to;
#endif
}

static size_t walk_slashed(const uint8_t **at, const uint8_t *end, uint8_t *out, size_t room) {
    const uint8_t *p = *at;
    uint8_t *to = out;
    uint64_t behind = 0;            /* 1: the byte before p is a backslash that was taken */
    while (end - p >= 64 && (size_t)(to - out) + 64 <= room) {
        uint64_t special = special_block(p);
        if ((special | behind) == 0) {
            memcpy(to, p, 64);
            to += 64;
        } else {
            uint64_t backslashes = equal_block(p, '\\'), escaped = backslashes << 1 | behind;
            if (special != backslashes || escaped & ~equal_block(p, '/')) break;
            to = copy_without(p, backslashes, to);
            behind = backslashes >> 63;
        }
        p += 64;
    }
    p -= behind;
    /* The last ones, or those up to what is something else. */
    if (end - p < 64 + 1 || (size_t)(to - out) + 64 <= room) {
        for (; p < end && (size_t)(to - out) < room; *to++ = *p++) {
            if (*p > 0x7F || *p == '"') break;
            if (*p == '\\') {
                if (p[1] != '/') break;
                p++;
            }
        }
    }
    *at = p;
    return (size_t)(to - out);
}
