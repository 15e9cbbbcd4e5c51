/* The tiers of this build, the best first, and the choice of the best one that this machine runs. */
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

#include <cpuid.h>

typedef struct cpu {
    uint32_t leaf1_ecx, leaf7_ebx, leaf7_ecx;
    uint64_t xcr0;
} cpu;

static cpu read_cpu(void) {
    cpu c = {0, 0, 0, 0};
    uint32_t a, b, ecx, d;
    if (!__get_cpuid(1, &a, &b, &ecx, &d)) return c;
    c.leaf1_ecx = ecx;
    /* XGETBV may be executed only where OSXSAVE is set. */
    if (ecx & bit_OSXSAVE) {
        uint32_t low, high;
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        c.xcr0 = (uint64_t)high << 32 | low;
    }
    if (__get_cpuid_count(7, 0, &a, &b, &ecx, &d)) {
        c.leaf7_ebx = b;
        c.leaf7_ecx = ecx;
    }
    return c;
}

static bool has(uint32_t word, uint32_t bits) {
    return (word & bits) == bits;
}

/* The bits of XCR0 that say what the operating system saves: XMM and YMM (bits 1, 2); for AVX-512 also the masks, the upper halves
 * of ZMM0-15, and ZMM16-31 (bits 5, 6, 7). Intel SDM, volume 1, sections 14.3 and 15.2. */
#define XCR0_AVX UINT64_C(0x06)
#define XCR0_AVX512 UINT64_C(0xE6)

bool wire_ssse3_supported(void) {
    return has(read_cpu().leaf1_ecx, bit_SSE3 | bit_SSSE3);
}

bool wire_avx2_supported(void) {
    cpu c = read_cpu();
    return has(c.leaf1_ecx, bit_SSSE3 | bit_AVX | bit_POPCNT) && (c.xcr0 & XCR0_AVX) == XCR0_AVX &&
           has(c.leaf7_ebx, bit_AVX2 | bit_BMI | bit_BMI2);
}

bool wire_avx512vbmi_supported(void) {
    cpu c = read_cpu();
    return wire_avx2_supported() && (c.xcr0 & XCR0_AVX512) == XCR0_AVX512 &&
           has(c.leaf7_ebx, bit_AVX512F | bit_AVX512BW | bit_AVX512VL | bit_AVX512DQ) && has(c.leaf7_ecx, bit_AVX512VBMI);
}

#endif
