/* The state of one connection, without Python: the formats of its audio, and the position of each
 * of its streams.
 *
 * Each frame takes the same three steps, whoever reads it:
 *
 *     walk     wire.h finds the type, the fields and the payload. It may decode the payload, as
 *              if its format were that of the delta before. Nothing of the session is read.
 *     build    the caller makes its result: a message, a row.
 *     settle   session_prepare says what the frame means here: its offset, its format, the carry
 *              that goes before it, the bytes that its end hands out. Or it says that the payload
 *              must be decoded in another way: the caller does that, and asks again.
 *              session_commit then changes the session. It cannot fail: what it needs was
 *              reserved before.
 *
 * Nothing here locks or runs Python. The caller makes sure that nobody else touches the session
 * between session_prepare and session_commit.
 */
#ifndef REALTIME_PCM_SESSION_H
#define REALTIME_PCM_SESSION_H

#include "formats.h"
#include "streams.h"
#include "wire.h"

/* ---- What a message class says about its session --------------------------------------------- */

/* The order matters: from ROLE_AUDIO_END on, a message changes the session; from ROLE_SESSION_START
 * on, it has an object that is searched. */
typedef enum session_role {
    ROLE_NONE = 0,
    ROLE_INPUT_AUDIO,
    ROLE_AUDIO_END,
    ROLE_SESSION_START,
    ROLE_SESSION_UPDATE,
    ROLE_RESPONSE_START,
    ROLE_RESPONSE_END,
    ROLE_ERROR, /* the object names the message that is refused */
} session_role;

/* Members to look for in an object: the formats, the rate of the input, and its own id.
 * SESSION_KEYS has their names in the Realtime API, in this order. */
typedef enum session_place {
    PLACE_AUDIO = 0,
    PLACE_FLAT_OUTPUT,
    PLACE_FLAT_INPUT,
    PLACE_INPUT_RATE,
    PLACE_OTHER_INPUT_RATE,
    PLACE_ID,
    PLACE_OUTPUT, /* of the member `audio` */
    PLACE_INPUT,
    PLACE_SHARED_FORMAT,
    PLACE_OUTPUT_FORMAT, /* of audio.output */
    PLACE_INPUT_FORMAT,  /* of audio.input */
    PLACES,
    SESSION_KEY_COUNT = PLACE_OUTPUT,
} session_place;

extern const wire_key SESSION_KEYS[SESSION_KEY_COUNT];

/* The formats of a socket until somebody names them. */
typedef struct socket_formats {
    audio_format output, input;
} socket_formats;

/* What a class declares. Fields are given by their numbers; 0: none. */
typedef struct session_plan {
    uint8_t role;         /* session_role */
    bool sent;            /* sent by the client */
    bool hands_out_carry; /* an end whose message has the carries of its streams */
    uint8_t holder;       /* of the object `session`, `response` or `error` */
    uint8_t client_event_id;
    /* Of an audio message: its own format. Of a message about a session: the format of the output,
     * named next to `holder`. */
    uint8_t format_name, format_rate, format_channels;
    uint32_t format_fields;         /* a bit for each of these three */
    uint8_t input_name, input_rate; /* likewise of the input, in a message about a session */
    uint32_t input_fields;
    uint32_t
        end_fields;  /* of an audio message: fields that end its stream, if present and not false */
    bool own_format; /* of an audio message: no session names its format */
    stream_fields ids;
    const wire_key *keys;          /* of the object: SESSION_KEY_COUNT of them */
    const socket_formats *unnamed; /* of its socket; NULL: those of the Realtime API */
} session_plan;

/* ---- The session ----------------------------------------------------------------------------- */

#define SESSION_RESPONSES 1024 /* responses whose formats are kept */
#define SESSION_ID_MAX 512     /* of an id: bytes here, characters in rows; a longer id is none */
#define SESSION_DOUBT_MAX 80   /* bytes of what was not understood */

/* The format that a response has named for itself. */
typedef struct response_format {
    struct response_format *older, *newer;
    audio_format format;
    uint16_t key_length;
    uint8_t key[]; /* speaker and response_id, as in a stream_key */
} response_format;

/* An id to compare with others. length 0: none. */
typedef struct session_id {
    size_t length;
    uint64_t hash, other_hash;
} session_id;

typedef struct session {
    /* First what each delta reads, as in the table. */
    uint64_t format_changes; /* goes up whenever `output` or `input` may have changed */
    stream_table streams;
    audio_format output, input;
    const socket_formats *unnamed; /* as in session_plan */
    /* The server has sent a message about the session or a response, with or without a format. From
     * then on a client's session.update does not change the output format; the server's answer to
     * it does. */
    bool server_spoke;
    bool updating;  /* a client's update awaits an answer; the four below belong to it */
    bool has_doubt; /* something was not understood: `doubt`, of doubt_length bytes */
    uint8_t doubt_length;
    int32_t beside_rate; /* the rate next to the input format (DashScope, Voice Live); 0: none */
    audio_format before_output, before_input; /* as they were before the update */
    int32_t before_beside_rate;
    session_id update_id;
    const wire_type *doubt_type; /* of the message that had it */
    char doubt[SESSION_DOUBT_MAX];
    /* The name that an audio message has last said for its own format, and that format. On some
     * sockets each message says it. named_length 0: none has. */
    audio_format named;
    uint8_t named_length, named_text[FORMAT_NAME_MAX];
    response_format *newest, *oldest;
    size_t response_count;
} session;

void session_init(session *s, void *(*allocate)(size_t), void (*release)(void *));
/* Takes these formats, which stay where they are, as those that nobody has named. */
void session_assume(session *s, const socket_formats *formats);
/* Gives all memory back. */
void session_clear(session *s);
/* Moves all that `from` knows to `to`, which is as after session_init or session_clear. `from` is
 * then as after session_init, but for its count of changes. */
