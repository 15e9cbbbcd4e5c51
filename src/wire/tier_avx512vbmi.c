/* The AVX-512 tier: 64 bytes at once. Compiled with -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vbmi -mbmi -mbmi2 -mpopcnt. */
#include "tiers.h"
#include "kernels.h"

#ifdef WIRE_X86

#include <immintrin.h>

#include "bytes.h"

static inline const uint8_t *scan_string(const uint8_t *p, const uint8_t *end, const uint8_t *data) {
    (void)data;
    const __m512i quote = _mm512_set1_epi8('"'), backslash = _mm512_set1_epi8('\\'), space = _mm512_set1_epi8(0x20);
    while (p < end) {
        /* The last bytes are loaded under a mask: what it leaves out is not touched. */
        size_t left = (size_t)(end - p);
        __mmask64 live = left >= 64 ? ~UINT64_C(0) : _bzhi_u64(~UINT64_C(0), (unsigned)left);
        __m512i bytes = _mm512_maskz_loadu_epi8(live, p);
        /* Compared as signed, below 0x20 is also all that is above 0x7F. */
        uint64_t special = _mm512_cmpeq_epi8_mask(bytes, quote) | _mm512_cmpeq_epi8_mask(bytes, backslash) |
                           _mm512_mask_cmplt_epi8_mask(live, bytes, space);
        if (special) return p + _tzcnt_u64(special);
        p += left >= 64 ? 64 : left;
    }
    return p;
}

#define WALK walk_avx512vbmi
#define WALK_TIER wire_tier_avx512vbmi
#include "walk.h"

const wire_tier wire_tier_avx512vbmi = {
    .name = "avx512vbmi",
    .supported = wire_avx512vbmi_supported,
    .walk = walk_avx512vbmi,
    .base64 = wire_base64_avx512vbmi,
    .pcm16_to_float32 = wire_pcm16_to_float32_avx512vbmi,
    .ulaw_to_int16 = wire_ulaw_to_int16_avx512vbmi,
    .ulaw_to_float32 = wire_ulaw_to_float32_avx512vbmi,
    .alaw_to_int16 = wire_alaw_to_int16_avx512vbmi,
    .alaw_to_float32 = wire_alaw_to_float32_avx512vbmi,
};

#else

typedef int wire_empty_translation_unit;

#endif
