/* What a frame does to a session: which stream its audio continues, the format it is in, and what
 * changes. */
#include "session.h"

#include <string.h>

#include "bytes.h"
#include "compiler.h"

#define KEY(text) {text, sizeof text - 1, NULL, 0, 0}
#define KEY_OF(text, inner, count, place) {text, sizeof text - 1, inner, count, place}

static const wire_key SIDE_KEYS[1] = {KEY("format")};
static const wire_key AUDIO_KEYS[3] = {KEY_OF("output", SIDE_KEYS, 1, PLACE_OUTPUT_FORMAT),
                                       KEY_OF("input", SIDE_KEYS, 1, PLACE_INPUT_FORMAT),
                                       KEY("format")};
const wire_key SESSION_KEYS[SESSION_KEY_COUNT] = {KEY_OF("audio", AUDIO_KEYS, 3, PLACE_OUTPUT),
                                                  KEY("output_audio_format"),
                                                  KEY("input_audio_format"),
                                                  KEY("sample_rate"),
                                                  KEY("input_audio_sampling_rate"),
                                                  KEY("id")};

static const socket_formats REALTIME = {FORMAT_OF_REALTIME, FORMAT_OF_REALTIME};

static const socket_formats *unnamed_formats(const socket_formats *given) {
    return given ? given : &REALTIME;
}

void session_init(session *s, void *(*allocate)(size_t), void (*release)(void *)) {
    memset(s, 0, sizeof *s);
    streams_init(&s->streams, allocate, release);
    s->output = s->input = FORMAT_DEFAULT;
}

/* ---- The formats of responses: a list, the newest first -------------------------------------- */

static void unlink_response(session *s, response_format *response) {
    *(response->newer ? &response->newer->older : &s->newest) = response->older;
    *(response->older ? &response->older->newer : &s->oldest) = response->newer;
    s->response_count--;
}

static void drop_response(session *s, response_format *response) {
    unlink_response(s, response);
    s->streams.release(response);
}

static void add_response(session *s, response_format *response) {
    response->newer = NULL;
    response->older = s->newest;
    *(s->newest ? &s->newest->newer : &s->oldest) = response;
    s->newest = response;
    s->response_count++;
}

static response_format *find_response(const session *s, const stream_key *key) {
    response_format *response = s->newest;
    while (response && !(response->key_length == key->response_length &&
                         memcmp(response->key, key->bytes, key->response_length) == 0)) {
        response = response->older;
    }
    return response;
}

static void drop_responses(session *s) {
    while (s->newest) drop_response(s, s->newest);
}

void session_clear(session *s) {
    drop_responses(s);
    streams_clear(&s->streams);
}

/* Makes all streams forget their formats, because a format of the session or of a response may have
 * changed. */
static void forget_stream_formats(session *s) {
    s->streams.generation++;
}

void session_move(session *to, session *from) {
    /* Neither counter comes back to a value that somebody has seen with other formats. */
    const uint64_t changes =
        (to->format_changes > from->format_changes ? to : from)->format_changes;
    *to = *from;
    streams_move(&to->streams, &from->streams);
    session_init(from, to->streams.allocate, to->streams.release);
    to->format_changes = from->format_changes = changes + 1;
    forget_stream_formats(to); /* those of the session lay in `from` */
    session_assume(from, to->unnamed);
}

void session_assume(session *s, const socket_formats *formats) {
    const socket_formats *before = unnamed_formats(s->unnamed), *now = unnamed_formats(formats);
    if (format_same(&s->output, &before->output)) s->output = now->output;
    if (format_same(&s->input, &before->input)) s->input = now->input;
    s->unnamed = formats;
    s->format_changes++;
    forget_stream_formats(s);
}

static void keep_doubt(session *s, const wire_frame *frame, const format_doubt *doubt) {
    const wire_value *value = &doubt->value;
    if (value->kind == WIRE_ABSENT || s->has_doubt) return;
    const size_t length = value->end - value->start;
    s->has_doubt = true;
    s->doubt_type = frame->type;
    s->doubt_length = (uint8_t)(length < SESSION_DOUBT_MAX ? length : SESSION_DOUBT_MAX);
    memcpy(s->doubt, frame->data + value->start, s->doubt_length);
}

/* ---- A delta --------------------------------------------------------------------------------- */

/* The format of a delta that names none itself: that of its response, else that of the session. A
 * response keeps the format that it named: a session.updated changes only responses that named
 * none. */
