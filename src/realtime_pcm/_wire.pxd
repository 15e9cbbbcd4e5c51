# What the core uses of src/wire; wire.h says what each does.
from libc.stdint cimport uint8_t, uint16_t, uint32_t


cdef extern from "wire.h" nogil:
    enum:
        WIRE_MAX_FIELDS
        WIRE_MAX_NAME
        WIRE_MAX_TYPE
        WIRE_NO_FIELD
        WIRE_MAX_NODES

    ctypedef enum wire_status:
        WIRE_OK
        WIRE_NEED_SINK
        WIRE_PAYLOAD_KIND
        WIRE_SURROGATE
        WIRE_UTF8

    const char *wire_reason(wire_status status)

    ctypedef struct wire_pattern:
        pass
    void wire_pattern_init(wire_pattern *pattern, const char *name, size_t length)

    ctypedef struct wire_node:
        wire_pattern key
        bint element
        uint8_t field
        uint8_t child
        uint8_t next

    ctypedef struct wire_layout:
        uint32_t field_count
        uint32_t payload_first
        uint32_t payload_count
        uint32_t outlined
        const wire_node *nodes
        uint32_t roots
        uint32_t hidden
        uint32_t uniform
        const void *row_plan

    void wire_layout_init(wire_layout *layout)
    uint32_t wire_layout_add_at_path(wire_layout *layout)
    uint32_t wire_layout_find(const wire_layout *layout, const uint8_t *name, size_t length)
    uint32_t wire_layout_add(wire_layout *layout, const char *name, size_t length)

    ctypedef struct wire_type:
        const char *name
        size_t length
        const wire_layout *layout
        void *user_data
        bint literal
        uint32_t rank

    ctypedef struct wire_catalogue:
        const wire_type **slots
        size_t mask
        const wire_type *unknown
        wire_pattern tag
        bint strict
        bint by_key
        const wire_type *other
        wire_pattern inside
        wire_pattern inner_tag

    bint wire_catalogue_add(wire_catalogue *catalogue, const wire_type *type)

    ctypedef enum wire_kind:
        WIRE_ABSENT
        WIRE_NULL
        WIRE_FALSE
        WIRE_TRUE
        WIRE_INTEGER
        WIRE_REAL
        WIRE_STRING
        WIRE_OBJECT
        WIRE_ARRAY

    ctypedef struct wire_value:
        size_t start
        size_t end
        uint8_t kind
        bint escaped
        bint non_ascii

    ctypedef enum wire_conversion:
        WIRE_COPY
        WIRE_PCM16_TO_INT16
        WIRE_PCM16_TO_FLOAT32
        WIRE_ULAW_TO_INT16
        WIRE_ULAW_TO_FLOAT32
        WIRE_ALAW_TO_INT16
        WIRE_ALAW_TO_FLOAT32
        WIRE_FLOAT32_TO_INT16
        WIRE_FLOAT32_TO_FLOAT32

    size_t wire_sample_bytes(wire_conversion conversion)

    ctypedef struct wire_sink:
        void *out
        wire_conversion conversion
        uint8_t carry[3]
        uint8_t carry_count
        uint8_t next_carry[3]
        uint8_t next_carry_count

    ctypedef enum wire_payload:
        WIRE_PAYLOAD_NONE
        WIRE_PAYLOAD_DONE
        WIRE_PAYLOAD_SPAN
        WIRE_PAYLOAD_WRONG_KIND
        WIRE_PAYLOAD_PARTS
        WIRE_PAYLOAD_MIXED

    unsigned WIRE_OUTLINE_LEVELS
    ctypedef struct wire_entry:
        pass
    ctypedef struct wire_outline:
        const wire_entry *entries
        size_t count
        unsigned level

    ctypedef struct wire_frame:
        const uint8_t *data
        size_t length
        const wire_type *likely
        wire_sink sink
        size_t position
        wire_value key
        const wire_type *type
        wire_value type_value
        wire_value values[32]
        uint32_t present
        uint32_t containers
        uint32_t outline_count
        wire_entry outline[64]
        wire_payload payload
        uint32_t payload_field
        size_t part_count
        size_t mixed
        size_t copied_from
        size_t payload_bytes
        size_t payload_end

    void wire_frame_init(wire_frame *frame, const uint8_t *data, size_t length, const wire_catalogue *catalogue,
                         bint defer_payload)

    ctypedef struct wire_key:
        const char *bytes
        size_t length
        const wire_key *inner
        size_t inner_count
        size_t inner_place

    void wire_outline_members(const uint8_t *data, wire_outline object, const wire_key *keys, size_t count, wire_value *found)
    size_t wire_outline_find(const uint8_t *data, wire_outline object, const char *key, size_t length, wire_value *value)

    ctypedef struct wire_tier:
        const char *name
        bint (*supported)() noexcept
        wire_status (*walk)(wire_frame *frame) noexcept nogil
        void (*members)(const uint8_t *data, const wire_value *object, const wire_key *keys, size_t count,
                        wire_value *found) noexcept nogil
        size_t (*parts)(const wire_frame *frame, wire_value *parts, size_t room) noexcept nogil
        bint (*element)(const uint8_t *data, const wire_value *array, size_t *at, wire_value *element) noexcept nogil

    const wire_tier *wire_tiers[]
    const wire_tier *wire_choose_tier(const char *name)

    wire_status wire_payload_size(const wire_tier *tier, const uint8_t *data, const wire_value *value,
                                  size_t *bytes, size_t *position)
    wire_status wire_payload_decode(const wire_tier *tier, const uint8_t *data, const wire_value *value,
                                    wire_sink *sink, size_t *position)

    wire_status wire_payload_measure(const wire_tier *tier, const uint8_t *data, const wire_value *value, wire_sink *sink,
                                     size_t *samples, size_t *position)

    ctypedef enum wire_shape:
        WIRE_RAW
        WIRE_OGG
        WIRE_WAV
    wire_shape wire_container(const uint8_t *data, const wire_value *value)

    ctypedef struct wire_wav:
        wire_conversion to_int16
        wire_conversion to_float32
        uint32_t rate
        uint16_t channels
        size_t start
        size_t bytes
    const char *wire_wav_read(const uint8_t *data, const wire_value *value, size_t payload_bytes, wire_wav *wav)
    wire_status wire_wav_decode(const wire_tier *tier, const uint8_t *data, const wire_value *value, const wire_wav *wav,
                                wire_sink *sink, size_t *position)

    void wire_replace_surrogates(uint8_t *data, size_t length, bint raw)

    size_t WIRE_TOO_LONG

    ctypedef enum wire_source:
        WIRE_BYTES
        WIRE_INT16_TO_PCM16
        WIRE_INT16_TO_ULAW
        WIRE_INT16_TO_ALAW
        WIRE_FLOAT32_TO_PCM16
        WIRE_FLOAT32_TO_ULAW
        WIRE_FLOAT32_TO_ALAW

    ctypedef struct wire_samples:
        const void *first
        size_t count
        ptrdiff_t stride
        wire_source source
        bint swapped

    size_t wire_encoded_length(wire_source source, size_t count)
    void wire_encode(const wire_tier *tier, const wire_samples *samples, uint8_t *out)

    wire_status wire_escape_measure(const void *text, size_t count, unsigned width, size_t *length, size_t *position)
    void wire_escape_write(const void *text, size_t count, unsigned width, size_t length, uint8_t *out)
    enum:
        WIRE_NON_ASCII
        WIRE_MAYBE_NULL
    unsigned wire_json_holds(const void *json, size_t length)
    size_t wire_json_nulls(const void *json, size_t length)
