/* Text into JSON strings, against a naive escaper, and read back by what decodes such strings. */
#include "harness.h"

#include <string.h>

#define CANARY 16

/* What json.dumps writes for one code point, in `out`; returns its length. */
static size_t naive(uint32_t c, char *out) {
    static const char characters[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    for (size_t i = 0; i < sizeof letters - 1; i++) {
        if (c == (uint32_t)characters[i]) return (size_t)sprintf(out, "\\%c", letters[i]);
    }
    if (c >= 0x20 && c <= 0x7E) return (size_t)sprintf(out, "%c", (int)c);
    if (c <= 0xFFFF) return (size_t)sprintf(out, "\\u%04x", (unsigned)c);
    return (size_t)sprintf(out, "\\u%04x\\u%04x", (unsigned)(0xD7C0 + (c >> 10)),
                           (unsigned)(0xDC00 | (c & 0x3FF)));
}

static void put(uint8_t *text, size_t i, unsigned width, uint32_t c) {
    uint8_t one = (uint8_t)c;
    uint16_t two = (uint16_t)c;
    memcpy(text + i * width,
           width == 1   ? (void *)&one
           : width == 2 ? (void *)&two
                        : (void *)&c,
           width);
}

/* Memory of exactly the size; the text with each width that holds it. */
static void check(const uint32_t *points, size_t count) {
    char *expected = exactly(count * 12 + 13);
    uint32_t largest = 0;
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        length += naive(points[i], expected + length);
        largest = points[i] > largest ? points[i] : largest;
    }
    for (unsigned width = largest <= 0xFF ? 1 : largest <= 0xFFFF ? 2 : 4; width <= 4; width *= 2) {
        uint8_t *text = exactly(count * width), *out = exactly(length + 2 * CANARY);
        for (size_t i = 0; i < count; i++) put(text, i, width, points[i]);
        size_t measured = 12345, position = 12345;
        wire_status status = wire_escape_measure(text, count, width, &measured, &position);
        CHECK(status == WIRE_OK && measured == length,
              "U+%04X and others, width %u: %zu instead of %zu", (unsigned)largest, width, measured,
              length);
        memset(out, 0xC5, length + 2 * CANARY);
        wire_escape_write(text, count, width, measured, out + CANARY);
        CHECK(memcmp(out + CANARY, expected, length) == 0, "U+%04X and others, width %u: bytes",
              (unsigned)largest, width);
        for (size_t i = 0; i < CANARY; i++)
            CHECK(out[i] == 0xC5 && out[CANARY + length + i] == 0xC5, "wrote beside");
        /* The decoder's own reading of it. */
        const wire_value value = {
            .start = CANARY, .end = CANARY + length, .kind = WIRE_STRING, .escaped = true};
        uint32_t most, *back = exactly(count * 4);
        CHECK(wire_text_measure(out, &value, &most) == count && most == largest,
              "read back: how many");
        wire_text_write(out, &value, 4, back);
        CHECK(count == 0 || memcmp(back, points, count * 4) == 0, "read back: code points");
        free(back);
        free(text);
        free(out);
    }
    free(expected);
}

static bool is_surrogate(uint32_t c) {
    return c >= 0xD800 && c <= 0xDFFF;
}

/* Every code point alone, and at every place of a word of eight. */
static void test_each(void) {
    for (uint32_t c = 0; c <= 0x10FFFF; c += c < 0x10400 ? 1 : 127) {
        if (!is_surrogate(c)) check(&c, 1);
    }
    const uint32_t last = 0x10FFFF;
    check(&last, 1);
    for (uint32_t c = 0; c < 0x180; c++) {
        for (size_t count = 1; count <= 24; count++) {
            for (size_t at = 0; at < count; at++) {
                uint32_t points[24];
                for (size_t i = 0; i < count; i++) points[i] = 'a' + (uint32_t)i;
                points[at] = c;
                check(points, count);
            }
        }
    }
}

