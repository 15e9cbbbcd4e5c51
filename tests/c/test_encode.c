/* Every tier's encoding kernels, and the arrays that wire_encode takes, against naive ones: bytes, and that nothing
 * beside them is touched.
 *
 * `test_encode [longest]`: all lengths to `longest` bytes (260 unless told). */
#include "harness.h"

#include <math.h>
#include <string.h>

#define CANARY 64

/* ---- The naive encoder: RFC 4648 bit by bit ----------------------------------------------------------- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static size_t symbols_of(size_t bytes) {
    return bytes % 3 ? (bytes / 3 + 1) * 4 : bytes / 3 * 4;
}

static void naive(const uint8_t *src, size_t length, uint8_t *out) {
    size_t bits = length * 8;
    for (size_t symbol = 0; symbol < symbols_of(length); symbol++) {
        unsigned six = 0;
        for (size_t bit = symbol * 6; bit < symbol * 6 + 6; bit++)
            six = six << 1 | (bit < bits ? (unsigned)src[bit / 8] >> (7 - bit % 8) & 1 : 0);
        out[symbol] = symbol * 6 < bits ? (uint8_t)alphabet[six] : '=';
    }
}

static void fill(uint8_t *memory, size_t length) {
    for (size_t i = 0; i < length; i++) memory[i] = (uint8_t)random_below(256);
}

static void check_canaries(const uint8_t *out, size_t room, const char *name, const char *what,
                           size_t length) {
    for (size_t i = 0; i < CANARY; i++)
        CHECK(out[i] == 0xC5 && out[CANARY + room + i] == 0xC5, "%s: %s: length %zu: wrote beside",
              name, what, length);
}

/* ---- base64 -------------------------------------------------------------------------------------- */

/* The input is memory of exactly the size, so that a sanitizer sees each byte too many; the output has canaries. */
static void check_base64(const wire_tier *tier, const uint8_t *src, size_t length,
                         const char *what) {
    size_t room = symbols_of(length);
    uint8_t *exact = exactly(length), *out = exactly(room + 2 * CANARY), *expected = exactly(room);
    if (length) memcpy(exact, src, length);
    naive(src, length, expected);
    memset(out, 0xC5, room + 2 * CANARY);
    tier->base64_encode(exact, length, out + CANARY);
    CHECK(room == 0 || memcmp(out + CANARY, expected, room) == 0, "%s: %s: length %zu", tier->name,
          what, length);
    check_canaries(out, room, tier->name, what, length);
    free(exact);
    free(out);
    free(expected);
}

/* Every symbol at every place of every length: symbol n is `first` + n, or 64 - that, modulo 64. */
static void test_lanes(const wire_tier *tier, size_t longest) {
    uint8_t *src = exactly(longest + 3);
    for (unsigned first = 0; first < 128; first++) {
        memset(src, 0, longest + 3);
        for (size_t bit = 0; bit < longest * 8; bit++) {
            size_t six = first < 64 ? first + bit / 6 : 64 + first - bit / 6 % 64;
            src[bit / 8] |= (uint8_t)((six >> (5 - bit % 6) & 1) << (7 - bit % 8));
        }
        for (size_t length = 0; length <= longest; length++)
            check_base64(tier, src, length, "symbols");
    }
    free(src);
}

/* Blocks of every unrolled loop several times over; and the decoding kernels give the bytes back. */
static void test_round_trip(const wire_tier *tier) {
    for (int turn = 0; turn < 4000; turn++) {
        size_t length = random_below(turn % 8 ? 400 : 6000), room = symbols_of(length);
        uint8_t *src = exactly(length), *text = exactly(room), *back = exactly(length);
        fill(src, length);
        check_base64(tier, src, length, "random");
        tier->base64_encode(src, length, text);
        wire_sink sink = {.out = back, .conversion = WIRE_COPY};
        CHECK(wire_payload_fill(tier, text, room, &sink), "%s: length %zu: not canonical",
              tier->name, length);
        CHECK(length == 0 || memcmp(src, back, length) == 0, "%s: length %zu: decoded", tier->name,
              length);
        free(src);
        free(text);
        free(back);
    }
}

