/* Fields at a path, and the ways in which frames of other sockets say their type: on every tier, then with every byte changed and cut
 * everywhere. All tiers find the same, inside the frame. */
#include "harness.h"
#include "wire.h"

#include <string.h>

enum { ROOT_FIELD = 1, TURN, TYPE, DATA, FIELDS };

static wire_layout deep_layout, bare_layout;
static wire_type deep_type, bare_type, unknown_type;
static const wire_type *slots[4][8];
static wire_catalogue catalogues[4]; /* a tag, keys, keys in an object, one type */

/* content.turn, content.parts[].type, content.parts[].data */
static wire_node nodes[] = {
    {.child = 1},    {.field = ROOT_FIELD, .child = 2}, {.field = TURN, .next = 3},
    {.child = 4},    {.element = true, .child = 5},     {.field = TYPE, .next = 6},
    {.field = DATA},
};
static const char *const KEYS[] = {NULL, "content", "turn", "parts", NULL, "type", "data"};

static void make_catalogues(void) {
    wire_layout_init(&deep_layout);
    wire_layout_init(&bare_layout);
    CHECK(wire_layout_add(&deep_layout, "event_id", 8) == 0 &&
              wire_layout_add(&bare_layout, "event_id", 8) == 0,
          "event_id");
    CHECK(wire_layout_add(&deep_layout, "content", 7) == ROOT_FIELD, "content");
    for (uint32_t i = TURN; i < FIELDS; i++)
        CHECK(wire_layout_add_at_path(&deep_layout) == i, "%u", i);
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++)
        wire_pattern_init(&nodes[i].key, KEYS[i], KEYS[i] ? strlen(KEYS[i]) : 0);
    deep_layout.nodes = nodes;
    deep_layout.roots = deep_layout.hidden = 1u << ROOT_FIELD;
    deep_layout.uniform = 1u << TYPE;
    deep_layout.payload_first = DATA;
    deep_layout.payload_count = 1;
    deep_type = (wire_type){
        .name = "content", .length = 7, .layout = &deep_layout, .literal = true, .rank = 1};
    bare_type = (wire_type){
        .name = "bare", .length = 4, .layout = &bare_layout, .literal = true, .rank = 2};
    unknown_type = (wire_type){.name = "", .layout = &bare_layout};
    for (int i = 0; i < 4; i++) {
        wire_catalogue *catalogue = &catalogues[i];
        *catalogue = (wire_catalogue){
            .slots = slots[i], .mask = 7, .unknown = &unknown_type, .by_key = i == 1 || i == 2};
        wire_pattern_init(&catalogue->tag, i == 0 ? "kind" : NULL, 4);
        wire_pattern_init(&catalogue->inside, i == 2 ? "event" : NULL, 5);
        wire_pattern_init(&catalogue->inner_tag, NULL, 0);
        CHECK(wire_catalogue_add(catalogue, &deep_type) &&
                  wire_catalogue_add(catalogue, &bare_type),
              "catalogue %d", i);
        if (i == 3) catalogue->other = &deep_type;
    }
}

static const char *const FRAMES[] = {
    "{\"kind\":\"content\",\"content\":{\"turn\":1,\"parts\":[{\"type\":\"a\",\"data\":\"AAAA\"},{"
    "\"data\":\"AAE=\",\"type\":"
    "\"a\"}]}}",
    "{\"content\":{\"parts\":[{\"x\":{\"data\":\"no\"},\"data\":null},7,[],\"data\",{\"data\":"
    "\"AAAA\",\"data\":\"AQ==\"}],"
    "\"turn\":[{}]},\"kind\":\"content\"}",
    "{ \"kind\" : \"bare\" , \"event\" : { \"con\\u0074ent\" : {} , \"x\" : [ \"}\" ] } , \"bare\" "
    ": 1 }",
    "{\"event\":{\"bare\":{}},\"content\":{\"parts\":[{\"type\":\"a\",\"data\":\"AAAA\"},{\"type\":"
    "\"b\",\"data\":\"AAAA\"}],"
    "\"parts\":[{}]},\"content\":[]}",
    "{\"kind\":7,\"content\":{\"parts\":{\"data\":\"AAAA\"}},\"event\":{\"content\":1},\"event\":[{"
    "\"bare\":1}]}",
    "{\"content\":{\"turn\":2,\"parts\":[{\"x\":[{}]},{\"type\":\"a\",\"data\":\"AAECAwQF\",\"y\":{"
    "}},8],"
    "\"z\":\"end\"},\"kind\":\"content\"}",
};

