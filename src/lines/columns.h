/* The memory of a batch's columns: what batch.c writes into. */
#ifndef REALTIME_PCM_COLUMNS_H
#define REALTIME_PCM_COLUMNS_H

#include <string.h>

#include "batch.h"

/* Makes room for so many more bytes of audio. */
bool column_room(batch *b, size_t bytes);
/* Makes the samples that were written there those of this row. */
void column_take_pcm(batch *b, size_t bytes, int32_t rate, int32_t channels);
/* Makes room for so many more bytes in a column of strings. */
bool column_grow(batch *b, batch_text which, size_t length);
/* Write the nulls of a column up to this row. */
void column_fill_text(text_column *column, size_t row);
void column_fill_number(number_column *column, size_t row);
/* Discards what the unfinished row has written. */
void column_forget_row(batch *b);
/* Makes room for the text of a time. */
bool column_late_room(batch *b, size_t length);
/* Keeps the text of this row's time for the caller, after column_late_room. */
void column_put_late(batch *b, const uint8_t *text, size_t length);

/* ---- Inline, because each row calls them several times --------------------------------------- */

/* Most texts are short, and calling memcpy would cost as much as the whole copy. Copies of a fixed
 * size are moves of one register; the last one overlaps the one before it. */
static inline void column_copy(uint8_t *out, const uint8_t *in, size_t length) {
    if (length > 64 || length < 8) {
        memcpy(out, in, length);
    } else if (length < 16) {
        memcpy(out, in, 8);
        memcpy(out + length - 8, in + length - 8, 8);
    } else {
        for (size_t i = 0; i + 16 < length; i += 16) memcpy(out + i, in + i, 16);
        memcpy(out + length - 16, in + length - 16, 16);
    }
}

static inline bool column_has_text(const batch *b, batch_text which) {
    return b->texts[which].filled > b->rows;
}

/* Makes room for a text of this length in the row. */
static inline bool column_begin_text(batch *b, batch_text which, size_t length) {
    text_column *column = &b->texts[which];
    if (column->filled < b->rows) column_fill_text(column, b->rows);
    return length <= column->room - column->length || column_grow(b, which, length);
}

/* Notes that a text, or a further part of one, was appended. */
static inline void column_end_text(batch *b, text_column *column, size_t length) {
    column->length += length;
    b->bytes += length;
    column->ends[b->rows + 1] = (int32_t)column->length;
    column->valid[b->rows] = 1;
    column->filled = b->rows + 1;
}

static inline bool column_put_text(batch *b, batch_text which, const uint8_t *text, size_t length) {
    text_column *column = &b->texts[which];
    if (!column_begin_text(b, which, length)) return false;
    column_copy(column->data + column->length, text, length);
    column_end_text(b, column, length);
    return true;
}

/* Appends the string of a frame that the walk has accepted. */
static inline bool column_put_value(batch *b, batch_text which, const uint8_t *data,
                                    const wire_value *value) {
    const size_t length = value->end - value->start;
    if (!value->escaped) return column_put_text(b, which, data + value->start, length);
    text_column *column = &b->texts[which];
    if (!column_begin_text(b, which, length)) return false;
    column_end_text(b, column, wire_text_utf8(data, value, column->data + column->length, length));
    return true;
}

static inline void column_put_number(batch *b, batch_number which, int64_t number) {
    number_column *column = &b->numbers[which];
    if (column->filled < b->rows) column_fill_number(column, b->rows);
    column->values[b->rows] = number;
    column->valid[b->rows] = 1;
    column->filled = b->rows + 1;
}

#endif
