/* A session that is driven frame by frame from outside: tests/session/test_settle.py loads this as a library, and compares each
 * outcome with a model in Python. It takes the steps that the Decoder and the bulk reader take: walk, prepare, decode where the
 * session says so, commit. Any allocation of the session may be made to fail.
 */
#include <stdlib.h>
#include <string.h>

#include "session.h"
#include "tiers.h"

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

/* Of tiers.c, which names tiers that are not linked here. */
bool wire_always_supported(void) {
    return true;
}

enum { KINDS = 11, LAYOUTS = 6 };

typedef enum driven_answer {
    DRIVEN_NOTHING = 0, /* the frame changes nothing */
    DRIVEN_AUDIO,
    DRIVEN_CHANGE,
    DRIVEN_REFUSED,  /* by the walk, or because its payload is no base64 */
    DRIVEN_NO_AUDIO, /* no conversion leads to samples */
    DRIVEN_NO_MEMORY,
} driven_answer;

typedef struct driven {
    int32_t answer;
    int32_t encoding, rate;
    int64_t offset;
    uint64_t count; /* of audio: samples; of a change: bytes handed out */
    uint64_t evicted, streams, carries;
} driven;

typedef struct driver {
    session session;
    session_reader reader;
    wire_layout layouts[LAYOUTS];
    wire_type types[KINDS], unknown;
    session_plan plans[KINDS];
    const wire_type *slots[2][64];
    wire_catalogue catalogues[2];
} driver;

static size_t allocations_left = SIZE_MAX;

static void *allocate(size_t size) {
    if (allocations_left == 0) return NULL;
    if (allocations_left != SIZE_MAX) allocations_left--;
    return malloc(size);
}

/* Before the next frame: how many allocations succeed; SIZE_MAX: all. */
EXPORT void drive_allocations(size_t count) {
    allocations_left = count;
}

static uint8_t add(wire_layout *layout, const char *name) {
    return (uint8_t)wire_layout_add(layout, name, strlen(name));
}

static void put_type(driver *d, int kind, const char *name, int layout, bool sent,
                     session_plan plan) {
    wire_type *type = &d->types[kind];
    *type = (wire_type){.name = name,
                        .length = strlen(name),
                        .layout = &d->layouts[layout],
                        .user_data = &d->plans[kind],
                        .literal = true};
    plan.keys = SESSION_KEYS;
    plan.sent = sent;
    d->plans[kind] = plan;
    wire_catalogue_add(&d->catalogues[sent], type);
}

EXPORT void *drive_new(int samples) {
    driver *d = calloc(1, sizeof *d);
    if (d == NULL) return NULL;
    for (int i = 0; i < LAYOUTS; i++) {
        wire_layout_init(&d->layouts[i]);
        add(&d->layouts[i], "event_id");
    }
    for (int side = 0; side < 2; side++) {
        d->catalogues[side] = (wire_catalogue){
            .slots = d->slots[side], .mask = 63, .unknown = &d->unknown, .strict = true};
        wire_pattern_init(&d->catalogues[side].tag, "type", 4);
        wire_pattern_init(&d->catalogues[side].inside, NULL, 0);
        wire_pattern_init(&d->catalogues[side].inner_tag, NULL, 0);
    }
    d->unknown = (wire_type){.name = "", .layout = &d->layouts[5]};
    wire_layout *audio = &d->layouts[0], *end = &d->layouts[1], *object = &d->layouts[2],
                *heard = &d->layouts[3];
    wire_layout *error = &d->layouts[4];
    session_plan plan = {0}, ends = {0}, holds = {0}, speech = {0}, refusal = {0};
    plan.ids.response_id = add(audio, "response_id");
    plan.ids.item_id = add(audio, "item_id");
    plan.ids.content_index = add(audio, "content_index");
    audio->payload_first = add(audio, "delta");
    audio->payload_count = 1;
    plan.format_name = add(audio, "format");
    plan.format_rate = add(audio, "sample_rate");
    plan.format_fields = 1u << plan.format_name | 1u << plan.format_rate;
    ends.ids.response_id = add(end, "response_id");
    ends.ids.item_id = add(end, "item_id");
    ends.ids.content_index = add(end, "content_index");
    ends.role = ROLE_AUDIO_END;
    ends.hands_out_carry = true;
    holds.holder = add(object, "session");
    object->outlined = holds.holder;
    speech.role = ROLE_INPUT_AUDIO;
    speech.ids.speaker = STREAM_HEARD;
    heard->payload_first = add(heard, "audio");
    heard->payload_count = 1;
    refusal.role = ROLE_ERROR;
    refusal.holder = add(error, "error");
    put_type(d, 0, "delta", 0, false, plan);
    put_type(d, 1, "done", 1, false, ends);
    put_type(d, 2, "heard", 3, false, speech);
    put_type(d, 3, "refused", 4, false, refusal);
    holds.role = ROLE_SESSION_START;
    put_type(d, 4, "created", 2, false, holds);
    holds.role = ROLE_SESSION_UPDATE;
    put_type(d, 5, "updated", 2, false, holds);
    put_type(d, 6, "update", 2, true, holds);
    holds.role = ROLE_RESPONSE_START;
    put_type(d, 7, "begun", 2, false, holds);
    holds.role = ROLE_RESPONSE_END;
    holds.hands_out_carry = true;
    put_type(d, 8, "ended", 2, false, holds);
    speech.ids.speaker = STREAM_INPUT;
    put_type(d, 9, "append", 3, true, speech);
    ends = (session_plan){.role = ROLE_AUDIO_END, .hands_out_carry = true};
    ends.ids.speaker = STREAM_INPUT;
    put_type(d, 10, "commit", 5, true, ends);
    d->reader.samples = (uint8_t)samples;
    session_init(&d->session, allocate, free);
    return d;
}

