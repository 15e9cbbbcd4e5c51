/* All tiers' walks agree on the corpus, on every byte flip, truncation, insertion and deletion of it, and on random
 * combinations of those: status, position, type, values, payload.
 *
 * `test_walk <corpus> [rounds]`: rounds of random mutations for each frame (4,000 unless told). */
#include "harness.h"

#include <string.h>

#include "agreement.h"
#include "system.h"

#define MOST_FRAMES 64
#define MOST_BYTES 8192

typedef struct frame {
    uint8_t bytes[MOST_BYTES];
    size_t length;
} frame;

static frame frames[MOST_FRAMES];
static size_t frame_count;
static unsigned long statuses[64];

static void read_frame(const char *path) {
    CHECK(frame_count < MOST_FRAMES, "more frames than there is room for");
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL, "%s", path);
    frame *f = &frames[frame_count++];
    f->length = fread(f->bytes, 1, MOST_BYTES / 2, file);
    fclose(file);
}

static void read_corpus(const char *path) {
    CHECK(each_file(path, read_frame), "%s", path);
    CHECK(frame_count > 0, "%s is empty", path);
}

/* A copy of exactly the size, at any alignment, so that a sanitizer sees each byte too many. */
static wire_status check(const uint8_t *bytes, size_t length) {
    uint8_t *copy = exactly(length ? length : 1);
    memcpy(copy, bytes, length);
    wire_status status = agree_on(copy, length);
    statuses[status]++;
    free(copy);
    return status;
}

static const uint8_t telling[] = {'"',  '\\', '{',  '}',  '[',  ']',  ',',  ':',  ' ',  '\n',
                                  0,    0x1F, 0x20, 0x7F, 0x80, 0xBF, 0xC2, 0xE0, 0xED, 0xF0,
                                  0xF4, 0xFF, '=',  '-',  '_',  '+',  '/',  '0',  '9',  '.',
                                  'e',  'u',  'n',  't',  'f',  'A',  'B',  'z'};

static void test_single(const frame *original) {
    static frame f;
    f = *original;
    check(f.bytes, f.length);
    for (size_t length = 0; length < f.length; length++) check(f.bytes, length);
    for (size_t at = 0; at < f.length; at++) {
        uint8_t byte = f.bytes[at];
        for (size_t i = 0; i < sizeof telling; i++) {
            f.bytes[at] = telling[i];
            check(f.bytes, f.length);
        }
        for (int bit = 0; bit < 8; bit++) {
            f.bytes[at] = (uint8_t)(byte ^ 1 << bit);
            check(f.bytes, f.length);
        }
        f.bytes[at] = byte;
        memmove(f.bytes + at, f.bytes + at + 1, f.length - at - 1);
        check(f.bytes, f.length - 1);
        memmove(f.bytes + at + 1, f.bytes + at, f.length - at - 1);
        f.bytes[at] = byte;
    }
}

static void insert(frame *f, size_t at, const uint8_t *bytes, size_t length) {
    if (f->length + length > MOST_BYTES) return;
    memmove(f->bytes + at + length, f->bytes + at, f->length - at);
    memcpy(f->bytes + at, bytes, length);
    f->length += length;
}

/* A few edits on top of each other, pieces of other frames among them. */
static void test_random(const frame *original, unsigned long rounds) {
    static frame f;
    for (; rounds; rounds--) {
        f = *original;
        for (uint32_t edits = 1 + random_below(4); edits && f.length; edits--) {
            size_t at = random_below((uint32_t)f.length);
            const frame *other = &frames[random_below((uint32_t)frame_count)];
            uint8_t one = telling[random_below(sizeof telling)];
            switch (random_below(6)) {
            case 0: f.bytes[at] = one; break;
            case 1: f.bytes[at] = (uint8_t)random_below(256); break;
            case 2: insert(&f, at, &one, 1); break;
            case 3: {
                size_t start = random_below((uint32_t)other->length),
                       length = other->length - start;
                insert(&f, at, other->bytes + start, length < 100 ? length : random_below(100));
                break;
            }
            case 4: {
                size_t length =
                    1 + random_below(f.length - at < 70 ? (uint32_t)(f.length - at) : 70);
                memmove(f.bytes + at, f.bytes + at + length, f.length - at - length);
                f.length -= length;
                break;
            }
            default:
                insert(&f, at, (const uint8_t *)"                                  ",
                       1 + random_below(34));
                break;
            }
        }
        check(f.bytes, f.length);
    }
}

