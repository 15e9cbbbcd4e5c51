/* Every tier's base64 kernel, and what takes escaped slashes out, against naive ones: counts, bytes, and that nothing
 * beside them is touched.
 *
 * `test_base64 [longest]`: all lengths to `longest` symbols (260 unless told). */
#include "harness.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* ---- The naive decoder: RFC 4648 bit by bit --------------------------------------------------------- */

static int naive_symbol(uint8_t byte) {
    for (int value = 0; value < 64; value++) {
        if ((uint8_t)alphabet[value] == byte) return value;
    }
    return -1;
}

static void naive_group(const uint8_t *src, uint8_t *out) {
    uint32_t bits = 0;
    for (int i = 0; i < 4; i++) {
        for (int bit = 5; bit >= 0; bit--)
            bits = bits << 1 | (uint32_t)(naive_symbol(src[i]) >> bit & 1);
    }
    for (int i = 2; i >= 0; i--, bits >>= 8) out[i] = (uint8_t)(bits & 255);
}

static size_t naive(const uint8_t *src, size_t length, uint8_t *out) {
    for (size_t at = 0; at < length; at += 4, out += 3) {
        for (size_t i = 0; i < 4; i++) {
            if (naive_symbol(src[at + i]) < 0) return at;
        }
        naive_group(src + at, out);
    }
    return length;
}

static void fill(uint8_t *src, size_t length) {
    for (size_t i = 0; i < length; i++) src[i] = (uint8_t)alphabet[random_below(64)];
}

/* ---- Lanes ------------------------------------------------------------------------------------------ */

#define CANARY 64

/* `out` has CANARY bytes on both sides of the length / 4 * 3 that may be written. */
static void check(const wire_tier *tier, const uint8_t *src, size_t length, uint8_t *out,
                  const uint8_t *expected, size_t sound, const char *what, size_t position,
                  unsigned value) {
    static uint8_t canary[CANARY];
    size_t room = length / 4 * 3;
    if (canary[0] == 0) memset(canary, 0xC5, CANARY);
    memset(out, 0xC5, CANARY);
    memset(out + CANARY + room, 0xC5, CANARY);
    size_t taken = tier->base64(src, length, out + CANARY);
    CHECK(taken == sound, "%s: %s: length %zu, byte 0x%02X at %zu: %zu symbols instead of %zu",
          tier->name, what, length, value, position, taken, sound);
    CHECK(memcmp(out + CANARY, expected, taken / 4 * 3) == 0,
          "%s: %s: length %zu, byte 0x%02X at %zu: bytes", tier->name, what, length, value,
          position);
    CHECK(memcmp(out, canary, CANARY) == 0, "%s: %s: length %zu: wrote before", tier->name, what,
          length);
    CHECK(memcmp(out + CANARY + room, canary, CANARY) == 0, "%s: %s: length %zu: wrote behind",
          tier->name, what, length);
}

/* Every byte value at every position of every length. */
static void test_lanes(const wire_tier *tier, size_t longest) {
    for (size_t length = 0; length <= longest; length += 4) {
        uint8_t *src = exactly(length), *out = exactly(length / 4 * 3 + 2 * CANARY),
                *expected = exactly(length / 4 * 3);
        fill(src, length);
        CHECK(naive(src, length, expected) == length, "the naive decoder");
        check(tier, src, length, out, expected, length, "sound", 0, 0);
        for (size_t at = 0; at < length; at++) {
            size_t group = at / 4;
            uint8_t symbol = src[at];
            for (unsigned value = 0; value < 256; value++) {
                src[at] = (uint8_t)value;
                bool sound = naive_symbol(src[at]) >= 0;
                if (sound) naive_group(src + 4 * group, expected + 3 * group);
                check(tier, src, length, out, expected, sound ? length : 4 * group, "one byte", at,
                      value);
            }
            src[at] = symbol;
            naive_group(src + 4 * group, expected + 3 * group);
        }
        free(src);
        free(out);
        free(expected);
    }
}

/* Memory of exactly the size, so that a sanitizer sees each byte too many; two faults, the first counts; blocks of
 * every unrolled loop several times over. */
static void test_exact(const wire_tier *tier) {
    for (int turn = 0; turn < 6000; turn++) {
        size_t length = random_below(turn % 8 ? 300 : 1400) * 4;
        uint8_t *src = exactly(length), *out = exactly(length / 4 * 3),
                *expected = exactly(length / 4 * 3);
        fill(src, length);
        for (uint32_t faults = random_below(3); length && faults; faults--)
            src[random_below((uint32_t)length)] = (uint8_t)random_below(256);
        size_t sound = naive(src, length, expected);
        size_t taken = tier->base64(src, length, out);
        CHECK(taken == sound, "%s: length %zu: %zu symbols instead of %zu", tier->name, length,
              taken, sound);
        CHECK(taken == 0 || memcmp(out, expected, taken / 4 * 3) == 0, "%s: length %zu: bytes",
              tier->name, length);
        free(src);
        free(out);
        free(expected);
    }
}

