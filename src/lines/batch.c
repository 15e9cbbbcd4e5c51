/* Reads the lines of a batch: finds each frame, walks it, lets the session settle it, and writes
 * its row. */
#include "batch.h"

#include <stdlib.h>
#include <string.h>

#include "atomics.h"
#include "columns.h"

void batch_set_plan(wire_layout *layout, const batch_plan *plan) {
    store_pointer(&layout->row_plan, plan);
}

static const batch_plan *plan_of(const wire_type *type) {
    return load_pointer(&type->layout->row_plan);
}

/* ---- The row of a frame ---------------------------------------------------------------------- */

static bool put_field(batch *b, batch_text column, const wire_frame *f, uint32_t field) {
    const wire_value *value = &f->values[field];
    if (value->kind != WIRE_STRING) return true;
    return column_put_value(b, column, f->data, value);
}

static void put_long_integer(batch *b, batch_number column, const wire_frame *f,
                             const wire_value *value) {
    const uint8_t *at = f->data + value->start, *end = f->data + value->end;
    const bool negative = *at == '-';
    uint64_t number = 0;
    if (end - at > 20) return;
    for (at += negative; at < end; at++) {
        const uint64_t digit = (uint64_t)(*at - '0');
        if (number > (UINT64_MAX - digit) / 10) return;
        number = number * 10 + digit;
    }
    if (number > (uint64_t)INT64_MAX + negative) return;
    column_put_number(b, column, negative ? (int64_t)(0 - number) : (int64_t)number);
}

static inline void put_integer(batch *b, batch_number column, const wire_frame *f, uint32_t field) {
    const wire_value *value = &f->values[field];
    if (value->kind != WIRE_INTEGER) return;
    if (value->end - value->start == 1) {
        column_put_number(b, column, f->data[value->start] - '0');
    } else {
        put_long_integer(b, column, f, value);
    }
}

/* ---- Nested objects: conversation/rules.py and arrow/rows.py have the rules ------------------ */

#define KEY(text) {text, sizeof text - 1, NULL, 0, 0}

static const wire_value *object_in(const wire_frame *f, uint32_t field) {
    return field && f->values[field].kind == WIRE_OBJECT ? &f->values[field] : NULL;
}

/* The text of a content part, or its transcript; NULL: it has neither. `found` has room for
 * both. */
static const wire_value *text_of_part(const batch *b, const uint8_t *data, const wire_value *part,
                                      wire_value *found) {
    static const wire_key keys[2] = {KEY("text"), KEY("transcript")};
    b->tier->members(data, part, keys, 2, found);
    for (int i = 0; i < 2; i++) {
        if (found[i].kind == WIRE_STRING && found[i].start != found[i].end) return &found[i];
    }
    return NULL;
}

/* The texts of all parts, joined by blanks. */
static bool put_content(batch *b, const uint8_t *data, const wire_value *content) {
    if (content->kind != WIRE_ARRAY) return true;
    size_t at = content->start + 1;
    bool any = false;
    wire_value part, found[2];
    while (b->tier->element(data, content, &at, &part)) {
        const wire_value *text =
            part.kind == WIRE_OBJECT ? text_of_part(b, data, &part, found) : NULL;
        if (text == NULL) continue;
        if (any && !column_put_text(b, TEXT_TEXT, (const uint8_t *)" ", 1)) return false;
        if (!column_put_value(b, TEXT_TEXT, data, text)) return false;
        any = true;
    }
    return true;
}

static bool put_item(batch *b, const uint8_t *data, const wire_value *item, bool has_text) {
    static const wire_key keys[3] = {KEY("id"), KEY("role"), KEY("content")};
    wire_value found[3];
    b->tier->members(data, item, keys, 3, found);
    if (!column_has_text(b, TEXT_ITEM_ID) && found[0].kind == WIRE_STRING &&
        !column_put_value(b, TEXT_ITEM_ID, data, &found[0])) {
        return false;
    }
    if (found[1].kind == WIRE_STRING && !column_put_value(b, TEXT_ROLE, data, &found[1]))
        return false;
    return has_text || put_content(b, data, &found[2]);
}

/* The id of the nested response, or the one next to it. */
static bool put_response_id(batch *b, const wire_frame *f, const batch_plan *plan) {
    static const wire_key id[1] = {KEY("id")};
    const wire_value *object = object_in(f, plan->response);
    if (object != NULL) {
        wire_value found;
        b->tier->members(f->data, object, id, 1, &found);
        if (found.kind == WIRE_STRING && found.start != found.end)
            return column_put_value(b, TEXT_RESPONSE_ID, f->data, &found);
    }
    return !plan->response_id || put_field(b, TEXT_RESPONSE_ID, f, plan->response_id);
}