EXPORT void drive_free(void *driven_session) {
    driver *d = driven_session;
    session_clear(&d->session);
    free(d);
}

/* As LineBatch does around each of its runs. */
EXPORT void drive_move(void *driven_session) {
    driver *d = driven_session;
    session elsewhere;
    session_init(&elsewhere, d->session.streams.allocate, d->session.streams.release);
    session_move(&elsewhere, &d->session);
    session_move(&d->session, &elsewhere);
}

static int drive_audio(driver *d, wire_frame *f, const session_plan *plan, bool wanted,
                       uint8_t *out, driven *result) {
    const wire_value *value = &f->values[f->payload_field];
    int decoded_by = CONVERSION_NONE;
    audio_step step;
    session_answer answer;
    size_t samples = 0, position;
    if (f->payload == WIRE_PAYLOAD_WRONG_KIND) return DRIVEN_REFUSED;
    f->sink.carry_count = f->sink.next_carry_count = 0;
    while ((answer = session_prepare_audio(&d->session, f, plan, &d->reader, decoded_by, &step)) ==
           SESSION_DECODE) {
        if (step.conversion < 0) return DRIVEN_NO_AUDIO;
        decoded_by = step.conversion;
        f->sink.conversion = (wire_conversion)step.conversion;
        f->sink.carry_count = step.carry_count;
        memcpy(f->sink.carry, step.carry, step.carry_count);
        f->sink.out = out;
        if (!wanted) {
            if (wire_payload_measure(&wire_tier_scalar, f->data, value, &f->sink, &samples,
                                     &position) != WIRE_OK)
                return DRIVEN_REFUSED;
            continue;
        }
        if (wire_payload_size(&wire_tier_scalar, f->data, value, &f->payload_bytes, &position) !=
                WIRE_OK ||
            wire_payload_decode(&wire_tier_scalar, f->data, value, &f->sink, &position) !=
                WIRE_OK) {
            return DRIVEN_REFUSED;
        }
        samples = (f->payload_bytes + step.carry_count) / wire_sample_bytes(f->sink.conversion);
    }
    if (answer == SESSION_NO_MEMORY) return DRIVEN_NO_MEMORY;
    if (answer != SESSION_READY) return DRIVEN_NO_AUDIO;
    if (decoded_by == CONVERSION_NONE) { /* no payload: a carry waits on */
        f->sink.carry_count = f->sink.next_carry_count = step.carry_count;
        memcpy(f->sink.carry, step.carry, step.carry_count);
        memcpy(f->sink.next_carry, step.carry, step.carry_count);
    }
    result->encoding = step.format->encoding;
    result->rate = step.format->rate;
    result->offset = step.offset;
    result->count = samples;
    session_commit_audio(&d->session, f, &step, samples);
    return DRIVEN_AUDIO;
}

static int drive_change(driver *d, wire_frame *f, const session_plan *plan, uint8_t *out,
                        driven *result) {
    session_facts facts;
    session_step step;
    const bool has_facts = plan->role > ROLE_AUDIO_END;
    if (has_facts) session_read(&facts, &wire_tier_scalar, f, plan);
    if (!session_prepare(&d->session, f, plan, has_facts ? &facts : NULL, &step))
        return DRIVEN_NO_MEMORY;
    session_ended_carries(&d->session, &step, out);
    result->count = step.left_count;
    session_commit(&d->session, &step);
    return DRIVEN_CHANGE;
}

/* One frame. wanted: false as for a message that only= leaves out. out: room for all samples of the payload and for a carry of each
 * stream. */
EXPORT void drive(void *driven_session, int sent, int wanted, const uint8_t *data, size_t length,
                  uint8_t *out, driven *result) {
    driver *d = driven_session;
    wire_frame f;
    memset(result, 0, sizeof *result);
    wire_frame_init(&f, data, length, &d->catalogues[sent != 0], true);
    result->answer = DRIVEN_REFUSED;
    if (wire_tier_scalar.walk(&f) == WIRE_OK) {
        const session_plan *plan = f.type->user_data;
        result->answer = plan == NULL ? DRIVEN_NOTHING
                         : f.type->layout->payload_count
                             ? drive_audio(d, &f, plan, wanted != 0, out, result)
                             : drive_change(d, &f, plan, out, result);
    }
    result->evicted = d->session.streams.evicted_bytes;
    result->streams = d->session.streams.count;
    result->carries = d->session.streams.carries;
}