void session_move(session *to, session *from);

/* ---- What a frame says, before a session is read --------------------------------------------- */

/* What a message says about a session or a response. Reading it needs no session. */
typedef struct session_facts {
    bool names_output, names_input, input_has_rate, names_response;
    int32_t beside_rate; /* 0: none */
    audio_format output, input;
    session_id refused,
        proposed; /* the message that an error is about; the client's update itself */
    stream_key response;
    format_doubt doubt;
} session_facts;

/* For the roles from ROLE_SESSION_START on. A long object takes long. */
void session_read(session_facts *facts, const wire_tier *tier, const wire_frame *f,
                  const session_plan *plan);

/* ---- A delta --------------------------------------------------------------------------------- */

/* How a caller reads audio. */
typedef struct session_reader {
    uint8_t samples; /* sample_kind */
    bool is_forced;
    audio_format forced; /* if is_forced: replaces any format that is named */
} session_reader;

typedef enum session_answer {
    SESSION_READY = 0,  /* session_commit_audio or session_abandon_audio is next */
    SESSION_DECODE,     /* decode by step.conversion, after step.carry; then prepare again */
    SESSION_NO_SAMPLES, /* no conversion leads from step.format to samples */
    SESSION_OGG,        /* nobody has named a format, and the payload is an Ogg page */
    SESSION_WAV,        /* likewise, a WAV file */
    SESSION_NO_MEMORY,
} session_answer;

/* What session_prepare_audio finds. */
typedef struct audio_step {
    const audio_format *format; /* of the payload */
    int conversion;             /* a wire_conversion, or as format_conversion gives */
    uint8_t carry[WIRE_CARRY_MAX], carry_count; /* goes before the payload */
    int64_t offset;                             /* of the first sample */
    /* For session_commit_audio. */
    audio_stream *stream; /* NULL: there is no session */
    bool begins;          /* `stream` is reserved, and not in the table yet */
    bool ends;            /* the stream ends with this message */
    const audio_format *stream_format;
    audio_format own; /* what `format` points to if the message names a format itself */
    format_doubt doubt;
    stream_key key;
} audio_step;

/* Says what an audio message means in the session, which may be NULL. decoded_by: the conversion by
 * which its payload was decoded, or measured if nobody wants the samples; frame->sink has the rest.
 * CONVERSION_NONE: neither. */
session_answer session_prepare_audio(session *s, const wire_frame *frame, const session_plan *plan,
                                     const session_reader *reader, int decoded_by,
                                     audio_step *step);
/* Advances the stream by `samples`. frame->sink has the carry that they took, and the next one. */
void session_commit_audio(session *s, const wire_frame *frame, audio_step *step, size_t samples);
/* Instead of the commit: the session stays as it is. */
void session_abandon_audio(session *s, audio_step *step);

/* The stream that spoke last, if this delta is its next one, has `format`, and needs no carry:
 * nearly every delta. NULL: session_prepare_audio says more. The caller advances the stream with
 * streams_advance. */
static inline audio_stream *session_continues_last_stream(const session *s, const wire_frame *frame,
                                                          const session_plan *plan,
                                                          const session_reader *reader,
                                                          const audio_format *format);

/* ---- Any other message that changes the session ---------------------------------------------- */

/* What session_prepare finds. */
typedef struct session_step {
    size_t left_count; /* bytes that session_ended_carries writes */
    /* For session_commit. */
    const wire_frame *frame;
    const session_plan *plan;
    const session_facts *facts;
    audio_stream *done;     /* the stream whose done this is; or NULL */
    response_format *named; /* reserved for a response that names a format; or NULL */
} session_step;

/* `facts`: of session_read; NULL for ROLE_AUDIO_END. false: no memory, and the session is as it
 * was. */
bool session_prepare(session *s, const wire_frame *frame, const session_plan *plan,
                     const session_facts *facts, session_step *step);
void session_ended_carries(const session *s, const session_step *step, uint8_t *out);
void session_commit(session *s, session_step *step);
/* Instead of the commit: the session stays as it is. */
void session_abandon(session *s, session_step *step);

/* ---- Inline, because each delta calls it ----------------------------------------------------- */

/* Whether the message says nothing of its format but a name. */
static inline bool session_only_names(const wire_frame *frame, const session_plan *plan) {
    return (frame->present & plan->format_fields) == 1u << plan->format_name;
}

/* Whether that name is the one in `named`. */
static inline bool session_names_again(const session *s, const wire_frame *frame,
                                       const session_plan *plan) {
    const wire_value *name = &frame->values[plan->format_name];
    const size_t length = name->end - name->start;
    return session_only_names(frame, plan) && name->kind == WIRE_STRING &&
           length == s->named_length && length > 0 &&
           memcmp(frame->data + name->start, s->named_text, length) == 0;
}

static inline audio_stream *session_continues_last_stream(const session *s, const wire_frame *frame,
                                                          const session_plan *plan,
                                                          const session_reader *reader,
                                                          const audio_format *format) {
    const uint32_t unusual = frame->present & (plan->format_fields | plan->end_fields);
    if (unusual && (unusual & plan->end_fields || !session_names_again(s, frame, plan)))
        return NULL;
    audio_stream *stream = continues_last_stream(&s->streams, frame, &plan->ids);
    if (stream == NULL || stream->generation != s->streams.generation || stream->carry_count)
        return NULL;
    const audio_format *said = unusual ? &s->named : stream->format;
    return reader->is_forced || format_same(said, format) ? stream : NULL;
}

#endif
