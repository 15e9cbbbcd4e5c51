/* The tiers of this build, best first, and the choice of the best one that this machine runs. */
#include "tiers.h"

#include <string.h>

/* clang-format off */
const wire_tier *const wire_tiers[] = {
#ifdef WIRE_X86
    &wire_tier_avx512vbmi,
    &wire_tier_avx2,
    &wire_tier_ssse3,
#endif
#ifdef WIRE_NEON
    &wire_tier_neon,
#endif
    &wire_tier_scalar,
    NULL,
};
/* clang-format on */

const wire_tier *wire_choose_tier(const char *name) {
    for (const wire_tier *const *tier = wire_tiers; *tier != NULL; tier++) {
        if (name != NULL && strcmp(name, (*tier)->name) != 0) continue;
        if ((*tier)->supported()) return *tier;
    }
    return NULL;
}

bool wire_always_supported(void) {
    return true;
}

#ifdef WIRE_X86

/* Bits of CPUID. Intel SDM, volume 2A. */
#define BIT(place) (UINT32_C(1) << (place))
/* Leaf 1, ECX. */
#define CPU_SSE3 BIT(0)
#define CPU_SSSE3 BIT(9)
#define CPU_POPCNT BIT(23)
#define CPU_OSXSAVE BIT(27)
#define CPU_AVX BIT(28)
/* Leaf 7, EBX. */
#define CPU_BMI1 BIT(3)
#define CPU_AVX2 BIT(5)
#define CPU_BMI2 BIT(8)
#define CPU_AVX512F BIT(16)
#define CPU_AVX512DQ BIT(17)
#define CPU_AVX512BW BIT(30)
#define CPU_AVX512VL BIT(31)
/* Leaf 7, ECX. */
#define CPU_AVX512VBMI BIT(1)

typedef struct cpu {
    uint32_t leaf1_ecx, leaf7_ebx, leaf7_ecx;
    uint64_t xcr0;
} cpu;

static cpu read_cpu(void) {
    portable_cpuid leaf1 = portable_ask_cpu(1, 0), leaf7 = portable_ask_cpu(7, 0);
    cpu c = {leaf1.ecx, leaf7.ebx, leaf7.ecx, 0};
    /* XGETBV may be executed only if OSXSAVE is set. */
    if (c.leaf1_ecx & CPU_OSXSAVE) c.xcr0 = portable_xcr0();
    return c;
}

static bool has(uint32_t word, uint32_t bits) {
    return (word & bits) == bits;
}

/* Bits of XCR0, which says what the operating system saves: XMM and YMM (bits 1, 2); for AVX-512
 * also the masks, the upper halves of ZMM0-15, and ZMM16-31 (bits 5, 6, 7). Intel SDM, volume 1,
 * sections 14.3 and 15.2. */
#define XCR0_AVX UINT64_C(0x06)
#define XCR0_AVX512 UINT64_C(0xE6)

bool wire_ssse3_supported(void) {
    return has(read_cpu().leaf1_ecx, CPU_SSE3 | CPU_SSSE3);
}

bool wire_avx2_supported(void) {
    cpu c = read_cpu();
    return has(c.leaf1_ecx, CPU_SSSE3 | CPU_AVX | CPU_POPCNT) && (c.xcr0 & XCR0_AVX) == XCR0_AVX &&
           has(c.leaf7_ebx, CPU_AVX2 | CPU_BMI1 | CPU_BMI2);
}

bool wire_avx512vbmi_supported(void) {
    cpu c = read_cpu();
    return wire_avx2_supported() && (c.xcr0 & XCR0_AVX512) == XCR0_AVX512 &&
           has(c.leaf7_ebx, CPU_AVX512F | CPU_AVX512BW | CPU_AVX512VL | CPU_AVX512DQ) &&
           has(c.leaf7_ecx, CPU_AVX512VBMI);
}

#endif