static uint32_t random_point(uint32_t bound) {
    uint32_t c;
    do {
        c = random_below(bound);
    } while (is_surrogate(c));
    return c;
}

static void test_random(void) {
    static const uint32_t bounds[] = {0x7F, 0x80, 0x100, 0x800, 0x10000, 0x110000};
    for (int turn = 0; turn < 20000; turn++) {
        uint32_t points[200], bound = bounds[turn % 6];
        size_t count = random_below(200);
        for (size_t i = 0; i < count; i++)
            points[i] = random_below(4) ? 0x20 + random_below(0x5F) : random_point(bound);
        check(points, count);
    }
    check(NULL, 0);
}

/* A surrogate is no text, nor are two of them that would be a pair in UTF-16. */
static void test_surrogates(void) {
    for (uint32_t c = 0xD800; c <= 0xDFFF; c++) {
        for (unsigned width = 2; width <= 4; width += 2) {
            size_t at = random_below(40), length, position = 12345;
            uint8_t *text = exactly(40 * width);
            for (size_t i = 0; i < 40; i++)
                put(text, i, width, i < at ? random_point(0x3000) : random_below(0x10000));
            put(text, at, width, c);
            CHECK(wire_escape_measure(text, 40, width, &length, &position) == WIRE_SURROGATE &&
                      position == at,
                  "U+%04X at %zu, width %u: found at %zu", (unsigned)c, at, width, position);
            CHECK(wire_escape_measure(text, at, width, &length, &position) == WIRE_OK,
                  "U+%04X left out", (unsigned)c);
            free(text);
        }
    }
}

static void test_too_long(void) {
    size_t length = 0, position;
    const uint8_t text[1] = {'a'};
    for (unsigned width = 1; width <= 4; width *= 2) {
        CHECK(wire_escape_measure(text, (size_t)PTRDIFF_MAX / 12 + 1, width, &length, &position) ==
                      WIRE_OK &&
                  length == WIRE_TOO_LONG,
              "too long, width %u", width);
    }
}

/* A null, and a byte beyond ASCII, at every place of texts of many lengths, each in memory that ends with the text. */
static void test_what_json_holds(void) {
    for (size_t length = 0; length < 200; length++) {
        for (size_t at = 0; at + 4 <= length; at++) {
            uint8_t *text = exactly(length);
            for (size_t i = 0; i < length; i++) text[i] = (uint8_t)"nul, nu"[random_below(7)];
            for (size_t i = 0; i + 3 < length; i++)
                if (memcmp(text + i, "null", 4) == 0) text[i] = ' ';
            CHECK(wire_json_nulls(text, length) == 0, "%zu bytes without null", length);
            memcpy(text + at, "null", 4);
            size_t count = 0;
            for (size_t i = 0; i + 3 < length; i++) count += memcmp(text + i, "null", 4) == 0;
            CHECK(wire_json_nulls(text, length) == count, "null at %zu of %zu", at, length);
            CHECK(wire_json_holds(text, length) == WIRE_MAYBE_NULL, "null at %zu of %zu", at,
                  length);
            text[at + random_below(4)] = 0x80;
            CHECK(wire_json_holds(text, length) & WIRE_NON_ASCII, "0x80 in %zu bytes", length);
            free(text);
        }
    }
    uint8_t *text = exactly(WIRE_LONG_JSON + 1);
    memset(text, ' ', WIRE_LONG_JSON + 1);
    CHECK(wire_json_holds(text, WIRE_LONG_JSON) == 0 && wire_json_nulls(text, WIRE_LONG_JSON) == 0,
          "a text that is searched");
    CHECK(wire_json_holds(text, WIRE_LONG_JSON + 1) == WIRE_MAYBE_NULL &&
              wire_json_nulls(text, WIRE_LONG_JSON + 1) == SIZE_MAX,
          "a text that is not searched");
    free(text);
}

int main(void) {
    test_each();
    test_what_json_holds();
    test_random();
    test_surrogates();
    test_too_long();
    printf("escape: passed\n");
    return 0;
}
