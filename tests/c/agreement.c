#include "agreement.h"

#include <string.h>

#include "harness.h"

/* ---- A catalogue with a type of each make ---------------------------------------------------------- */

static wire_layout audio_layout, item_layout, session_layout, bare_layout, media_layout;
static wire_type types[7], unknown;
static const wire_type *slots[16];
static wire_catalogue catalogue = {.slots = slots, .mask = 15};

static void layout(wire_layout *l, uint32_t payload_first, uint32_t payload_count,
                   const char *const *fields) {
    wire_layout_init(l);
    for (; *fields != NULL; fields++)
        CHECK(wire_layout_add(l, *fields, strlen(*fields)) != WIRE_NO_FIELD, "layout");
    l->payload_first = payload_first;
    l->payload_count = payload_count;
}

/* Paths: media.track, or track in an object of media.parts; media.parts[].format, media.parts[].delta; meta.rate. */
static wire_node nodes[] = {
    {.child = 1},
    {.field = 1, .child = 2, .next = 8},
    {.field = 3, .next = 3},
    {.child = 4},
    {.element = true, .child = 5},
    {.field = 4, .next = 6},
    {.field = 5, .next = 7},
    {.field = 3},
    {.field = 2, .child = 9},
    {.field = 6},
};
static const char *const node_keys[] = {NULL,     "media", "track", "parts", NULL,
                                        "format", "delta", "track", "meta",  "rate"};

static void make_paths(void) {
    layout(&media_layout, 5, 1, (const char *const[]){"event_id", "media", "meta", NULL});
    for (uint32_t i = 3; i < 7; i++)
        CHECK(wire_layout_add_at_path(&media_layout) == i, "a field at a path");
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++)
        wire_pattern_init(&nodes[i].key, node_keys[i], node_keys[i] ? strlen(node_keys[i]) : 0);
    media_layout.nodes = nodes;
    media_layout.roots = 1u << 1 | 1u << 2;
    media_layout.hidden = 1u << 1;
    media_layout.uniform = 1u << 4;
}

static void make_catalogue(void) {
    make_paths();
    layout(&audio_layout, 5, 2,
           (const char *const[]){"event_id", "response_id", "item_id", "output_index",
                                 "content_index", "delta", "audio", "format", "sample_rate",
                                 "obfuscation", NULL});
    layout(&item_layout, 0, 0, (const char *const[]){"event_id", "previous_item_id", "item", NULL});
    layout(&session_layout, 0, 0, (const char *const[]){"event_id", "session", NULL});
    layout(&bare_layout, 0, 0, (const char *const[]){"event_id", NULL});
    item_layout.outlined = 2;
    session_layout.outlined = 1;
    types[0] = (wire_type){.name = "response.output_audio.delta",
                           .length = 27,
                           .layout = &audio_layout,
                           .literal = true};
    types[1] = (wire_type){
        .name = "response.audio.delta", .length = 20, .layout = &audio_layout, .literal = true};
    types[2] = (wire_type){
        .name = "conversation.item.added", .length = 23, .layout = &item_layout, .literal = true};
    types[3] = (wire_type){
        .name = "session.created", .length = 15, .layout = &session_layout, .literal = true};
    types[4] = (wire_type){.name = "error", .length = 5, .layout = &bare_layout, .literal = true};
    types[5] = (wire_type){.name = "pcm", .length = 3, .layout = &audio_layout, .literal = true};
    types[6] = (wire_type){.name = "media", .length = 5, .layout = &media_layout, .literal = true};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        CHECK(wire_catalogue_add(&catalogue, &types[i]), "catalogue");
    unknown = (wire_type){.name = "", .length = 0, .layout = &bare_layout, .literal = false};
    catalogue.unknown = &unknown;
    wire_pattern_init(&catalogue.tag, "type", 4);
    catalogue.strict = true;
}

/* ---- One tier -------------------------------------------------------------------------------------- */

#define IMPOSSIBLE(what) \
    do { \
        fprintf(stderr, "%s: %s\n", tier->name, what); \
        abort(); \
    } while (0)