static bool put_nested(batch *b, const wire_frame *f, const batch_plan *plan, bool has_text) {
    static const wire_key message[1] = {KEY("message")};
    const wire_value *object;
    wire_value found[2];
    if ((object = object_in(f, plan->item)) != NULL && !put_item(b, f->data, object, has_text))
        return false;
    if ((object = object_in(f, plan->part)) != NULL && !column_has_text(b, TEXT_TEXT)) {
        const wire_value *text = text_of_part(b, f->data, object, found);
        if (text != NULL && !column_put_value(b, TEXT_TEXT, f->data, text)) return false;
    }
    if ((object = object_in(f, plan->error)) != NULL && !column_has_text(b, TEXT_TEXT)) {
        b->tier->members(f->data, object, message, 1, found);
        if (found[0].kind == WIRE_STRING && !column_put_value(b, TEXT_TEXT, f->data, &found[0]))
            return false;
    }
    return true;
}

/* Fills the columns from a frame, except those of audio. */
static bool put_frame(batch *b, const wire_frame *f, const batch_plan *plan) {
    if (plan->kind == BATCH_UNKNOWN) {
        if (!column_put_value(b, TEXT_TYPE, f->data, &f->type_value)) return false;
    } else if (!column_put_text(b, TEXT_TYPE, (const uint8_t *)f->type->name, f->type->length)) {
        return false;
    }
    if (!put_field(b, TEXT_EVENT_ID, f, 0)) return false;
    if (!put_response_id(b, f, plan)) return false;
    if (plan->item_id && !put_field(b, TEXT_ITEM_ID, f, plan->item_id)) return false;
    if (plan->output_index) put_integer(b, NUMBER_OUTPUT_INDEX, f, plan->output_index);
    if (plan->content_index) put_integer(b, NUMBER_CONTENT_INDEX, f, plan->content_index);
    for (unsigned i = 0;
         i < 2 && plan->audio_ms[i] && b->numbers[NUMBER_AUDIO_MS].filled <= b->rows; i++) {
        put_integer(b, NUMBER_AUDIO_MS, f, plan->audio_ms[i]);
    }
    bool has_text = false;
    for (unsigned i = 0; i < 4 && plan->texts[i] && !has_text; i++) {
        if (f->values[plan->texts[i]].kind != WIRE_STRING) continue;
        if (!put_field(b, TEXT_TEXT, f, plan->texts[i])) return false;
        if (plan->stash && !put_field(b, TEXT_TEXT, f, plan->stash)) return false;
        has_text = true;
    }
    return !(f->containers & plan->nested) || put_nested(b, f, plan, has_text);
}

/* ---- A frame --------------------------------------------------------------------------------- */

typedef enum outcome { DONE, CALLER, NO_MEMORY } outcome;

/* Returns a table, moved if it has no room for `count` entries, one or more. NULL: no memory, and
 * the table is as it was. */
static void *with_room(void *table, size_t *room, size_t size, size_t count) {
    if (count <= *room) return table;
    void *larger = realloc(table, (count + count / 2) * size);
    if (larger != NULL) *room = count + count / 2;
    return larger;
}

static size_t out_bytes(const batch *b, size_t samples) {
    return b->as_sent ? samples : samples * 2;
}

/* Makes room for the payload, as if it had the format of the delta before. sink.out stays NULL if
 * the room cannot be guessed. */
static bool offer_sink(batch *b, wire_frame *f, int side) {
    const batch_plan *plan = plan_of(f->type);
    f->sink.out = NULL;
    f->sink.carry_count = 0;
    if (plan == NULL || plan->kind != BATCH_AUDIO) return true;
    const int conversion = format_conversion((audio_encoding)b->assumed[side].encoding,
                                             (sample_kind)b->reader.samples);
    if (conversion < 0) return true;
    f->sink.conversion = (wire_conversion)conversion;
    if (!column_room(b, out_bytes(b, f->payload_bytes / wire_sample_bytes(f->sink.conversion))))
        return false;
    f->sink.out = b->audio.pcm + b->audio.length;
    return true;
}

