/* What C11 lacks and compilers write in different ways: attributes, bits of words, byte order,
 * questions to the CPU.
 *
 * Two ways: that of gcc and clang (clang-cl too), and that of Microsoft's compiler. What C11 has,
 * such as _Alignas and _Static_assert, is used as C11 writes it. Atomic words are in atomics.h.
 */
#ifndef REALTIME_PCM_PORTABLE_COMPILER_H
#define REALTIME_PCM_PORTABLE_COMPILER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__) || defined(__clang__)
#define PORTABLE_GNU 1
#elif defined(_MSC_VER)
#include <intrin.h>
#else
#error \
    "src/portable/compiler.h and atomics.h know gcc, clang and Microsoft's compiler: add this one to them"
#endif

/* ---- The machine ----------------------------------------------------------------------------- */

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define PORTABLE_BIG_ENDIAN 1
#else
#define PORTABLE_BIG_ENDIAN 0
#endif

/* ARM64EC claims to be x86-64, but has no AVX. */
#if defined(__x86_64__) || (defined(_M_X64) && !defined(_M_ARM64EC))
#define PORTABLE_X86_64 1
#elif defined(__aarch64__) || defined(_M_ARM64)
#define PORTABLE_AARCH64 1
#endif

/* ---- Functions ------------------------------------------------------------------------------- */

#ifdef PORTABLE_GNU
#define PORTABLE_INLINE __attribute__((always_inline)) inline
#define PORTABLE_NOINLINE __attribute__((noinline))
#else
#define PORTABLE_INLINE __forceinline
#define PORTABLE_NOINLINE __declspec(noinline)
#endif

/* ---- Memory ---------------------------------------------------------------------------------- */

/* Prefetches the cache line of an address. Any address is allowed. */
#ifdef PORTABLE_GNU
#define portable_prefetch(address) __builtin_prefetch((const void *)(address))
#elif defined(PORTABLE_X86_64)
#define portable_prefetch(address) _mm_prefetch((const char *)(address), _MM_HINT_T0)
#else
#define portable_prefetch(address) ((void)(address))
#endif

/* ---- Bits and bytes of a word ---------------------------------------------------------------- */

#ifdef PORTABLE_GNU

/* The place of the lowest bit of a word that is not 0. */
#define portable_lowest_bit(word) __builtin_ctz(word)
#define portable_lowest_bit_64(word) __builtin_ctzll(word)
/* The place of the highest bit of a word that is not 0. */
#define portable_highest_bit_64(word) (63 - __builtin_clzll(word))
/* How many zeros are above the highest bit of a word of 32 bits that is not 0. */
#define portable_leading_zeros(word) __builtin_clz(word)
#define portable_count_bits_64(word) __builtin_popcountll(word)
#define portable_swap_32(word) __builtin_bswap32(word)
#define portable_swap_64(word) __builtin_bswap64(word)

#else

static __forceinline int portable_lowest_bit(uint32_t word) {
    unsigned long place;
    _BitScanForward(&place, word);
    return (int)place;
}

static __forceinline int portable_lowest_bit_64(uint64_t word) {
    unsigned long place;
    _BitScanForward64(&place, word);
    return (int)place;
}

static __forceinline int portable_highest_bit_64(uint64_t word) {
    unsigned long place;
    _BitScanReverse64(&place, word);
    return (int)place;
}

static __forceinline int portable_leading_zeros(uint32_t word) {
    unsigned long place;
    _BitScanReverse(&place, word);
    return 31 - (int)place;
}

/* Without an instruction for it: not every machine that may run this has one. */
static __forceinline int portable_count_bits_64(uint64_t word) {
    word -= word >> 1 & UINT64_C(0x5555555555555555);
    word = (word & UINT64_C(0x3333333333333333)) + (word >> 2 & UINT64_C(0x3333333333333333));
    word = (word + (word >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
    return (int)(word * UINT64_C(0x0101010101010101) >> 56);
}

#define portable_swap_32(word) _byteswap_ulong(word)
#define portable_swap_64(word) _byteswap_uint64(word)

#endif

/* ---- 16 bytes at once ------------------------------------------------------------------------ */

#ifdef PORTABLE_GNU

/* The compiler keeps it in one vector register if the machine has them. */
typedef uint64_t portable_pair __attribute__((vector_size(16)));

static inline portable_pair portable_either(portable_pair a, portable_pair b) {
    return a | b;
}

/* The bits in which 16 bytes and 16 others differ. */
static inline portable_pair portable_difference(const void *x, const void *y) {
    portable_pair a, b;
    memcpy(&a, x, 16);
    memcpy(&b, y, 16);
    return a ^ b;
}

static inline bool portable_is_zero(portable_pair pair) {
    return (pair[0] | pair[1]) == 0;
}

#else

typedef struct portable_pair {
    uint64_t low, high;
} portable_pair;

static inline portable_pair portable_either(portable_pair a, portable_pair b) {
    portable_pair either = {a.low | b.low, a.high | b.high};
    return either;
}

static inline portable_pair portable_difference(const void *x, const void *y) {
    portable_pair a, b;
    memcpy(&a, x, 16);
    memcpy(&b, y, 16);
    portable_pair difference = {a.low ^ b.low, a.high ^ b.high};
    return difference;
}

static inline bool portable_is_zero(portable_pair pair) {
    return (pair.low | pair.high) == 0;
}

#endif

/* gcc loads a vector a second time rather than copy the register that an instruction overwrites.
 * What this has touched cannot be loaded again. Only for registers of AVX-512. */
#ifdef PORTABLE_GNU
#define PORTABLE_KEEP_IN_REGISTER(vector) __asm__("" : "+v"(vector))
#else
#define PORTABLE_KEEP_IN_REGISTER(vector) ((void)0)
#endif

/* ---- What an x86 CPU says about itself ------------------------------------------------------- */

#ifdef PORTABLE_X86_64

#ifdef PORTABLE_GNU
#include <cpuid.h>
#endif

typedef struct portable_cpuid {
    uint32_t eax, ebx, ecx, edx;
} portable_cpuid;

/* The answer of CPUID for a leaf; all zeros if the CPU does not have that leaf. */
static inline portable_cpuid portable_ask_cpu(uint32_t leaf, uint32_t subleaf) {
    portable_cpuid answer = {0, 0, 0, 0};
#ifdef PORTABLE_GNU
    if (!__get_cpuid_count(leaf, subleaf, &answer.eax, &answer.ebx, &answer.ecx, &answer.edx)) {
        memset(&answer, 0, sizeof answer);
    }
#else
    int words[4];
    __cpuid(words, 0);
    if ((uint32_t)words[0] < leaf) return answer;
    __cpuidex(words, (int)leaf, (int)subleaf);
    memcpy(&answer, words, sizeof answer);
#endif
    return answer;
}

/* XCR0: which registers the operating system saves. Only if CPUID says OSXSAVE. */
static inline uint64_t portable_xcr0(void) {
#ifdef PORTABLE_GNU
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
#else
    return _xgetbv(0);
#endif
}

#endif

#endif
