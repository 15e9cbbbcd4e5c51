/* The tables of all tiers, and the functions that say whether this machine can run a tier. A build
 * has the tables of its architecture and the scalar one. */
#ifndef REALTIME_PCM_TIERS_H
#define REALTIME_PCM_TIERS_H

#include "compiler.h"
#include "wire.h"

#if defined(PORTABLE_X86_64)
#define WIRE_X86 1
#elif defined(PORTABLE_AARCH64) && !PORTABLE_BIG_ENDIAN
#define WIRE_NEON 1
#endif

extern const wire_tier wire_tier_scalar;
extern const wire_tier wire_tier_ssse3;
extern const wire_tier wire_tier_avx2;
extern const wire_tier wire_tier_avx512vbmi;
extern const wire_tier wire_tier_neon;

bool wire_always_supported(void);
bool wire_ssse3_supported(void);
bool wire_avx2_supported(void);
bool wire_avx512vbmi_supported(void);

#endif