typedef struct result {
    wire_frame frame;
    wire_status status;
    bool asked;
    void *out; /* what the sink was given, exactly as much as it needs */
    size_t out_bytes;
} result;

static size_t sample_width(wire_conversion conversion) {
    switch (conversion) {
    case WIRE_COPY: return 1;
    case WIRE_PCM16_TO_INT16:
    case WIRE_ULAW_TO_INT16:
    case WIRE_ALAW_TO_INT16:
    case WIRE_FLOAT32_TO_INT16: return 2;
    default: return 4;
    }
}

static void make_sink(wire_sink *sink, wire_conversion conversion, unsigned carry_count,
                      size_t payload_bytes, void **out, size_t *out_bytes) {
    sink->conversion = conversion;
    memset(sink->carry, 0x5A, sizeof sink->carry);
    sink->carry_count = (uint8_t)carry_count;
    *out_bytes =
        (carry_count + payload_bytes) / wire_sample_bytes(conversion) * sample_width(conversion);
    *out = sink->out = exactly(*out_bytes ? *out_bytes : 1);
    memset(*out, 0, *out_bytes);
}

typedef enum mode { WITH_SINK, DECLINED, DEFERRED } mode;

static result walk(const wire_tier *tier, const uint8_t *data, size_t length, mode how,
                   wire_conversion conversion, unsigned carry_count, const wire_type *likely) {
    result r = {.asked = false, .out = NULL, .out_bytes = 0};
    /* What the walk does not set may be anything; the same for every tier, so that it can be compared. */
    memset(&r.frame, 0xA5, sizeof r.frame);
    wire_frame_init(&r.frame, data, length, &catalogue, how == DEFERRED);
    r.frame.likely = likely;
    r.status = tier->walk(&r.frame);
    if (r.status == WIRE_NEED_SINK) {
        if (how == DEFERRED) IMPOSSIBLE("asked for a sink after all");
        r.asked = true;
        if (how == WITH_SINK)
            make_sink(&r.frame.sink, conversion, carry_count, r.frame.payload_bytes, &r.out,
                      &r.out_bytes);
        else
            r.frame.sink.out = NULL;
        r.status = tier->walk(&r.frame);
    }
    if (r.status == WIRE_NEED_SINK) IMPOSSIBLE("asked for a second sink");
    if (r.status != WIRE_OK && r.frame.position > length) IMPOSSIBLE("a fault beyond the frame");
    if (r.status == WIRE_OK && r.frame.type == NULL) IMPOSSIBLE("no type");
    if (r.status == WIRE_OK && r.frame.payload == WIRE_PAYLOAD_DONE && r.out == NULL)
        IMPOSSIBLE("a payload decoded into nothing");
    return r;
}

/* ---- Comparison --------------------------------------------------------------------------------------- */

static bool same_value(const wire_value *a, const wire_value *b) {
    if (a->kind != b->kind) return false;
    if (a->kind == WIRE_ABSENT) return true;
    if (a->start != b->start || a->end != b->end) return false;
    return a->kind != WIRE_STRING || (a->escaped == b->escaped && a->non_ascii == b->non_ascii);
}

static bool same_frame(const result *a, const result *b) {
    const wire_frame *x = &a->frame, *y = &b->frame;
    if (a->status != b->status) return false;
    if (a->status != WIRE_OK) return x->position == y->position && same_value(&x->key, &y->key);
    if (x->type != y->type || !same_value(&x->type_value, &y->type_value)) return false;
    for (uint32_t i = 0; i < x->type->layout->field_count; i++) {
        if (!same_value(&x->values[i], &y->values[i])) return false;
    }
    return true;
}

