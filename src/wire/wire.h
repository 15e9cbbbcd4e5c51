/* The wire: everything between the bytes of a frame and the samples that it carries, without
 * Python.
 *
 * This header, with the inline functions of bytes.h, is the whole boundary. A caller fills a
 * wire_frame, calls the tier's walk, provides memory for the payload when the walk asks for it, and
 * reads what the walk has found. To send a frame, a caller asks how long each part of it will be,
 * and provides memory of that size. No function here allocates, keeps state between frames, or
 * recurses deeper than the paths and keys that the caller declares; each may be called without the
 * GIL.
 */
#ifndef REALTIME_PCM_WIRE_H
#define REALTIME_PCM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_MAX_DEPTH 1024 /* levels of nesting, as in orjson; the root object is the first */
#define WIRE_MAX_FIELDS 32  /* fields that a message may declare, event_id included */
#define WIRE_MAX_NAME 64    /* bytes of a declared field's name */
#define WIRE_MAX_TYPE 256   /* bytes of a declared wire type */
#define WIRE_NO_FIELD UINT32_MAX
#define WIRE_MOST_CHANNELS 255 /* channels of an audio format; no sound has more */

/* ---- What can be wrong with a frame ---------------------------------------------------------- */

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
    WIRE_NEED_SINK, /* no fault: the caller sets frame.sink and calls the walk again */
#define WIRE_AS_ENUM(name, reason) name,
    WIRE_FAULTS(WIRE_AS_ENUM)
#undef WIRE_AS_ENUM
} wire_status;

/* The reason that a user reads, without position or field. Never freed. */
const char *wire_reason(wire_status status);

/* ---- The catalogue: all types, and the fields that each declares ----------------------------- */

/* The text `"name":` with which a field begins in a frame, padded so that a frame is compared with
 * it in words of eight bytes. */
typedef struct wire_pattern {
    char bytes[WIRE_MAX_NAME + 8];
    uint64_t
        first_mask;  /* all bits set in those of the first eight bytes that belong to the text */
    uint32_t length; /* bytes of the name */
    uint32_t pattern_length; /* bytes of the whole text */
    /* The text is looked for only if the frame has this many bytes left: the text and one more, and
     * at least eight. PTRDIFF_MAX: never, because JSON escapes a character of the name. */
    ptrdiff_t room;
} wire_pattern;

#define WIRE_MAX_NODES 64 /* in the tree of a layout's paths */

/* A step on the path to a field: the value of a key, or each element of an array. */
typedef struct wire_node {
    wire_pattern key;
    bool element;        /* each element of an array; the key matches nothing */
    uint8_t field;       /* the field whose value is here; 0: none. A payload has no steps inside */
    uint8_t child, next; /* indexes in `nodes`: first step inside this one, next sibling; 0: none */
} wire_node;

#define WIRE_MAX_STEPS 8 /* below a member of the root object to a payload that the walk decodes */

/* Where the walk is at one level of a path. */
typedef struct wire_step {
    uint64_t seen; /* bit n: the object has had the key of node n */
    uint8_t node;  /* the node at which it is */
} wire_step;

typedef struct wire_layout {
    wire_pattern fields[WIRE_MAX_FIELDS]; /* in the order in which servers usually send them */
    uint32_t field_count;
    uint32_t payload_first; /* number of the first field that may hold the base64 payload */
    uint32_t payload_count; /* how many fields from there on may hold it; 0: no payload */
    uint32_t outlined; /* the walk makes an outline of this field's object; WIRE_NO_FIELD: none */
    /* The paths of fields below a member of the root object. nodes[0] is the root object; the steps
     * inside it are fields, found by their key. NULL: no paths. */
    const wire_node *nodes;
    uint32_t roots;       /* bit n: field n is a member of the root object with paths inside */
    uint32_t hidden;      /* those of them that are not fields of the message */
    uint32_t at_path;     /* fields at a path, which wire_layout_add_at_path has added */
    uint32_t uniform;     /* fields at a path that must be equal in all elements of an array */
    uint8_t index[64];    /* hash table, linear probing: field number + 1 at the hash of its name */
    const void *row_plan; /* how bulk reading turns it into rows, or NULL */
} wire_layout;

void wire_layout_init(wire_layout *layout);
/* Returns the number of the new field; WIRE_NO_FIELD if there are too many fields, or the name is
 * empty, too long or taken. */
