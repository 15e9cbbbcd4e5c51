/* The table of audio streams: keys whatever the spelling, bounds, evictions, and what is counted. */
#include "harness.h"
#include "streams.h"

#include <string.h>

static size_t blocks, refused_after = SIZE_MAX;

static void *allocate(size_t size) {
    if (refused_after == 0) return NULL;
    if (refused_after != SIZE_MAX) refused_after--;
    blocks++;
    return exactly(size);
}

static void release(void *block) {
    blocks--;
    free(block);
}

static audio_stream *add(stream_table *table, const stream_key *key) {
    audio_stream *stream = streams_reserve(table, key);
    if (stream != NULL) streams_begin(table, stream, key);
    return stream;
}

static const stream_fields FIELDS = {1, 2, 3, STREAM_OUTPUT}, INPUT = {1, 2, 3, STREAM_INPUT};

/* A frame in which the three ids stand, each as JSON. Exactly as long as its text, so that a read beyond it shows. */
typedef struct named {
    wire_frame frame;
    uint8_t *data;
} named;

static named name(const char *response_id, const char *item_id, const char *content_index) {
    named n;
    const char *parts[3] = {response_id, item_id, content_index};
    size_t length = 0;
    for (int i = 0; i < 3; i++) length += parts[i] ? strlen(parts[i]) : 0;
    memset(&n.frame, 0xA5, sizeof n.frame);
    n.data = exactly(length ? length : 1);
    n.frame.data = n.data;
    n.frame.length = length;
    size_t at = 0;
    for (int i = 0; i < 3; i++) {
        wire_value *value = &n.frame.values[i + 1];
        memset(value, 0, sizeof *value);
        value->kind = WIRE_ABSENT;
        if (parts[i] == NULL) continue;
        size_t size = strlen(parts[i]);
        memcpy(n.data + at, parts[i], size);
        bool text = parts[i][0] == '"';
        value->kind = text                 ? WIRE_STRING
                      : parts[i][0] == 'n' ? WIRE_NULL
                      : parts[i][0] == 't' ? WIRE_TRUE
                      : parts[i][0] == '{' ? WIRE_OBJECT
                                           : WIRE_INTEGER;
        value->start = at + text;
        value->end = at + size - text;
        value->escaped = text && strchr(parts[i], '\\') != NULL;
        at += size;
    }
    return n;
}

static stream_key key_of(const char *response_id, const char *item_id, const char *content_index,
                         bool input) {
    named n = name(response_id, item_id, content_index);
    stream_key key;
    stream_key_of_frame(&key, &n.frame, input ? &INPUT : &FIELDS);
    free(n.data);
    return key;
}

static bool same_key(stream_key a, stream_key b) {
    return a.hash == b.hash && a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0;
}

static void test_keys(void) {
    stream_key plain = key_of("\"resp/1\"", "\"item\"", "0", false);
    CHECK(same_key(plain, key_of("\"resp\\/1\"", "\"\\u0069tem\"", "0", false)),
          "an escape is another spelling");
    CHECK(!same_key(plain, key_of("\"resp/1\"", "\"item\"", "0", true)),
          "input is a stream of its own");
    CHECK(!same_key(key_of("1", NULL, NULL, false), key_of("\"1\"", NULL, NULL, false)),
          "a number is no string");
    const char *zeros[] = {"0", "0.0", "-0", "0e5", "\"0\"", "\"0.0\""};
    for (size_t i = 0; i < sizeof zeros / sizeof zeros[0]; i++) {
        CHECK(same_key(plain, key_of("\"resp/1\"", "\"item\"", zeros[i], false)),
              "a content_index is a number: %s", zeros[i]);
    }
    CHECK(!same_key(plain, key_of("\"resp/1\"", "\"item\"", "0.5", false)), "0.5 is another one");
    CHECK(!same_key(plain, key_of("\"resp/1\"", "\"item\"", "t", false)), "nor is a bool");
    CHECK(!same_key(key_of("\"a\"", "\"bc\"", NULL, false), key_of("\"ab\"", "\"c\"", NULL, false)),
          "ids do not run together");
    CHECK(same_key(key_of("null", "{}", "\"\"", false), key_of(NULL, "\"\"", "null", false)),
          "null, absent, empty and a container are no id");

    char longer[3 * STREAM_ID_MAX] = "\"", other[3 * STREAM_ID_MAX];
    for (size_t length = STREAM_ID_MAX - 2; length < 2 * STREAM_ID_MAX; length++) {
        memset(longer + 1, 'x', length);
        memcpy(longer + 1 + length, "\"", 2);
        memcpy(other, longer, sizeof other);
        stream_key one = key_of(longer, longer, longer, false);
        CHECK(one.length <= STREAM_KEY_MAX, "%zu", length);
        CHECK(same_key(one, key_of(other, other, other, false)), "%zu", length);
        other[length] = 'y';
        CHECK(!same_key(one, key_of(longer, other, longer, false)), "%zu", length);
    }
}