static void test_base64_pages(const wire_tier *tier) {
    fenced in = fence(8192), out = fence(8192);
    uint8_t bytes[900], expected[1200];
    for (size_t length = 0; length <= sizeof bytes; length += length < 260 ? 1 : 128) {
        size_t room = symbols_of(length);
        fill(bytes, length);
        naive(bytes, length, expected);
        for (size_t offset = 0; offset < 64; offset++) {
            for (unsigned side = 0; side < 4; side++) {
                size_t step = offset ? 63 - offset : 0; /* 0: both are at the fence at once */
                uint8_t *src = side & 1 ? in.end - length - offset : in.first + offset;
                uint8_t *dst = side & 2 ? out.end - room - step : out.first + step;
                memcpy(src, bytes, length);
                tier->base64_encode(src, length, dst);
                CHECK(memcmp(dst, expected, room) == 0, "%s: length %zu, offset %zu, side %u",
                      tier->name, length, offset, side);
            }
        }
    }
}

/* ---- Samples: the reference --------------------------------------------------------------------- */

static uint8_t ulaw_codes[65536], alaw_codes[65536]; /* by sample + 32768 */

/* A law from the decision values of ITU-T G.711, tables 1a and 2a: interval n has `widths[n]` of the table's steps,
 * and ends on one decision value and begins on another. What lies on one belongs to the interval above it, that is,
 * towards the positive end, on both sides of zero: the rule of ITU-T G.191. `scale` puts a step on the scale of 16
 * bits. The last interval goes as far as the samples do. */
static void make_law(uint8_t codes[65536], const int widths[128], int scale, unsigned inverted) {
    int low = 0;
    for (unsigned n = 0; n < 128; n++) {
        int high = n == 127 ? 32768 : low + widths[n] * scale;
        for (int distance = low; distance < high; distance++) {
            /* From `low` on, up to `high`; and from -high on, up to -low. */
            codes[32768 + distance] = (uint8_t)((0x80 | n) ^ inverted);
            codes[32768 - 1 - distance] = (uint8_t)(n ^ inverted);
        }
        low = high;
    }
}

static void make_reference(void) {
    int ulaw_widths[128], alaw_widths[128], ulaw_end = 0, alaw_end = 0;
    for (int n = 0; n < 128; n++) {
        ulaw_widths[n] = n == 0 ? 1 : 2 << n / 16;
        alaw_widths[n] = n < 16 ? 2 : 1 << n / 16;
        ulaw_end += ulaw_widths[n];
        alaw_end += alaw_widths[n];
    }
    CHECK(ulaw_end == 8159 && alaw_end == 4096, "virtual decision values: %d, %d", ulaw_end,
          alaw_end);
    make_law(ulaw_codes, ulaw_widths, 4, 0x7F);
    make_law(alaw_codes, alaw_widths, 8, 0x55);
    CHECK(ulaw_codes[32768] == 0xFF && ulaw_codes[32767] == 0x7F, "zeros of mu-law");
    CHECK(ulaw_codes[65535] == 0x80 && ulaw_codes[0] == 0x00, "ends of mu-law");
    CHECK(alaw_codes[32768] == 0xD5 && alaw_codes[32767] == 0x55, "zeros of A-law");
    CHECK(alaw_codes[65535] == 0xAA && alaw_codes[0] == 0x2A, "ends of A-law");
}

static int sample_of_float(float value) {
    double scaled = nearbyint((double)value * 32768.0);
    if (value != value) return 0;
    return scaled < -32768 ? -32768 : scaled > 32767 ? 32767 : (int)scaled;
}

static int sample_of(wire_source source, const uint8_t *in) {
    int16_t whole;
    float fraction;
    memcpy(&whole, in, 2);
    if (source <= WIRE_INT16_TO_ALAW) return whole;
    memcpy(&fraction, in, 4);
    return sample_of_float(fraction);
}

static size_t width_of(wire_source source) {
    return source == WIRE_BYTES ? 1 : source <= WIRE_INT16_TO_ALAW ? 2 : 4;
}

static size_t wire_width_of(wire_source source) {
    return source == WIRE_INT16_TO_PCM16 || source == WIRE_FLOAT32_TO_PCM16 ? 2 : 1;
}

/* One sample, of the host's byte order, as it is on the wire. */
static void expect_one(wire_source source, const uint8_t *in, uint8_t *out) {
    if (source == WIRE_BYTES) {
        *out = *in;
        return;
    }
    int sample = sample_of(source, in);
    switch (source) {
    case WIRE_INT16_TO_ULAW:
    case WIRE_FLOAT32_TO_ULAW: *out = ulaw_codes[sample + 32768]; break;
    case WIRE_INT16_TO_ALAW:
    case WIRE_FLOAT32_TO_ALAW: *out = alaw_codes[sample + 32768]; break;
    default: out[0] = (uint8_t)(sample & 255); out[1] = (uint8_t)(sample >> 8 & 255);
    }
}