/* ---- Escaped slashes ---------------------------------------------------------------------------- */

/* Byte by byte, up to what is neither plain ASCII nor an escaped slash. */
static size_t naive_slashed(const uint8_t *src, size_t length, uint8_t *out, size_t *read) {
    size_t count = 0, at = 0;
    while (at < length && src[at] < 0x80) {
        if (src[at] == '\\') {
            if (src[at + 1] != '/') break;
            at++;
        }
        out[count++] = src[at++];
    }
    *read = at;
    return count;
}

/* One call: as much as there is room for, and no byte of it wrong. */
static void check_slashed(const wire_tier *tier, const uint8_t *src, size_t length, size_t room,
                          const uint8_t *expected, size_t sound, size_t sound_read) {
    uint8_t *out = exactly(room);
    const uint8_t *at = src;
    size_t count = tier->slashed(&at, src + length, out, room);
    size_t read = (size_t)(at - src);
    CHECK(count <= room && count <= sound && read <= sound_read, "%s: slashes: %zu of %zu into %zu",
          tier->name, count, sound, room);
    CHECK(memcmp(out, expected, count) == 0, "%s: slashes: length %zu, room %zu: bytes", tier->name,
          length, room);
    size_t again;
    uint8_t *rest = exactly(length + 1);
    CHECK(naive_slashed(src, read, rest, &again) == count && again == read,
          "%s: slashes: length %zu, room %zu: read %zu", tier->name, length, room, read);
    CHECK(read == sound_read || count + 64 > room,
          "%s: slashes: length %zu, room %zu: stopped at %zu of %zu", tier->name, length, room,
          read, sound_read);
    free(rest);
    free(out);
}

static void test_slashed(const wire_tier *tier) {
    for (int turn = 0; turn < 20000; turn++) {
        size_t length = random_below(turn % 8 ? 300 : 1400), at = 0;
        uint32_t every = 1 + random_below(70);
        uint8_t *src = exactly(length), *expected = exactly(length + 1);
        fill(src, length);
        while (at + 1 < length) {
            if (random_below(every) == 0) {
                src[at] = '\\';
                src[at + 1] = '/';
            }
            at += 2;
        }
        /* Half of them stop early, at another escape or a byte above 0x7F, or go over a byte that is no symbol. */
        if (length > 3 && turn & 1) {
            at = random_below((uint32_t)length - 1) & ~1u;
            unsigned what = random_below(10);
            src[at] = what < 8 ? '\\' : what == 8 ? 0xC3 : '*';
            src[at + 1] = (uint8_t)"\"\\bfnrtu\xA9="[what];
        }
        size_t read, sound = naive_slashed(src, length, expected, &read);
        check_slashed(tier, src, length, length, expected, sound, read);
        check_slashed(tier, src, length, random_below((uint32_t)length + 1), expected, sound, read);
        free(src);
        free(expected);
    }
}

/* ---- Pages that fault ---------------------------------------------------------------------------- */

static void test_pages(const wire_tier *tier) {
    fenced in = fence(8192), out = fence(8192);
    uint8_t text[1200], expected[900];
    for (size_t length = 0; length <= sizeof text; length += length < 260 ? 4 : 188) {
        for (size_t offset = 0; offset < 64; offset++) {
            for (unsigned side = 0; side < 4; side++) {
                size_t room = length / 4 * 3;
                uint8_t *src = side & 1 ? in.end - length - offset : in.first + offset;
                uint8_t *dst =
                    side & 2 ? out.end - room - (63 - offset) : out.first + (63 - offset);
                fill(text, length);
                if (length && offset % 3 == 0)
                    text[random_below((uint32_t)length)] = (uint8_t)random_below(256);
                size_t sound = naive(text, length, expected);
                memcpy(src, text, length);
                size_t taken = tier->base64(src, length, dst);
                CHECK(taken == sound && memcmp(dst, expected, taken / 4 * 3) == 0,
                      "%s: length %zu, offset %zu, side %u", tier->name, length, offset, side);
                /* Both at the fence at once. */
                src = side & 1 ? in.end - length : in.first;
                dst = side & 2 ? out.end - room : out.first;
                memmove(src, text, length);
                taken = tier->base64(src, length, dst);
                CHECK(taken == sound && memcmp(dst, expected, taken / 4 * 3) == 0,
                      "%s: length %zu, side %u", tier->name, length, side);
            }
        }
    }
}

int main(int argc, char **argv) {
    size_t longest = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 260;
    for (const wire_tier *const *tier = tiers_here(); *tier != NULL; tier++) {
        test_lanes(*tier, longest);
        test_exact(*tier);
        test_slashed(*tier);
        test_pages(*tier);
        printf("base64 %s: passed\n", (*tier)->name);
        fflush(stdout);
    }
    return 0;
}
