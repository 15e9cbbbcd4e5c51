/* The position of each audio stream of one connection, without Python.
 *
 * A stream is the audio that one speaker sends for one content part of an item. The table keeps a
 * few bytes of each: the index of its next sample, its carry (the bytes of a sample whose other
 * bytes have not come yet), and the format of its next delta. The table holds STREAMS_MAX streams:
 * when one more begins, the stream that has not spoken for longest is forgotten, and its carry is
 * counted as lost.
 *
 * Servers differ in how they number content, and in when they say that audio is done:
 * - A delta belongs to the stream with its response_id, item_id and content_index. An id that is
 *   absent, null or empty is none.
 * - If there is no such stream, but the stream of that item that spoke last is not done, the delta
 *   belongs to that one: some servers count the chunks of an item with content_index.
 * - Otherwise a stream begins.
 * - After its done, a stream of an item stays: some servers send a done after each sentence, or
 *   audio after the done. It ends with its response. Without an item_id nothing tells later audio
 *   from new audio, so the done ends the stream.
 *
 * Nothing here locks: the caller makes sure that one thread at a time uses a table.
 */
#ifndef REALTIME_PCM_STREAMS_H
#define REALTIME_PCM_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire.h"

#define STREAMS_MAX 1024
/* Bytes of an id that are kept as they are. Of a longer id, which may have megabytes, the length
 * and two hashes are kept. */
#define STREAM_ID_MAX 256
/* Bytes of a key: the speaker, and three ids, each with its kind and length. */
#define STREAM_KEY_MAX (1 + 3 * (3 + STREAM_ID_MAX))

/* Who speaks in a stream. Streams of different speakers are kept apart, because many have no
 * ids. */
typedef enum stream_speaker {
    STREAM_OUTPUT = 0, /* the server's answer */
    STREAM_HEARD,      /* the user's speech, as the server sends it back (GPT-Live) */
    STREAM_INPUT,      /* the user's speech, as the client sends it */
    STREAM_PLAYED,     /* other audio that the client sends */
} stream_speaker;

/* How a message names its stream: the numbers of the fields that hold the ids (0: it has no such
 * field), and who speaks. */
typedef struct stream_fields {
    uint8_t response_id, item_id, content_index, speaker;
} stream_fields;

/* The ids of a stream in one spelling, whatever escapes the frame had. An id of more than
 * STREAM_ID_MAX bytes goes in as it is spelled: two spellings of it name two streams. A
 * content_index that is a whole number goes in as that number, whether the frame has 1, 1.0 or
 * "1". */
typedef struct stream_key {
    uint64_t hash; /* of the item: of the first item_length bytes */
    uint16_t length;
    uint16_t response_length; /* of the speaker and the response_id, which come first */
    uint16_t item_length;     /* of these and the item_id */
    uint8_t bytes[STREAM_KEY_MAX];
} stream_key;

/* Two hashes of the bytes of an id. */
uint64_t stream_hash(const uint8_t *bytes, size_t length);
uint64_t stream_other_hash(const uint8_t *bytes, size_t length);

void stream_key_of_frame(stream_key *key, const wire_frame *frame, const stream_fields *fields);
/* Makes the start of the key, which all output streams of one response share. `response_id`: any
 * value; ABSENT if there is none. */
void stream_key_of_response(stream_key *key, const uint8_t *data, const wire_value *response_id);

typedef struct audio_stream {
    int64_t offset;                    /* index of the next sample */
    const struct audio_format *format; /* of the next delta, while `generation` is the table's */
    const uint8_t *key;
    uint32_t generation;
    uint16_t key_length, response_length, item_length;
    uint8_t carry[WIRE_CARRY_MAX], carry_count;
    bool done; /* its done has come, and no audio since */
    uint64_t hash;
    struct audio_stream *older, *newer; /* by when they spoke last */
} audio_stream;

/* Bytes for the key of the stream inside the table: enough for three ids as the known providers
 * make them. */
#define STREAM_KEY_ROOM 104

/* Most connections have one stream at a time. So one stream is inside the table, and what a delta
 * reads comes first, together: a server has thousands of tables, and finds none of them in its
 * caches. */
typedef struct stream_table {
    size_t carries; /* bytes of all carries */
    audio_stream *newest;
    uint32_t generation; /* of formats: the caller adds 1 whenever one may have changed */
    bool has_inner;      /* whether `inner` is in use */
    audio_stream inner;
    uint8_t inner_key[STREAM_KEY_ROOM];
    audio_stream *oldest;
    size_t count;
    uint64_t evicted_bytes; /* bytes of carries that were lost */
    void *(*allocate)(size_t);
    void (*release)(void *);
} stream_table;

