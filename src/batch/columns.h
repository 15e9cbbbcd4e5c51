/* The memory of a batch's columns: what batch.c writes into. */
#ifndef REALTIME_PCM_COLUMNS_H
#define REALTIME_PCM_COLUMNS_H

#include "batch.h"

/* Sees to it that so many bytes fit behind pcm_length. */
bool column_room(batch *b, size_t bytes);
/* The samples that were written behind pcm_length become those of this row. */
void column_take_pcm(batch *b, size_t bytes, int32_t rate, int32_t channels);
/* Puts in the string of a frame that the walk has accepted. */
bool column_put_value(batch *b, batch_text column, const uint8_t *data, const wire_value *value);
/* Sees to it that the text of a time can be kept. */
bool column_late_room(batch *b, size_t length);
/* Keeps the text of this row's time for the caller; there is room. */
void column_put_late(batch *b, const uint8_t *text, size_t length);

#endif
