/* The table of audio streams: a list in the order in which they last spoke, because the newest
 * nearly always speaks next. */
#include "streams.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- Keys ------------------------------------------------------------------------------------ */

/* FNV-1a, 64 bits. */
static uint64_t hash_of(const uint8_t *bytes, size_t length, uint64_t start) {
    uint64_t hash = start;
    for (size_t i = 0; i < length; i++) hash = (hash ^ bytes[i]) * UINT64_C(0x100000001B3);
    return hash;
}

uint64_t stream_hash(const uint8_t *bytes, size_t length) {
    return hash_of(bytes, length, UINT64_C(0xCBF29CE484222325));
}

uint64_t stream_other_hash(const uint8_t *bytes, size_t length) {
    return hash_of(bytes, length, UINT64_C(0x84222325CBF29CE4));
}

/* The hash of a key, eight bytes at a time. It only rules out other keys. */
static uint64_t hash_of_key(const uint8_t *bytes, size_t length) {
    uint64_t hash = length;
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        hash = (hash ^ wire_load64(bytes + i)) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 32;
    }
    return hash_of(bytes + i, length - i, hash);
}

static void put_byte(stream_key *key, uint8_t byte) {
    key->bytes[key->length++] = byte;
}

static void put_bytes(stream_key *key, const void *bytes, size_t length) {
    memcpy(key->bytes + key->length, bytes, length);
    key->length = (uint16_t)(key->length + length);
}

/* Appends an id to the key, in at most 3 + STREAM_ID_MAX bytes: its kind, its length in two bytes,
 * and its own bytes. */
static void put_id(stream_key *key, const uint8_t *data, const wire_value *value) {
    if (value->kind == WIRE_TRUE || value->kind == WIRE_FALSE) {
        put_byte(key, value->kind == WIRE_TRUE ? STREAM_YES : STREAM_NO);
        return;
    }
    const bool spelled =
        value->kind == WIRE_STRING || value->kind == WIRE_INTEGER || value->kind == WIRE_REAL;
    if (!spelled || value->end == value->start) {
        put_byte(key, STREAM_NO_ID);
        return;
    }
    const uint8_t *bytes = data + value->start;
    size_t length = value->end - value->start;
    bool is_long = length > STREAM_ID_MAX;
    uint8_t plain[STREAM_ID_MAX];
    if (value->kind == WIRE_STRING && value->escaped) {
        size_t written = wire_text_utf8(data, value, plain, sizeof plain);
        is_long = written == 0 && length > 0;
        if (!is_long) {
            bytes = plain;
            length = written;
        }
    }
    if (is_long) {
        uint64_t facts[3] = {length, stream_hash(bytes, length), stream_other_hash(bytes, length)};
        put_byte(key, STREAM_LONG);
        put_bytes(key, facts, sizeof facts);
        return;
    }
    const uint16_t short_length = (uint16_t)length;
    put_byte(key, value->kind == WIRE_STRING ? STREAM_TEXT : STREAM_NUMBER);
    put_bytes(key, &short_length, sizeof short_length);
    put_bytes(key, bytes, length);
}

static const wire_value *value_of(const wire_frame *frame, unsigned field) {
    static const wire_value absent = {0, 0, WIRE_ABSENT, false, false};
    return field ? &frame->values[field] : &absent;
}

/* Appends a content_index: a whole number in its plain spelling, anything else as an id. */
static void put_index(stream_key *key, const uint8_t *data, const wire_value *value) {
    int64_t number;
    if (!wire_whole_number(data, value, &number)) {
        put_id(key, data, value);
        return;
    }
    char text[24];
    const int length = snprintf(text, sizeof text, "%" PRId64, number);
    const wire_value plain = {0, (size_t)length, WIRE_INTEGER, false, false};
    put_id(key, (const uint8_t *)text, &plain);
}

void stream_key_of_response(stream_key *key, const uint8_t *data, const wire_value *response_id) {
    key->length = 0;
    put_byte(key, STREAM_OUTPUT);
    put_id(key, data, response_id);
    key->response_length = key->item_length = key->length;
    key->hash = 0;
}

void stream_key_of_frame(stream_key *key, const wire_frame *frame, const stream_fields *fields) {
    key->length = 0;
    put_byte(key, fields->speaker);
    put_id(key, frame->data, value_of(frame, fields->response_id));
    key->response_length = key->length;
    put_id(key, frame->data, value_of(frame, fields->item_id));
    key->item_length = key->length;
    key->hash = hash_of_key(key->bytes, key->length);
    put_index(key, frame->data, value_of(frame, fields->content_index));
}

/* ---- The list -------------------------------------------------------------------------------- */