uint32_t wire_layout_add(wire_layout *layout, const char *name, size_t length);
/* wire_layout_add for a field at a path, which no key of the root object names. */
uint32_t wire_layout_add_at_path(wire_layout *layout);
/* Returns the number of the field with this name, or WIRE_NO_FIELD. */
uint32_t wire_layout_find(const wire_layout *layout, const uint8_t *name, size_t length);

typedef struct wire_type {
    const char *name; /* the tag's string, or the key that names the type; owned by the caller */
    size_t length;
    const wire_layout *layout;
    void *user_data; /* the caller's own */
    bool literal;    /* the name is ASCII, and JSON escapes none of its characters */
    uint32_t rank;   /* with `by_key`: of several keys in one frame, the lowest rank counts */
} wire_type;

/* A hash table with open addressing, in the caller's memory. A type may be added while other
 * threads look types up: they find the new type, or do not find it yet. */
typedef struct wire_catalogue {
    const wire_type **slots;  /* a power of two of them, at least half of them free (NULL) */
    size_t mask;              /* number of slots minus 1 */
    const wire_type *unknown; /* for frames whose type is not in the table */
    /* How a frame names its type. The tag is a member of the root object whose value is a string:
     * "type" in the Realtime API. */
    wire_pattern tag;
    bool strict; /* refuses frames without the tag; else a key names the type, or `other` */
    bool by_key; /* in a frame without the tag, the key of a member names the type */
    const wire_type *other; /* for frames with neither the tag nor such a key; NULL: `unknown` */
    /* The member of the root object that holds the tag or those keys, if the root object itself
     * does not; and the tag in it. `tag` then matches no key. */
    wire_pattern inside, inner_tag;
} wire_catalogue;

/* Makes the pattern of a name of 1 to WIRE_MAX_NAME bytes; with `name` NULL, one that matches no
 * key. */
void wire_pattern_init(wire_pattern *pattern, const char *name, size_t length);
/* Adds a type. false: the name is taken. Only one thread at a time may add a type, and after the
 * call at least half of the slots must still be free. */
bool wire_catalogue_add(wire_catalogue *catalogue, const wire_type *type);
/* Returns the type of this name, or NULL. */
const wire_type *wire_catalogue_find(const wire_catalogue *catalogue, const uint8_t *name,
                                     size_t length);

/* ---- Values ---------------------------------------------------------------------------------- */

/* The order matters: up to WIRE_NULL there is no value and no span; from WIRE_OBJECT on the value
 * is a container. */
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

/* A value, as a span of the frame. The span of a string is the text between its quotes. */
typedef struct wire_value {
    size_t start, end;
    uint8_t kind;            /* wire_kind */
    bool escaped, non_ascii; /* of a string: has a backslash; has a byte above 0x7F */
} wire_value;

/* ---- The outline of an object ---------------------------------------------------------------- */

#define WIRE_OUTLINE 64       /* most members in an outline, nested ones included */
#define WIRE_OUTLINE_LEVELS 3 /* of members: the object's own, those of its objects, and so on */

/* Where a member's key and value are. The span of a string includes its quotes. */
typedef struct wire_entry {
    uint32_t key, start, end;
    uint8_t key_length; /* UINT8_MAX: this long or longer */
    uint8_t level;      /* 1 .. WIRE_OUTLINE_LEVELS */
    bool escaped, non_ascii;
} wire_entry;

/* An outline lists the members of an object and of the objects in it, in the order of the frame: a
 * member that is an object is followed by the members of that object. Objects inside arrays are
 * left out. Members are then found without walking the frame again. This is the part of an outline
 * that begins with the members of one object. */
typedef struct wire_outline {
    const wire_entry *entries;
    size_t count;   /* entries from there to the end of the whole outline */
    unsigned level; /* of the members of this object */
} wire_outline;

/* ---- The payload ----------------------------------------------------------------------------- */

typedef enum wire_conversion {
    WIRE_COPY = 0,         /* the payload's bytes as they are */
    WIRE_PCM16_TO_INT16,   /* the wire is little endian; a copy if the host is, too */
    WIRE_PCM16_TO_FLOAT32, /* scaled by 1/32768 into [-1, 1) */
    WIRE_ULAW_TO_INT16,
    WIRE_ULAW_TO_FLOAT32,
    WIRE_ALAW_TO_INT16,
    WIRE_ALAW_TO_FLOAT32,
    WIRE_FLOAT32_TO_INT16, /* scaled by 32768, rounded half to even, saturated; NaN becomes 0 */
    WIRE_FLOAT32_TO_FLOAT32,
} wire_conversion;

