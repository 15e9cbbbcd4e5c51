/* Every tier's converters against G.711's own tables of decision values, and against division for PCM. */
#include "harness.h"

#include <string.h>

/* ---- The reference ---------------------------------------------------------------------------------- */

static int16_t ulaw[256], alaw[256];

/* ITU-T G.711, tables 1a and 2a: the value decoded is the middle of its decision interval. The intervals of mu-law are
 * 1 (whose value is 0), 15 of 2, 16 of 4, 16 of 8, ... 16 of 256, up to 8159; those of A-law 32 of 2, 16 of 4, ... 16
 * of 128, up to 4096. The code of the positive value n counts from 0x80 up, bits inverted after that: all but the sign
 * in mu-law, every second one in A-law; the negative ones have the sign bit clear. */
static void make_reference(void) {
    int ulaw_low = 0, alaw_low = 0;
    for (int n = 0; n < 128; n++) {
        int ulaw_width = n == 0 ? 1 : 2 << n / 16, alaw_width = n < 16 ? 2 : 1 << n / 16;
        int ulaw_value = n == 0 ? 0 : (2 * ulaw_low + ulaw_width) / 2,
            alaw_value = (2 * alaw_low + alaw_width) / 2;
        if (n >= 16 && n < 32) CHECK(alaw_width == 2, "chord 1 of A-law is as steep as chord 0");
        ulaw[(0x80 | n) ^ 0x7F] = (int16_t)(ulaw_value * 4);
        ulaw[n ^ 0x7F] = (int16_t)(ulaw_value * -4);
        alaw[(0x80 | n) ^ 0x55] = (int16_t)(alaw_value * 8);
        alaw[n ^ 0x55] = (int16_t)(alaw_value * -8);
        ulaw_low += ulaw_width;
        alaw_low += alaw_width;
    }
    CHECK(ulaw_low == 8159 && alaw_low == 4096, "virtual decision values: %d, %d", ulaw_low,
          alaw_low);
    CHECK(ulaw[0x00] == -32124 && ulaw[0x80] == 32124 && ulaw[0xFF] == 0 && ulaw[0x7F] == 0,
          "mu-law");
    CHECK(alaw[0x2A] == -32256 && alaw[0xAA] == 32256 && alaw[0xD5] == 8 && alaw[0x55] == -8,
          "A-law");
}

static int pcm16(const uint8_t *in) {
    int sample = in[0] + 256 * in[1];
    return sample < 32768 ? sample : sample - 65536;
}

/* ---- The converters, each as bytes in and bytes out ---------------------------------------------------- */

typedef struct converter {
    const char *name;
    size_t in_width, out_width;
} converter;

static const converter converters[] = {
    {"pcm16_to_float32", 2, 4}, {"ulaw_to_int16", 1, 2},   {"ulaw_to_float32", 1, 4},
    {"alaw_to_int16", 1, 2},    {"alaw_to_float32", 1, 4},
};
#define CONVERTERS (sizeof converters / sizeof converters[0])

static void run(const wire_tier *tier, size_t converter, const uint8_t *in, size_t count,
                void *out) {
    switch (converter) {
    case 0: tier->pcm16_to_float32(in, count, out); break;
    case 1: tier->ulaw_to_int16(in, count, out); break;
    case 2: tier->ulaw_to_float32(in, count, out); break;
    case 3: tier->alaw_to_int16(in, count, out); break;
    default: tier->alaw_to_float32(in, count, out); break;
    }
}

static void expect(size_t converter, const uint8_t *in, size_t count, uint8_t *out) {
    for (size_t i = 0; i < count; i++) {
        int sample = converter == 0 ? pcm16(in + 2 * i) : converter < 3 ? ulaw[in[i]] : alaw[in[i]];
        int16_t whole = (int16_t)sample;
        float fraction = (float)((double)sample / 32768.0);
        if (converters[converter].out_width == 2)
            memcpy(out + 2 * i, &whole, 2);
        else
            memcpy(out + 4 * i, &fraction, 4);
    }
}