/* guessed: one of them may have decoded on the way what the other left as a span. */
static bool same_payload(const result *a, const result *b, bool guessed) {
    const wire_frame *x = &a->frame, *y = &b->frame;
    if (a->status != WIRE_OK) return true;
    if (guessed && (x->payload == WIRE_PAYLOAD_DONE) != (y->payload == WIRE_PAYLOAD_DONE))
        return x->payload_field == y->payload_field &&
               (x->payload == WIRE_PAYLOAD_SPAN || y->payload == WIRE_PAYLOAD_SPAN);
    if ((a->asked != b->asked && !guessed) || x->payload != y->payload) return false;
    if (x->payload >= WIRE_PAYLOAD_PARTS &&
        (x->part_count != y->part_count || x->mixed != y->mixed))
        return false;
    if (x->payload == WIRE_PAYLOAD_NONE) return true;
    if (x->payload_field != y->payload_field) return false;
    return x->payload != WIRE_PAYLOAD_DONE ||
           (x->payload_bytes == y->payload_bytes && a->out_bytes == b->out_bytes &&
            memcmp(a->out, b->out, a->out_bytes) == 0 &&
            x->sink.next_carry_count == y->sink.next_carry_count &&
            memcmp(x->sink.next_carry, y->sink.next_carry, x->sink.next_carry_count) == 0);
}

#define DIFFER(what) \
    do { \
        fprintf(stderr, "%s and %s: %s\n", tier->name, scalar_tier()->name, what); \
        abort(); \
    } while (0)

/* ---- What comes after the walk ---------------------------------------------------------------------- */

static void check_string(const wire_tier *tier, const uint8_t *data, size_t length,
                         const wire_value *value) {
    if (value->start == 0 || value->end >= length || value->start > value->end ||
        data[value->start - 1] != '"' || data[value->end] != '"')
        IMPOSSIBLE("a string that is none");
    uint32_t largest;
    size_t count = wire_text_measure(data, value, &largest);
    unsigned width = largest < 0x100 ? 1 : largest < 0x10000 ? 2 : 4;
    void *text = exactly(count * width + (count == 0));
    wire_text_write(data, value, width, text);
    free(text);
    if (largest > 0x10FFFF || (largest > 0x7F) < value->non_ascii ||
        count > value->end - value->start)
        IMPOSSIBLE("text");
    uint8_t utf8[WIRE_MAX_NAME];
    if (wire_text_utf8(data, value, utf8, sizeof utf8) > sizeof utf8) IMPOSSIBLE("UTF-8 text");
}

/* The elements of a nested array: the same for all tiers, one after the other within it. */
static void check_elements(const uint8_t *data, size_t length, const wire_value *array) {
    if (array->kind != WIRE_ARRAY) return;
    for (const wire_tier *const *here = tiers_here(); *here != NULL; here++) {
        const wire_tier *tier = *here;
        wire_value expected, found;
        size_t at = array->start + 1, expected_at = at, before = at;
        while (scalar_tier()->element(data, array, &expected_at, &expected)) {
            if (!tier->element(data, array, &at, &found) || at != expected_at ||
                !same_value(&found, &expected))
                DIFFER("elements");
            if (found.start < before || found.end > at || at <= before || at >= array->end)
                IMPOSSIBLE("an element outside its array");
            if (found.kind == WIRE_STRING) check_string(tier, data, length, &found);
            before = at;
        }
        if (tier->element(data, array, &at, &found)) DIFFER("elements");
    }
}

/* Keys that are looked for in nested values. */
enum { OWN = 5, INNER = 3, INNERMOST = 1, KEYS = OWN + INNER + INNERMOST };
static const wire_key innermost[] = {{"format", 6, NULL, 0, 0}};
static const wire_key inner[] = {{"a", 1, NULL, 0, 0},
                                 {"output", 6, innermost, INNERMOST, OWN + INNER},
                                 {"type", 4, NULL, 0, 0}};
static const wire_key keys[] = {{"type", 4, NULL, 0, 0},
                                {"audio", 5, inner, INNER, OWN},
                                {"rate", 4, NULL, 0, 0},
                                {"", 0, NULL, 0, 0},
                                {"a", 1, NULL, 0, 0}};

