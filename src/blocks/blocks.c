/* Blocks by size class, and the cache of those that were given back. */
#include "blocks.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define BLOCKS_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BLOCKS_POISON 1
#endif
#endif
#ifdef BLOCKS_POISON
#include <sanitizer/asan_interface.h>
#define hide(block) ASAN_POISON_MEMORY_REGION(data_of(block), capacity_of((block)->size_class))
#define show(block) ASAN_UNPOISON_MEMORY_REGION(data_of(block), capacity_of((block)->size_class))
#else
#define hide(block) (void)(block)
#define show(block) (void)(block)
#endif

/* The header before a block's memory. It takes one unit, so that the memory after it is aligned. */
typedef struct block {
    struct block *next;  /* of its class, while it is kept */
    void *raw;           /* as the C library gave it */
    size_t capacity;     /* bytes after this header */
    uint32_t size_class; /* 0: too large to be kept */
} block;

#define UNIT BLOCK_ALIGNMENT
_Static_assert(sizeof(block) <= UNIT, "the header fits into one unit");

/* Size classes. Each number of units up to 16 has its own class. Above, each power of two has
 * eight, so that there a block is at most an eighth larger than the size that was asked for. */

#define CLASSES 128
#define NO_CLASS UINT32_MAX

static unsigned bits_of(size_t n) {
    unsigned bits = 0;
    for (; n; n >>= 1) bits++;
    return bits;
}

/* The class of a size up to BLOCK_LARGEST: 1 .. CLASSES - 1. */
static uint32_t class_of(size_t size) {
    size_t units = (size + UNIT - 1) / UNIT;
    if (units <= 16) return units ? (uint32_t)units : 1;
    /* 17 .. 32 units: steps of 2; 33 .. 64: of 4; ... The step is 1 << shift, and 8 < steps <=
     * 16. */
    unsigned shift = bits_of(units - 1) - 4;
    return shift * 8 + (uint32_t)((units - 1) >> shift) + 1;
}

static size_t capacity_of(uint32_t size_class) {
    if (size_class <= 16) return (size_t)size_class * UNIT;
    unsigned shift = (size_class - 9) / 8;
    return ((size_t)(size_class - shift * 8) << shift) * UNIT;
}

/* ---- The cache ------------------------------------------------------------------------------- */

static struct {
    block *first[CLASSES];
    size_t limit;
    uint32_t hand; /* the class from which free_one_kept took a block last */
    blocks_counts counts;
} cache = {.limit = BLOCKS_LIMIT};

static long served_first, refused; /* for tests: see blocks_refuse */

#ifdef BLOCKS_SHARED
#include "atomics.h"
static busy_flag busy = BUSY_FLAG_CLEAR;
static bool enter(void) {
    return busy_flag_set(&busy);
}
static void leave(void) {
    busy_flag_clear(&busy);
}
/* For calls that must have the cache. They wait, but a thread has the flag only for nanoseconds. */
static void enter_surely(void) {
    while (!enter()) {}
}
#else
static bool enter(void) {
    return true;
}
static void leave(void) {}
static void enter_surely(void) {}
#endif

static void *data_of(const block *b) {
    return (char *)(uintptr_t)b + UNIT;
}

static block *block_of(const void *data) {
    return (block *)((char *)(uintptr_t)data - UNIT);
}

static void free_block(block *b) {
    show(b);
    free(b->raw);
}

static void *fresh_block(size_t size) {
    if (refused > 0 && served_first-- <= 0) {
        refused--;
        return NULL;
    }
    uint32_t size_class = size <= BLOCK_LARGEST ? class_of(size) : 0;
    size_t capacity = size_class ? capacity_of(size_class) : size;
    if (capacity > SIZE_MAX - 2 * UNIT) return NULL;
    char *raw = malloc(capacity + 2 * UNIT);
    if (raw == NULL) return NULL;
    block *b = (block *)(raw + (UNIT - (uintptr_t)raw % UNIT) % UNIT);
    *b = (block){NULL, raw, capacity, size_class};
    return data_of(b);
}

/* Frees one kept block, of each class in turn; there must be one. Blocks of the class `spared` go
 * last. */
static void free_one_kept(uint32_t spared) {
    uint32_t from = spared;
    for (uint32_t i = 0; i < CLASSES && from == spared; i++) {
        cache.hand = (cache.hand + 1) % CLASSES;
        if (cache.first[cache.hand] != NULL) from = cache.hand;
    }
    block *b = cache.first[from];
    cache.first[from] = b->next;
    cache.counts.kept_bytes -= b->capacity + UNIT;
    cache.counts.kept_blocks--;
    free_block(b);
}

void *blocks_take(size_t size) {
    if (size <= BLOCK_LARGEST && enter()) {
        uint32_t size_class = class_of(size);
        block *b = cache.first[size_class];
        if (b != NULL) {
            cache.first[size_class] = b->next;
            cache.counts.kept_bytes -= b->capacity + UNIT;
            cache.counts.kept_blocks--;
            cache.counts.reused++;
            leave();
            show(b);
            return data_of(b);
        }
        cache.counts.fresh++;
        leave();
    }
    return fresh_block(size);
}

void blocks_give(void *data) {
    if (data == NULL) return;
    block *b = block_of(data);
    size_t bytes = b->capacity + UNIT;
    if (b->size_class == 0 || !enter()) {
        free_block(b);
        return;
    }
    if (bytes > cache.limit) {
        leave();
        free_block(b);
        return;
    }
    while (cache.counts.kept_bytes + bytes > cache.limit) free_one_kept(b->size_class);
    hide(b);
    b->next = cache.first[b->size_class];
    cache.first[b->size_class] = b;
    cache.counts.kept_bytes += bytes;
    cache.counts.kept_blocks++;
    leave();
}

size_t blocks_capacity(const void *data) {
    return block_of(data)->capacity;
}

void *blocks_resize(void *data, size_t size) {
    if (data == NULL) return blocks_take(size);
    size_t capacity = blocks_capacity(data);
    /* A block that is much too large is given back, as the C library would. */
    if (size <= capacity && size >= capacity / 2) return data;
    void *other = blocks_take(size);
    if (other == NULL) return size <= capacity ? data : NULL;
    memcpy(other, data, size < capacity ? size : capacity);
    blocks_give(data);
    return other;
}

void blocks_set_limit(size_t bytes) {
    enter_surely();
    cache.limit = bytes;
    while (cache.counts.kept_bytes > bytes) free_one_kept(NO_CLASS);
    leave();
}

size_t blocks_limit(void) {
    return cache.limit;
}

void blocks_clear(void) {
    enter_surely();
    while (cache.counts.kept_blocks) free_one_kept(NO_CLASS);
    leave();
}

blocks_counts blocks_count(void) {
    enter_surely();
    blocks_counts counts = cache.counts;
    leave();
    return counts;
}

void blocks_refuse(long after, long count) {
    served_first = after;
    refused = count;
}

void blocks_forked(void) {
#ifdef BLOCKS_SHARED
    for (uint32_t i = 0; i < CLASSES; i++) cache.first[i] = NULL;
    cache.counts.kept_bytes = cache.counts.kept_blocks = 0;
    leave();
#endif
}
