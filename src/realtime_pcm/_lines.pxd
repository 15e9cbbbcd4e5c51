# What Cython uses of src/lines; lines.h and batch.h say what each does. Only the core is linked with it: _bulk.pyx calls it
# through lines_calls.
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from ._session cimport c_format, c_session, session_plan, session_reader
from ._wire cimport wire_catalogue, wire_layout, wire_tier


cdef extern from "lines.h" nogil:
    enum:
        LINE_MEMBERS
    ctypedef struct line_span:
        const uint8_t *start
        const uint8_t *end
    ctypedef struct line_keys:
        line_span *before
        line_span *behind
        size_t before_count
        size_t behind_count
cdef extern from "arrow.h":
    struct ArrowArray:
        pass

cdef extern from "batch.h" nogil:
    ctypedef enum batch_kind:
        BATCH_SLOW
        BATCH_PLAIN
        BATCH_AUDIO
        BATCH_CHANGE
        BATCH_UNKNOWN
    ctypedef struct batch_plan:
        uint8_t kind
        uint8_t response_id
        uint8_t item_id
        uint8_t output_index
        uint8_t content_index
        uint8_t audio_ms[2]
        uint8_t texts[4]
        uint8_t stash
        uint8_t item
        uint8_t response
        uint8_t part
        uint8_t error
        uint32_t nested
        uint8_t told
        uint8_t told_object
        uint8_t told_field
        const session_plan *session
    ctypedef enum batch_text:
        TEXT_TYPE
        TEXT_EVENT_ID
        TEXT_RESPONSE_ID
        TEXT_ITEM_ID
        TEXT_TEXT
        TEXT_ENCODING
        TEXT_ROLE
        TEXT_ERROR
    ctypedef enum batch_number:
        NUMBER_OUTPUT_INDEX
        NUMBER_CONTENT_INDEX
        NUMBER_AUDIO_MS
        NUMBER_SAMPLE_OFFSET
    ctypedef struct batch_word:
        const uint8_t *bytes
        size_t length
        bint sent
    ctypedef struct batch_told:
        uint8_t told
        bint named
        size_t id_end
    ctypedef struct audio_columns:
        size_t room
    ctypedef struct batch:
        const wire_tier *tier
        const wire_catalogue *catalogues[2]
        c_session *session
        session_reader reader
        bint as_sent
        bint own
        bint wrapped
        bint has_keys
        bint quoted
        line_keys keys
        size_t time_at
        size_t direction_at
        size_t call_at
        double scale
        double origin
        const batch_word *words
        size_t word_count
        size_t max_rows
        size_t max_bytes
        size_t most_empty
        const uint8_t *source
        size_t source_length
        c_format assumed[2]
        size_t rows
        size_t line
        size_t slow_lines
        audio_columns audio
        double *time
        uint8_t *time_valid
        size_t late_count
        size_t late_length
        uint32_t *late_rows
        size_t *late_ends
        uint8_t *late
        size_t told_count
        batch_told *tellings
        uint8_t *ids
    ctypedef enum batch_stop:
        BATCH_NEED_DATA
        BATCH_FULL
        BATCH_NEED_CALLER
        BATCH_NO_MEMORY
    ctypedef struct lines_functions:
        bint (*split)(const uint8_t *start, const uint8_t *end, const line_keys *keys, line_span *found) noexcept nogil
        size_t (*unquote)(const uint8_t *start, const uint8_t *end, uint8_t *out) noexcept nogil
        bint (*time)(const uint8_t *start, const uint8_t *end, double scale, double origin, double *time) noexcept nogil
        void (*set_plan)(wire_layout *layout, const batch_plan *plan) noexcept nogil
        bint (*begin)(batch *b) noexcept nogil
        void (*end)(batch *b) noexcept nogil
        batch_stop (*run)(batch *b, const uint8_t *data, size_t length, bint last, size_t *at, size_t *line_end) noexcept nogil
        void (*row)(batch *b, size_t line, bint sent) noexcept nogil
        bint (*put_text)(batch *b, batch_text column, const uint8_t *text, size_t length) noexcept nogil
        void (*put_number)(batch *b, batch_number column, int64_t number) noexcept nogil
        void (*put_time)(batch *b, double time) noexcept nogil
        bint (*put_pcm)(batch *b, const void *pcm, size_t bytes, int32_t rate, int32_t channels) noexcept nogil
        void (*row_done)(batch *b) noexcept nogil
        bint (*hand_over)(batch *b, ArrowArray *array) noexcept nogil
    const lines_functions lines_calls