/* Levels of nesting around the limit, as value of a member; long runs of what the scanners look for. */
static void test_shapes(void) {
    enum { MOST = 3 * (WIRE_MAX_DEPTH + 2) + 64 };
    static char text[2 * MOST];
    for (int objects = 0; objects < 2; objects++) {
        for (size_t levels = WIRE_MAX_DEPTH - 2; levels <= WIRE_MAX_DEPTH + 1; levels++) {
            char *p = text;
            p += sprintf(p, "{\"type\":\"pcm\",\"x\":");
            for (size_t i = 0; i < levels; i++)
                p += sprintf(p, objects && i + 1 < levels ? "{\"\":" : "[");
            for (size_t i = levels; i-- > 0;) *p++ = objects && i + 1 < levels ? '}' : ']';
            *p++ = '}';
            wire_status status = agree_on((const uint8_t *)text, (size_t)(p - text));
            CHECK(status == (levels < WIRE_MAX_DEPTH ? WIRE_OK : WIRE_DEPTH), "%zu levels: %s",
                  levels, wire_reason(status));
        }
    }
    static const char *const runs[] = {
        "\\\\", "\\\"", "\\u00e9",        "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
        " ",    "a",    "\\ud83d\\ude00", "A\\/"};
    for (size_t run = 0; run < sizeof runs / sizeof runs[0]; run++) {
        for (size_t count = 0; count < 150; count++) {
            char *p = text;
            p += sprintf(p, "{\"type\":\"pcm\",\"item_id\":\"");
            for (size_t i = 0; i < count; i++) p += sprintf(p, "%s", runs[run]);
            p += sprintf(p, "\",\"delta\":\"AAAA\"}");
            for (size_t cut = 0; cut < 16; cut++)
                check((const uint8_t *)text, (size_t)(p - text) - cut);
            CHECK(agree_on((const uint8_t *)text, (size_t)(p - text)) == WIRE_OK,
                  "run %zu, %zu times", run, count);
        }
    }
}