/* How many bytes of the payload make one sample. */
static inline size_t wire_sample_bytes(wire_conversion conversion) {
    if (conversion >= WIRE_FLOAT32_TO_INT16) return 4;
    return conversion == WIRE_PCM16_TO_INT16 || conversion == WIRE_PCM16_TO_FLOAT32 ? 2 : 1;
}

/* The most bytes of an incomplete sample. */
#define WIRE_CARRY_MAX 3

/* Where a payload goes. Samples are made of the carry, which are the bytes that the delta before
 * left over, followed by the bytes of the payload. Whole samples are written to `out`; the bytes of
 * an incomplete last sample are the next carry. */
typedef struct wire_sink {
    /* Has room for (carry_count + bytes of the payload) / wire_sample_bytes samples. NULL: the walk
     * does not decode the payload. */
    void *out;
    wire_conversion conversion;
    uint8_t carry[WIRE_CARRY_MAX], carry_count;           /* fewer bytes than a sample has */
    uint8_t next_carry[WIRE_CARRY_MAX], next_carry_count; /* the result, likewise */
} wire_sink;

/* ---- The frame ------------------------------------------------------------------------------- */

typedef enum wire_payload {
    WIRE_PAYLOAD_NONE = 0,   /* it is absent or null, or the type has no payload */
    WIRE_PAYLOAD_DONE,       /* it was decoded into the sink, and gave payload_bytes bytes */
    WIRE_PAYLOAD_SPAN,       /* it is the string values[payload_field], and was not decoded */
    WIRE_PAYLOAD_WRONG_KIND, /* it is neither a string nor null */
    WIRE_PAYLOAD_PARTS,      /* part_count elements have one; values[payload_field]: the first */
    WIRE_PAYLOAD_MIXED, /* likewise, but a field that must be equal in all differs at `mixed` */
} wire_payload;

typedef struct wire_frame {
    /* Set by the caller before the first call of the walk. */
    const uint8_t *data;
    size_t length;
    const wire_catalogue *catalogue;
    bool defer_payload;      /* do not ask for a sink: leave the payload as a span */
    const wire_type *likely; /* what type the frame probably has, to save a lookup; or NULL */

    /* Set by the caller after WIRE_NEED_SINK. */
    wire_sink sink;

    /* Found by the walk; after a fault, found so far. After WIRE_NEED_SINK, `type` is a guess, and
     * only the values that `present` marks are set. */
    size_t position;       /* after a fault: where the byte at fault is */
    wire_value key;        /* of the value with the fault, or of the payload; or WIRE_ABSENT */
    const wire_type *type; /* after WIRE_OK: of the frame; after WIRE_NEED_SINK: a guess */
    wire_value type_value; /* of the tag; kind WIRE_ABSENT: the walk has met none */
    wire_value values[WIRE_MAX_FIELDS]; /* after WIRE_OK: by field of type->layout */
    uint32_t present;                   /* bit n: the frame has field n */
    uint32_t containers;                /* bit n: the value of field n is an object or an array */
    uint32_t outline_count; /* entries of `outline`; 0: there is none, or the object is empty */
    wire_payload payload;
    uint32_t payload_field;
    /* For a layout with paths: the number of payloads, where a field differs that must be equal (0:
     * nowhere), and which members of the root object have paths inside. */
    size_t part_count, mixed;
    uint32_t roots_found;
    size_t copied_from; /* for the caller: where a payload was that it appended; or 0 */
    /* After WIRE_NEED_SINK: how many bytes the payload will give; with WIRE_PAYLOAD_DONE: how many
     * it gave. */
    size_t payload_bytes;
    size_t payload_end; /* after WIRE_NEED_SINK: the guessed place of its closing quote */

    /* Kept by the walk between two calls. */
    size_t cursor;                   /* where the payload's opening quote is */
    wire_step steps[WIRE_MAX_STEPS]; /* from `payload_member` to a payload at a path */
    bool repeated;                   /* an object on the way has a key twice */
    uint32_t payload_member; /* the member of the root object that has the payload, or is it */
    uint32_t expected;       /* the number of the field whose key is expected next */
    bool asked;              /* for a sink: the next call continues, and does not ask again */
    const wire_type *named_by_key; /* the type that keys have named so far, or NULL */

    /* The outline of the object in field type->layout->outlined. Last, after everything that every
     * walk needs. */
    wire_entry outline[WIRE_OUTLINE];
} wire_frame;