/* The outline of a frame finds what a search in the frame finds. */
static void check_outline(const wire_tier *tier, const uint8_t *data, const wire_frame *f) {
    const uint32_t field = f->type->layout->outlined;
    if (field == WIRE_NO_FIELD || f->outline_count == 0 || f->values[field].kind != WIRE_OBJECT)
        return;
    const wire_outline object = {f->outline, f->outline_count, 1};
    wire_value expected[KEYS], found[KEYS];
    if (f->outline_count > WIRE_OUTLINE)
        IMPOSSIBLE("an outline with more members than there is room for");
    scalar_tier()->members(data, &f->values[field], keys, OWN, expected);
    wire_outline_members(data, object, keys, OWN, found);
    for (size_t i = 0; i < KEYS; i++) {
        if (!same_value(&found[i], &expected[i])) DIFFER("members in an outline");
    }
    for (size_t i = 0; i < OWN; i++) {
        found[i].kind = WIRE_ABSENT;
        const size_t number =
            wire_outline_find(data, object, keys[i].bytes, keys[i].length, &found[i]);
        if (!same_value(&found[i], &expected[i]) ||
            (number == SIZE_MAX) != (found[i].kind == WIRE_ABSENT))
            DIFFER("a member in an outline");
    }
}

/* The members of a nested value: the same for all tiers, and within it. Inner keys find what a second search would find. */
static void check_members(const wire_tier *tier, const uint8_t *data, size_t length,
                          const wire_value *value) {
    static const wire_key flat[] = {
        {"a", 1, NULL, 0, 0}, {"output", 6, NULL, 0, 0}, {"type", 4, NULL, 0, 0}};
    wire_value expected[KEYS], found[KEYS];
    scalar_tier()->members(data, value, keys, OWN, expected);
    for (size_t i = 0; i < KEYS; i++) {
        const wire_value *member = &expected[i];
        if (member->kind == WIRE_ABSENT) continue;
        if (value->kind != WIRE_OBJECT || member->start <= value->start ||
            member->end >= value->end)
            IMPOSSIBLE("a member outside its object");
        if (member->kind == WIRE_STRING) check_string(tier, data, length, member);
    }
    scalar_tier()->members(data, &expected[1], flat, INNER, found);
    scalar_tier()->members(data, &found[1], innermost, INNERMOST, found + INNER);
    for (size_t i = 0; i < INNER + INNERMOST; i++) {
        if (!same_value(&found[i], &expected[OWN + i]))
            IMPOSSIBLE("an inner member that a second search does not find");
    }
    check_elements(data, length, value);
    for (const wire_tier *const *here = tiers_here(); *here != NULL; here++) {
        tier = *here;
        tier->members(data, value, keys, OWN, found);
        for (size_t i = 0; i < KEYS; i++) {
            if (!same_value(&found[i], &expected[i])) DIFFER("members");
        }
    }
}

static void check_values(const wire_tier *tier, const uint8_t *data, size_t length,
                         const result *r) {
    const wire_frame *f = &r->frame;
    check_string(tier, data, length, &f->type_value);
    for (uint32_t i = 0; i < f->type->layout->field_count; i++) {
        const wire_value *value = &f->values[i];
        if ((f->present >> i & 1) != (value->kind != WIRE_ABSENT) ||
            (f->containers >> i & 1) != (value->kind >= WIRE_OBJECT))
            IMPOSSIBLE("a field that is there and is not");
        if (value->kind == WIRE_ABSENT) continue;
        if (value->start > value->end || value->end > length)
            IMPOSSIBLE("a value outside the frame");
        if (value->kind == WIRE_STRING) check_string(tier, data, length, value);
        check_members(tier, data, length, value);
    }
}

typedef struct decoded {
    wire_status status;
    size_t position;
    wire_sink sink;
    void *out;
    size_t bytes, out_bytes;
} decoded;

