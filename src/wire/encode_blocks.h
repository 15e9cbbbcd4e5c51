/* How encoding kernels without masks go over their samples: block by block, with one more block for
 * the rest. */
#ifndef REALTIME_PCM_ENCODE_BLOCKS_H
#define REALTIME_PCM_ENCODE_BLOCKS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "compiler.h"
#include "g711_encode.h"

/* Converts one block, whose size is up to the tier. `law`: of the G.711 codes; NULL for pcm16. */
typedef void wire_block(const wire_law *law, const uint8_t *in, uint8_t *out);

#define WIRE_MOST_IN_BLOCK 32 /* samples */

/* Converts `count` samples of in_width bytes (at most 4) to out_width bytes (at most 2) each, in
 * blocks of `size` samples. Each call is compiled to a loop of the block's own instructions. */
static PORTABLE_INLINE void wire_in_blocks(wire_block *block, const wire_law *law, size_t size,
                                           size_t in_width, size_t out_width, const uint8_t *in,
                                           size_t count, uint8_t *out) {
    if (count >= size) {
        size_t at = 0;
        /* One block per iteration; reads and writes exactly its bytes. */
        for (; count - at >= size; at += size) block(law, in + at * in_width, out + at * out_width);
        /* The last `size` samples; the first of them are converted again. They exist, because
         * `count` is at least `size`, and give the same bytes, because input and output do not
         * overlap. */
        if (at < count)
            block(law, in + (count - size) * in_width, out + (count - size) * out_width);
    } else if (count) {
        /* Less than a block in all: through the stack. */
        uint8_t samples[WIRE_MOST_IN_BLOCK * 4] = {0}, bytes[WIRE_MOST_IN_BLOCK * 2];
        memcpy(samples, in, count * in_width);
        block(law, samples, bytes);
        memcpy(out, bytes, count * out_width);
    }
}

#endif
