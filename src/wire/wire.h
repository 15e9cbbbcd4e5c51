/* The wire: everything between a frame's bytes and the samples it carries, without Python.
 *
 * This header is the whole boundary. A caller fills a wire_frame, calls the tier's walk, gives memory
 * for the audio payload when the walk asks for it, and reads what was found. For a frame to be sent, a
 * caller asks how long each part of it will be, and gives memory of that size. Nothing here allocates,
 * recurses, or keeps state between frames; every function is safe to call without the GIL.
 */
#ifndef REALTIME_PCM_WIRE_H
#define REALTIME_PCM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_MAX_DEPTH 1024 /* levels of nesting accepted, the root object being the first: orjson's bound */
#define WIRE_MAX_FIELDS 32  /* declared fields of one message, event_id included */
#define WIRE_MAX_NAME 64    /* bytes of a declared field's name */
#define WIRE_MAX_TYPE 256   /* bytes of a declared wire type */
#define WIRE_NO_FIELD UINT32_MAX

/* ---- What can be wrong with a frame -------------------------------------------------------------- */

#define WIRE_FAULTS(X) \
    X(WIRE_EMPTY, "empty frame") \
    X(WIRE_END, "unexpected end of frame") \
    X(WIRE_BYTE_ORDER_MARK, "byte order mark") \
    X(WIRE_BINARY, "binary frame, not JSON (raw audio is not decoded here)") \
    X(WIRE_EXPECTED_VALUE, "expected a JSON value") \
    X(WIRE_EXPECTED_KEY, "expected a key in double quotes") \
    X(WIRE_EXPECTED_COLON, "expected ':'") \
    X(WIRE_EXPECTED_COMMA, "expected ',' or the closing bracket") \
    X(WIRE_LITERAL, "not a JSON literal") \
    X(WIRE_NUMBER, "not a JSON number") \
    X(WIRE_LEADING_ZERO, "number with a leading zero") \
    X(WIRE_NUMBER_RANGE, "number out of range of a double") \
    X(WIRE_CONTROL, "unescaped control byte in a string") \
    X(WIRE_ESCAPE, "not a JSON escape") \
    X(WIRE_SURROGATE, "lone surrogate") \
    X(WIRE_UTF8, "not UTF-8") \
    X(WIRE_DEPTH, "more than 1024 levels of nesting") \
    X(WIRE_TRAILING, "bytes after the end of the JSON object") \
    X(WIRE_ROOT, "expected a JSON object") \
    X(WIRE_TYPE_MISSING, "no \"type\"") \
    X(WIRE_TYPE_KIND, "expected a string") \
    X(WIRE_PAYLOAD_KIND, "expected a base64 string or null") \
    X(WIRE_BASE64_SYMBOL, "not base64") \
    X(WIRE_BASE64_SPACE, "white space in base64") \
    X(WIRE_BASE64_URL, "url-safe base64 letter") \
    X(WIRE_BASE64_PADDING, "base64 padding out of place") \
    X(WIRE_BASE64_SHORT, "base64 ends inside a group of four") \
    X(WIRE_BASE64_BITS, "base64 with set pad bits")

typedef enum wire_status {
    WIRE_OK = 0,
    WIRE_NEED_SINK, /* no fault: set frame.sink and call walk again */
#define WIRE_AS_ENUM(name, reason) name,
    WIRE_FAULTS(WIRE_AS_ENUM)
#undef WIRE_AS_ENUM
} wire_status;

/* The reason a user reads, without position or field. Static storage. */
const char *wire_reason(wire_status status);

/* ---- The catalogue: which types there are, which fields each declares --------------------------- */

/* The key of a field as it stands in a frame, `"name":`, with room behind it so that it compares by whole words. */
typedef struct wire_pattern {
    char bytes[WIRE_MAX_NAME + 8];
    uint64_t first_mask;     /* which of the first eight bytes count */
    uint32_t length;         /* of the name alone */
    uint32_t pattern_length; /* of all of it */
    ptrdiff_t room;          /* bytes that a frame has to have left for it: one more, and eight at least */
} wire_pattern;

typedef struct wire_layout {
    wire_pattern fields[WIRE_MAX_FIELDS]; /* in the order the wire is expected to send them */
    uint32_t field_count;
    uint32_t payload_first; /* the fields payload_first .. +payload_count hold base64 */
    uint32_t payload_count; /* 0: no audio in this message */
    uint8_t index[64];      /* hash of a name -> field number + 1, linear probing */
} wire_layout;