static decoded decode(const wire_tier *tier, const uint8_t *data, const wire_value *value,
                      wire_conversion conversion, unsigned carry_count) {
    decoded d = {.position = 0, .out = NULL, .out_bytes = 0};
    d.status = wire_payload_size(tier, data, value, &d.bytes, &d.position);
    if (d.status == WIRE_OK) {
        make_sink(&d.sink, conversion, carry_count, d.bytes, &d.out, &d.out_bytes);
        d.status = wire_payload_decode(tier, data, value, &d.sink, &d.position);
    }
    if (d.status != WIRE_OK && (d.position < value->start || d.position > value->end))
        IMPOSSIBLE("a base64 fault outside the payload");
    return d;
}

static bool same_decoded(const decoded *a, const decoded *b) {
    if (a->status != b->status) return false;
    if (a->status != WIRE_OK) return a->position == b->position;
    return a->bytes == b->bytes && a->sink.next_carry_count == b->sink.next_carry_count &&
           memcmp(a->sink.next_carry, b->sink.next_carry, a->sink.next_carry_count) == 0 &&
           memcmp(a->out, b->out, a->out_bytes) == 0;
}

/* Somebody who wants no samples is told as many, and the same bytes are left over. */
static void check_measure(const wire_tier *tier, const uint8_t *data, const wire_value *value,
                          const decoded *expected) {
    wire_sink sink = expected->sink;
    size_t samples = 0, position = 0;
    const wire_status status = wire_payload_measure(tier, data, value, &sink, &samples, &position);
    if (expected->status != WIRE_OK) return; /* it may have looked at less */
    if (status != WIRE_OK || samples * sample_width(sink.conversion) != expected->out_bytes ||
        sink.next_carry_count != expected->sink.next_carry_count ||
        memcmp(sink.next_carry, expected->sink.next_carry, sink.next_carry_count) != 0)
        DIFFER("payload measured");
}

/* Any payload may begin like a WAV file. Where its header is one, its samples are a part of it. */
static void check_wav(const wire_tier *tier, const uint8_t *data, const wire_value *value) {
    wire_wav wav;
    size_t bytes, position = 0;
    wire_container(data, value);
    if (wire_payload_size(tier, data, value, &bytes, &position) != WIRE_OK) return;
    if (wire_wav_read(data, value, bytes, &wav) != NULL) return;
    if (wav.start > bytes || wav.bytes > bytes - wav.start)
        IMPOSSIBLE("samples of a WAV file outside the payload");
    wire_sink sink;
    void *out;
    size_t out_bytes;
    make_sink(&sink, wav.to_int16, 0, wav.bytes, &out, &out_bytes);
    if (wire_wav_decode(tier, data, value, &wav, &sink, &position) != WIRE_OK &&
        (position < value->start || position > value->end))
        IMPOSSIBLE("a base64 fault outside the payload");
    free(out);
}

/* The string a frame's payload is in, decoded in all ways by all tiers; `walked` is the way the walk decoded it. */
static void check_payload(const uint8_t *data, const wire_value *value, const result *walked) {
    for (int conversion = WIRE_COPY; conversion <= WIRE_FLOAT32_TO_FLOAT32; conversion++) {
        for (unsigned carry = 0; carry < wire_sample_bytes((wire_conversion)conversion); carry++) {
            decoded expected =
                decode(scalar_tier(), data, value, (wire_conversion)conversion, carry);
            for (const wire_tier *const *here = tiers_here(); *here != NULL; here++) {
                const wire_tier *tier = *here;
                decoded d = decode(tier, data, value, (wire_conversion)conversion, carry);
                if (!same_decoded(&d, &expected)) DIFFER("payload");
                if (d.out != NULL) check_measure(tier, data, value, &d);
                if (conversion == WIRE_COPY) check_wav(tier, data, value);
                free(d.out);
            }
            const wire_frame *f = &walked->frame;
            if (f->payload == WIRE_PAYLOAD_DONE &&
                f->sink.conversion == (wire_conversion)conversion && f->sink.carry_count == carry) {
                const wire_tier *tier = scalar_tier();
                if (expected.status != WIRE_OK || expected.bytes != f->payload_bytes ||
                    expected.sink.next_carry_count != f->sink.next_carry_count ||
                    expected.out_bytes != walked->out_bytes ||
                    memcmp(expected.out, walked->out, walked->out_bytes) != 0)
                    DIFFER("payload in the walk and after it");
            }
            free(expected.out);
        }
    }
}

