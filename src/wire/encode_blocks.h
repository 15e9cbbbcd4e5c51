/* How the encoding kernels that have no masks go over their samples: in blocks, and what is left by a block as well. */
#ifndef REALTIME_PCM_ENCODE_BLOCKS_H
#define REALTIME_PCM_ENCODE_BLOCKS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "compiler.h"
#include "g711_encode.h"

/* Converts a block: a number of samples that is the tier's own. `law` is that of the codes, or NULL for pcm16. */
typedef void wire_block(const wire_law *law, const uint8_t *in, uint8_t *out);

#define WIRE_MOST_IN_BLOCK 32 /* samples */

/* Converts `count` samples of in_width bytes (4 at most) to out_width bytes (2 at most) each, by blocks of `size`
 * samples. The compiler makes a loop with the block's own instructions of each call. */
static PORTABLE_INLINE void wire_in_blocks(wire_block *block, const wire_law *law, size_t size, size_t in_width, size_t out_width,
                                           const uint8_t *in, size_t count, uint8_t *out) {
    if (count >= size) {
        size_t at = 0;
        /* One block a turn, read and written exactly. */
        for (; count - at >= size; at += size) block(law, in + at * in_width, out + at * out_width);
        /* The last `size` samples, of which the first are converted once more: they are there, because `count` is no
         * less, and give the same bytes again, because input and output do not overlap. */
        if (at < count) block(law, in + (count - size) * in_width, out + (count - size) * out_width);
    } else if (count) {
        /* The only ones, through the stack. */
        uint8_t samples[WIRE_MOST_IN_BLOCK * 4] = {0}, bytes[WIRE_MOST_IN_BLOCK * 2];
        memcpy(samples, in, count * in_width);
        block(law, samples, bytes);
        memcpy(out, bytes, count * out_width);
    }
}

#endif