static inline void wire_frame_init(wire_frame *frame, const uint8_t *data, size_t length,
                                   const wire_catalogue *catalogue, bool defer_payload) {
    frame->data = data;
    frame->length = length;
    frame->catalogue = catalogue;
    frame->defer_payload = defer_payload;
    frame->likely = NULL;
    frame->asked = false;
    frame->copied_from = 0;
    frame->type = NULL;
    frame->type_value.kind = WIRE_ABSENT;
    frame->key.kind = WIRE_ABSENT;
}

/* A key to look for in a nested object. */
typedef struct wire_key {
    const char *bytes;
    size_t length;
    const struct wire_key *inner; /* keys to look for inside an object; or NULL */
    size_t inner_count;
    size_t inner_place; /* index in `found` of the first of these */
} wire_key;

/* Like wire_tier.members, but reads an outline instead of the frame. Looks for no inner keys below
 * the last level. */
void wire_outline_members(const uint8_t *data, wire_outline object, const wire_key *keys,
                          size_t count, wire_value *found);
/* Returns the number of the last member of the object with this key, and its value; SIZE_MAX if
 * there is none. */
size_t wire_outline_find(const uint8_t *data, wire_outline object, const char *key, size_t length,
                         wire_value *value);

/* ---- Tiers ----------------------------------------------------------------------------------- */

typedef struct wire_tier {
    const char *name;
    bool (*supported)(void); /* whether this CPU and this operating system can run the tier */

    /* Validates the whole frame and finds its type, fields and payload. Returns WIRE_OK,
     * WIRE_NEED_SINK or a fault. */
    wire_status (*walk)(wire_frame *frame);

    /* Finds members of a nested object in a frame that the walk has accepted: found[i] is the value
     * of the last member whose key is keys[i], of kind WIRE_ABSENT if there is none or `object` is
     * not an object. The values of the inner keys of keys[i] begin at found[keys[i].inner_place].
     * The keys of one object differ. */
    void (*members)(const uint8_t *data, const wire_value *object, const wire_key *keys,
                    size_t count, wire_value *found);

    /* Finds the payloads of a frame with WIRE_PAYLOAD_PARTS or WIRE_PAYLOAD_MIXED. Writes the first
     * `room` of them, and returns how many there are. Some may not be strings. */
    size_t (*parts)(const wire_frame *frame, wire_value *parts, size_t room);

    /* Finds the next element of a nested array in a frame that the walk has accepted. *at: first
     * the byte after the opening bracket; each call moves it on. false: there are no more
     * elements. */
    bool (*element)(const uint8_t *data, const wire_value *array, size_t *at, wire_value *element);

    /* Copies characters of a string in a frame that the walk has accepted, as long as they are
     * unescaped ASCII or escaped slashes: some encoders escape every slash of base64. Moves *at
     * past them. It stops at `end`, another escape, a quote or a byte above 0x7F, or when fewer
     * than 64 bytes of `room` are left. Returns how many bytes were copied; may write to all of
     * out[0 .. room). */
    size_t (*slashed)(const uint8_t **at, const uint8_t *end, uint8_t *out, size_t room);

    /* Decodes groups of four base64 symbols. It stops before the first group that has a byte
     * outside the alphabet, or after `length` symbols, which is a multiple of 4. Returns how many
     * symbols were decoded. Reads src[0 .. length). May write to all of out[0 .. length / 4 * 3),
     * of which the first (returned / 4 * 3) bytes are the result. */
    size_t (*base64)(const uint8_t *src, size_t length, uint8_t *out);

    /* Turn `count` samples of the wire into int16 or float32. `in` may have any alignment, `out`
     * that of its type. They do not overlap. */
    void (*pcm16_to_float32)(const uint8_t *in, size_t count, float *out);
    void (*ulaw_to_int16)(const uint8_t *in, size_t count, int16_t *out);
    void (*ulaw_to_float32)(const uint8_t *in, size_t count, float *out);
    void (*alaw_to_int16)(const uint8_t *in, size_t count, int16_t *out);
    void (*alaw_to_float32)(const uint8_t *in, size_t count, float *out);

    /* Encodes `length` bytes as canonical base64 with its padding. Reads src[0 .. length), and
     * writes exactly out[0 .. (length + 2) / 3 * 4). */
    void (*base64_encode)(const uint8_t *src, size_t length, uint8_t *out);

    /* Turn `count` samples into samples of the wire: two bytes each in pcm16, the lower one first;
     * one byte each in mu-law and A-law. The samples are contiguous, in the byte order of the host.
     * `in` may have any alignment, and does not overlap `out`. G.711 is encoded by the rule of
     * ITU-T G.191 (g711_encode.h). A float is scaled by 32768, rounded half to even, and saturated
     * to -32768 .. 32767; NaN becomes 0. For G.711, a float first becomes an int16 in this way. */
    void (*float32_to_pcm16)(const void *in, size_t count, uint8_t *out);
    void (*int16_to_ulaw)(const void *in, size_t count, uint8_t *out);
    void (*int16_to_alaw)(const void *in, size_t count, uint8_t *out);
    void (*float32_to_ulaw)(const void *in, size_t count, uint8_t *out);
    void (*float32_to_alaw)(const void *in, size_t count, uint8_t *out);

    /* Writes (2 * count + 2) / 3 * 4 symbols: the base64 of the bytes that float32_to_pcm16 would
     * write. NULL in tiers where calling float32_to_pcm16 and then base64_encode is as fast. */
    void (*float32_to_base64)(const void *in, size_t count, uint8_t *out);
} wire_tier;