static const wire_type *any_type(unsigned pick) {
    while (catalogue.slots[pick & catalogue.mask] == NULL) pick++;
    return catalogue.slots[pick & catalogue.mask];
}

/* ---- All of them ---------------------------------------------------------------------------------- */

static void have_catalogue(void) {
    static bool ready = false;
    if (!ready) make_catalogue();
    ready = true;
}

uint32_t outlined_members(const uint8_t *data, size_t length) {
    have_catalogue();
    result expected = walk(scalar_tier(), data, length, DEFERRED, WIRE_COPY, 0, NULL);
    CHECK(expected.status == WIRE_OK, "%.*s", (int)length, (const char *)data);
    for (const wire_tier *const *here = tiers_here(); *here != NULL; here++) {
        const wire_tier *tier = *here;
        result r = walk(tier, data, length, DEFERRED, WIRE_COPY, 0, expected.frame.type);
        const size_t bytes = r.frame.outline_count * sizeof(wire_entry);
        if (r.frame.outline_count != expected.frame.outline_count ||
            memcmp(r.frame.outline, expected.frame.outline, bytes) != 0)
            DIFFER("outline");
    }
    return expected.frame.outline_count;
}

wire_status agree_on(const uint8_t *data, size_t length) {
    have_catalogue();

    /* Any conversion, by the frame itself, so that the same frame always gets the same one. */
    unsigned pick = (unsigned)length;
    for (size_t i = 0; i < length; i++) pick = pick * 31 + data[i];
    wire_conversion conversion = (wire_conversion)(pick / 4 % (WIRE_FLOAT32_TO_FLOAT32 + 1));
    unsigned carry = pick % 4 % (unsigned)wire_sample_bytes(conversion);

    result expected[3];
    for (int how = WITH_SINK; how <= DEFERRED; how++)
        expected[how] = walk(scalar_tier(), data, length, (mode)how, conversion, carry, NULL);
    const wire_tier *tier = scalar_tier();
    if (!same_frame(&expected[DECLINED], &expected[WITH_SINK]) ||
        !same_frame(&expected[DEFERRED], &expected[WITH_SINK]))
        DIFFER("the frame with a sink and without one");
    for (const wire_tier *const *here = tiers_here(); *here != NULL; here++) {
        tier = *here;
        for (int how = WITH_SINK; how <= DEFERRED; how++) {
            /* No guess at the type, the right one, and any. */
            const wire_type *likely[] = {NULL, expected[how].frame.type, any_type(pick)};
            for (size_t guess = 0; guess < sizeof likely / sizeof likely[0]; guess++) {
                result r = walk(tier, data, length, (mode)how, conversion, carry, likely[guess]);
                if (!same_frame(&r, &expected[how])) DIFFER("frame");
                if (r.status == WIRE_OK) check_outline(tier, data, &r.frame);
                if (!same_payload(&r, &expected[how], guess > 0)) DIFFER("payload of the frame");
                if (r.status == WIRE_OK && r.frame.payload == WIRE_PAYLOAD_DONE &&
                    expected[how].frame.payload == WIRE_PAYLOAD_SPAN)
                    check_payload(data, &r.frame.values[r.frame.payload_field], &r);
                free(r.out);
            }
        }
    }
    const wire_frame *f = &expected[WITH_SINK].frame;
    wire_status status = expected[WITH_SINK].status;
    if (status == WIRE_OK) {
        check_values(scalar_tier(), data, length, &expected[WITH_SINK]);
        if (f->payload == WIRE_PAYLOAD_DONE || f->payload == WIRE_PAYLOAD_SPAN)
            check_payload(data, &f->values[f->payload_field], &expected[WITH_SINK]);
    }
    free(expected[WITH_SINK].out);
    return status;
}