static const audio_format *format_of_stream(const session *s, const session_plan *plan,
                                            const stream_key *key) {
    const bool is_output = plan->ids.speaker == STREAM_OUTPUT || plan->ids.speaker == STREAM_PLAYED;
    if (s == NULL || plan->own_format) {
        const socket_formats *unnamed = unnamed_formats(plan->unnamed);
        return is_output ? &unnamed->output : &unnamed->input;
    }
    const response_format *response =
        s->newest && plan->ids.response_id ? find_response(s, key) : NULL;
    if (response != NULL) return &response->format;
    return is_output ? &s->output : &s->input;
}

static const wire_value *field_of(const wire_frame *frame, unsigned field) {
    static const wire_value absent = {0, 0, WIRE_ABSENT, false, false};
    return field ? &frame->values[field] : &absent;
}

/* Keeps a format that a name alone has named, without an escape and without a doubt. */
static void keep_named(session *s, const wire_frame *frame, const session_plan *plan,
                       const audio_step *step) {
    const wire_value *name = &frame->values[plan->format_name];
    const size_t length = name->end - name->start;
    if (s == NULL || !session_only_names(frame, plan) || name->escaped ||
        length > sizeof s->named_text || step->doubt.value.kind != WIRE_ABSENT)
        return;
    s->named = step->own;
    s->named_length = (uint8_t)length;
    memcpy(s->named_text, frame->data + name->start, length);
}

session_answer session_prepare_audio(session *s, const wire_frame *frame, const session_plan *plan,
                                     const session_reader *reader, int decoded_by,
                                     audio_step *step) {
    const wire_value *payload = &frame->values[frame->payload_field];
    audio_stream *stream = s ? continues_last_stream(&s->streams, frame, &plan->ids) : NULL;
    const bool is_last = stream != NULL;
    if (!is_last) {
        stream_key_of_frame(&step->key, frame, &plan->ids);
        if (s != NULL) stream = streams_find(&s->streams, &step->key);
    }
    step->stream = NULL;
    step->begins = false;
    step->ends = false;
    for (uint32_t left = frame->present & plan->end_fields; left; left &= left - 1) {
        step->ends |= frame->values[portable_lowest_bit(left)].kind > WIRE_FALSE;
    }
    step->doubt.value.kind = WIRE_ABSENT;
    if (stream != NULL && stream->generation == s->streams.generation) {
        step->stream_format = stream->format;
    } else {
        if (is_last) stream_key_of_frame(&step->key, frame, &plan->ids);
        step->stream_format = format_of_stream(s, plan, &step->key);
    }
    step->format = step->stream_format;
    if (reader->is_forced) {
        step->format = &reader->forced;
    } else if (frame->present & plan->format_fields) {
        step->format = &step->own;
        if (s != NULL && session_names_again(s, frame, plan)) {
            step->own = s->named;
        } else if (format_with(frame->data, field_of(frame, plan->format_name),
                               field_of(frame, plan->format_rate),
                               field_of(frame, plan->format_channels), step->stream_format,
                               &step->own, &step->doubt)) {
            keep_named(s, frame, plan, step);
        }
    }
    step->conversion = format_conversion(step->format->encoding, reader->samples);
    step->offset = stream ? stream->offset : 0;
    step->carry_count = 0;
    const bool has_payload =
        (frame->payload == WIRE_PAYLOAD_DONE || frame->payload == WIRE_PAYLOAD_SPAN) &&
        payload->end > payload->start;
    if (has_payload && step->conversion != WIRE_COPY && step->format->unnamed) {
        const wire_shape shape = wire_container(frame->data, payload);
        if (shape != WIRE_RAW) return shape == WIRE_OGG ? SESSION_OGG : SESSION_WAV;
    }
    if (has_payload && step->conversion == CONVERSION_NONE) return SESSION_NO_SAMPLES;
    /* A carry that cannot belong to a sample of this format is dropped, and session_commit_audio
     * counts it as lost. */
    if (stream != NULL && step->conversion >= 0 &&
        stream->carry_count < wire_sample_bytes((wire_conversion)step->conversion)) {
        step->carry_count = stream->carry_count;
        memcpy(step->carry, stream->carry, WIRE_CARRY_MAX);
    }
    if (has_payload &&
        (decoded_by != step->conversion || frame->sink.carry_count != step->carry_count ||
         memcmp(frame->sink.carry, step->carry, step->carry_count) != 0)) {
        return SESSION_DECODE;
    }
    if (s != NULL && stream == NULL) {
        stream = streams_reserve(&s->streams, &step->key);
        if (stream == NULL) return SESSION_NO_MEMORY;
        step->begins = true;
    }
    step->stream = stream;
    return SESSION_READY;
}