static wire_status walk(batch *b, wire_frame *f, const uint8_t *data, size_t length, int side,
                        bool *memory) {
    wire_frame_init(f, data, length, b->catalogues[side], b->session->streams.carries > 0);
    f->likely = b->likely[side];
    wire_status status = b->tier->walk(f);
    if (status == WIRE_NEED_SINK) {
        if (!offer_sink(b, f, side)) {
            *memory = false;
            return WIRE_NEED_SINK;
        }
        status = b->tier->walk(f);
    }
    return status;
}

/* Decodes the payload as the step says, after the samples of earlier rows. */
static outcome decode(batch *b, wire_frame *f, const audio_step *step) {
    const wire_value *value = &f->values[f->payload_field];
    const wire_conversion conversion = (wire_conversion)step->conversion;
    size_t position;
    if (wire_payload_size(b->tier, f->data, value, &f->payload_bytes, &position) != WIRE_OK)
        return CALLER;
    f->sink.conversion = conversion;
    f->sink.carry_count = step->carry_count;
    memcpy(f->sink.carry, step->carry, step->carry_count);
    const size_t samples = (f->payload_bytes + step->carry_count) / wire_sample_bytes(conversion);
    if (!column_room(b, out_bytes(b, samples))) return NO_MEMORY;
    f->sink.out = b->audio.pcm + b->audio.length;
    return wire_payload_decode(b->tier, f->data, value, &f->sink, &position) == WIRE_OK ? DONE
                                                                                        : CALLER;
}

static bool put_audio(batch *b, const wire_frame *f, const batch_plan *plan, const audio_step *step,
                      size_t samples) {
    const audio_format *format = step->format;
    const char *name = format_encoding_name((audio_encoding)format->encoding);
    const size_t length = name ? strlen(name) : format->name_length;
    if (!put_frame(b, f, plan) ||
        !column_put_text(b, TEXT_ENCODING, (const uint8_t *)(name ? name : format->name), length)) {
        return false;
    }
    column_take_pcm(b, out_bytes(b, samples), format->rate, format->channels);
    column_put_number(b, NUMBER_SAMPLE_OFFSET, step->offset);
    return true;
}

/* An audio message: its samples come after those of earlier rows, and the stream advances. A
 * payload that is absent or empty is left to the caller, and a WAV file whose samples are
 * wanted. */
static outcome take_audio(batch *b, wire_frame *f, const batch_plan *plan, int side, bool sent,
                          size_t line) {
    const wire_value *value = &f->values[f->payload_field];
    if ((f->payload != WIRE_PAYLOAD_DONE && f->payload != WIRE_PAYLOAD_SPAN) ||
        value->start == value->end)
        return CALLER;
    int decoded_by = f->payload == WIRE_PAYLOAD_DONE ? (int)f->sink.conversion : CONVERSION_NONE;
    audio_step step;
    for (;;) {
        const session_answer answer =
            session_prepare_audio(b->session, f, plan->session, &b->reader, decoded_by, &step);
        if (answer == SESSION_NO_MEMORY) return NO_MEMORY;
        if (answer == SESSION_READY) break;
        if (answer != SESSION_DECODE || step.conversion < 0) return CALLER;
        const outcome decoded = decode(b, f, &step);
        if (decoded != DONE) return decoded;
        decoded_by = step.conversion;
    }
    const size_t samples =
        (f->payload_bytes + step.carry_count) / wire_sample_bytes((wire_conversion)step.conversion);
    batch_row(b, line, sent);
    if (!put_audio(b, f, plan, &step, samples)) {
        session_abandon_audio(b->session, &step);
        return NO_MEMORY;
    }
    if (!format_same(&b->assumed[side], step.format)) b->assumed[side] = *step.format;
    session_commit_audio(b->session, f, &step, samples);
    return DONE;
}

/* A message that changes the session. */
static outcome take_change(batch *b, const wire_frame *f, const batch_plan *plan, bool sent,
                           size_t line) {
    session_facts facts;
    session_step step;
    const bool has_facts = plan->session->role > ROLE_AUDIO_END;
    if (has_facts) session_read(&facts, b->tier, f, plan->session);
    batch_row(b, line, sent);
    if (!put_frame(b, f, plan)) return NO_MEMORY;
    if (!session_prepare(b->session, f, plan->session, has_facts ? &facts : NULL, &step))
        return NO_MEMORY;
    session_commit(b->session, &step);
    return DONE;
}

/* ---- What frames tell of their calls --------------------------------------------------------- */

/* Whether a string is an id: it has 1 to SESSION_ID_MAX characters. */
static bool is_id(const uint8_t *text, size_t length) {
    size_t characters = 0;
    for (size_t i = 0; i < length; i++) characters += (text[i] & 0xC0) != 0x80;
    return characters > 0 && characters <= SESSION_ID_MAX;
}

