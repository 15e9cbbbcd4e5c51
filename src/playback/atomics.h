/* The atomic 64-bit word of the ring. All that differs between compilers stands in this header.
 *
 * C11's <stdatomic.h> where the compiler has it. Otherwise Microsoft's Interlocked functions: each of them is a full
 * barrier, which is more than the ring needs and never less. */
#ifndef REALTIME_PCM_PLAYBACK_ATOMICS_H
#define REALTIME_PCM_PLAYBACK_ATOMICS_H

#include <stdbool.h>
#include <stdint.h>

/* PLAYBACK_INTERLOCKED chooses the second way in a compiler that has both: for tests. */
#if !defined(PLAYBACK_INTERLOCKED) && defined(__STDC_NO_ATOMICS__)
#define PLAYBACK_INTERLOCKED
#endif

#ifndef PLAYBACK_INTERLOCKED

#include <stdatomic.h>

#if ATOMIC_LLONG_LOCK_FREE != 2
#error "the ring needs a 64-bit atomic word without a lock: the reader may not wait"
#endif

typedef struct atomic_word {
    _Atomic uint64_t value;
} atomic_word;

static inline uint64_t load_relaxed(const atomic_word *word) {
    return atomic_load_explicit(&((atomic_word *)word)->value, memory_order_relaxed);
}

static inline uint64_t load_acquire(const atomic_word *word) {
    return atomic_load_explicit(&((atomic_word *)word)->value, memory_order_acquire);
}

static inline void store_relaxed(atomic_word *word, uint64_t value) {
    atomic_store_explicit(&word->value, value, memory_order_relaxed);
}

static inline void store_release(atomic_word *word, uint64_t value) {
    atomic_store_explicit(&word->value, value, memory_order_release);
}

/* Puts `value` where `*expected` was, or says in `*expected` what was there instead. */
static inline bool exchange_if(atomic_word *word, uint64_t *expected, uint64_t value) {
    return atomic_compare_exchange_strong_explicit(&word->value, expected, value, memory_order_acq_rel, memory_order_acquire);
}

#else

#ifdef _MSC_VER
#include <intrin.h>
#endif

typedef struct atomic_word {
    volatile long long value;
} atomic_word;

static inline uint64_t load_acquire(const atomic_word *word) {
    return (uint64_t)_InterlockedCompareExchange64((volatile long long *)&word->value, 0, 0);
}

static inline uint64_t load_relaxed(const atomic_word *word) {
    return load_acquire(word);
}

static inline void store_release(atomic_word *word, uint64_t value) {
    (void)_InterlockedExchange64(&word->value, (long long)value);
}

static inline void store_relaxed(atomic_word *word, uint64_t value) {
    store_release(word, value);
}

static inline bool exchange_if(atomic_word *word, uint64_t *expected, uint64_t value) {
    uint64_t found = (uint64_t)_InterlockedCompareExchange64(&word->value, (long long)value, (long long)*expected);
    bool done = found == *expected;
    *expected = found;
    return done;
}

#endif

#endif