void wire_layout_init(wire_layout *layout);
/* Returns the new field's number, or WIRE_NO_FIELD: too many, too long, or already there. */
uint32_t wire_layout_add(wire_layout *layout, const char *name, size_t length);
/* The number of a field, or WIRE_NO_FIELD. */
uint32_t wire_layout_find(const wire_layout *layout, const uint8_t *name, size_t length);

typedef struct wire_type {
    const char *name; /* the wire's string; owned by the caller, as is `owner` */
    size_t length;
    const wire_layout *layout;
    void *owner;
    bool literal; /* JSON needs no escape for it, and all of it is ASCII */
} wire_type;

/* Open addressing over caller-owned storage. A type may be added while others read: they find it, or do not find it yet. */
typedef struct wire_catalogue {
    const wire_type **slots; /* power of two of them, NULL where free; at most half are taken */
    size_t mask;
    const wire_type *unknown; /* what a type that is not in the table is given */
} wire_catalogue;

/* Types are added by one caller at a time. false: the name is taken. The caller has seen to it that at least half of the slots
 * stay free. */
bool wire_catalogue_add(wire_catalogue *catalogue, const wire_type *type);
const wire_type *wire_catalogue_find(const wire_catalogue *catalogue, const uint8_t *name, size_t length);

/* ---- Values -------------------------------------------------------------------------------------- */

typedef enum wire_kind {
    WIRE_ABSENT = 0,
    WIRE_NULL,
    WIRE_FALSE,
    WIRE_TRUE,
    WIRE_INTEGER,
    WIRE_REAL,
    WIRE_STRING,
    WIRE_OBJECT,
    WIRE_ARRAY
} wire_kind;

/* A span of the frame. A string's span is what stands between its quotes. */
typedef struct wire_value {
    size_t start, end;
    uint8_t kind;            /* wire_kind */
    bool escaped, non_ascii; /* strings only */
} wire_value;

/* ---- The audio payload --------------------------------------------------------------------------- */

typedef enum wire_conversion {
    WIRE_COPY = 0,         /* the payload's bytes as they are */
    WIRE_PCM16_TO_INT16,   /* little endian on the wire; a copy where the host is little endian too */
    WIRE_PCM16_TO_FLOAT32, /* scaled by 1/32768 into [-1, 1) */
    WIRE_ULAW_TO_INT16,
    WIRE_ULAW_TO_FLOAT32,
    WIRE_ALAW_TO_INT16,
    WIRE_ALAW_TO_FLOAT32,
} wire_conversion;

/* Bytes of payload that make one sample. */
static inline size_t wire_sample_bytes(wire_conversion conversion) {
    return conversion == WIRE_PCM16_TO_INT16 || conversion == WIRE_PCM16_TO_FLOAT32 ? 2 : 1;
}

/* Where a payload goes: carry_count (0 or 1) bytes left over by the delta before come first, then the payload's
 * own; whole samples are written to out, a byte that makes none stays in `rest`. */
typedef struct wire_sink {
    void *out; /* room for (carry_count + payload bytes) / wire_sample_bytes samples; NULL: declined */
    wire_conversion conversion;
    uint8_t carry, carry_count;
    uint8_t rest, rest_count; /* result */
} wire_sink;

/* ---- The frame ----------------------------------------------------------------------------------- */

typedef enum wire_payload {
    WIRE_PAYLOAD_NONE = 0,   /* absent, null, or a type without one */
    WIRE_PAYLOAD_DONE,       /* decoded into the sink, exactly payload_bytes of it */
    WIRE_PAYLOAD_SPAN,       /* a string, not decoded: values[payload_field] */
    WIRE_PAYLOAD_WRONG_KIND, /* neither string nor null */
} wire_payload;

typedef struct wire_frame {
    /* set by the caller before the first call */
    const uint8_t *data;
    size_t length;
    const wire_catalogue *catalogue;
    bool defer_payload;      /* never ask for a sink; leave the payload as a span */
    const wire_type *likely; /* of the catalogue: the type this frame probably has, found sooner; or NULL */

    /* the answer to WIRE_NEED_SINK */
    wire_sink sink;

    /* found; on a fault, as far as it got */
    size_t position;                    /* of the byte at fault */
    wire_value key;                     /* STRING: the key in whose value the fault is */
    const wire_type *type;              /* with WIRE_OK the frame's; with WIRE_NEED_SINK it may still turn out another */
    wire_value type_value;              /* ABSENT where there was none */
    wire_value values[WIRE_MAX_FIELDS]; /* by field number of type->layout, valid with WIRE_OK */
    uint32_t present;                   /* bit n: field n was there */
    uint32_t containers;                /* bit n: its value is an object or array */
    wire_payload payload;
    uint32_t payload_field;
    size_t payload_bytes; /* with NEED_SINK: how many the payload will give; with DONE: how many it gave */

    /* the walk's own, between two calls */
    size_t cursor;
    size_t payload_end;
    uint32_t expected;
    bool resumed;
} wire_frame;

