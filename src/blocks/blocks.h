/* Memory of arrays, without Python: blocks by size class, and a bounded cache of the blocks that
 * were given back.
 *
 * The C library may return freed memory to the kernel. A process that makes and drops arrays of a
 * few kilobytes then pays two or three page faults for each array. A block that was given back here
 * stays mapped until it is taken again.
 *
 * Only one caller at a time may be here, which Python's GIL ensures. A build with BLOCKS_SHARED
 * (Python without the GIL) has a flag instead: a thread that takes or gives a block while another
 * thread has the flag does without the cache, so it never waits.
 */
#ifndef REALTIME_PCM_BLOCKS_H
#define REALTIME_PCM_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#define BLOCK_ALIGNMENT 64 /* of the memory handed out: a cache line, a register of AVX-512 */
#define BLOCK_LARGEST (1024 * 1024) /* bytes; larger blocks are never kept */
#define BLOCKS_LIMIT \
    (16 * 1024 * 1024) /* most bytes kept, unless blocks_set_limit says otherwise */

/* A block of `size` bytes or more, aligned to BLOCK_ALIGNMENT; NULL if there is no memory. */
void *blocks_take(size_t size);
/* Gives a block back, to the cache or to the C library. NULL does nothing. */
void blocks_give(void *data);
/* A block of `size` bytes or more that begins with the bytes of `data`: `data` itself, or another
 * block to which they were copied. NULL if there is no memory; `data` is then as it was. */
void *blocks_resize(void *data, size_t size);
/* How many bytes a block has. */
size_t blocks_capacity(const void *data);

/* Sets how many bytes the cache may keep; 0 turns it off. Blocks beyond the limit are freed at
 * once. */
void blocks_set_limit(size_t bytes);
size_t blocks_limit(void);
/* Frees all blocks of the cache. */
void blocks_clear(void);

/* For the child of a fork: if another thread of the parent was using the cache, the cache is
 * forgotten. */
void blocks_forked(void);

typedef struct blocks_counts {
    size_t kept_bytes, kept_blocks;
    uint64_t reused, fresh; /* blocks of up to BLOCK_LARGEST: from the cache; not in it */
} blocks_counts;
blocks_counts blocks_count(void);

/* For tests: `after` more blocks of the C library are given, then `count` of them are refused, as
 * if there were no memory. */
void blocks_refuse(long after, long count);

#endif