/* All tiers of this build, best first, scalar last, then NULL. */
extern const wire_tier *const wire_tiers[];
/* Returns the tier of this name or, if `name` is NULL, the best one that this machine supports.
 * NULL: this build has no such tier, or the machine does not support it. */
const wire_tier *wire_choose_tier(const char *name);

/* ---- Payloads after the walk ----------------------------------------------------------------- */

/* Sets *bytes to the number of bytes that the string `value` decodes to, if it is canonical base64.
 * Looks only at the length and the padding: wire_payload_decode may still refuse the string. After
 * a fault, *position is the place of the byte at fault in the frame. */
wire_status wire_payload_size(const wire_tier *tier, const uint8_t *data, const wire_value *value,
                              size_t *bytes, size_t *position);
/* Decodes the whole string `value` into `sink`. Returns WIRE_OK, or the fault and, in *position,
 * the place of the byte at fault. */
wire_status wire_payload_decode(const wire_tier *tier, const uint8_t *data, const wire_value *value,
                                wire_sink *sink, size_t *position);
/* wire_payload_decode for `length` symbols without escapes, as the walk calls it. false: they are
 * not canonical base64, and the sink may be filled in part. */
bool wire_payload_fill(const wire_tier *tier, const uint8_t *src, size_t length, wire_sink *sink);

/* wire_payload_decode for a string whose samples nobody wants: counts them, and decodes only what
 * sink->next_carry needs. So it may accept a string that wire_payload_decode would refuse. `value`
 * NULL: no payload. */
wire_status wire_payload_measure(const wire_tier *tier, const uint8_t *data,
                                 const wire_value *value, wire_sink *sink, size_t *samples,
                                 size_t *position);

typedef enum wire_shape { WIRE_RAW = 0, WIRE_OGG, WIRE_WAV } wire_shape;
/* Whether the bytes of a payload begin like an Ogg page or a WAV file. A match of 42 bits or more
 * is no coincidence. */
static inline wire_shape wire_container(const uint8_t *data, const wire_value *value);

/* The header of a WAV file. The samples are `bytes` bytes of the payload, from `start` on. */
typedef struct wire_wav {
    wire_conversion to_int16, to_float32;
    uint32_t rate;
    uint16_t channels;
    size_t start, bytes;
} wire_wav;

/* Reads the header of a payload whose size wire_payload_size has found. Returns NULL, or what is
 * wrong with it. */
const char *wire_wav_read(const uint8_t *data, const wire_value *value, size_t payload_bytes,
                          wire_wav *wav);
/* wire_payload_decode for the samples of a WAV file; `sink` has no carry. */
wire_status wire_wav_decode(const wire_tier *tier, const uint8_t *data, const wire_value *value,
                            const wire_wav *wav, wire_sink *sink, size_t *position);

/* ---- Text and numbers after the walk --------------------------------------------------------- */

