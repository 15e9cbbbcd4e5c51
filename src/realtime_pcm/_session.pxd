# What the core uses of src/session; formats.h, streams.h and session.h say what each does.
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from ._wire cimport wire_frame, wire_key, wire_tier, wire_type


cdef extern from "formats.h" nogil:
    ctypedef enum audio_encoding:
        ENCODING_PCM16
        ENCODING_ULAW
        ENCODING_ALAW
        ENCODING_FLOAT32
        ENCODING_WAV
        ENCODING_OTHER
    enum:
        FORMAT_NAME_MAX
    ctypedef struct c_format "audio_format":
        uint8_t encoding
        bint unnamed
        uint16_t name_length
        int32_t rate
        int32_t channels
        char name[40]
    const c_format FORMAT_DEFAULT
    ctypedef struct format_name:
        const char *name
        audio_encoding encoding
        int32_t rate
    const format_name format_names[]
    const char *format_encoding_name(audio_encoding encoding)
    unsigned format_sample_bytes(audio_encoding encoding)
    bint format_same(const c_format *a, const c_format *b)
    ctypedef enum sample_kind:
        SAMPLES_INT16
        SAMPLES_FLOAT32
        SAMPLES_AS_SENT
    enum:
        CONVERSION_NONE
        CONVERSION_OF_HEADER
    int format_conversion(audio_encoding encoding, sample_kind samples)

cdef extern from "streams.h" nogil:
    enum:
        STREAM_OUTPUT
        STREAM_HEARD
        STREAM_INPUT
        STREAM_PLAYED
    ctypedef struct stream_fields:
        uint8_t response_id
        uint8_t item_id
        uint8_t content_index
        uint8_t speaker
    ctypedef struct audio_stream:
        int64_t offset
    ctypedef struct stream_table:
        size_t count
        size_t carries
        uint64_t evicted_bytes
    void streams_advance(stream_table *table, audio_stream *stream, size_t samples, unsigned taken, const uint8_t *next_carry,
                         unsigned next_carry_count)

cdef extern from "session.h" nogil:
    ctypedef enum session_role:
        ROLE_NONE
        ROLE_INPUT_AUDIO
        ROLE_AUDIO_END
        ROLE_SESSION_START
        ROLE_SESSION_UPDATE
        ROLE_RESPONSE_START
        ROLE_RESPONSE_END
        ROLE_ERROR
    const wire_key SESSION_KEYS[]
    ctypedef struct socket_formats:
        c_format output
        c_format input
    ctypedef struct session_plan:
        uint8_t role
        bint sent
        bint hands_out_carry
        uint8_t holder
        uint8_t client_event_id
        uint8_t format_name
        uint8_t format_rate
        uint8_t format_channels
        uint32_t format_fields
        uint8_t input_name
        uint8_t input_rate
        uint32_t input_fields
        uint32_t end_fields
        bint own_format
        stream_fields ids
        const wire_key *keys
        const socket_formats *unnamed
    ctypedef struct c_session "session":
        stream_table streams
        c_format output
        c_format input
        uint64_t format_changes
        bint has_doubt
        uint8_t doubt_length
        char *doubt
        const wire_type *doubt_type
    void session_init(c_session *s, void *(*allocate)(size_t) noexcept, void (*release)(void *) noexcept)
    void session_assume(c_session *s, const socket_formats *formats)
    void session_clear(c_session *s)
    void session_move(c_session *to, c_session *from_)

    ctypedef struct session_facts:
        pass
    void session_read(session_facts *facts, const wire_tier *tier, const wire_frame *f, const session_plan *plan)

    ctypedef struct session_reader:
        uint8_t samples
        bint is_forced
        c_format forced
    ctypedef enum session_answer:
        SESSION_READY
        SESSION_DECODE
        SESSION_NO_SAMPLES
        SESSION_OGG
        SESSION_WAV
        SESSION_NO_MEMORY
    ctypedef struct audio_step:
        const c_format *format
        int conversion
        uint8_t carry[3]
        uint8_t carry_count
        int64_t offset
    session_answer session_prepare_audio(c_session *s, const wire_frame *frame, const session_plan *plan,
                                         const session_reader *reader, int decoded_by, audio_step *step)
    void session_commit_audio(c_session *s, const wire_frame *frame, audio_step *step, size_t samples)
    void session_abandon_audio(c_session *s, audio_step *step)
    audio_stream *session_continues_last_stream(const c_session *s, const wire_frame *frame, const session_plan *plan,
                                                const session_reader *reader, const c_format *format)

    ctypedef struct session_step:
        size_t left_count
    bint session_prepare(c_session *s, const wire_frame *frame, const session_plan *plan, const session_facts *facts,
                         session_step *step)
    void session_ended_carries(const c_session *s, const session_step *step, uint8_t *out)
    void session_commit(c_session *s, session_step *step)
    void session_abandon(c_session *s, session_step *step)
