/* The memory of a batch: columns that grow, keep their buffers for the next batch, and are handed
 * over as Arrow arrays. */
#include "columns.h"

#include <stdlib.h>
#include <string.h>

#include "arrow.h"
#include "atomics.h"
#include "bytes.h"
#include "compiler.h"

/* ---- Buffers --------------------------------------------------------------------------------- */

/* Buffers of 16 KiB and more are kept when they are given back, up to KEPT_BYTES of all batches
 * together: fresh memory costs a page fault for each 4 KiB, which takes longer than filling them.
 * Data begin at a multiple of 64 bytes, as Arrow recommends. */
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

/* ---- Memory ---------------------------------------------------------------------------------- */

/* Calls DO for each buffer that has an element per row, with its number of elements. The buffers of
 * texts and samples have other lengths, and are handled apart. */
#define EACH_BUFFER_OF_ROWS(DO, b, rows) \
    do { \
        for (unsigned i = 0; i < TEXTS; i++) { \
            DO((b)->texts[i].ends, (rows) + 1); \
            DO((b)->texts[i].valid, rows); \
        } \
        for (unsigned i = 0; i < NUMBERS; i++) { \
            DO((b)->numbers[i].values, rows); \
            DO((b)->numbers[i].valid, rows); \
        } \
        DO((b)->audio.ends, (rows) + 1); \
        DO((b)->audio.valid, rows); \
        DO((b)->audio.rate, rows); \
        DO((b)->audio.channels, rows); \
        DO((b)->audio.rate_valid, rows); \
        DO((b)->audio.channels_valid, rows); \
        DO((b)->line_of, rows); \
        DO((b)->time, rows); \
        DO((b)->time_valid, rows); \
    } while (0)

bool batch_begin(batch *b) {
    const size_t rows = b->max_rows;
    bool all = true;
    b->rows = b->bytes = 0;
    b->unfinished = false;
    b->late_count = b->late_length = b->told_count = 0;
#define TAKE(field, count) all = ((field) = take((count) * sizeof *(field))) != NULL && all
    EACH_BUFFER_OF_ROWS(TAKE, b, rows);
    for (unsigned i = 0; i < TEXTS; i++) {
        text_column *column = &b->texts[i];
        column->length = column->filled = 0;
        if (column->room < 1024) column->room = 1024;
        TAKE(column->data, column->room);
        if (column->ends) column->ends[0] = 0;
    }
    for (unsigned i = 0; i < NUMBERS; i++) b->numbers[i].filled = 0;
    audio_columns *audio = &b->audio;
    audio->length = audio->filled = 0;
    if (audio->room < 1 << 16) audio->room = 1 << 16;
    TAKE(audio->pcm, audio->room);
    if (audio->ends) audio->ends[0] = 0;
    TAKE(b->sent, rows);
    if (b->late_rows == NULL) TAKE(b->late_rows, rows);
    if (b->late_ends == NULL) TAKE(b->late_ends, rows);
#undef TAKE
    if (!all) batch_end(b);
    return all;
}

static void drop(void *field) {
    void **pointer = field;
    give(*pointer);
    *pointer = NULL;
}

void batch_end(batch *b) {
#define DROP(field, count) drop(&(field))
    EACH_BUFFER_OF_ROWS(DROP, b, 0);
#undef DROP
    for (unsigned i = 0; i < TEXTS; i++) drop(&b->texts[i].data);
    drop(&b->audio.pcm);
    drop(&b->sent);
    drop(&b->late_rows);
    drop(&b->late_ends);
    drop(&b->late);
    free(b->scratch);
    free(b->tellings);
    free(b->ids);
    b->scratch = b->ids = NULL;
    b->tellings = NULL;
    b->scratch_room = b->late_room = b->told_room = b->ids_room = 0;
}

/* Makes room for `needed` bytes in *data, and keeps the first `used`. */
static bool grow(uint8_t **data, size_t *room, size_t used, size_t needed) {
    if (needed <= *room && *data != NULL) return true;
    size_t larger = *room < 1 << 16
                        ? 8 * *room
                        : 2 * *room; /* what follows a small one is likely to be large */
    if (larger < needed) larger = needed;
    uint8_t *moved = take(larger);
    if (moved == NULL) return false;
    if (used) memcpy(moved, *data, used);
    give(*data);
    *data = moved;
    *room = larger;
    return true;
}

