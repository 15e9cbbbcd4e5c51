/* Where the audio streams of one connection stand, without Python.
 *
 * A stream is what a server sends under one (response_id, item_id, content_index), or a client as its input. Its state is a
 * few bytes: the index of its next sample, the byte that waits for its other half, and the format of its next delta. The
 * table is bounded: where one stream too many begins, the stream that has not spoken for longest is forgotten, and the
 * byte that it held is counted.
 *
 * Nothing here locks: whoever uses a table has it for himself.
 */
#ifndef REALTIME_PCM_STREAMS_H
#define REALTIME_PCM_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire.h"

#define STREAMS_MAX 1024
/* Bytes of an id that are kept as they are. A longer one is kept as its length and hash, for a frame may hold megabytes. */
#define STREAM_ID_MAX 256
/* Of a key: which side speaks, and three ids, each with its kind and length. */
#define STREAM_KEY_MAX (1 + 3 * (3 + STREAM_ID_MAX))

/* Who speaks in a stream. Streams of different speakers stand apart, for many of them have no ids. */
typedef enum stream_speaker {
    STREAM_OUTPUT = 0,          /* the server's answer */
    STREAM_HEARD,               /* the user's speech, as the server sends it back (GPT-Live) */
    STREAM_INPUT,               /* the user's speech, as the client sends it */
    STREAM_PLAYED,              /* other audio that the client sends */
} stream_speaker;

/* How a message names its stream: the numbers of the fields that hold the ids (0: it has no such field), and who speaks. */
typedef struct stream_fields {
    uint8_t response_id, item_id, content_index, speaker;
} stream_fields;

/* The ids of a stream in one spelling, whatever escapes the frame had. */
typedef struct stream_key {
    uint64_t hash;
    uint16_t length;
    uint16_t response_length;   /* the first so many bytes tell the side and the response */
    uint8_t bytes[STREAM_KEY_MAX];
} stream_key;

void stream_key_of_frame(stream_key *key, const wire_frame *frame, const stream_fields *fields);
/* The part of a key that all streams of one response share. `response_id`: any value; ABSENT where it was not named. */
void stream_key_of_response(stream_key *key, const uint8_t *data, const wire_value *response_id);

typedef struct audio_stream {
    struct audio_stream *older, *newer;     /* by when they spoke last */
    int64_t offset;             /* index of the next sample */
    const void *format;         /* the caller's: of the next delta, unless that names its own; valid in one generation only */
    uint32_t generation;
    uint8_t carry, carry_count; /* the byte that waits for its other half */
    uint16_t key_length, response_length;
    uint64_t hash;
    uint8_t key[];
} audio_stream;

/* How the stream that spoke last was named, byte by byte as in its frame: the next delta mostly says the same. */
typedef struct stream_spelling {
    uint8_t kinds[3];           /* wire_kind; 0xFF: nothing is the same as this */
    uint8_t speaker;
    uint16_t lengths[3];
    uint8_t bytes[3][STREAM_ID_MAX];
} stream_spelling;

typedef struct stream_table {
    void *(*allocate)(size_t);
    void (*release)(void *);
    audio_stream *newest, *oldest;
    size_t count;
    size_t carries;             /* streams that hold a byte */
    uint64_t evicted_bytes;     /* bytes held that no sample got */
    uint32_t generation;        /* of formats: moved on by whatever may change one */
    stream_spelling last;       /* of `newest` */
} stream_table;

void streams_init(stream_table *table, void *(*allocate)(size_t), void (*release)(void *));
/* Forgets all streams; the bytes that they held are counted. */
void streams_clear(stream_table *table);

audio_stream *streams_find(const stream_table *table, const stream_key *key);

/* The stream that spoke last, where this frame names it in the same bytes as the frame before; or NULL. */
static inline audio_stream *streams_same_as_last(const stream_table *table, const wire_frame *frame,
                                                 const stream_fields *fields);

/* A new stream at offset 0, as the one that spoke last. NULL: no memory, and the table is as it was. */
audio_stream *streams_add(stream_table *table, const stream_key *key);

/* A delta of `stream` has given so many samples. `taken`: bytes of its carry that the delta began with; a carry that was
 * not taken is counted as lost. `rest`: the byte that the delta left over. */
void streams_advance(stream_table *table, audio_stream *stream, size_t samples, unsigned taken, uint8_t rest, unsigned rest_count);
/* Remembers how the frame named the stream that has just been moved on. */
void streams_remember_spelling(stream_table *table, const wire_frame *frame, const stream_fields *fields);

void streams_close(stream_table *table, audio_stream *stream);
/* The next output stream of a response, from `after` on (NULL: from the one that has not spoken for longest on); or NULL. */
audio_stream *streams_next_of_response(const stream_table *table, const stream_key *response, const audio_stream *after);

/* ---- inline: what each delta asks ---------------------------------------------------------------------------- */

#include "bytes.h"

static inline bool stream_same_id(const stream_spelling *last, const wire_frame *frame, unsigned which, unsigned field) {
    if (field == 0) return last->kinds[which] == WIRE_ABSENT;
    const wire_value *value = &frame->values[field];
    if (value->kind != last->kinds[which]) return false;
    /* The span of an absent or null value says nothing. */
    if (value->kind <= WIRE_NULL) return true;
    size_t length = value->end - value->start;
    return length == last->lengths[which] && wire_same(last->bytes[which], frame->data + value->start, length);
}

static inline audio_stream *streams_same_as_last(const stream_table *table, const wire_frame *frame,
                                                 const stream_fields *fields) {
    const stream_spelling *last = &table->last;
    return last->speaker == fields->speaker && stream_same_id(last, frame, 1, fields->item_id) &&
                   stream_same_id(last, frame, 0, fields->response_id) && stream_same_id(last, frame, 2, fields->content_index)
               ? table->newest
               : NULL;
}

#endif