/* One telling byte, or two, at every position of a string longer than the longest run the scanners take at once. */
static void test_strings(void) {
    enum { LONGEST = 600 };
    static char text[LONGEST + 128];
    int before = sprintf(text, "{\"type\":\"pcm\",\"item_id\":\"");
    memset(text + before, 'a', LONGEST);
    int behind = sprintf(text + before + LONGEST, "\",\"x\":0}");
    for (size_t at = 0; at < LONGEST; at++) {
        for (size_t i = 0; i < sizeof telling; i++) {
            size_t second = random_below(LONGEST);
            text[before + (int)at] = (char)telling[i];
            check((const uint8_t *)text, (size_t)(before + LONGEST + behind));
            text[before + (int)second] = (char)telling[random_below(sizeof telling)];
            check((const uint8_t *)text, (size_t)(before + LONGEST + behind));
            text[before + (int)second] = text[before + (int)at] = 'a';
        }
        check((const uint8_t *)text, (size_t)before + at);
    }
    /* Each byte value, at places that lie in every lane of a vector. */
    for (int byte = 0; byte < 256; byte++) {
        for (size_t at = (size_t)byte % 7; at < LONGEST; at += 7) {
            text[before + (int)at] = (char)byte;
            wire_status status = check((const uint8_t *)text, (size_t)(before + LONGEST + behind));
            CHECK((status == WIRE_OK) ==
                      (byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\'),
                  "%d at %zu", byte, at);
            text[before + (int)at] = 'a';
        }
    }
}

/* Payloads of every length around the scanners' and kernels' blocks, the frame before them of every length too. */
static void test_payloads(void) {
    static char text[2048];
    for (size_t symbols = 0; symbols <= 600; symbols += symbols < 300 ? 1 : 37) {
        for (size_t before = 0; before < 70; before += 1 + symbols % 7) {
            char *p = text;
            p += sprintf(p, "{\"type\":\"pcm\",\"item_id\":\"%0*d\",\"delta\":\"", (int)before, 0);
            char *payload = p;
            for (size_t i = 0; i < symbols; i++)
                *p++ =
                    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[random_below(
                        64)];
            if (symbols % 3 == 0 && symbols >= 4) memcpy(p - 2, symbols & 1 ? "A=" : "==", 2);
            p += sprintf(p, "\"}");
            check((const uint8_t *)text, (size_t)(p - text));
            if (symbols) {
                payload[random_below((uint32_t)symbols)] =
                    (char)telling[random_below(sizeof telling)];
                check((const uint8_t *)text, (size_t)(p - text));
            }
        }
    }
}

static const char *const numbers[] = {"0",
                                      "-0",
                                      "7",
                                      "12",
                                      "123",
                                      "-1",
                                      "1.5",
                                      "-0.0012",
                                      "1e5",
                                      "1E-05",
                                      "1.25e10",
                                      "1e+16",
                                      "0.1e2",
                                      "1e100",
                                      "1e308",
                                      "-1e-300",
                                      "1e-5000",
                                      "1e0099",
                                      "9007199254740993"};
/* No JSON numbers, or beyond a double. */
static const char *const bad_numbers[] = {
    "",     "-",     "+1",    "01",    "-01",    "00",    "1.",    ".5",    "-.5",  "1.e5",
    "1e",   "1e+",   "1e-",   "e5",    "1.5.5",  "1e5e5", "1e5.5", "1-",    "1-2",  "--1",
    "1+2",  "1e+-5", "1e400", "1e999", "-1e309", "1 2",   "1- ",   "- 1",   "1 .5", "1. 5",
    "1e 5", "1 e5",  "1,,2",  "1, ,2", "0x1",    "1_0",   "1\v",   "1;2",   "1:2",  "Infinity",
    "NaN",  "nul",   "1\"",   "1/2",   "\x80",   "1\xB1", "true1", "null.5"};
static const char *const gaps[] = {",", ", ", " ,", " , ", ",\n", ",\r\n\t", ",   "};

/* One number, good or bad, at every place of a block of good ones, with every other number before it. */
static void test_numbers(void) {
    static char text[2048];
    const size_t goods = sizeof numbers / sizeof numbers[0],
                 bads = sizeof bad_numbers / sizeof bad_numbers[0];
    for (size_t i = 0; i < goods + bads; i++) {
        const char *odd = i < goods ? numbers[i] : bad_numbers[i - goods];
        for (size_t length = 0; length < 72; length++) {
            for (size_t gap = 0; gap < sizeof gaps / sizeof gaps[0]; gap++) {
                const char *often = numbers[(length + gap) % goods];
                char *p = text;
                p += sprintf(p, "{\"type\":\"pcm\",\"x\":[");
                for (int k = 0; k < 8; k++) p += sprintf(p, "%s%s", often, gaps[gap]);
                /* It is longer by a byte each time, so that the odd one stands at each place of a block. */
                p += sprintf(p, "1%0*d%s", (int)length, 0, gaps[gap]);
                for (int k = 0; k < 4; k++) p += sprintf(p, "%s%s", often, gaps[gap]);
                p += sprintf(p, "%s", odd);
                for (int k = 0; k < 60; k++) p += sprintf(p, "%s%s", gaps[gap], often);
                p += sprintf(p, "]}");
                wire_status status = check((const uint8_t *)text, (size_t)(p - text));
                CHECK((status == WIRE_OK) == (i < goods), "%s at %zu: %s", odd, length,
                      wire_reason(status));
            }
        }
    }
}

/* Arrays of numbers with up to three bytes changed for others that numbers are made of. */
static void test_random_numbers(unsigned long rounds) {
    static const char bytes[] = "00123456789,,..--+eE \n";
    static char text[2048];
    const uint32_t goods = sizeof numbers / sizeof numbers[0], kinds = sizeof gaps / sizeof gaps[0];
    for (; rounds; rounds--) {
        char *p = text;
        p += sprintf(p, "{\"type\":\"pcm\",\"x\":[");
        char *const first = p;
        for (uint32_t left = 1 + random_below(80); left; left--)
            p += sprintf(p, "%s%s", numbers[random_below(goods)],
                         left > 1 ? gaps[random_below(kinds)] : "]}");
        for (uint32_t edits = random_below(4); edits; edits--)
            first[random_below((uint32_t)(p - first))] = bytes[random_below(sizeof bytes - 1)];
        check((const uint8_t *)text, (size_t)(p - text));
    }
}

static void check_outline_of(const char *before, const char *object, const char *behind,
                             uint32_t members) {
    static char text[MOST_BYTES];
    const int length = snprintf(text, sizeof text, "%s%s%s", before, object, behind);
    CHECK(length > 0 && length < (int)sizeof text, "no room");
    check((const uint8_t *)text, (size_t)length);
    const uint32_t found = outlined_members((const uint8_t *)text, (size_t)length);
    CHECK(found == members, "%u members, not %u: %s", found, members, text);
}

/* Which objects have an outline, and of how many members: without one, all that is looked for in it is still found. */
static void test_outlines(void) {
    static const char *const before = "{\"type\":\"session.created\",\"session\":";
    static char many[MOST_BYTES];
    check_outline_of(before, "{}", "}", 0);
    check_outline_of(before, "[{\"a\":1}]", "}", 0);
    check_outline_of(before, "{\"a\":1}", "}", 1);
    check_outline_of(before, " { \"a\" : [ {\"a\":{\"b\":1}} , [] ] , \"b\" : -1.5 } ", "}", 2);
    check_outline_of(before, "{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":1}},\"f\":[]}},\"g\":{\"h\":{}}}",
                     "}", 6);
    check_outline_of(before, "{\"a\":{\"b\":{\"c\":{\"\\u0064\":1}}}}", "}", 3);
    check_outline_of(before, "{\"a\":{\"\\u0062\":1}}", "}", 0);
    check_outline_of(before, "{\"a\":1}", ",\"session\":null}", 0);
    check_outline_of(before, "{\"a\":1}", ",\"session\":[1]}", 0);
    check_outline_of(before, "{\"a\":1}", ",\"session\":{\"b\":1,\"c\":2}}", 2);
    check_outline_of("{\"session\":", "{\"a\":1}", ",\"type\":\"session.created\"}", 0);
    for (size_t count = WIRE_OUTLINE - 1; count <= WIRE_OUTLINE + 1; count++) {
        size_t length = 0;
        for (size_t i = 0; i < count; i++) {
            length += (size_t)snprintf(many + length, sizeof many - length, "%c\"k%zu\":%s",
                                       i ? ',' : '{', i, i % 2 ? "[]" : "1");
        }
        snprintf(many + length, sizeof many - length, "}");
        check_outline_of(before, many, "}", count <= WIRE_OUTLINE ? (uint32_t)count : 0);
    }
}

int main(int argc, char **argv) {
    CHECK(argc > 1, "usage: %s <corpus> [rounds]", argv[0]);
    unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 4000, all = 0;
    tiers_here();
    read_corpus(argv[1]);
    test_shapes();
    test_outlines();
    test_strings();
    test_payloads();
    test_numbers();
    test_random_numbers(50 * rounds);
    for (size_t i = 0; i < frame_count; i++) {
        test_single(&frames[i]);
        test_random(&frames[i], rounds);
    }
    for (size_t i = 0; i < 64; i++) all += statuses[i];
    printf("walk: %lu frames, %lu of them accepted\n", all, statuses[WIRE_OK]);
#define SAY(name, reason) printf("%8lu %s\n", statuses[name], reason);
    WIRE_FAULTS(SAY)
    return 0;
}