void session_commit_audio(session *s, const wire_frame *frame, audio_step *step, size_t samples) {
    const wire_sink *sink = &frame->sink;
    if (s == NULL) return;
    keep_doubt(s, frame, &step->doubt);
    if (step->begins) streams_begin(&s->streams, step->stream, &step->key);
    streams_advance(&s->streams, step->stream, samples, sink->carry_count, sink->next_carry,
                    sink->next_carry_count);
    step->stream->format = step->stream_format;
    step->stream->generation = s->streams.generation;
    if (!step->ends) return;
    s->streams.evicted_bytes += step->stream->carry_count;
    streams_done(&s->streams, step->stream);
}

void session_abandon_audio(session *s, audio_step *step) {
    if (step->begins) streams_unreserve(&s->streams, step->stream);
    step->begins = false;
}

/* ---- What a message says of a session or a response ------------------------------------------ */

static session_id id_of(const uint8_t *data, const wire_value *value) {
    uint8_t text[SESSION_ID_MAX];
    const session_id none = {0, 0, 0};
    if (value->kind != WIRE_STRING) return none;
    const size_t length = wire_text_utf8(data, value, text, sizeof text);
    if (length == 0) return none;
    const session_id id = {length, stream_hash(text, length), stream_other_hash(text, length)};
    return id;
}

static bool same_id(const session_id *a, const session_id *b) {
    return a->length == b->length && a->hash == b->hash && a->other_hash == b->other_hash;
}

/* Finds members of the object in field `holder`: in its outline, if the walk has made one. */
static void find_members(const wire_tier *tier, const wire_frame *f, unsigned holder,
                         const wire_key *keys, size_t count, wire_value *found) {
    if (f->outline_count && f->type->layout->outlined == holder && f->containers >> holder & 1) {
        const wire_outline outline = {f->outline, f->outline_count, 1};
        wire_outline_members(f->data, outline, keys, count, found);
    } else {
        tier->members(f->data, &f->values[holder], keys, count, found);
    }
}

/* The event_id of the client's message that an error is about: OpenAI's key, then GPT-Live's, then
 * the one next to the object. */
static session_id refused_id(const wire_tier *tier, const wire_frame *f, const session_plan *plan) {
    static const wire_key keys[2] = {KEY("event_id"), KEY("client_event_id")};
    wire_value found[2];
    find_members(tier, f, plan->holder, keys, 2, found);
    session_id id = id_of(f->data, &found[0]);
    if (id.length == 0) id = id_of(f->data, &found[1]);
    if (id.length == 0) id = id_of(f->data, field_of(f, plan->client_event_id));
    return id;
}

/* A format in fields of the message itself, next to the object. false: they name none. unnamed: what
 * the parts are that they do not name. */
static bool read_flat_format(const wire_frame *f, uint8_t name, uint8_t rate, uint8_t channels,
                             const audio_format *unnamed, audio_format *format,
                             format_doubt *doubt) {
    audio_format flat;
    format_with(f->data, field_of(f, name), field_of(f, rate), field_of(f, channels), unnamed,
                &flat, doubt);
    if (flat.unnamed) return false;
    *format = flat;
    return true;
}