static inline void wire_frame_init(wire_frame *frame, const uint8_t *data, size_t length, const wire_catalogue *catalogue,
                                   bool defer_payload) {
    frame->data = data;
    frame->length = length;
    frame->catalogue = catalogue;
    frame->defer_payload = defer_payload;
    frame->likely = NULL;
    frame->resumed = false;
    frame->type = NULL;
    frame->type_value.kind = WIRE_ABSENT;
    frame->key.kind = WIRE_ABSENT;
}

/* A key to look for in a nested object. */
typedef struct wire_key {
    const char *bytes;
    size_t length;
} wire_key;

/* ---- Tiers ------------------------------------------------------------------------------------- */

typedef struct wire_tier {
    const char *name;
    bool (*supported)(void); /* by this CPU and this operating system */

    /* Validates the whole frame and finds its type, fields and payload. WIRE_OK, WIRE_NEED_SINK or a fault. */
    wire_status (*walk)(wire_frame *frame);

    /* Finds members of a nested value that walk has validated: found[i] for keys[i], the last one where the key stands
     * there twice, kind ABSENT where there is none (or `object` is no object). */
    void (*members)(const uint8_t *data, const wire_value *object, const wire_key *keys, size_t count, wire_value *found);

    /* The next element of a nested array that walk has validated. *at: behind its bracket, or where the call before left it.
     * false: there is none. */
    bool (*element)(const uint8_t *data, const wire_value *array, size_t *at, wire_value *element);

    /* Copies a walked string's characters as far as they are plain ASCII and escaped slashes, which some encoders make of
     * all of base64's. Moves *at behind what was copied: to `end`, to another escape, a quote or a byte above 0x7F, or
     * where fewer than 64 bytes of `room` are left. Returns the bytes copied; may write all of out[0 .. room). */
    size_t (*slashed)(const uint8_t **at, const uint8_t *end, uint8_t *out, size_t room);

    /* Decodes groups of four base64 symbols, `length` (a multiple of 4) of them at the most, up to the first group
     * that holds a byte outside the alphabet. Returns the symbols decoded. Reads src[0 .. length), writes out[0 ..
     * length / 4 * 3) at the most, of which the first (returned / 4 * 3) bytes are the result. */
    size_t (*base64)(const uint8_t *src, size_t length, uint8_t *out);

    /* Expand `count` samples; `in` has no alignment, `out` that of its type. */
    void (*pcm16_to_float32)(const uint8_t *in, size_t count, float *out);
    void (*ulaw_to_int16)(const uint8_t *in, size_t count, int16_t *out);
    void (*ulaw_to_float32)(const uint8_t *in, size_t count, float *out);
    void (*alaw_to_int16)(const uint8_t *in, size_t count, int16_t *out);
    void (*alaw_to_float32)(const uint8_t *in, size_t count, float *out);

    /* Encodes `length` bytes as canonical base64, padding included. Reads src[0 .. length), writes exactly out[0 ..
     * (length + 2) / 3 * 4). */
    void (*base64_encode)(const uint8_t *src, size_t length, uint8_t *out);

    /* Turn `count` samples into samples of the wire: in pcm16 two bytes each, the lower one first, in mu-law and A-law
     * one byte each. The samples stand one behind the other in the host's byte order; `in` has no alignment. `in` and
     * `out` do not overlap. G.711 is encoded by the rule of ITU-T G.191 (g711_encode.h). A float is scaled by 32768,
     * rounded half to even, and saturated to -32768 .. 32767; NaN becomes 0. For G.711 a float is made an int16 in this
     * way first. */
    void (*float32_to_pcm16)(const void *in, size_t count, uint8_t *out);
    void (*int16_to_ulaw)(const void *in, size_t count, uint8_t *out);
    void (*int16_to_alaw)(const void *in, size_t count, uint8_t *out);
    void (*float32_to_ulaw)(const void *in, size_t count, uint8_t *out);
    void (*float32_to_alaw)(const void *in, size_t count, uint8_t *out);

    /* Writes the base64 of what float32_to_pcm16 writes, (2 * count + 2) / 3 * 4 symbols; NULL in a tier where the two
     * kernels are as fast. */
    void (*float32_to_base64)(const void *in, size_t count, uint8_t *out);
} wire_tier;

