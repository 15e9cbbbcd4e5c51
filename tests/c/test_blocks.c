/* Blocks: sizes, alignment, contents, the bound of what is kept, and memory that runs out. */
#include "blocks.h"
#include "harness.h"

#include <string.h>

static void test_sizes(void) {
    for (size_t size = 0; size <= BLOCK_LARGEST + 4096; size += 1 + size / 300) {
        unsigned char *data = blocks_take(size);
        CHECK(data != NULL && (size_t)(uintptr_t)data % BLOCK_ALIGNMENT == 0, "%zu", size);
        size_t capacity = blocks_capacity(data);
        CHECK(capacity >= size, "%zu in %zu", size, capacity);
        CHECK(size > BLOCK_LARGEST || capacity <= size + size / 8 + BLOCK_ALIGNMENT, "%zu in %zu",
              size, capacity);
        memset(data, 0xA5, capacity);
        blocks_give(data);
        unsigned char *again = blocks_take(size);
        CHECK(size > BLOCK_LARGEST || again == data,
              "the block given back last is taken first: %zu", size);
        blocks_give(again);
    }
    blocks_give(NULL);
    CHECK(blocks_take(SIZE_MAX - 10) == NULL, "too large for any machine");
}

/* Random blocks, each filled with a number of its own: none may lie in another, and none is lost. */
static void test_contents(void) {
    enum { MANY = 400 };
    static unsigned char *data[MANY];
    static size_t sizes[MANY];
    for (int step = 0; step < 60000; step++) {
        unsigned i = random_below(MANY);
        unsigned char mark = (unsigned char)(i * 7 + 1);
        if (data[i] != NULL) {
            for (size_t at = 0; at < sizes[i]; at += 1 + sizes[i] / 64)
                CHECK(data[i][at] == mark, "block %u", i);
            CHECK(sizes[i] == 0 || data[i][sizes[i] - 1] == mark, "block %u", i);
        }
        size_t size = random_below(3) ? random_below(30000) : random_below(200000);
        if (data[i] == NULL) {
            data[i] = blocks_take(size);
        } else if (random_below(3) == 0) {
            size_t both = size < sizes[i] ? size : sizes[i];
            data[i] = blocks_resize(data[i], size);
            for (size_t at = 0; at < both; at += 1 + both / 64)
                CHECK(data[i][at] == mark, "resized %u", i);
        } else {
            blocks_give(data[i]);
            data[i] = NULL;
            continue;
        }
        sizes[i] = size;
        CHECK(blocks_capacity(data[i]) >= size, "block %u", i);
        memset(data[i], mark, size);
        CHECK(blocks_count().kept_bytes <= blocks_limit(), "the bound");
        if (step == 30000) blocks_set_limit(300000);
    }
    for (unsigned i = 0; i < MANY; i++) {
        blocks_give(data[i]);
        data[i] = NULL;
        CHECK(blocks_count().kept_bytes <= 300000, "the bound");
    }
    blocks_clear();
    CHECK(blocks_count().kept_bytes == 0 && blocks_count().kept_blocks == 0, "cleared");
    blocks_set_limit(BLOCKS_LIMIT);
}

static void test_no_memory(void) {
    unsigned char *data = blocks_take(5000);
    memset(data, 7, 5000);
    blocks_clear();
    blocks_refuse(0, 1000);
    CHECK(blocks_take(100) == NULL && blocks_take(BLOCK_LARGEST + 1) == NULL, "refused");
    CHECK(blocks_resize(data, 500000) == NULL, "refused");
    CHECK(blocks_resize(data, 10) == data, "smaller needs no memory");
    blocks_refuse(0, 0);
    for (int i = 0; i < 10; i++) CHECK(data[i] == 7, "%d", i);
    blocks_give(data);
}

int main(void) {
    test_sizes();
    test_contents();
    test_no_memory();
    blocks_clear();
    puts("blocks: passed");
    return 0;
}
