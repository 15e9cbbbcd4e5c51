#include "columns.h"

#include <stdlib.h>
#include <string.h>

#include "arrow.h"
#include "atomics.h"

/* ---- Buffers --------------------------------------------------------------------------------------------------- */

/* Buffers of 16 KiB and more are kept when they are given back, up to KEPT_BYTES of all batches together: fresh memory costs a
 * page fault for each 4 KiB, which takes longer than filling them. Data begin at a multiple of 64 bytes, as Arrow recommends. */
enum { KEPT = 96, KEPT_FROM = 1 << 14, KEPT_BYTES = 32 << 20, ALIGNMENT = 64 };

typedef struct header {
    void *start; /* what malloc gave */
    size_t size; /* bytes of data */
} header;

static struct {
    busy_flag busy;
    uint8_t *blocks[KEPT];
    size_t count, bytes;
} kept = {.busy = BUSY_FLAG_CLEAR};

static header *header_of(uint8_t *data) {
    return (header *)(void *)(data - ALIGNMENT);
}

static void *take(size_t size) {
    if (size >= KEPT_FROM && busy_flag_set(&kept.busy)) {
        uint8_t *found = NULL;
        for (size_t i = kept.count; i-- > 0 && found == NULL;) {
            const size_t has = header_of(kept.blocks[i])->size;
            if (has >= size && has / 2 <= size) {
                found = kept.blocks[i];
                kept.blocks[i] = kept.blocks[--kept.count];
                kept.bytes -= has;
            }
        }
        busy_flag_clear(&kept.busy);
        if (found != NULL) return found;
    }
    if (size > SIZE_MAX / 2) return NULL;
    uint8_t *start = malloc(size + 2 * ALIGNMENT);
    if (start == NULL) return NULL;
    uint8_t *data = start + ALIGNMENT + (ALIGNMENT - (uintptr_t)start % ALIGNMENT) % ALIGNMENT;
    *header_of(data) = (header){start, size};
    return data;
}

static void give(void *data) {
    if (data == NULL) return;
    header *head = header_of(data);
    if (head->size >= KEPT_FROM && busy_flag_set(&kept.busy)) {
        const bool fits = kept.count < KEPT && head->size <= KEPT_BYTES - kept.bytes;
        if (fits) {
            kept.blocks[kept.count++] = data;
            kept.bytes += head->size;
        }
        busy_flag_clear(&kept.busy);
        if (fits) return;
    }
    free(head->start);
}

/* ---- Memory ------------------------------------------------------------------------------------------------------- */

bool batch_begin(batch *b) {
    const size_t rows = b->max_rows;
    bool all = true;
    b->rows = b->bytes = b->pcm_length = 0;
    b->late_count = b->late_length = 0;
#define TAKE(field, count) all = ((field) = take((count) * sizeof *(field))) != NULL && all
    for (unsigned i = 0; i < TEXTS; i++) {
        text_column *column = &b->texts[i];
        column->length = 0;
        if (column->room < 1024) column->room = 1024;
        TAKE(column->data, column->room);
        TAKE(column->ends, rows + 1);
        TAKE(column->valid, rows);
        if (column->ends) column->ends[0] = 0;
    }
    for (unsigned i = 0; i < NUMBERS; i++) {
        TAKE(b->numbers[i].values, rows);
        TAKE(b->numbers[i].valid, rows);
    }
    TAKE(b->time, rows);
    TAKE(b->time_valid, rows);
    TAKE(b->rate, rows);
    TAKE(b->channels, rows);
    TAKE(b->rate_valid, rows);
    TAKE(b->channels_valid, rows);
    if (b->pcm_room < 1 << 16) b->pcm_room = 1 << 16;
    TAKE(b->pcm, b->pcm_room);
    TAKE(b->pcm_ends, rows + 1);
    TAKE(b->pcm_valid, rows);
    if (b->late_rows == NULL) TAKE(b->late_rows, rows);
    if (b->late_ends == NULL) TAKE(b->late_ends, rows);
#undef TAKE
    if (b->pcm_ends) b->pcm_ends[0] = 0;
    if (!all) batch_end(b);
    return all;
}