/* ---- A row ----------------------------------------------------------------------------------- */

void column_fill_text(text_column *column, size_t row) {
    memset(column->valid + column->filled, 0, row - column->filled);
    for (size_t i = column->filled; i < row; i++) column->ends[i + 1] = (int32_t)column->length;
    column->filled = row;
}

void column_fill_number(number_column *column, size_t row) {
    memset(column->valid + column->filled, 0, row - column->filled);
    memset(column->values + column->filled, 0, (row - column->filled) * sizeof *column->values);
    column->filled = row;
}

static void fill_audio(audio_columns *audio, size_t row) {
    const size_t from = audio->filled, count = row - from;
    memset(audio->valid + from, 0, count);
    memset(audio->rate_valid + from, 0, count);
    memset(audio->channels_valid + from, 0, count);
    memset(audio->rate + from, 0, count * sizeof *audio->rate);
    memset(audio->channels + from, 0, count * sizeof *audio->channels);
    for (size_t i = from; i < row; i++) audio->ends[i + 1] = audio->ends[from];
    audio->filled = row;
}

void batch_fill(batch *b) {
    for (unsigned i = 0; i < TEXTS; i++) {
        if (b->texts[i].filled < b->rows) column_fill_text(&b->texts[i], b->rows);
    }
    for (unsigned i = 0; i < NUMBERS; i++) {
        if (b->numbers[i].filled < b->rows) column_fill_number(&b->numbers[i], b->rows);
    }
    if (b->audio.filled < b->rows) fill_audio(&b->audio, b->rows);
}

void column_forget_row(batch *b) {
    const size_t row = b->rows;
    for (unsigned i = 0; i < TEXTS; i++) {
        text_column *column = &b->texts[i];
        if (column->filled <= row) continue;
        b->bytes -= column->length - (size_t)column->ends[row];
        column->length = (size_t)column->ends[row];
        column->filled = row;
    }
    for (unsigned i = 0; i < NUMBERS; i++) {
        if (b->numbers[i].filled > row) b->numbers[i].filled = row;
    }
    if (b->audio.filled > row) {
        b->audio.length = (size_t)b->audio.ends[row] * (b->as_sent ? 1 : 2);
        b->audio.filled = row;
    }
    while (b->late_count && b->late_rows[b->late_count - 1] == row) {
        b->late_count--;
        b->late_length = b->late_count ? b->late_ends[b->late_count - 1] : 0;
    }
    b->unfinished = false;
}

void batch_row(batch *b, size_t line, bool sent) {
    if (b->unfinished) column_forget_row(b);
    b->unfinished = true;
    b->line_of[b->rows] = (int64_t)line;
    b->sent[b->rows] = sent;
    b->time[b->rows] = 0;
    b->time_valid[b->rows] = 0;
}

bool column_grow(batch *b, batch_text which, size_t length) {
    text_column *column = &b->texts[which];
    return length <= INT32_MAX - column->length &&
           grow(&column->data, &column->room, column->length, column->length + length);
}

bool batch_put_text(batch *b, batch_text column, const uint8_t *text, size_t length) {
    return column_put_text(b, column, text, length);
}

void batch_put_number(batch *b, batch_number column, int64_t number) {
    column_put_number(b, column, number);
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
    audio_columns *audio = &b->audio;
    return bytes <= SIZE_MAX / 2 - audio->length &&
           grow(&audio->pcm, &audio->room, audio->length, audio->length + bytes);
}

void column_take_pcm(batch *b, size_t bytes, int32_t rate, int32_t channels) {
    audio_columns *audio = &b->audio;
    const size_t row = b->rows;
    if (audio->filled < row) fill_audio(audio, row);
    audio->length += bytes;
    audio->ends[row + 1] = (int64_t)(b->as_sent ? audio->length : audio->length / 2);
    audio->valid[row] = 1;
    audio->rate[row] = rate;
    audio->rate_valid[row] = rate != 0;
    audio->channels[row] = channels;
    audio->channels_valid[row] = channels != 0;
    audio->filled = row + 1;
}

bool batch_put_pcm(batch *b, const void *pcm, size_t bytes, int32_t rate, int32_t channels) {
    if (!column_room(b, bytes)) return false;
    if (bytes) memcpy(b->audio.pcm + b->audio.length, pcm, bytes);
    column_take_pcm(b, bytes, rate, channels);
    return true;
}