/* Keeps what a frame tells, and its id: that of the object or, if it has none, of the message.
 * false: no memory. */
static bool tell(batch *b, const wire_frame *f, const batch_plan *plan) {
    static const wire_key id[1] = {KEY("id")};
    const size_t start = b->told_count ? b->tellings[b->told_count - 1].id_end : 0;
    const wire_value *object = object_in(f, plan->told_object);
    wire_value found[2] = {{0}, {0}};
    if (object != NULL) b->tier->members(f->data, object, id, 1, &found[0]);
    if (plan->told_field) found[1] = f->values[plan->told_field];
    size_t length = 0;
    for (int i = 0; i < 2 && !length; i++) {
        if (found[i].kind != WIRE_STRING) continue;
        const size_t room = found[i].end - found[i].start;
        uint8_t *ids = with_room(b->ids, &b->ids_room, 1, start + room + 1);
        if (ids == NULL) return false;
        b->ids = ids;
        length = wire_text_utf8(f->data, &found[i], b->ids + start, room);
        if (!is_id(b->ids + start, length)) length = 0;
    }
    batch_told *tellings =
        with_room(b->tellings, &b->told_room, sizeof *tellings, b->told_count + 1);
    if (tellings == NULL) return false;
    b->tellings = tellings;
    b->tellings[b->told_count++] = (batch_told){plan->told, length > 0, start + length};
    return true;
}

/* Takes one frame: writes its row, without ending it, and changes the session. Any outcome except
 * DONE leaves the rows and the session as they were. */
static outcome take_frame(batch *b, const uint8_t *data, size_t length, bool *sent, size_t line) {
    wire_frame f;
    bool memory = true;
    int side = *sent;
    if (walk(b, &f, data, length, side, &memory) != WIRE_OK) return memory ? CALLER : NO_MEMORY;
    const batch_plan *plan = plan_of(f.type);
    /* In another catalogue than Realtime's a frame may have no type. */
    if (plan != NULL && plan->kind == BATCH_UNKNOWN && !b->catalogues[side]->strict) return CALLER;
    if (plan != NULL && plan->kind == BATCH_UNKNOWN && !b->own) {
        /* The other side knows the type, so that side has sent it. */
        side = !side;
        if (walk(b, &f, data, length, side, &memory) != WIRE_OK) return memory ? CALLER : NO_MEMORY;
        plan = plan_of(f.type);
        if (plan != NULL && plan->kind == BATCH_UNKNOWN)
            side = *sent;
        else
            *sent = side;
    }
    if (plan == NULL || plan->kind == BATCH_SLOW) return CALLER;
    b->likely[side] = f.type;
    if (plan->told && !tell(b, &f, plan)) return NO_MEMORY;
    if (plan->kind == BATCH_AUDIO) return take_audio(b, &f, plan, side, *sent, line);
    if (plan->kind == BATCH_CHANGE) return take_change(b, &f, plan, *sent, line);
    batch_row(b, line, *sent);
    return put_frame(b, &f, plan) ? DONE : NO_MEMORY;
}

/* ---- A line ---------------------------------------------------------------------------------- */

static const batch_word *find_word(const batch *b, const uint8_t *word, size_t length) {
    for (size_t i = 0; i < b->word_count; i++) {
        if (b->words[i].length == length && memcmp(b->words[i].bytes, word, length) == 0)
            return &b->words[i];
    }
    return NULL;
}

/* Whether a word for a direction means "sent": as it is, else in lower case. */
static bool is_sent(const batch *b, const line_span *word) {
    const size_t length = (size_t)(word->end - word->start);
    const batch_word *found = find_word(b, word->start, length);
    uint8_t lower[32];
    if (found == NULL && length <= sizeof lower) {
        for (size_t i = 0; i < length; i++) {
            const uint8_t byte = word->start[i];
            lower[i] = byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
        }
        found = find_word(b, lower, length);
    }
    return found != NULL && found->sent;
}

/* Unquotes a frame that is a JSON string into `scratch`. false: no memory. frame->start NULL: left
 * to the caller. */
static bool unquote(batch *b, line_span *frame) {
    const size_t length = (size_t)(frame->end - frame->start);
    uint8_t *scratch = with_room(b->scratch, &b->scratch_room, 1, length + 1);
    if (scratch == NULL) return false;
    b->scratch = scratch;
    const size_t written = line_unquote(frame->start, frame->end, b->scratch);
    frame->start = written == SIZE_MAX ? NULL : b->scratch;
    frame->end = written == SIZE_MAX ? NULL : b->scratch + written;
    return true;
}