static void drop(void *field) {
    void **pointer = field;
    give(*pointer);
    *pointer = NULL;
}

void batch_end(batch *b) {
    for (unsigned i = 0; i < TEXTS; i++) {
        drop(&b->texts[i].data);
        drop(&b->texts[i].ends);
        drop(&b->texts[i].valid);
    }
    for (unsigned i = 0; i < NUMBERS; i++) {
        drop(&b->numbers[i].values);
        drop(&b->numbers[i].valid);
    }
    drop(&b->time);
    drop(&b->time_valid);
    drop(&b->rate);
    drop(&b->channels);
    drop(&b->rate_valid);
    drop(&b->channels_valid);
    drop(&b->pcm);
    drop(&b->pcm_ends);
    drop(&b->pcm_valid);
    drop(&b->late_rows);
    drop(&b->late_ends);
    drop(&b->late);
    free(b->scratch);
    b->scratch = NULL;
    b->scratch_room = b->late_room = 0;
}

/* Sees to it that *data has room for `needed` bytes, of which the first `used` are kept. */
static bool grow(uint8_t **data, size_t *room, size_t used, size_t needed) {
    if (needed <= *room && *data != NULL) return true;
    size_t larger = 2 * *room;
    if (larger < needed) larger = needed;
    uint8_t *moved = take(larger);
    if (moved == NULL) return false;
    if (used) memcpy(moved, *data, used);
    give(*data);
    *data = moved;
    *room = larger;
    return true;
}

/* ---- A row ----------------------------------------------------------------------------------------------------------- */

bool batch_row(batch *b, size_t line, bool sent) {
    const size_t row = b->rows;
    /* What an unfinished row has left behind goes. */
    for (unsigned i = TEXT_DIRECTION; i < TEXTS; i++) {
        text_column *column = &b->texts[i];
        column->length = (size_t)column->ends[row];
        column->ends[row + 1] = column->ends[row];
        column->valid[row] = 0;
    }
    for (unsigned i = 0; i < NUMBERS; i++) {
        b->numbers[i].values[row] = 0;
        b->numbers[i].valid[row] = 0;
    }
    b->time[row] = 0;
    b->rate[row] = b->channels[row] = 0;
    b->time_valid[row] = b->rate_valid[row] = b->channels_valid[row] = b->pcm_valid[row] = 0;
    b->pcm_ends[row + 1] = b->pcm_ends[row];
    while (b->late_count && b->late_rows[b->late_count - 1] == row) {
        b->late_count--;
        b->late_length = b->late_count ? b->late_ends[b->late_count - 1] : 0;
    }
    batch_put_number(b, NUMBER_LINE, (int64_t)line);
    static const char *const ways[2] = {"received", "sent"};
    return column_put_text(b, TEXT_DIRECTION, (const uint8_t *)ways[sent], sent ? 4 : 8);
}

bool column_grow(batch *b, batch_text which, size_t length) {
    text_column *column = &b->texts[which];
    return length <= INT32_MAX - column->length && grow(&column->data, &column->room, column->length, column->length + length);
}

bool batch_put_text(batch *b, batch_text column, const uint8_t *text, size_t length) {
    return column_put_text(b, column, text, length);
}

void batch_put_number(batch *b, batch_number column, int64_t number) {
    b->numbers[column].values[b->rows] = number;
    b->numbers[column].valid[b->rows] = 1;
}

void batch_put_time(batch *b, double time) {
    b->time[b->rows] = time;
    b->time_valid[b->rows] = 1;
}

bool column_late_room(batch *b, size_t length) {
    return grow(&b->late, &b->late_room, b->late_length, b->late_length + length);
}

void column_put_late(batch *b, const uint8_t *text, size_t length) {
    memcpy(b->late + b->late_length, text, length);
    b->late_length += length;
    b->late_rows[b->late_count] = (uint32_t)b->rows;
    b->late_ends[b->late_count++] = b->late_length;
}

bool column_room(batch *b, size_t bytes) {
    return bytes <= SIZE_MAX / 2 - b->pcm_length && grow(&b->pcm, &b->pcm_room, b->pcm_length, b->pcm_length + bytes);
}