static void check(const wire_tier *tier, size_t converter, const uint8_t *in, size_t count,
                  const char *what) {
    const struct converter *c = &converters[converter];
    uint8_t *exact_in = exactly(count * c->in_width), *out = exactly(count * c->out_width);
    uint8_t *expected = exactly(count * c->out_width);
    if (count) memcpy(exact_in, in, count * c->in_width);
    expect(converter, in, count, expected);
    run(tier, converter, exact_in, count, out);
    CHECK(count == 0 || memcmp(out, expected, count * c->out_width) == 0, "%s: %s: %s: count %zu",
          tier->name, c->name, what, count);
    free(exact_in);
    free(out);
    free(expected);
}

/* All codes at every lane, at every count; all 65,536 samples at every lane of 64. */
static void test_values(const wire_tier *tier) {
    static uint8_t codes[256 + 130], samples[2 * (65536 + 64)];
    for (size_t i = 0; i < sizeof codes; i++) codes[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof samples / 2; i++) {
        samples[2 * i] = (uint8_t)(i & 255);
        samples[2 * i + 1] = (uint8_t)(i >> 8 & 255);
    }
    for (size_t converter = 1; converter < CONVERTERS; converter++) {
        for (size_t count = 0; count <= 130; count++) {
            for (size_t first = 0; first < 256; first++)
                check(tier, converter, codes + first, count, "codes");
        }
    }
    for (size_t shift = 0; shift < 64; shift++)
        check(tier, 0, samples + 2 * shift, 65536, "all samples");
    for (size_t count = 0; count <= 130; count++) {
        for (size_t turn = 0; turn < 16; turn++)
            check(tier, 0, samples + 2 * random_below(65536 - 130), count, "samples");
    }
}

/* Input and output against pages that fault, the output no better aligned than its type. */
static void test_pages(const wire_tier *tier) {
    fenced in = fence(4096), out = fence(4096);
    uint8_t expected[130 * 4];
    for (size_t i = 0; i < in.size; i++) in.first[i] = (uint8_t)random_below(256);
    for (size_t converter = 0; converter < CONVERTERS; converter++) {
        const struct converter *c = &converters[converter];
        for (size_t count = 0; count <= 130; count++) {
            for (size_t offset = 0; offset < 64; offset++) {
                for (unsigned side = 0; side < 4; side++) {
                    size_t step = offset * c->out_width % 64;
                    uint8_t *src =
                        side & 1 ? in.end - count * c->in_width - offset : in.first + offset;
                    uint8_t *dst =
                        side & 2 ? out.end - count * c->out_width - step : out.first + step;
                    expect(converter, src, count, expected);
                    run(tier, converter, src, count, dst);
                    CHECK(memcmp(dst, expected, count * c->out_width) == 0,
                          "%s: %s: count %zu, offset %zu, side %u", tier->name, c->name, count,
                          offset, side);
                }
            }
        }
    }
}

/* Nothing beside the output is written. */
static void test_beside(const wire_tier *tier) {
    enum { MOST = 700, CANARY = 64 };
    uint8_t *memory = exactly(MOST * 4 + 2 * CANARY), in[MOST * 2], expected[MOST * 4];
    for (size_t converter = 0; converter < CONVERTERS; converter++) {
        const struct converter *c = &converters[converter];
        for (size_t count = 0; count <= MOST; count++) {
            uint8_t *out = memory + CANARY, *end = out + count * c->out_width;
            for (size_t i = 0; i < count * c->in_width; i++) in[i] = (uint8_t)random_below(256);
            expect(converter, in, count, expected);
            memset(memory, 0xC5, MOST * 4 + 2 * CANARY);
            run(tier, converter, in, count, out);
            CHECK(memcmp(out, expected, count * c->out_width) == 0, "%s: %s: count %zu", tier->name,
                  c->name, count);
            for (size_t i = 0; i < CANARY; i++)
                CHECK(memory[i] == 0xC5 && end[i] == 0xC5, "%s: %s: wrote beside, count %zu",
                      tier->name, c->name, count);
        }
    }
    free(memory);
}

int main(void) {
    make_reference();
    for (const wire_tier *const *tier = tiers_here(); *tier != NULL; tier++) {
        test_values(*tier);
        test_pages(*tier);
        test_beside(*tier);
        printf("convert %s: passed\n", (*tier)->name);
        fflush(stdout);
    }
    return 0;
}