/* Whether a line belongs to the same call as the one before. An id too long to be kept always
 * counts as another call. */
static bool same_call(batch *b, const line_span *id) {
    const size_t length = (size_t)(id->end - id->start);
    if (length == b->call_length && memcmp(b->call, id->start, length) == 0) return true;
    b->call_length = length <= BATCH_CALL ? length : 0;
    memcpy(b->call, id->start, b->call_length);
    return false;
}

static outcome take_wrapped(batch *b, const uint8_t *start, const uint8_t *end, size_t line) {
    line_span found[2 * LINE_MEMBERS + 1];
    if (!b->has_keys || !line_split(start, end, &b->keys, found)) return CALLER;
    if (b->quoted) {
        if (!unquote(b, &found[0])) return NO_MEMORY;
        if (found[0].start == NULL) return CALLER;
    }
    if (b->call_at && !same_call(b, &found[b->call_at])) return CALLER;
    bool sent = b->direction_at && is_sent(b, &found[b->direction_at]);
    double time = 0;
    const line_span *text = &found[b->time_at];
    const bool timed = b->time_at && line_time(text->start, text->end, b->scale, b->origin, &time);
    const bool late = b->time_at && !timed;
    const size_t length = (size_t)(text->end - text->start);
    if (late && !column_late_room(b, length)) return NO_MEMORY;
    const outcome done =
        take_frame(b, found[0].start, (size_t)(found[0].end - found[0].start), &sent, line);
    if (done == DONE && timed) batch_put_time(b, time);
    if (done == DONE && late) column_put_late(b, text->start, length);
    return done;
}

static bool is_full(const batch *b) {
    return b->rows == b->max_rows || b->bytes + b->audio.length >= b->max_bytes;
}

static bool is_space(uint8_t byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* Passes lines of white space, and moves *at past each of them. true: there are too many in a row;
 * *line_end is the end of the first one too many. */
static bool pass_empty(batch *b, const uint8_t *data, size_t length, bool last, size_t *at,
                       size_t *line_end) {
    for (size_t i = *at; i < length && is_space(data[i]); i++) {
        if (data[i] != '\n' && !(last && i + 1 == length)) continue;
        if (b->empty_lines++ == b->most_empty) {
            *line_end = i + 1;
            return true;
        }
        *at = i + 1;
        b->line++;
    }
    return false;
}

batch_stop batch_run(batch *b, const uint8_t *data, size_t length, bool last, size_t *at,
                     size_t *line_end) {
    if (b->unfinished) column_forget_row(b); /* memory was short */
    while (!is_full(b)) {
        if (pass_empty(b, data, length, last, at, line_end)) {
            b->slow_lines++;
            return BATCH_NEED_CALLER;
        }
        const uint8_t *start = data + *at, *limit = data + length;
        if (start == limit) return BATCH_NEED_DATA;
        const uint8_t *newline = memchr(start, '\n', (size_t)(limit - start));
        if (newline == NULL && !last) return BATCH_NEED_DATA;
        const uint8_t *behind = newline == NULL ? limit : newline + 1;
        const uint8_t *end = newline == NULL ? limit : newline;
        if (newline != NULL && end > start && end[-1] == '\r') end--;
        b->empty_lines = 0;
        bool sent = false;
        const outcome done =
            b->wrapped ? take_wrapped(b, start, newline == NULL ? limit : newline, b->line + 1)
                       : take_frame(b, start, (size_t)(end - start), &sent, b->line + 1);
        if (done == NO_MEMORY) return BATCH_NO_MEMORY;
        if (done == CALLER) {
            *line_end = (size_t)(behind - data);
            b->slow_lines++;
            return BATCH_NEED_CALLER;
        }
        batch_row_done(b);
        *at = (size_t)(behind - data);
        b->line++;
    }
    return BATCH_FULL;
}

const lines_functions lines_calls = {
    .split = line_split,
    .unquote = line_unquote,
    .time = line_time,
    .set_plan = batch_set_plan,
    .begin = batch_begin,
    .end = batch_end,
    .run = batch_run,
    .row = batch_row,
    .put_text = batch_put_text,
    .put_number = batch_put_number,
    .put_time = batch_put_time,
    .put_pcm = batch_put_pcm,
    .row_done = batch_row_done,
    .hand_over = batch_export,
};