void batch_row_done(batch *b) {
    b->rows++;
    b->unfinished = false;
}

/* ---- Arrow ----------------------------------------------------------------------------------- */

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

/* Packs one byte per row, 0 or 1, into one bit per row, in place, and returns how many rows are
 * null. A column without nulls does not need the buffer. */
static size_t pack(uint8_t *valid, size_t rows) {
    size_t count = 0, i = 0;
#if !PORTABLE_BIG_ENDIAN
    for (; i + 8 <= rows; i += 8) {
        const uint64_t eight = wire_load64(valid + i);
        /* Each product moves the lowest bit of a byte to its place in the highest byte; no two of
         * them meet. */
        valid[i / 8] = (uint8_t)((eight * 0x0102040810204080u) >> 56);
        count += (eight * 0x0101010101010101u) >> 56;
    }
#endif
    for (; i < rows; i += 8) {
        unsigned bits = 0;
        for (size_t j = 0; j < 8 && i + j < rows; j++) {
            bits |= (unsigned)valid[i + j] << j;
            count += valid[i + j];
        }
        valid[i / 8] = (uint8_t)bits;
    }
    return rows - count;
}

/* Returns the buffer to hand over, of which `used` bytes are needed. If that is less than a quarter
 * of it, a copy of the right size is handed over, and the buffer serves the next batch: so the
 * batches of many short recordings take little memory. */
static void *fit(void *data, size_t used) {
    if (data == NULL || used >= header_of(data)->size / 4) return data;
    void *small = take(used ? used : 1);
    if (small == NULL) return data;
    memcpy(small, data, used);
    give(data);
    return small;
}

static void fit_columns(batch *b) {
#define FIT(field, count) ((field) = fit((field), (count) * sizeof *(field)))
    EACH_BUFFER_OF_ROWS(FIT, b, b->rows);
    for (unsigned i = 0; i < TEXTS; i++) FIT(b->texts[i].data, b->texts[i].length);
    FIT(b->audio.pcm, b->audio.length);
#undef FIT
}

/* Sets up one column. `valid` is NULL if no row can be null. The buffers now belong to the
 * column. */
