/* Samples to int16 and float32, NEON tier (aarch64, little endian). */
#include "kernels.h"

#ifdef WIRE_NEON
#include <arm_neon.h>
#include <string.h>

/* A G.711 law by formula (scalar/convert.c): once the bits inverted on the wire are back, a code is
 * sign, three bits of chord e, four of step m, and the sample's magnitude is
 *
 *     mu-law: ((2m + 33) * 2^e - 33) * 4
 *     A-law:  (2m + 33) * 2^max(e, 1) * 4, with 2m + 1 instead of 2m + 33 in chord 0 */
typedef struct law {
    uint8_t inverted; /* bits of the code, except the sign */
    uint8_t least_chord;
    uint8_t less_in_chord_0; /* taken from 2m + 33 */
    uint8_t less;            /* taken from the product */
} law;

static const law ulaw = {0x7F, 0, 0, 33};
static const law alaw = {0x55, 1, 32, 0};

/* Reads 16 codes. samples.val[0] is the first 8 of them. */
static inline int16x8x2_t expand(const law *law, const uint8_t *in) {
    uint8x16_t codes = veorq_u8(vld1q_u8(in), vdupq_n_u8(law->inverted));
    uint8x16_t chord = vandq_u8(vshrq_n_u8(codes, 4), vdupq_n_u8(7));
    /* 2m + 33 = (m << 1 | 1) + 32, at most 63. */
    uint8x16_t step = vaddq_u8(vshlq_n_u8(vandq_u8(codes, vdupq_n_u8(15)), 1), vdupq_n_u8(33));
    uint8x16_t steep =
        vshlq_u8(vdupq_n_u8(1), vreinterpretq_s8_u8(vmaxq_u8(chord, vdupq_n_u8(law->least_chord))));
    step = vsubq_u8(step, vandq_u8(vceqzq_u8(chord), vdupq_n_u8(law->less_in_chord_0)));
    uint16x8_t less = vdupq_n_u16(law->less);
    int16x8_t low = vreinterpretq_s16_u16(
        vshlq_n_u16(vsubq_u16(vmull_u8(vget_low_u8(step), vget_low_u8(steep)), less), 2));
    int16x8_t high =
        vreinterpretq_s16_u16(vshlq_n_u16(vsubq_u16(vmull_high_u8(step, steep), less), 2));
    /* Bit 7 is set for positive samples. All ones where negative: x -> (x ^ ones) - ones. */
    int8x16_t negative = vreinterpretq_s8_u8(vcltq_u8(codes, vdupq_n_u8(128)));
    int16x8_t low_negative = vmovl_s8(vget_low_s8(negative)),
              high_negative = vmovl_high_s8(negative);
    return (int16x8x2_t){{
        vsubq_s16(veorq_s16(low, low_negative), low_negative),
        vsubq_s16(veorq_s16(high, high_negative), high_negative),
    }};
}

static inline void store_int16(int16x8x2_t samples, int16_t *out) {
    vst1q_s16(out, samples.val[0]);
    vst1q_s16(out + 8, samples.val[1]);
}

/* The conversion itself divides by 2^15. */
static inline void store_eight(int16x8_t samples, float *out) {
    vst1q_f32(out, vcvtq_n_f32_s32(vmovl_s16(vget_low_s16(samples)), 15));
    vst1q_f32(out + 4, vcvtq_n_f32_s32(vmovl_high_s16(samples), 15));
}

static inline void store_float32(int16x8x2_t samples, float *out) {
    store_eight(samples.val[0], out);
    store_eight(samples.val[1], out + 8);
}

/* All loops: 16 or 8 samples per iteration while enough are left. The rest goes through the stack,
 * so that nothing past `count` is touched. */

static inline void law_to_int16(const law *law, const uint8_t *in, size_t count, int16_t *out) {
    for (; count >= 16; count -= 16, in += 16, out += 16) store_int16(expand(law, in), out);
    if (count) {
        uint8_t codes[16] = {0};
        int16_t rest[16];
        memcpy(codes, in, count);
        store_int16(expand(law, codes), rest);
        memcpy(out, rest, count * sizeof *out);
    }
}

static inline void law_to_float32(const law *law, const uint8_t *in, size_t count, float *out) {
    for (; count >= 16; count -= 16, in += 16, out += 16) store_float32(expand(law, in), out);
    if (count) {
        uint8_t codes[16] = {0};
        float rest[16];
        memcpy(codes, in, count);
        store_float32(expand(law, codes), rest);
        memcpy(out, rest, count * sizeof *out);
    }
}

static inline void pcm16_block(const uint8_t *in, float *out) {
    store_eight(vreinterpretq_s16_u8(vld1q_u8(in)), out);
}

void wire_pcm16_to_float32_neon(const uint8_t *in, size_t count, float *out) {
    for (; count >= 8; count -= 8, in += 16, out += 8) pcm16_block(in, out);
    if (count) {
        uint8_t bytes[16] = {0};
        float rest[8];
        memcpy(bytes, in, count * 2);
        pcm16_block(bytes, rest);
        memcpy(out, rest, count * sizeof *out);
    }
}

void wire_ulaw_to_int16_neon(const uint8_t *in, size_t count, int16_t *out) {
    law_to_int16(&ulaw, in, count, out);
}

void wire_ulaw_to_float32_neon(const uint8_t *in, size_t count, float *out) {
    law_to_float32(&ulaw, in, count, out);
}

void wire_alaw_to_int16_neon(const uint8_t *in, size_t count, int16_t *out) {
    law_to_int16(&alaw, in, count, out);
}

void wire_alaw_to_float32_neon(const uint8_t *in, size_t count, float *out) {
    law_to_float32(&alaw, in, count, out);
}
#endif
