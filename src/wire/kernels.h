/* The kernels of all tiers: functions of <tier>/base64*.c and <tier>/convert*.c, which the table in
 * <tier>/tier.c points to.
 *
 * struct wire_tier in wire.h says what each kernel does. In addition, every tier gives the same
 * results as the scalar tier, to the byte. The bytes of `out` that wire_base64 may write past its
 * result are unspecified. Input and output of a kernel never overlap.
 *
 * A build declares the kernels of the tiers that its architecture has.
 */
#ifndef REALTIME_PCM_WIRE_KERNELS_H
#define REALTIME_PCM_WIRE_KERNELS_H

#include "tiers.h"

#define WIRE_DECLARE_KERNELS(tier) \
    size_t wire_base64_##tier(const uint8_t *src, size_t length, uint8_t *out); \
    void wire_pcm16_to_float32_##tier(const uint8_t *in, size_t count, float *out); \
    void wire_ulaw_to_int16_##tier(const uint8_t *in, size_t count, int16_t *out); \
    void wire_ulaw_to_float32_##tier(const uint8_t *in, size_t count, float *out); \
    void wire_alaw_to_int16_##tier(const uint8_t *in, size_t count, int16_t *out); \
    void wire_alaw_to_float32_##tier(const uint8_t *in, size_t count, float *out); \
    void wire_base64_encode_##tier(const uint8_t *src, size_t length, uint8_t *out); \
    void wire_float32_to_pcm16_##tier(const void *in, size_t count, uint8_t *out); \
    void wire_int16_to_ulaw_##tier(const void *in, size_t count, uint8_t *out); \
    void wire_int16_to_alaw_##tier(const void *in, size_t count, uint8_t *out); \
    void wire_float32_to_ulaw_##tier(const void *in, size_t count, uint8_t *out); \
    void wire_float32_to_alaw_##tier(const void *in, size_t count, uint8_t *out);

WIRE_DECLARE_KERNELS(scalar)
#ifdef WIRE_X86
WIRE_DECLARE_KERNELS(ssse3)
WIRE_DECLARE_KERNELS(avx2)
WIRE_DECLARE_KERNELS(avx512vbmi)
void wire_float32_to_base64_avx512vbmi(const void *in, size_t count, uint8_t *out);
#endif
#ifdef WIRE_NEON
WIRE_DECLARE_KERNELS(neon)
#endif

#undef WIRE_DECLARE_KERNELS
#endif