static void expect(wire_source source, const uint8_t *in, size_t count, uint8_t *out) {
    for (size_t i = 0; i < count; i++)
        expect_one(source, in + i * width_of(source), out + i * wire_width_of(source));
}

/* ---- Samples: the kernels ------------------------------------------------------------------------- */

static const char *const names[] = {"bytes",          "int16_to_pcm16",   "int16_to_ulaw",
                                    "int16_to_alaw",  "float32_to_pcm16", "float32_to_ulaw",
                                    "float32_to_alaw"};

static void run(const wire_tier *tier, wire_source source, const uint8_t *in, size_t count,
                uint8_t *out) {
    switch (source) {
    case WIRE_INT16_TO_ULAW: tier->int16_to_ulaw(in, count, out); break;
    case WIRE_INT16_TO_ALAW: tier->int16_to_alaw(in, count, out); break;
    case WIRE_FLOAT32_TO_PCM16: tier->float32_to_pcm16(in, count, out); break;
    case WIRE_FLOAT32_TO_ULAW: tier->float32_to_ulaw(in, count, out); break;
    case WIRE_FLOAT32_TO_ALAW: tier->float32_to_alaw(in, count, out); break;
    default: CHECK(false, "no kernel of its own");
    }
}

static void check_in_one_go(const wire_tier *tier, const uint8_t *exact, size_t count,
                            const uint8_t *expected, const char *what) {
    size_t room = symbols_of(count * 2);
    uint8_t *out = exactly(room + 2 * CANARY), *text = exactly(room);
    memset(out, 0xC5, room + 2 * CANARY);
    naive(expected, count * 2, text);
    tier->float32_to_base64(exact, count, out + CANARY);
    CHECK(room == 0 || memcmp(out + CANARY, text, room) == 0,
          "%s: float32_to_base64: %s: count %zu", tier->name, what, count);
    check_canaries(out, room, tier->name, what, count);
    free(out);
    free(text);
}

static void check(const wire_tier *tier, wire_source source, const uint8_t *in, size_t count,
                  const char *what) {
    size_t room = count * wire_width_of(source);
    uint8_t *exact = exactly(count * width_of(source)), *out = exactly(room + 2 * CANARY),
            *expected = exactly(room);
    if (count) memcpy(exact, in, count * width_of(source));
    expect(source, in, count, expected);
    memset(out, 0xC5, room + 2 * CANARY);
    run(tier, source, exact, count, out + CANARY);
    for (size_t i = 0; i < room; i++)
        CHECK(out[CANARY + i] == expected[i],
              "%s: %s: %s: count %zu, byte %zu: 0x%02X instead of 0x%02X", tier->name,
              names[source], what, count, i, out[CANARY + i], expected[i]);
    check_canaries(out, room, tier->name, what, count);
    if (source == WIRE_FLOAT32_TO_PCM16 && tier->float32_to_base64 != NULL)
        check_in_one_go(tier, exact, count, expected, what);
    free(exact);
    free(out);
    free(expected);
}

/* All samples at every lane of 64, and at every count. */
static void test_int16(const wire_tier *tier) {
    static int16_t samples[65536 + 64];
    for (size_t i = 0; i < sizeof samples / 2; i++) samples[i] = (int16_t)(i & 65535);
    for (int source = WIRE_INT16_TO_ULAW; source <= WIRE_INT16_TO_ALAW; source++) {
        for (size_t shift = 0; shift < 64; shift++)
            check(tier, (wire_source)source, (const uint8_t *)(samples + shift), 65536,
                  "all samples");
        for (size_t count = 0; count <= 260; count++)
            check(tier, (wire_source)source, (const uint8_t *)(samples + random_below(65536 - 260)),
                  count, "samples");
    }
}

/* What a code is expanded to becomes that code again; but for the second zero of mu-law, which becomes the first. */
static void test_codes(const wire_tier *tier) {
    uint8_t codes[256], back[256];
    int16_t samples[256];
    for (int i = 0; i < 256; i++) codes[i] = (uint8_t)i;
    tier->ulaw_to_int16(codes, 256, samples);
    tier->int16_to_ulaw(samples, 256, back);
    for (int i = 0; i < 256; i++)
        CHECK(back[i] == (i == 0x7F ? 0xFF : i), "%s: mu-law code 0x%02X becomes 0x%02X",
              tier->name, i, back[i]);
    tier->alaw_to_int16(codes, 256, samples);
    tier->int16_to_alaw(samples, 256, back);
    CHECK(memcmp(codes, back, 256) == 0, "%s: A-law codes", tier->name);
}

static float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

#define MOST_FLOATS 500000