/* A frame names the stream that spoke last where its key is that of the stream, unless an id is escaped or long. */
static void test_same_as_last(void) {
    stream_table table;
    streams_init(&table, allocate, release);
    char longest[STREAM_ID_MAX + 3] = "\"", longer[STREAM_ID_MAX + 4] = "\"";
    memset(longest + 1, 'x', STREAM_ID_MAX);
    memcpy(longest + 1 + STREAM_ID_MAX, "\"", 2);
    memset(longer + 1, 'x', STREAM_ID_MAX + 1);
    memcpy(longer + 2 + STREAM_ID_MAX, "\"", 2);
    const char *ids[][3] = {
        {"\"r\"", "\"i\"", "0"},        {"\"r\"", "\"i\"", "1"}, {"\"r\"", "\"j\"", "0"},
        {"\"s\"", "\"i\"", "0"},        {"\"\"", "\"i\"", "0"},  {"\"r\"", "\"i\"", "t"},
        {"\"r\"", "\"i\"", "10"},       {"\"r\"", NULL, "0"},    {NULL, "\"i\"", "0"},
        {"null", "\"i\"", "0"},         {"{}", "\"i\"", "0"},    {"\"r\"", "\"\\u0069\"", "0"},
        {longest, longest, "0"},        {"\"r\"", longer, "0"},  {"\"r\"", "\"0\"", "\"0\""},
        {"\"r\"", "\"\\\\u0069\"", "0"}};
    for (size_t a = 0; a < sizeof ids / sizeof ids[0]; a++) {
        named one = name(ids[a][0], ids[a][1], ids[a][2]);
        stream_key key;
        stream_key_of_frame(&key, &one.frame, &FIELDS);
        /* A stream of its own for each key, as if a done had come between them. */
        audio_stream *stream = streams_find(&table, &key);
        if (stream == NULL) stream = add(&table, &key);
        streams_advance(&table, stream, 5, 0, (const uint8_t[]){0}, 0);
        stream->done = true;
        for (size_t b = 0; b < sizeof ids / sizeof ids[0]; b++) {
            named two = name(ids[b][0], ids[b][1], ids[b][2]);
            stream_key other;
            stream_key_of_frame(&other, &two.frame, &FIELDS);
            const bool plain_index = ids[b][2] == NULL || ids[b][2][0] != '"';
            bool expected = same_key(key, other) &&
                            strchr(ids[b][1] ? ids[b][1] : "", '\\') == NULL &&
                            ids[b][1] != longer && plain_index;
            CHECK((continues_last_stream(&table, &two.frame, &FIELDS) == stream) == expected,
                  "%zu %zu", a, b);
            CHECK(continues_last_stream(&table, &two.frame, &INPUT) == NULL, "input");
            free(two.data);
        }
        free(one.data);
    }
    while (table.newest) {
        audio_stream *gone = table.newest;
        streams_close(&table, gone);
        named first = name(ids[0][0], ids[0][1], ids[0][2]);
        audio_stream *found = continues_last_stream(&table, &first.frame, &FIELDS);
        CHECK(found == NULL || found == table.newest, "what is gone is not found");
        free(first.data);
    }
    streams_clear(&table);
    CHECK(blocks == 0 && table.count == 0, "all is given back");
}

