/* Atomic words, flags and pointers.
 *
 * C11's <stdatomic.h> if the compiler has it, else Microsoft's Interlocked functions. Each of these
 * is a full barrier: more than is needed here, never less. */
#ifndef REALTIME_PCM_PORTABLE_ATOMICS_H
#define REALTIME_PCM_PORTABLE_ATOMICS_H

#include <stdbool.h>
#include <stdint.h>

/* PORTABLE_INTERLOCKED chooses the second way in a compiler that has both: for tests. */
#if !defined(PORTABLE_INTERLOCKED) && \
    (defined(__STDC_NO_ATOMICS__) || (defined(_MSC_VER) && !defined(__clang__)))
#define PORTABLE_INTERLOCKED
#endif

#ifndef PORTABLE_INTERLOCKED

#include <stdatomic.h>

#if ATOMIC_LLONG_LOCK_FREE != 2
#error "the ring of src/playback needs a 64-bit atomic word without a lock: its reader may not wait"
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

/* Stores `value` if the word is `*expected`; else sets `*expected` to what it is. */
static inline bool exchange_if(atomic_word *word, uint64_t *expected, uint64_t value) {
    return atomic_compare_exchange_strong_explicit(&word->value, expected, value,
                                                   memory_order_acq_rel, memory_order_acquire);
}

/* A flag that one thread at a time can set. */
typedef struct busy_flag {
    atomic_flag value;
} busy_flag;
#define BUSY_FLAG_CLEAR {ATOMIC_FLAG_INIT}

/* false: it is set already. */
static inline bool busy_flag_set(busy_flag *flag) {
    return !atomic_flag_test_and_set_explicit(&flag->value, memory_order_acquire);
}

static inline void busy_flag_clear(busy_flag *flag) {
    atomic_flag_clear_explicit(&flag->value, memory_order_release);
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
    uint64_t found = (uint64_t)_InterlockedCompareExchange64(&word->value, (long long)value,
                                                             (long long)*expected);
    bool done = found == *expected;
    *expected = found;
    return done;
}

typedef struct busy_flag {
    volatile long long value;
} busy_flag;
#define BUSY_FLAG_CLEAR {0}

static inline bool busy_flag_set(busy_flag *flag) {
    return _InterlockedExchange64(&flag->value, 1) == 0;
}

static inline void busy_flag_clear(busy_flag *flag) {
    (void)_InterlockedExchange64(&flag->value, 0);
}

#endif

/* A pointer in a table that grows while others read it: a thread that loads it sees all that was
 * written before it was stored. */
#if defined(__GNUC__) || defined(__clang__)
#define load_pointer(place) __atomic_load_n((place), __ATOMIC_ACQUIRE)
#define store_pointer(place, pointer) __atomic_store_n((place), (pointer), __ATOMIC_RELEASE)
#else
/* A load that is an exchange would write to a line that all threads read. */
static inline void *load_pointer_of(const void *place) {
#ifdef _M_ARM64
    return (void *)(uintptr_t)__ldar64((unsigned __int64 volatile *)(uintptr_t)place);
#else
    /* x86 keeps loads in order: only the compiler must be told. */
    void *pointer = *(void *const volatile *)place;
    _ReadWriteBarrier();
    return pointer;
#endif
}
#define load_pointer(place) load_pointer_of(place)
#define store_pointer(place, pointer) \
    ((void)_InterlockedExchangePointer((void *volatile *)(place), (void *)(uintptr_t)(pointer)))
#endif

#endif
