/* The kernels of the tiers: what base64_*.c and convert_*.c offer to the tables in tier_*.c.
 *
 * The contract of each is that of its slot in struct wire_tier (wire.h). Three promises go beyond it:
 *
 * - Every tier returns the same count and the same bytes as the scalar one. What stands in `out` after the first
 *   (returned / 4 * 3) bytes is unspecified, inside out[0 .. length / 4 * 3) as it may be.
 * - A converter reads each sample before it writes over it when `in` is the end of `out`'s memory, that is when
 *   in + count * (bytes a sample) == (uint8_t *)(out + count): bytes decoded there may be expanded in place.
 *   Apart from that, `in` and `out` do not overlap; base64's `src` and `out` never do.
 * - An encoding kernel of any tier writes the same bytes as the scalar one. Its input and its output never overlap.
 *
 * An architecture has the declarations of its own tiers only.
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