/* One stream lies in the table; it is taken again when it was closed, and a longer key does not fit there. */
static void test_inner(void) {
    stream_table table;
    streams_init(&table, allocate, release);
    char id[STREAM_ID_MAX] = "\"";
    memset(id + 1, 'x', STREAM_KEY_ROOM);
    stream_key first = key_of("\"r\"", "\"i\"", "0", false),
               second = key_of("\"r\"", "\"j\"", "0", false);
    for (size_t length = STREAM_KEY_ROOM - 8; length < STREAM_KEY_ROOM; length++) {
        memcpy(id + 1 + length, "\"", 2);
        stream_key key = key_of(NULL, id, NULL, false);
        audio_stream *stream = add(&table, &key);
        CHECK((stream == &table.inner) == (key.length <= STREAM_KEY_ROOM) &&
                  table.has_inner == (stream == &table.inner),
              "room");
        CHECK(blocks == (stream != &table.inner) && streams_find(&table, &key) == stream, "%zu",
              length);
        streams_close(&table, stream);
        CHECK(blocks == 0 && !table.has_inner && streams_find(&table, &key) == NULL, "%zu", length);
        id[1 + length] = 'x';
    }
    audio_stream *one = add(&table, &first), *two = add(&table, &second);
    CHECK(one == &table.inner && two != &table.inner && blocks == 1,
          "the second one has memory of its own");
    streams_advance(&table, two, 7, 0, (const uint8_t[]){0}, 0);
    streams_close(&table, one);
    one = add(&table, &first);
    CHECK(one == &table.inner && one->offset == 0 && two->offset == 7 && one->older == two &&
              blocks == 1,
          "it begins anew");
    streams_clear(&table);
    CHECK(blocks == 0 && !table.has_inner && table.count == 0, "all is given back");
}

static stream_key numbered(unsigned number) {
    char text[16];
    snprintf(text, sizeof text, "%u", number);
    return key_of("\"r\"", text, NULL, false);
}

/* Against a model: offsets by number, and the order in which they spoke. */
static void test_bounds(void) {
    stream_table table;
    streams_init(&table, allocate, release);
    enum { NUMBERS = STREAMS_MAX + 300 };
    static int64_t offsets[NUMBERS], spoke[NUMBERS];
    static uint8_t held[NUMBERS];
    uint64_t evicted = 0;
    int64_t now = 0;
    size_t open = 0;
    for (int step = 0; step < 200000; step++) {
        unsigned number = random_below(NUMBERS);
        stream_key key = numbered(number);
        audio_stream *stream = streams_find(&table, &key);
        CHECK((stream != NULL) == (spoke[number] != 0), "%u", number);
        CHECK(stream == NULL ||
                  (stream->offset == offsets[number] && stream->carry_count == held[number]),
              "%u", number);
        if (stream != NULL && random_below(8) == 0) {
            streams_close(&table, stream);
            open--;
            spoke[number] = offsets[number] = held[number] = 0;
            continue;
        }
        if (stream == NULL) {
            if (table.has_inner && random_below(16) == 0) {
                refused_after = 0;
                CHECK(add(&table, &key) == NULL && table.count == open, "no memory");
                refused_after = SIZE_MAX;
            }
            stream = add(&table, &key);
            if (++open > STREAMS_MAX) {
                unsigned oldest = NUMBERS;
                for (unsigned i = 0; i < NUMBERS; i++) {
                    if (spoke[i] && (oldest == NUMBERS || spoke[i] < spoke[oldest])) oldest = i;
                }
                evicted += held[oldest];
                spoke[oldest] = offsets[oldest] = held[oldest] = 0;
                open--;
            }
        }
        unsigned taken = stream->carry_count ? random_below(2) : 0;
        evicted += held[number] - taken;
        held[number] = (uint8_t)random_below(2);
        offsets[number] += number;
        spoke[number] = ++now;
        streams_advance(&table, stream, number, taken, (const uint8_t[]){0x5A}, held[number]);
        size_t carries = 0;
        if (step % 1000 == 0) {
            for (unsigned i = 0; i < NUMBERS; i++) carries += held[i];
            CHECK(table.carries == carries, "%d", step);
        }
        CHECK(table.count == open && table.evicted_bytes == evicted &&
                  blocks + table.has_inner == open,
              "%d", step);
    }
    evicted += table.carries;
    streams_clear(&table);
    CHECK(blocks == 0 && table.evicted_bytes == evicted && table.carries == 0, "cleared");
}