static void read_formats(session_facts *facts, const wire_tier *tier, const wire_frame *f,
                         const session_plan *plan) {
    wire_value found[PLACES];
    audio_format shared;
    format_doubt *doubt = &facts->doubt;
    if (plan->holder) {
        find_members(tier, f, plan->holder, plan->keys, SESSION_KEY_COUNT, found);
    } else {
        wire_forget_found(plan->keys, SESSION_KEY_COUNT, found, 0);
    }
    /* GA's audio.<side>.format, else GPT-Live's audio.format, else the flat name of the beta. */
    const bool has_shared =
        format_read(tier, f->data, &found[PLACE_SHARED_FORMAT], &shared, NULL, doubt);
    facts->names_output =
        format_read(tier, f->data, &found[PLACE_OUTPUT_FORMAT], &facts->output, NULL, doubt);
    if (!facts->names_output && has_shared) facts->output = shared;
    facts->names_output =
        facts->names_output || has_shared ||
        format_read(tier, f->data, &found[PLACE_FLAT_OUTPUT], &facts->output, NULL, doubt);
    facts->names_input = format_read(tier, f->data, &found[PLACE_INPUT_FORMAT], &facts->input,
                                     &facts->input_has_rate, doubt);
    if (!facts->names_input && has_shared) facts->input = shared;
    facts->names_input =
        facts->names_input || has_shared ||
        format_read(tier, f->data, &found[PLACE_FLAT_INPUT], &facts->input, NULL, doubt);
    if (!facts->names_output && f->present & plan->format_fields) {
        facts->names_output =
            read_flat_format(f, plan->format_name, plan->format_rate, plan->format_channels,
                             &unnamed_formats(plan->unnamed)->output, &facts->output, doubt);
    }
    if (!facts->names_input && f->present & plan->input_fields) {
        facts->names_input =
            read_flat_format(f, plan->input_name, plan->input_rate, 0,
                             &unnamed_formats(plan->unnamed)->input, &facts->input, doubt);
        facts->input_has_rate =
            facts->names_input && plan->input_rate && f->present >> plan->input_rate & 1;
    }
    /* DashScope and Voice Live send the rate of the input next to its name. */
    facts->beside_rate = format_count(f->data, &found[PLACE_INPUT_RATE], doubt);
    if (facts->beside_rate == 0)
        facts->beside_rate = format_count(f->data, &found[PLACE_OTHER_INPUT_RATE], doubt);

    const wire_value *id = &found[PLACE_ID];
    /* xAI leaves the object `response` empty, and sends `response_id` next to it. */
    if (id->kind != WIRE_STRING) id = field_of(f, plan->ids.response_id);
    stream_key_of_response(&facts->response, f->data, id);
    facts->names_response = facts->response.bytes[1] != STREAM_NO_ID;
}

void session_read(session_facts *facts, const wire_tier *tier, const wire_frame *f,
                  const session_plan *plan) {
    const session_id none = {0, 0, 0};
    facts->names_output = facts->names_input = facts->input_has_rate = facts->names_response =
        false;
    facts->beside_rate = 0;
    facts->refused = facts->proposed = none;
    facts->doubt.value.kind = WIRE_ABSENT;
    if (plan->role == ROLE_ERROR) {
        facts->refused = refused_id(tier, f, plan);
        return;
    }
    read_formats(facts, tier, f, plan);
    if (plan->sent) facts->proposed = id_of(f->data, &f->values[0]);
}

/* The input format that a message about a session names, with the rate that is sent next to it.
 * false: it names none. */
static bool input_named(const session *s, const session_facts *facts, bool start,
                        audio_format *named) {
    const int32_t known =
        facts->beside_rate || start || !facts->names_input ? facts->beside_rate : s->beside_rate;
    *named = facts->names_input ? facts->input
             : start            ? unnamed_formats(s->unnamed)->input
                                : s->input;
    if (known == 0 || facts->input_has_rate || named->encoding != ENCODING_PCM16)
        return facts->names_input;
    /* A name such as "pcm16-8000hz" holds a rate, and that rate counts. */
    if (facts->names_input && (named->rate != FORMAT_DEFAULT.rate || named->channels != 1))
        return true;
    named->rate = known;
    named->unnamed = false;
    return true;
}

/* ---- Other messages that change the session -------------------------------------------------- */

/* The first stream that ends with a response, or the one after `after`. */
static audio_stream *next_ended(const session *s, const session_step *step,
                                const audio_stream *after) {
    return streams_next_of_response(&s->streams, &step->facts->response, after);
}

bool session_prepare(session *s, const wire_frame *frame, const session_plan *plan,
                     const session_facts *facts, session_step *step) {
    step->frame = frame;
    step->plan = plan;
    step->facts = facts;
    step->done = NULL;
    step->named = NULL;
    step->left_count = 0;
    if (plan->role == ROLE_AUDIO_END) {
        step->done = continues_last_stream(&s->streams, frame, &plan->ids);
        if (step->done == NULL) {
            stream_key key;
            stream_key_of_frame(&key, frame, &plan->ids);
            step->done = streams_find(&s->streams, &key);
        }
        if (step->done) step->left_count = step->done->carry_count;
        return true;
    }
    if (plan->role == ROLE_RESPONSE_END) {
        for (audio_stream *stream = next_ended(s, step, NULL); stream;
             stream = next_ended(s, step, stream)) {
            step->left_count += stream->carry_count;
        }
    }
    if (facts->names_output && facts->names_response &&
        (plan->role == ROLE_RESPONSE_START || plan->role == ROLE_RESPONSE_END)) {
        const stream_key *key = &facts->response;
        step->named = s->streams.allocate(sizeof *step->named + key->response_length);
        if (step->named == NULL) return false;
        step->named->format = facts->output;
        step->named->key_length = key->response_length;
        memcpy(step->named->key, key->bytes, key->response_length);
    }
    return true;
}