void streams_init(stream_table *table, void *(*allocate)(size_t), void (*release)(void *)) {
    memset(table, 0, sizeof *table);
    table->allocate = allocate;
    table->release = release;
    table->generation = 1;
}

static void link_newest(stream_table *table, audio_stream *stream) {
    stream->newer = NULL;
    stream->older = table->newest;
    if (table->newest)
        table->newest->newer = stream;
    else
        table->oldest = stream;
    table->newest = stream;
}

static void unlink_stream(stream_table *table, audio_stream *stream) {
    if (stream->newer)
        stream->newer->older = stream->older;
    else
        table->newest = stream->older;
    if (stream->older)
        stream->older->newer = stream->newer;
    else
        table->oldest = stream->newer;
}

void streams_close(stream_table *table, audio_stream *stream) {
    unlink_stream(table, stream);
    table->carries -= stream->carry_count;
    table->count--;
    if (stream == &table->inner)
        table->has_inner = false;
    else
        table->release(stream);
}

void streams_clear(stream_table *table) {
    table->evicted_bytes += table->carries;
    while (table->newest) streams_close(table, table->newest);
}

void streams_move(stream_table *to, stream_table *from) {
    *to = *from;
    if (to->has_inner) {
        audio_stream *inner = &to->inner;
        inner->key = to->inner_key;
        *(inner->newer ? &inner->newer->older : &to->newest) = inner;
        *(inner->older ? &inner->older->newer : &to->oldest) = inner;
    }
    streams_init(from, to->allocate, to->release);
}

void streams_done(stream_table *table, audio_stream *stream) {
    if (stream->key[stream->response_length] == STREAM_NO_ID) {
        streams_close(table, stream);
        return;
    }
    table->carries -= stream->carry_count;
    stream->carry_count = 0;
    stream->done = true;
}

audio_stream *streams_find(const stream_table *table, const stream_key *key) {
    const size_t index_length = key->length - key->item_length;
    audio_stream *last = NULL; /* the stream of the item that spoke last */
    for (audio_stream *stream = table->newest; stream; stream = stream->older) {
        if (stream->hash != key->hash || stream->item_length != key->item_length ||
            memcmp(stream->key, key->bytes, key->item_length) != 0) {
            continue;
        }
        if (stream->key_length == key->length &&
            memcmp(stream->key + key->item_length, key->bytes + key->item_length, index_length) ==
                0) {
            return stream;
        }
        if (last == NULL) last = stream;
    }
    return last == NULL || last->done ? NULL : last;
}

audio_stream *streams_reserve(stream_table *table, const stream_key *key) {
    if (!table->has_inner && key->length <= STREAM_KEY_ROOM) return &table->inner;
    return table->allocate(sizeof(audio_stream) + key->length);
}

void streams_unreserve(stream_table *table, audio_stream *stream) {
    if (stream != &table->inner) table->release(stream);
}

void streams_begin(stream_table *table, audio_stream *stream, const stream_key *key) {
    const bool inside = stream == &table->inner;
    uint8_t *bytes = inside ? table->inner_key : (uint8_t *)(stream + 1);
    memset(stream, 0, sizeof *stream);
    stream->hash = key->hash;
    stream->key = bytes;
    stream->key_length = key->length;
    stream->response_length = key->response_length;
    stream->item_length = key->item_length;
    memcpy(bytes, key->bytes, key->length);
    if (table->count == STREAMS_MAX) {
        table->evicted_bytes += table->oldest->carry_count;
        streams_close(table, table->oldest);
    }
    table->has_inner |= inside;
    link_newest(table, stream);
    table->count++;
}

void streams_advance(stream_table *table, audio_stream *stream, size_t samples, unsigned taken,
                     const uint8_t *next_carry, unsigned next_carry_count) {
    if (stream != table->newest) {
        unlink_stream(table, stream);
        link_newest(table, stream);
    }
    stream->offset += (int64_t)samples;
    stream->done = false;
    /* Hardly any sample is split: usually only the offset is written. */
    if (stream->carry_count == 0 && next_carry_count == 0) return;
    table->evicted_bytes += stream->carry_count - taken;
    table->carries += next_carry_count;
    table->carries -= stream->carry_count;
    memcpy(stream->carry, next_carry, next_carry_count);
    stream->carry_count = (uint8_t)next_carry_count;
}

audio_stream *streams_next_of_response(const stream_table *table, const stream_key *response,
                                       const audio_stream *after) {
    audio_stream *stream = after ? after->newer : table->oldest;
    for (; stream; stream = stream->newer) {
        if (stream->response_length == response->length &&
            memcmp(stream->key, response->bytes, response->length) == 0)
            break;
    }
    return stream;
}