/* One item through deltas and dones: which stream each belongs to. */
static void test_items(void) {
    stream_table table;
    streams_init(&table, allocate, release);
    stream_key part[5];
    const char *indexes[5] = {"0", "1", "2", "3", NULL};
    for (int i = 0; i < 5; i++) part[i] = key_of("\"r\"", "\"i\"", indexes[i], false);
    audio_stream *first = add(&table, &part[0]);
    streams_advance(&table, first, 5, 0, (const uint8_t[]){0x5A}, 1);
    for (int i = 0; i < 5; i++)
        CHECK(streams_find(&table, &part[i]) == first, "an index that counts up goes on: %d", i);
    stream_key other_item = key_of("\"r\"", "\"j\"", "0", false),
               other_response = key_of("\"s\"", "\"i\"", "0", false);
    CHECK(streams_find(&table, &other_item) == NULL &&
              streams_find(&table, &other_response) == NULL,
          "only in its item");

    streams_done(&table, first);
    CHECK(table.count == 1 && table.carries == 0 && first->carry_count == 0,
          "the done takes the carry");
    CHECK(streams_find(&table, &part[0]) == first, "after the done the same index goes on");
    for (int i = 1; i < 5; i++)
        CHECK(streams_find(&table, &part[i]) == NULL, "and another one begins: %d", i);
    audio_stream *second = add(&table, &part[1]);
    streams_advance(&table, second, 7, 0, (const uint8_t[]){0}, 0);
    CHECK(streams_find(&table, &part[0]) == first && streams_find(&table, &part[3]) == second,
          "each has its place");
    streams_advance(&table, first, 1, 0, (const uint8_t[]){0}, 0);
    CHECK(first->offset == 6 && !first->done && streams_find(&table, &part[3]) == first,
          "the one that spoke last");
    streams_done(&table, first);
    CHECK(streams_find(&table, &part[3]) == NULL && streams_find(&table, &part[1]) == second,
          "is done, and the other is not");

    /* Without an item, nothing is left after the done. */
    stream_key none = key_of("\"r\"", NULL, "0", false),
               empty = key_of("\"r\"", "\"\"", "0", false);
    audio_stream *stream = add(&table, &none);
    CHECK(streams_find(&table, &empty) == stream, "an empty item is none");
    streams_done(&table, stream);
    CHECK(streams_find(&table, &none) == NULL && table.count == 2, "it is gone");
    streams_clear(&table);
    CHECK(blocks == 0 && table.evicted_bytes == 0, "all is given back");
}

static void test_responses(void) {
    stream_table table;
    streams_init(&table, allocate, release);
    const char *responses[] = {"\"a\"", "\"ab\"", NULL, "\"a\""};
    const char *items[] = {"\"1\"", "\"2\"", "\"3\"", "\"4\""};
    for (int i = 0; i < 4; i++) {
        stream_key key = key_of(responses[i], items[i], "0", false);
        streams_advance(&table, add(&table, &key), 1, 0, (const uint8_t[]){(uint8_t)i}, 1);
    }
    stream_key input = key_of("\"a\"", NULL, NULL, true);
    add(&table, &input);
    named n = name("\"a\"", NULL, NULL);
    stream_key response;
    stream_key_of_response(&response, n.frame.data, &n.frame.values[1]);
    audio_stream *first = streams_next_of_response(&table, &response, NULL);
    CHECK(first && first->carry[0] == 0, "the one that has not spoken for longest");
    audio_stream *second = streams_next_of_response(&table, &response, first);
    CHECK(second && second->carry[0] == 3, "and the other one");
    CHECK(streams_next_of_response(&table, &response, second) == NULL,
          "input is not the response's");
    free(n.data);
    streams_clear(&table);
}

int main(void) {
    test_keys();
    test_same_as_last();
    test_inner();
    test_bounds();
    test_items();
    test_responses();
    puts("streams: passed");
    return 0;
}