/* Returns how many code points a string has, in a frame that the walk has accepted. *largest: the
 * largest of them. */
size_t wire_text_measure(const uint8_t *data, const wire_value *value, uint32_t *largest);
/* Writes the code points of the string, `width` bytes each (1, 2 or 4). `out` has room for all of
 * them. */
void wire_text_write(const uint8_t *data, const wire_value *value, unsigned width, void *out);
/* Writes the string as UTF-8, and returns how many bytes that takes; 0 if the string is empty or
 * takes more than `room` bytes. */
size_t wire_text_utf8(const uint8_t *data, const wire_value *value, uint8_t *out, size_t room);
/* Writes as many code points of the string as fit in `room` bytes of UTF-8, and returns how many
 * bytes they take. *whole: whether they are all of it. */
size_t wire_text_begin(const uint8_t *data, const wire_value *value, uint8_t *out, size_t room,
                       bool *whole);
/* True if the value is a whole number of 64 bits, however it is written: 1, 1.0, 1e0 or "1". */
bool wire_whole_number(const uint8_t *data, const wire_value *value, int64_t *number);
/* Overwrites each escape that is half a surrogate pair with the escape of U+FFFD. `raw`: the data
 * were encoded with Python's surrogatepass, so surrogates of three bytes are overwritten too. */
void wire_replace_surrogates(uint8_t *data, size_t length, bool raw);
/* True if the JSON number `text` rounds to an infinite double. */
bool wire_number_overflows(const uint8_t *text, size_t length);

/* ---- A frame to be sent ---------------------------------------------------------------------- */

/* Instead of a length above PTRDIFF_MAX. */
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

/* A 1-D array in the caller's memory. `source` says whether its elements are bytes, int16 or
 * float32. */
typedef struct wire_samples {
    const void *first; /* may have any alignment */
    size_t count;
    ptrdiff_t stride; /* bytes from one sample to the next; may be negative or 0 */
    wire_source source;
    bool swapped; /* the samples are not in the host's byte order */
} wire_samples;

/* Returns how many base64 symbols `count` samples become, with padding, or WIRE_TOO_LONG. */
size_t wire_encoded_length(wire_source source, size_t count);
/* Writes exactly wire_encoded_length symbols, and reads nothing but the samples. `out` does not
 * overlap them. */
void wire_encode(const wire_tier *tier, const wire_samples *samples, uint8_t *out);

/* The next two functions turn a text into the characters between the quotes of a JSON string: the
 * same ASCII as Python's json.dumps writes. `text` is `count` code points of `width` bytes each (1,
 * 2 or 4) in the byte order of the host, as CPython stores a str. */

/* Measures the JSON of a text. WIRE_OK: *length is how many bytes the JSON has, or WIRE_TOO_LONG if
 * `count` is more than PTRDIFF_MAX / 12, because one code point takes at most 12 bytes.
 * WIRE_SURROGATE: *position is the index of the first surrogate, which no valid JSON can hold. A
 * pair of UTF-16 surrogates is two code points here, and is refused too. */
wire_status wire_escape_measure(const void *text, size_t count, unsigned width, size_t *length,
                                size_t *position);
/* Writes the JSON of a text that wire_escape_measure has accepted; `length` is what it measured. */
void wire_escape_write(const void *text, size_t count, unsigned width, size_t length, uint8_t *out);

/* What a JSON text has: a byte beyond ASCII; "null", unless it is long: then it may have one. */
enum { WIRE_NON_ASCII = 1, WIRE_MAYBE_NULL = 2, WIRE_LONG_JSON = 8192 };

unsigned wire_json_holds(const void *json, size_t length);
/* How often "null" stands in a text; SIZE_MAX if it is long, because a long text is not
 * searched. */
size_t wire_json_nulls(const void *json, size_t length);

/* ---- Inline, because each delta calls it ----------------------------------------------------- */

wire_shape wire_container_of(const uint8_t *data, const wire_value *value);

static inline wire_shape wire_container(const uint8_t *data, const wire_value *value) {
    /* The base64 of "OggS" begins with T, that of "RIFF" with U. */
    if (value->end - value->start <= 8) return WIRE_RAW;
    const uint8_t *p = data + value->start;
    if (*p != 'T' && *p != 'U' && !value->escaped) return WIRE_RAW;
    return wire_container_of(data, value);
}

#endif
