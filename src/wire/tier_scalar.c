/* The scalar tier: plain C, for every machine. */
#include "tiers.h"
#include "kernels.h"


#include "bytes.h"

static inline const uint8_t *scan_string(const uint8_t *p, const uint8_t *end, const uint8_t *data) {
    (void)data;
    while (p < end && *p != '"' && *p != '\\' && (uint8_t)(*p - 0x20) < 0x60) p++;
    return p;
}

#define WALK walk_scalar
#define WALK_TIER wire_tier_scalar
#include "walk.h"

const wire_tier wire_tier_scalar = {
    .name = "scalar",
    .supported = wire_always_supported,
    .walk = walk_scalar,
    .base64 = wire_base64_scalar,
    .pcm16_to_float32 = wire_pcm16_to_float32_scalar,
    .ulaw_to_int16 = wire_ulaw_to_int16_scalar,
    .ulaw_to_float32 = wire_ulaw_to_float32_scalar,
    .alaw_to_int16 = wire_alaw_to_int16_scalar,
    .alaw_to_float32 = wire_alaw_to_float32_scalar,
};