/* Every sign and exponent, those of denormals, infinities and NaN too, with mantissas of all makes; each sample, what
 * is halfway to the next one, and the floats beside both. */
static size_t make_floats(float *values) {
    size_t count = 0;
    for (uint32_t upper = 0; upper < 512; upper++) {
        static const uint32_t mantissas[] = {0,        1,        2,        0x400000, 0x3FFFFF,
                                             0x400001, 0x7FFFFF, 0x7FFFFE, 0x7F0000, 0x555555};
        for (size_t i = 0; i < sizeof mantissas / sizeof mantissas[0]; i++)
            values[count++] = float_of_bits(upper << 23 | mantissas[i]);
        for (int i = 0; i < 22; i++)
            values[count++] = float_of_bits(upper << 23 | random_below(1 << 23));
    }
    for (int half = -2 * 32770; half <= 2 * 32770; half++) {
        float value = (float)half / 65536.0f;
        values[count++] = value;
        values[count++] = nextafterf(value, 2.0f);
        values[count++] = nextafterf(value, -2.0f);
    }
    CHECK(count <= MOST_FLOATS, "room for floats");
    return count;
}

static void test_float32(const wire_tier *tier) {
    float *values = exactly(MOST_FLOATS * sizeof *values);
    size_t total = make_floats(values);
    for (int source = WIRE_FLOAT32_TO_PCM16; source <= WIRE_FLOAT32_TO_ALAW; source++) {
        check(tier, (wire_source)source, (const uint8_t *)values, total, "all floats");
        for (size_t count = 0; count <= 260; count++) {
            const float *some = values + random_below((uint32_t)(total - 260));
            check(tier, (wire_source)source, (const uint8_t *)some, count, "floats");
        }
        /* One float of those that a block tests for, at each lane, between others: infinities, NaN quiet and
         * signalling, 2 and -2, the largest, 2^16, 2^31 and -2^31; and the largest one below 2. */
        static const uint32_t wild[] = {0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC00000, 0x7F800001,
                                        0xFFFFFFFF, 0x40000000, 0xC0000000, 0x7F7FFFFF, 0xFF7FFFFF,
                                        0x47800000, 0x4F000000, 0xCF000000, 0x3FFFFFFF};
        for (size_t i = 0; i < sizeof wild / sizeof wild[0]; i++) {
            for (size_t at = 0; at < 200; at++) {
                float some[200];
                for (size_t j = 0; j < 200; j++)
                    some[j] = (float)((int)random_below(65536) - 32768) / 32768.0f;
                some[at] = float_of_bits(wild[i]);
                check(tier, (wire_source)source, (const uint8_t *)some, 200, "a wild float");
            }
        }
    }
    free(values);
}

/* Input and output against pages that fault, neither of them aligned. */
static void test_pages(const wire_tier *tier) {
    fenced in = fence(4096), out = fence(4096);
    uint8_t expected[260 * 2];
    fill(in.first, in.size);
    for (int source = WIRE_INT16_TO_ULAW; source <= WIRE_FLOAT32_TO_ALAW; source++) {
        for (size_t count = 0; count <= 260; count++) {
            for (size_t offset = 0; offset < 64; offset += count < 70 ? 1 : 7) {
                for (unsigned side = 0; side < 4; side++) {
                    size_t in_bytes = count * width_of((wire_source)source);
                    size_t out_bytes = count * wire_width_of((wire_source)source);
                    uint8_t *src = side & 1 ? in.end - in_bytes - offset : in.first + offset;
                    uint8_t *dst = side & 2 ? out.end - out_bytes - offset : out.first + offset;
                    expect((wire_source)source, src, count, expected);
                    run(tier, (wire_source)source, src, count, dst);
                    CHECK(memcmp(dst, expected, out_bytes) == 0,
                          "%s: %s: count %zu, offset %zu, side %u", tier->name, names[source],
                          count, offset, side);
                }
            }
        }
    }
}

/* ---- Arrays ---------------------------------------------------------------------------------------- */