/* Walks a frame; if a likely type is given, with a sink for its payload. Returns the memory of the
 * sink, or NULL. */
static uint8_t *walk(const wire_tier *tier, const wire_catalogue *catalogue,
                     const wire_type *likely, wire_frame *f, const uint8_t *data, size_t length,
                     wire_status *status) {
    memset(f, 0xA5, sizeof *f);
    wire_frame_init(f, data, length, catalogue, false);
    f->likely = likely;
    *status = tier->walk(f);
    if (*status != WIRE_NEED_SINK) return NULL;
    uint8_t *out = exactly(f->payload_bytes);
    f->sink = (wire_sink){.out = likely ? out : NULL, .conversion = WIRE_COPY};
    *status = tier->walk(f);
    return out;
}

/* The payload is what its span decodes to. */
static void check_payload(const wire_tier *tier, const wire_frame *f, const uint8_t *out) {
    size_t position;
    wire_sink sink = {.out = exactly(f->payload_bytes), .conversion = WIRE_COPY};
    CHECK(wire_payload_decode(tier, f->data, &f->values[f->payload_field], &sink, &position) ==
                  WIRE_OK &&
              memcmp(sink.out, out, f->payload_bytes) == 0,
          "%.*s: payload", (int)f->length, (const char *)f->data);
    free(sink.out);
}

/* Walks a copy that is exactly as long as the frame, and compares with the scalar tier, which does
 * not stop at the payload. */
static void compare(const wire_tier *tier, const wire_catalogue *catalogue, const wire_type *likely,
                    const uint8_t *frame, size_t length) {
    uint8_t *data = exactly(length ? length : 1);
    memcpy(data, frame, length);
    wire_frame f, other;
    wire_status status, expected;
    uint8_t *out = walk(tier, catalogue, likely, &f, data, length, &status);
    memset(&other, 0xA5, sizeof other);
    wire_frame_init(&other, data, length, catalogue, true);
    expected = wire_choose_tier("scalar")->walk(&other);
    CHECK(status == expected, "%.*s: %s, not %s", (int)length, frame, wire_reason(status),
          wire_reason(expected));
    if (status != WIRE_OK) {
        CHECK(f.position == other.position, "%.*s: position", (int)length, frame);
    } else {
        if (f.payload == WIRE_PAYLOAD_DONE) {
            check_payload(tier, &f, out);
            f.payload = WIRE_PAYLOAD_SPAN;
        }
        CHECK(f.type == other.type && f.payload == other.payload && f.present == other.present,
              "%.*s: found", (int)length, frame);
        CHECK(!(f.present & f.type->layout->hidden), "%.*s: hidden", (int)length, frame);
        for (uint32_t i = 0; i < f.type->layout->field_count; i++) {
            const wire_value *a = &f.values[i], *b = &other.values[i];
            CHECK(a->kind == b->kind, "%.*s: kind of %u", (int)length, frame, i);
            if (a->kind <= WIRE_NULL) continue;
            CHECK(a->start == b->start && a->end == b->end && a->start <= a->end &&
                      a->end <= length,
                  "%.*s: %u", (int)length, frame, i);
        }
        if (f.payload == WIRE_PAYLOAD_PARTS || f.payload == WIRE_PAYLOAD_MIXED) {
            wire_value *parts = exactly(f.part_count * sizeof *parts), first;
            CHECK(tier->parts(&f, parts, f.part_count) == f.part_count, "%.*s: parts", (int)length,
                  frame);
            CHECK(tier->parts(&f, &first, 1) == f.part_count && first.start == parts[0].start,
                  "%.*s: first", (int)length, frame);
            CHECK(parts[0].start == f.values[DATA].start, "%.*s: first part", (int)length, frame);
            for (size_t i = 0; i < f.part_count; i++)
                CHECK(parts[i].end <= length, "%.*s: part", (int)length, frame);
            free(parts);
        }
    }
    free(out);
    free(data);
}