void column_take_pcm(batch *b, size_t bytes, int32_t rate, int32_t channels) {
    const size_t row = b->rows;
    b->pcm_ends[row + 1] = b->pcm_ends[row] + (int64_t)(b->as_sent ? bytes : bytes / 2);
    b->pcm_valid[row] = 1;
    b->rate[row] = rate;
    b->rate_valid[row] = rate != 0;
    b->channels[row] = channels;
    b->channels_valid[row] = channels != 0;
}

bool batch_put_pcm(batch *b, const void *pcm, size_t bytes, int32_t rate, int32_t channels) {
    if (!column_room(b, bytes)) return false;
    if (bytes) memcpy(b->pcm + b->pcm_length, pcm, bytes);
    column_take_pcm(b, bytes, rate, channels);
    return true;
}

void batch_row_done(batch *b) {
    for (unsigned i = TEXT_TYPE; i < TEXTS; i++) b->bytes += (size_t)(b->texts[i].ends[b->rows + 1] - b->texts[i].ends[b->rows]);
    b->rows++;
    b->pcm_length = (size_t)b->pcm_ends[b->rows] * (b->as_sent ? 1 : 2);
}

/* ---- Arrow ------------------------------------------------------------------------------------------------------------- */

enum { MAX_BUFFERS = 3 };

/* The buffers of a column, and the column of a list's elements. */
typedef struct owned {
    void *buffers[MAX_BUFFERS];
    struct ArrowArray *children[1];
    struct ArrowArray child;
} owned;

static void release_column(struct ArrowArray *array) {
    owned *own = array->private_data;
    for (int64_t i = 0; i < array->n_children; i++) {
        if (array->children[i]->release) array->children[i]->release(array->children[i]);
    }
    for (unsigned i = 0; i < MAX_BUFFERS; i++) give(own->buffers[i]);
    free(own);
    array->release = NULL;
}

/* Packs one byte a row into one bit a row, in place, and returns how many rows are null. The buffer of a column without nulls is
 * not needed. */
static size_t pack(uint8_t *valid, size_t rows) {
    size_t count = 0;
    for (size_t i = 0; i < rows; i += 8) {
        unsigned bits = 0;
        for (size_t j = 0; j < 8 && i + j < rows; j++) bits |= (unsigned)valid[i + j] << j;
        for (unsigned left = bits; left; left &= left - 1) count++;
        valid[i / 8] = (uint8_t)bits;
    }
    return rows - count;
}

/* Sets up one column. `valid` is NULL where no row can be null. The buffers now belong to the column. */
static void make_column(struct ArrowArray *array, owned *own, size_t rows, uint8_t *valid, void *first, void *second) {
    own->buffers[0] = valid;
    own->buffers[1] = first;
    own->buffers[2] = second;
    const size_t nulls = valid ? pack(valid, rows) : 0;
    if (nulls == 0 && valid != NULL) {
        give(valid);
        own->buffers[0] = NULL;
    }
    *array = (struct ArrowArray){.length = (int64_t)rows,
                                 .null_count = (int64_t)nulls,
                                 .n_buffers = second ? 3 : 2,
                                 .buffers = (const void **)own->buffers,
                                 .release = release_column,
                                 .private_data = own};
}

enum { COLUMNS = 19 };

typedef struct root {
    struct ArrowArray arrays[COLUMNS];
    struct ArrowArray *children[COLUMNS];
    const void *buffers[1];
} root;

static void release_root(struct ArrowArray *array) {
    root *all = array->private_data;
    for (int64_t i = 0; i < array->n_children; i++) {
        if (array->children[i]->release) array->children[i]->release(array->children[i]);
    }
    free(all);
    array->release = NULL;
}

/* Fills the column `source`, which has the same text in each row. */
static bool fill_source(batch *b) {
    text_column *column = &b->texts[TEXT_SOURCE];
    const size_t length = b->source_length, rows = b->rows;
    if (length > INT32_MAX / (rows + 1) || !grow(&column->data, &column->room, 0, length * rows)) return false;
    for (size_t row = 0; row < rows; row++) {
        memcpy(column->data + row * length, b->source, length);
        column->ends[row + 1] = (int32_t)((row + 1) * length);
    }
    memset(column->valid, 1, rows);
    return true;
}