/* An array of `count` samples with this stride, in memory of exactly its extent; the text, from each sample apart. */
static void check_array(const wire_tier *tier, wire_source source, size_t count, ptrdiff_t stride,
                        bool swapped) {
    size_t width = width_of(source), step = (size_t)(stride < 0 ? -stride : stride);
    size_t extent = count ? (count - 1) * step + width : 0;
    size_t bytes = count * wire_width_of(source), room = symbols_of(bytes);
    uint8_t *memory = exactly(extent), *out = exactly(room + 2 * CANARY);
    uint8_t *wire = exactly(bytes), *expected = exactly(room);
    fill(memory, extent);
    /* Half of the floats are audio, or nearly; the others are anything. */
    for (size_t i = 0; width == 4 && step >= 4 && i < count; i++) {
        float value = ((float)random_below(1 << 24) - (float)(1 << 23)) / (float)(1 << 23);
        uint8_t native[4];
        memcpy(native, &value, 4);
        bool audio = random_below(2);
        for (size_t byte = 0; audio && byte < 4; byte++)
            memory[i * step + byte] = native[swapped ? 3 - byte : byte];
    }
    const uint8_t *first = stride < 0 && count ? memory + (count - 1) * step : memory;
    for (size_t i = 0; i < count; i++) {
        uint8_t native[4];
        for (size_t byte = 0; byte < width; byte++)
            native[byte] =
                first[(ptrdiff_t)i * stride + (ptrdiff_t)(swapped ? width - 1 - byte : byte)];
        expect_one(source, native, wire + i * wire_width_of(source));
    }
    naive(wire, bytes, expected);
    memset(out, 0xC5, room + 2 * CANARY);
    const wire_samples samples = {first, count, stride, source, swapped};
    CHECK(wire_encoded_length(source, count) == room, "%s: %zu samples: length", names[source],
          count);
    wire_encode(tier, &samples, out + CANARY);
    CHECK(room == 0 || memcmp(out + CANARY, expected, room) == 0,
          "%s: %s: count %zu, stride %td, swapped %d", tier->name, names[source], count, stride,
          swapped);
    check_canaries(out, room, tier->name, names[source], count);
    free(memory);
    free(out);
    free(wire);
    free(expected);
}

static void test_arrays(const wire_tier *tier) {
    /* Around a chunk of wire_encode (2,400 samples), around two of them, and short ones. */
    static const size_t counts[] = {0,    1,    2,    3,    47,   48,   160, 480,
                                    2399, 2400, 2401, 4799, 4800, 4801, 7300};
    for (int source = WIRE_BYTES; source <= WIRE_FLOAT32_TO_ALAW; source++) {
        ptrdiff_t width = (ptrdiff_t)width_of((wire_source)source);
        const ptrdiff_t strides[] = {width,     -width,     0,         2 * width, -2 * width,
                                     width + 1, -width - 1, 6 * width, 1,         -1};
        for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
            for (size_t j = 0; j < sizeof strides / sizeof strides[0]; j++) {
                check_array(tier, (wire_source)source, counts[i], strides[j], false);
                if (width > 1) check_array(tier, (wire_source)source, counts[i], strides[j], true);
            }
        }
        const wire_samples none = {NULL, 0, width, (wire_source)source, false};
        wire_encode(tier, &none, NULL);
        for (int turn = 0; turn < 400; turn++)
            check_array(tier, (wire_source)source, random_below(300),
                        (ptrdiff_t)random_below(40) - 20, width > 1 && random_below(2));
    }
}

static void test_lengths(void) {
    const size_t most = (size_t)PTRDIFF_MAX / 4 * 3;
    for (int source = WIRE_BYTES; source <= WIRE_FLOAT32_TO_ALAW; source++) {
        size_t width = wire_width_of((wire_source)source);
        for (size_t count = 0; count < 100; count++)
            CHECK(wire_encoded_length((wire_source)source, count) == symbols_of(count * width),
                  "length of %zu", count);
        CHECK(wire_encoded_length((wire_source)source, most / width) ==
                  symbols_of(most / width * width),
              "the most");
        CHECK(symbols_of(most / width * width) <= (size_t)PTRDIFF_MAX, "the most is a length");
        CHECK(wire_encoded_length((wire_source)source, most / width + 1) == WIRE_TOO_LONG,
              "one more than the most");
        CHECK(wire_encoded_length((wire_source)source, SIZE_MAX) == WIRE_TOO_LONG, "SIZE_MAX");
        CHECK(wire_encoded_length((wire_source)source, SIZE_MAX / 2 + 2) == WIRE_TOO_LONG,
              "SIZE_MAX / 2 + 2");
    }
}

int main(int argc, char **argv) {
    size_t longest = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 260;
    make_reference();
    test_lengths();
    for (const wire_tier *const *tier = tiers_here(); *tier != NULL; tier++) {
        test_lanes(*tier, longest);
        test_round_trip(*tier);
        test_base64_pages(*tier);
        test_int16(*tier);
        test_codes(*tier);
        test_float32(*tier);
        test_pages(*tier);
        test_arrays(*tier);
        printf("encode %s: passed\n", (*tier)->name);
        fflush(stdout);
    }
    return 0;
}