static void make_column(struct ArrowArray *array, owned *own, size_t rows, uint8_t *valid,
                        void *first, void *second) {
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

enum { COLUMNS = 20 };

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

/* Makes the column `source`, which has the same text in each row. false: no memory. */
static bool make_sources(const batch *b, int32_t **ends, uint8_t **data) {
    const size_t length = b->source_length, rows = b->rows, size = length * rows;
    if (length > INT32_MAX / (rows + 1)) return false;
    *ends = take((rows + 1) * sizeof **ends);
    *data = take(size + 1);
    if (*ends == NULL || *data == NULL) return false;
    for (size_t row = 0; row <= rows; row++) (*ends)[row] = (int32_t)(row * length);
    if (size) memcpy(*data, b->source, length);
    for (size_t done = length; done < size; done *= 2)
        memcpy(*data + done, *data, done < size - done ? done : size - done);
    return true;
}

/* Makes the column `direction`. false: no memory. */
static bool make_directions(const batch *b, int32_t **ends, uint8_t **data) {
    static const char words[2][9] = {"received", "sent\0\0\0\0"};
    const size_t rows = b->rows;
    *ends = take((rows + 1) * sizeof **ends);
    *data = take((rows + 1) * 8);
    if (*ends == NULL || *data == NULL) return false;
    size_t at = 0;
    for (size_t row = 0; row < rows; row++) {
        (*ends)[row] = (int32_t)at;
        memcpy(*data + at, words[b->sent[row]], 8);
        at += b->sent[row] ? 4 : 8;
    }
    (*ends)[rows] = (int32_t)at;
    return true;
}

/* Bytes per sample of a row, as it was sent; 0 if unknown. */
static unsigned sent_width(const batch *b, size_t row) {
    const text_column *names = &b->texts[TEXT_ENCODING];
    const int32_t start = names->ends[row];
    return format_sample_bytes(
        format_encoding_of(names->data + start, (size_t)(names->ends[row + 1] - start)));
}

/* Makes the column `seconds`: how long the audio of each row is. false: no memory. */
static bool make_seconds(const batch *b, double **seconds, uint8_t **valid) {
    const audio_columns *audio = &b->audio;
    const size_t rows = b->rows;
    *seconds = take((rows + 1) * sizeof **seconds);
    *valid = take(rows + 1);
    if (*seconds == NULL || *valid == NULL) return false;
    for (size_t row = 0; row < rows; row++) {
        const unsigned width = !audio->valid[row] ? 0 : b->as_sent ? sent_width(b, row) : 1;
        (*valid)[row] = width != 0 && audio->rate_valid[row] && audio->channels_valid[row];
        (*seconds)[row] = 0;
        if (!(*valid)[row]) continue;
        const int64_t samples = (audio->ends[row + 1] - audio->ends[row]) / width;
        (*seconds)[row] =
            (double)samples / (double)((int64_t)audio->rate[row] * audio->channels[row]);
    }
    return true;
}

bool batch_export(batch *b, struct ArrowArray *array) {
    int32_t *source_ends = NULL, *direction_ends = NULL;
    uint8_t *sources = NULL, *directions = NULL, *seconds_valid = NULL;
    double *seconds = NULL;
    owned *owns[COLUMNS + 1] = {NULL}; /* the last is that of the elements of pcm */
    root *all = calloc(1, sizeof *all);
    bool memory = all != NULL;
    for (unsigned i = 0; i <= COLUMNS; i++)
        memory = (owns[i] = calloc(1, sizeof **owns)) != NULL && memory;
    if (b->unfinished) column_forget_row(b);
    batch_fill(b);
    memory = memory && make_sources(b, &source_ends, &sources) &&
             make_directions(b, &direction_ends, &directions) &&
             make_seconds(b, &seconds, &seconds_valid);
    if (!memory) {
        give(seconds);
        give(seconds_valid);
        give(source_ends);
        give(sources);
        give(direction_ends);
        give(directions);
        free(all);
        for (unsigned i = 0; i <= COLUMNS; i++) free(owns[i]);
        return false;
    }
    fit_columns(b);
    audio_columns *audio = &b->audio;
    const size_t rows = b->rows;
    unsigned next = 0;
#define COLUMN(valid, first, second) \
    make_column(&all->arrays[next], owns[next], rows, valid, first, second), next++
#define TEXT(which) COLUMN(b->texts[which].valid, b->texts[which].ends, b->texts[which].data)
#define NUMBER(which) COLUMN(b->numbers[which].valid, b->numbers[which].values, NULL)
    COLUMN(NULL, source_ends, sources);
    COLUMN(NULL, b->line_of, NULL);
    COLUMN(b->time_valid, b->time, NULL);
    COLUMN(NULL, direction_ends, directions);
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
            make_column(&all->arrays[next], own, rows, audio->valid, audio->ends, audio->pcm);
            free(owns[COLUMNS]);
        } else {
            make_column(&all->arrays[next], own, rows, audio->valid, audio->ends, NULL);
            make_column(&own->child, owns[COLUMNS], (size_t)audio->ends[rows], NULL, audio->pcm,
                        NULL);
            all->arrays[next].n_children = 1;
            all->arrays[next].children = own->children;
            own->children[0] = &own->child;
        }
        next++;
    }
    TEXT(TEXT_ENCODING);
    COLUMN(audio->rate_valid, audio->rate, NULL);
    COLUMN(audio->channels_valid, audio->channels, NULL);
    NUMBER(NUMBER_SAMPLE_OFFSET);
    COLUMN(seconds_valid, seconds, NULL);
    TEXT(TEXT_ROLE);
    TEXT(TEXT_ERROR);
#undef COLUMN
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
    /* All of it is handed over; the sizes stay as a hint for the next batch. */
    for (unsigned i = 0; i < TEXTS; i++) {
        b->texts[i].data = NULL;
        b->texts[i].ends = NULL;
        b->texts[i].valid = NULL;
    }
    for (unsigned i = 0; i < NUMBERS; i++) {
        b->numbers[i].values = NULL;
        b->numbers[i].valid = NULL;
    }
    *audio = (audio_columns){.room = audio->room};
    b->line_of = NULL;
    b->time = NULL;
    b->time_valid = NULL;
    drop(&b->sent);
    b->rows = b->bytes = 0;
    return true;
}