static void test_found(const wire_tier *tier) {
    wire_frame f;
    wire_status status;
    const uint8_t *data = (const uint8_t *)FRAMES[0];
    free(walk(tier, &catalogues[0], NULL, &f, data, strlen(FRAMES[0]), &status));
    CHECK(status == WIRE_OK && f.type == &deep_type, "the tag");
    CHECK(f.payload == WIRE_PAYLOAD_PARTS && f.part_count == 2 &&
              f.values[TURN].kind == WIRE_INTEGER,
          "the paths");
    data = (const uint8_t *)FRAMES[5];
    uint8_t *out = walk(tier, &catalogues[0], &deep_type, &f, data, strlen(FRAMES[5]), &status);
    CHECK(status == WIRE_OK && f.payload == WIRE_PAYLOAD_DONE && f.payload_bytes == 6 &&
              memcmp(out, "\0\1\2\3\4\5", 6) == 0,
          "decoded during the walk");
    free(out);
    data = (const uint8_t *)FRAMES[1];
    free(walk(tier, &catalogues[1], NULL, &f, data, strlen(FRAMES[1]), &status));
    CHECK(status == WIRE_OK && f.type == &deep_type && f.payload == WIRE_PAYLOAD_SPAN, "a key");
    CHECK(memcmp(data + f.values[DATA].start, "AQ==", 4) == 0 && f.values[TURN].kind == WIRE_ARRAY,
          "the last of duplicates");
    data = (const uint8_t *)FRAMES[2];
    free(walk(tier, &catalogues[2], NULL, &f, data, strlen(FRAMES[2]), &status));
    CHECK(status == WIRE_OK && f.type == &deep_type && f.payload == WIRE_PAYLOAD_NONE,
          "a key in an object");
    free(walk(tier, &catalogues[0], &deep_type, &f, data, strlen(FRAMES[2]), &status));
    CHECK(status == WIRE_OK && f.type == &bare_type, "another type than the likely one");
    data = (const uint8_t *)FRAMES[4];
    free(walk(tier, &catalogues[0], NULL, &f, data, strlen(FRAMES[4]), &status));
    CHECK(status == WIRE_OK && f.type == &unknown_type, "a tag that is no string");
    free(walk(tier, &catalogues[3], NULL, &f, data, strlen(FRAMES[4]), &status));
    CHECK(status == WIRE_OK && f.type == &deep_type && f.payload == WIRE_PAYLOAD_NONE, "one type");
}

int main(int argc, char **argv) {
    const int step = argc > 1 ? atoi(argv[1]) : 7; /* 1: every value of every byte */
    make_catalogues();
    for (const wire_tier *const *tier = tiers_here(); *tier; tier++) {
        test_found(*tier);
        for (size_t i = 0; i < sizeof FRAMES / sizeof FRAMES[0]; i++) {
            const size_t length = strlen(FRAMES[i]);
            uint8_t frame[512];
            for (int c = 0; c < 4; c++) {
                for (size_t cut = 0; cut <= length; cut++)
                    compare(*tier, &catalogues[c], &deep_type, (const uint8_t *)FRAMES[i], cut);
                for (size_t at = 0; at < length; at++) {
                    for (int byte = (int)(at % (size_t)step); byte < 256; byte += step) {
                        memcpy(frame, FRAMES[i], length);
                        frame[at] = (uint8_t)byte;
                        compare(*tier, &catalogues[c], byte & 1 ? &deep_type : NULL, frame, length);
                    }
                }
            }
        }
    }
    return 0;
}