void session_abandon(session *s, session_step *step) {
    if (step->named) s->streams.release(step->named);
    step->named = NULL;
}

void session_ended_carries(const session *s, const session_step *step, uint8_t *out) {
    if (step->plan->role == ROLE_AUDIO_END) {
        if (step->done) memcpy(out, step->done->carry, step->done->carry_count);
        return;
    }
    if (step->plan->role != ROLE_RESPONSE_END) return;
    for (audio_stream *stream = next_ended(s, step, NULL); stream;
         stream = next_ended(s, step, stream)) {
        memcpy(out, stream->carry, stream->carry_count);
        out += stream->carry_count;
    }
}

/* An error of the server that refuses the client's last update brings back the formats from before
 * it. An error without an id may be about any message, but a format that was wrongly taken back
 * comes again with session.updated. */
static void take_back(session *s, const session_step *step) {
    if (!s->updating || step->plan->sent || !same_id(&step->facts->refused, &s->update_id)) return;
    s->output = s->before_output;
    s->input = s->before_input;
    s->beside_rate = s->before_beside_rate;
    s->updating = false;
    s->format_changes++;
    forget_stream_formats(s);
}

static void name_response(session *s, const session_step *step) {
    response_format *before = find_response(s, &step->facts->response);
    if (before)
        drop_response(s, before);
    else if (s->response_count == SESSION_RESPONSES)
        drop_response(s, s->oldest);
    add_response(s, step->named);
}

/* A message about the session itself.
 *
 * A client's session.update changes the format of what the client sends from then on. The format of
 * what the server sends changes when the server says so, in its next message about the session.
 * Until the server has sent a message about the session or a response, the client's word counts for
 * both. */
static void change_session(session *s, const session_step *step) {
    const session_plan *plan = step->plan;
    const session_facts *facts = step->facts;
    const bool start = plan->role == ROLE_SESSION_START;
    const audio_format output_before = s->output, input_before = s->input;
    audio_format input;
    const bool names_input = input_named(s, facts, start, &input);
    if (plan->sent && (names_input || facts->names_output)) {
        if (!s->updating) {
            s->before_output = s->output;
            s->before_input = s->input;
            s->before_beside_rate = s->beside_rate;
        }
        s->updating = true;
        s->update_id = facts->proposed;
    } else if (!plan->sent) {
        s->updating = false;
    }
    if (start) {
        streams_clear(&s->streams);
        drop_responses(s);
        s->output = unnamed_formats(s->unnamed)->output;
        s->input = unnamed_formats(s->unnamed)->input;
    }
    if (names_input) s->input = input;
    if (facts->names_output && !(plan->sent && s->server_spoke)) s->output = facts->output;
    if (start || facts->beside_rate) s->beside_rate = facts->beside_rate;
    s->format_changes +=
        !format_same(&s->output, &output_before) || !format_same(&s->input, &input_before);
}

void session_commit(session *s, session_step *step) {
    const session_plan *plan = step->plan;
    if (!plan->hands_out_carry) s->streams.evicted_bytes += step->left_count;
    if (plan->role == ROLE_AUDIO_END) {
        if (step->done) streams_done(&s->streams, step->done);
        return;
    }
    if (plan->role == ROLE_ERROR) {
        take_back(s, step);
        return;
    }
    forget_stream_formats(s);
    keep_doubt(s, step->frame, &step->facts->doubt);
    if (plan->role == ROLE_SESSION_START || plan->role == ROLE_SESSION_UPDATE)
        change_session(s, step);
    if (step->named) name_response(s, step);
    if (plan->role == ROLE_RESPONSE_END) {
        audio_stream *stream;
        while ((stream = next_ended(s, step, NULL)) != NULL) streams_close(&s->streams, stream);
    }
    s->server_spoke |= !plan->sent;
}