/* Every tier compiled in, the best first, scalar last, then NULL. */
extern const wire_tier *const wire_tiers[];
/* The best tier this machine supports, or the named one; NULL where that is unknown or unsupported. */
const wire_tier *wire_choose_tier(const char *name);

/* ---- Payloads after the walk ------------------------------------------------------------------- */

/* The bytes that canonical base64 in `value` (a string) decodes to. This looks at its length and padding alone: what it
 * accepts, wire_payload_decode may still refuse. */
wire_status wire_payload_size(const wire_tier *tier, const uint8_t *data, const wire_value *value, size_t *bytes,
                              size_t *position);
/* Decodes it all into sink, or says what is wrong with it and where. */
wire_status wire_payload_decode(const wire_tier *tier, const uint8_t *data, const wire_value *value, wire_sink *sink,
                                size_t *position);
/* The walk's part of it: `length` symbols, no escapes. false: not canonical, or not all of it. */
bool wire_payload_fill(const wire_tier *tier, const uint8_t *src, size_t length, wire_sink *sink);

/* ---- Text and numbers after the walk ------------------------------------------------------------ */

/* Of a validated string: how many code points, and the largest of them. */
size_t wire_text_measure(const uint8_t *data, const wire_value *value, uint32_t *largest);
/* Writes them as 1, 2 or 4 bytes each into `out`, room for wire_text_measure of them. */
void wire_text_write(const uint8_t *data, const wire_value *value, unsigned width, void *out);
/* Writes them as UTF-8, `room` bytes at the most; returns the bytes, or 0 where they are more (or none). */
size_t wire_text_utf8(const uint8_t *data, const wire_value *value, uint8_t *out, size_t room);
/* True where a JSON number rounds to an infinite double. `text` has been checked to be a JSON number. */
bool wire_number_overflows(const uint8_t *text, size_t length);

/* ---- A frame to be sent ------------------------------------------------------------------------- */

/* Stands for a length of more than PTRDIFF_MAX. */
#define WIRE_TOO_LONG SIZE_MAX

typedef enum wire_source {
    WIRE_BYTES = 0, /* a payload's bytes as they are */
    WIRE_INT16_TO_PCM16,
    WIRE_INT16_TO_ULAW,
    WIRE_INT16_TO_ALAW,
    WIRE_FLOAT32_TO_PCM16,
    WIRE_FLOAT32_TO_ULAW,
    WIRE_FLOAT32_TO_ALAW,
} wire_source;

/* An array of one dimension, in the caller's memory: bytes, int16 or float32, as `source` says. */
typedef struct wire_samples {
    const void *first; /* any alignment */
    size_t count;
    ptrdiff_t stride; /* bytes from one sample to the next; it may be negative or 0 */
    wire_source source;
    bool swapped; /* the samples' byte order is not the host's */
} wire_samples;

/* Returns how many base64 symbols `count` samples become, padding included, or WIRE_TOO_LONG. */
size_t wire_encoded_length(wire_source source, size_t count);
/* Writes exactly wire_encoded_length symbols, and reads no byte beside the samples. `out` does not overlap them. */
void wire_encode(const wire_tier *tier, const wire_samples *samples, uint8_t *out);

/* The next two functions turn text into what stands between the quotes of a JSON string. They write ASCII alone, the
 * bytes that Python's json.dumps writes. `text` is `count` code points of `width` bytes each (1, 2 or 4) in the host's
 * byte order, as CPython keeps a str. */

/* Measures the JSON of a text. WIRE_OK: *length is its bytes, or WIRE_TOO_LONG where `count` is more than
 * PTRDIFF_MAX / 12, because one code point takes 12 bytes at the most. WIRE_SURROGATE: *position is the index of the
 * first surrogate, which no valid JSON can hold. A pair of UTF-16 surrogates is two code points here, and is refused
 * too. */
wire_status wire_escape_measure(const void *text, size_t count, unsigned width, size_t *length, size_t *position);
/* Writes the JSON of a text that was measured; `length` is what wire_escape_measure said. */
void wire_escape_write(const void *text, size_t count, unsigned width, size_t length, uint8_t *out);

#endif
