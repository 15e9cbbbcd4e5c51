/* Memory of arrays, without Python: blocks by size class, and a bounded cache of those that were given back.
 *
 * The C library gives freed memory back to the kernel, and a process that frees and takes arrays of a few kilobytes then pays
 * two or three page faults for each. A block that was given back here stays mapped until it is taken again.
 *
 * One caller at a time: under Python's GIL that is so by itself. A build that defines BLOCKS_SHARED (Python without the GIL)
 * tries a flag, and does without the cache where another thread has it: nobody ever waits.
 */
#ifndef REALTIME_PCM_BLOCKS_H
#define REALTIME_PCM_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#define BLOCK_ALIGNMENT 64              /* of the memory handed out: a cache line, a register of AVX-512 */
#define BLOCK_LARGEST (1024 * 1024)     /* bytes; what is larger is never kept */
#define BLOCKS_LIMIT (16 * 1024 * 1024) /* bytes kept at the most, unless blocks_set_limit says otherwise */

/* `size` bytes or more, aligned; NULL without memory. */
void *blocks_take(size_t size);
void blocks_give(void *data);
/* The same bytes in a block for `size`; NULL without memory, and `data` is as it was. */
void *blocks_resize(void *data, size_t size);
/* How many bytes fit into a block that was taken. */
size_t blocks_capacity(const void *data);

/* Bytes that may be kept; 0 keeps none. What is over the limit is freed at once. */
void blocks_set_limit(size_t bytes);
size_t blocks_limit(void);
/* Frees what is kept. */
void blocks_clear(void);

typedef struct blocks_counts {
    size_t kept_bytes, kept_blocks;
    uint64_t reused, fresh;         /* blocks taken out of the cache, and from the C library */
} blocks_counts;
blocks_counts blocks_count(void);

/* For tests: `after` more fresh blocks are had, then `count` of them are refused, as if there were no memory. */
void blocks_refuse(long after, long count);

#endif
