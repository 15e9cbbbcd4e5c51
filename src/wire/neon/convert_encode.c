/* int16 and float32 to samples of the wire, NEON tier (aarch64, little endian). */
#include "kernels.h"
#include "encode_blocks.h"

#ifdef WIRE_NEON
#include <arm_neon.h>

static inline int16x8_t load(const uint8_t *in) {
    return vreinterpretq_s16_u8(vld1q_u8(in));
}

/* Turns eight samples into codes. The number of zeros above m's highest bit gives the chord
 * (g711_encode.h): 8 mean chord 0, 1 means chord 7; in A-law more than 8 mean chord 0 too. m is
 * shifted down by 11 minus the zeros, in A-law's chord 0 by 4. */
static inline uint8x8_t compress(const wire_law *law, int16x8_t samples) {
    int16x8_t negative = vshrq_n_s16(samples, 15);
    int16x8_t magnitude = vqaddq_s16(veorq_s16(samples, negative), vdupq_n_s16(law->bias));
    uint16x8_t m = vreinterpretq_u16_s16(magnitude);
    int16x8_t zeros = vreinterpretq_s16_u16(vclzq_u16(m));
    int16x8_t chord = vsubq_s16(vdupq_n_s16(8), vminq_s16(zeros, vdupq_n_s16(8)));
    int16x8_t down =
        vsubq_s16(vminq_s16(zeros, vdupq_n_s16((int16_t)(11 - law->shift_in_0))), vdupq_n_s16(11));
    /* Bits 3 .. 0 of the shifted m, the chord above them. */
    uint16x8_t code = vsliq_n_u16(vshlq_u16(m, down), vreinterpretq_u16_s16(chord), 4);
    code = veorq_u16(code, vandq_u16(vreinterpretq_u16_s16(negative), vdupq_n_u16(0x80)));
    return veor_u8(vmovn_u16(code), vdup_n_u8(law->inverted));
}

/* Turns eight floats into samples. The conversion rounds half to even, turns NaN into 0, and
 * saturates; so does the narrowing. */
static inline int16x8_t round_eight(const uint8_t *in) {
    float32x4_t low = vreinterpretq_f32_u8(vld1q_u8(in)),
                high = vreinterpretq_f32_u8(vld1q_u8(in + 16));
    int32x4_t low_samples = vcvtnq_s32_f32(vmulq_n_f32(low, 32768.0f));
    int32x4_t high_samples = vcvtnq_s32_f32(vmulq_n_f32(high, 32768.0f));
    return vqmovn_high_s32(vqmovn_s32(low_samples), high_samples);
}

static inline void int16_block(const wire_law *law, const uint8_t *in, uint8_t *out) {
    vst1_u8(out, compress(law, load(in)));
}

static inline void float32_block(const wire_law *law, const uint8_t *in, uint8_t *out) {
    vst1_u8(out, compress(law, round_eight(in)));
}

static inline void pcm16_block(const wire_law *none, const uint8_t *in, uint8_t *out) {
    (void)none;
    vst1q_u8(out, vreinterpretq_u8_s16(round_eight(in)));
}

void wire_float32_to_pcm16_neon(const void *in, size_t count, uint8_t *out) {
    wire_in_blocks(pcm16_block, NULL, 8, 4, 2, in, count, out);
}

void wire_int16_to_ulaw_neon(const void *in, size_t count, uint8_t *out) {
    wire_in_blocks(int16_block, &wire_ulaw, 8, 2, 1, in, count, out);
}

void wire_int16_to_alaw_neon(const void *in, size_t count, uint8_t *out) {
    wire_in_blocks(int16_block, &wire_alaw, 8, 2, 1, in, count, out);
}

void wire_float32_to_ulaw_neon(const void *in, size_t count, uint8_t *out) {
    wire_in_blocks(float32_block, &wire_ulaw, 8, 4, 1, in, count, out);
}

void wire_float32_to_alaw_neon(const void *in, size_t count, uint8_t *out) {
    wire_in_blocks(float32_block, &wire_alaw, 8, 4, 1, in, count, out);
}
#endif