bool batch_export(batch *b, struct ArrowArray *array) {
    if (!fill_source(b)) return false;
    owned *owns[COLUMNS + 1] = {NULL}; /* the last is that of the elements of pcm */
    root *all = calloc(1, sizeof *all);
    bool memory = all != NULL;
    for (unsigned i = 0; i <= COLUMNS; i++) memory = (owns[i] = calloc(1, sizeof **owns)) != NULL && memory;
    if (!memory) {
        free(all);
        for (unsigned i = 0; i <= COLUMNS; i++) free(owns[i]);
        return false;
    }
    const size_t rows = b->rows;
    unsigned next = 0;
#define TEXT(which) \
    make_column(&all->arrays[next], owns[next], rows, b->texts[which].valid, b->texts[which].ends, b->texts[which].data), next++
#define NUMBER(which) \
    make_column(&all->arrays[next], owns[next], rows, b->numbers[which].valid, b->numbers[which].values, NULL), next++
    TEXT(TEXT_SOURCE);
    NUMBER(NUMBER_LINE);
    make_column(&all->arrays[next], owns[next], rows, b->time_valid, b->time, NULL), next++;
    TEXT(TEXT_DIRECTION);
    TEXT(TEXT_TYPE);
    TEXT(TEXT_EVENT_ID);
    TEXT(TEXT_RESPONSE_ID);
    TEXT(TEXT_ITEM_ID);
    NUMBER(NUMBER_OUTPUT_INDEX);
    NUMBER(NUMBER_CONTENT_INDEX);
    NUMBER(NUMBER_AUDIO_MS);
    TEXT(TEXT_TEXT);
    {
        owned *own = owns[next];
        if (b->as_sent) {
            make_column(&all->arrays[next], own, rows, b->pcm_valid, b->pcm_ends, b->pcm);
            free(owns[COLUMNS]);
        } else {
            make_column(&all->arrays[next], own, rows, b->pcm_valid, b->pcm_ends, NULL);
            make_column(&own->child, owns[COLUMNS], (size_t)b->pcm_ends[rows], NULL, b->pcm, NULL);
            all->arrays[next].n_children = 1;
            all->arrays[next].children = own->children;
            own->children[0] = &own->child;
        }
        next++;
    }
    TEXT(TEXT_ENCODING);
    make_column(&all->arrays[next], owns[next], rows, b->rate_valid, b->rate, NULL), next++;
    make_column(&all->arrays[next], owns[next], rows, b->channels_valid, b->channels, NULL), next++;
    NUMBER(NUMBER_SAMPLE_OFFSET);
    TEXT(TEXT_ROLE);
    TEXT(TEXT_ERROR);
#undef TEXT
#undef NUMBER
    for (unsigned i = 0; i < COLUMNS; i++) all->children[i] = &all->arrays[i];
    *array = (struct ArrowArray){.length = (int64_t)rows,
                                 .n_buffers = 1,
                                 .n_children = COLUMNS,
                                 .buffers = all->buffers,
                                 .children = all->children,
                                 .release = release_root,
                                 .private_data = all};
    /* All of it has gone over; the sizes stay as a hint for the next batch. */
    for (unsigned i = 0; i < TEXTS; i++) {
        b->texts[i].data = NULL;
        b->texts[i].ends = NULL;
        b->texts[i].valid = NULL;
    }
    for (unsigned i = 0; i < NUMBERS; i++) {
        b->numbers[i].values = NULL;
        b->numbers[i].valid = NULL;
    }
    b->time = NULL;
    b->rate = b->channels = NULL;
    b->time_valid = b->rate_valid = b->channels_valid = NULL;
    b->pcm = NULL;
    b->pcm_ends = NULL;
    b->pcm_valid = NULL;
    b->rows = b->bytes = b->pcm_length = 0;
    return true;
}