void streams_init(stream_table *table, void *(*allocate)(size_t), void (*release)(void *));
/* Forgets all streams, and counts their carries as lost. */
void streams_clear(stream_table *table);

/* Moves all that `from` holds to `to`, which holds nothing. `from` is then as after
 * streams_init. */
void streams_move(stream_table *to, stream_table *from);

/* The stream to which a frame with this key belongs, by the rules above; NULL: a new one begins. */
audio_stream *streams_find(const stream_table *table, const stream_key *key);

/* The stream that spoke last, if this frame has its key, without escapes and with short ids; else
 * NULL, and streams_find may still find it. */
static inline audio_stream *continues_last_stream(const stream_table *table,
                                                  const wire_frame *frame,
                                                  const stream_fields *fields);

/* Takes memory for a stream with this key; call streams_begin or streams_unreserve with it next.
 * NULL: no memory. The table stays as it is. */
audio_stream *streams_reserve(stream_table *table, const stream_key *key);
void streams_unreserve(stream_table *table, audio_stream *stream);
/* Begins the stream at offset 0. It becomes the one that spoke last. */
void streams_begin(stream_table *table, audio_stream *stream, const stream_key *key);

/* Advances a stream by a delta of `samples` samples. `taken`: how many bytes of the carry they
 * began with; the others are counted as lost. next_carry: the bytes of the delta's incomplete last
 * sample. */
void streams_advance(stream_table *table, audio_stream *stream, size_t samples, unsigned taken,
                     const uint8_t *next_carry, unsigned next_carry_count);

/* The done of a stream: the stream of an item keeps its place, any other is removed. Its carry is
 * not counted: the caller has handed it on, or counts it. */
void streams_done(stream_table *table, audio_stream *stream);
/* Removes a stream. Its carry is not counted, as for streams_done. */
void streams_close(stream_table *table, audio_stream *stream);
/* The output stream of this response that comes after `after`, in the order in which they spoke
 * last; NULL after the last one. With `after` NULL: the first of them. */
audio_stream *streams_next_of_response(const stream_table *table, const stream_key *response,
                                       const audio_stream *after);

/* ---- Inline, because each delta calls it ----------------------------------------------------- */

#include "bytes.h"

/* The kinds of ids in a key. A key is the speaker in one byte, then three ids. An empty string is
 * no id. */
enum {
    STREAM_NO_ID = 'n',
    STREAM_TEXT = 's',
    STREAM_NUMBER = 'd',
    STREAM_YES = 't',
    STREAM_NO = 'f',
    STREAM_LONG = 'l'
};

/* key: the place of an id in a key. Returns the byte after that id if `field` of the frame has the
 * same id, else NULL. */
static inline const uint8_t *stream_pass_id(const uint8_t *key, const wire_frame *frame,
                                            unsigned field) {
    const wire_value *value = &frame->values[field];
    if (field == 0 || (unsigned)value->kind - WIRE_INTEGER > WIRE_STRING - WIRE_INTEGER) {
        const uint8_t kind = field == 0                  ? STREAM_NO_ID
                             : value->kind == WIRE_TRUE  ? STREAM_YES
                             : value->kind == WIRE_FALSE ? STREAM_NO
                                                         : STREAM_NO_ID;
        return *key == kind ? key + 1 : NULL;
    }
    const size_t length = value->end - value->start;
    if (length == 0) return *key == STREAM_NO_ID ? key + 1 : NULL;
    const uint8_t kind = value->kind == WIRE_STRING ? STREAM_TEXT : STREAM_NUMBER;
    if (*key != kind || wire_load16(key + 1) != length || value->escaped) return NULL;
    return wire_same(key + 3, frame->data + value->start, length) ? key + 3 + length : NULL;
}

static inline audio_stream *continues_last_stream(const stream_table *table,
                                                  const wire_frame *frame,
                                                  const stream_fields *fields) {
    audio_stream *stream = table->newest;
    if (stream == NULL) return NULL;
    const uint8_t *key = stream->key;
    if (*key++ != fields->speaker) return NULL;
    if ((key = stream_pass_id(key, frame, fields->response_id)) == NULL) return NULL;
    if ((key = stream_pass_id(key, frame, fields->item_id)) == NULL) return NULL;
    return stream_pass_id(key, frame, fields->content_index) == NULL ? NULL : stream;
}

#endif
