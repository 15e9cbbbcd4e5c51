/* The wire: everything between the bytes of a frame and the samples that the frame carries, without Python.
 *
 * This header, with the inline functions of bytes.h, is the whole boundary. A caller fills a wire_frame, calls the tier's walk,
 * gives memory for the payload when the walk asks for it, and reads what the walk has found. To send a frame, a caller asks how
 * long each part of it will be, and gives memory of that size. No function here allocates, recurses, or keeps state between
 * frames; each may be called without the GIL.
 */
#ifndef REALTIME_PCM_WIRE_H
#define REALTIME_PCM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_MAX_DEPTH 1024 /* levels of nesting that are accepted, as many as orjson accepts; the root object is the first */
#define WIRE_MAX_FIELDS 32  /* fields that one message may declare, event_id among them */
#define WIRE_MAX_NAME 64    /* bytes of the longest name of a declared field */
#define WIRE_MAX_TYPE 256   /* bytes of the longest declared wire type */
#define WIRE_NO_FIELD UINT32_MAX
#define WIRE_MOST_CHANNELS 255 /* channels that a format of audio may have; no sound has more */

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
    WIRE_NEED_SINK, /* no fault: the caller sets frame.sink and calls the walk again */
#define WIRE_AS_ENUM(name, reason) name,
    WIRE_FAULTS(WIRE_AS_ENUM)
#undef WIRE_AS_ENUM
} wire_status;

/* The reason that a user reads, without position or field: a string that is never freed. */
const char *wire_reason(wire_status status);

/* ---- The catalogue: all types, and the fields that each declares --------------------------------- */

/* The text `"name":`, with which a field begins in a frame. Behind the text there is room, because a frame is compared with it by
 * whole words of eight bytes. */
typedef struct wire_pattern {
    char bytes[WIRE_MAX_NAME + 8];
    uint64_t first_mask;     /* has all bits set in each of the first eight bytes that belong to the text */
    uint32_t length;         /* bytes of the name */
    uint32_t pattern_length; /* bytes of the whole text */
    /* The text is looked for only where a frame has so many bytes left: those of the text and one more, and at least eight.
     * PTRDIFF_MAX: never, because JSON escapes a character of the name. */
    ptrdiff_t room;
} wire_pattern;

#define WIRE_MAX_NODES 64 /* of the tree of all paths of a layout */

/* A place on the way to a field at a path: the value of a key, or each element of an array. */
typedef struct wire_node {
    const char *key; /* NULL: each element of an array */
    uint32_t length;
    uint8_t field;       /* the field whose value stands here; 0: none */
    uint8_t child, next; /* the first place inside this one, and the next one beside it, as indexes in `nodes`; 0: none */
} wire_node;

typedef struct wire_layout {
    wire_pattern fields[WIRE_MAX_FIELDS]; /* in the order in which servers are expected to send them */
    uint32_t field_count;
    uint32_t payload_first; /* the number of the first field that may hold the payload, which is base64 */
    uint32_t payload_count; /* how many fields, from that one on, may hold it; 0: the message has no payload */
    uint32_t outlined;      /* the field of whose object the walk makes an outline; WIRE_NO_FIELD: of none */
    /* Fields at a path, below a member of the root object. nodes[0] stands for the root object: the places inside it are fields,
     * found by their key. NULL: there are no paths. */
    const wire_node *nodes;
    uint32_t roots;       /* bit n: field n is a member of the root object with paths inside */
    uint32_t hidden;      /* those of them that are no fields of the message */
    uint32_t uniform;     /* fields at a path that have to be the same in all elements of an array that have one */
    uint8_t index[64];    /* a hash table with linear probing: at the hash of a name, the number of the field plus 1 */
    const void *row_plan; /* how bulk reading makes rows of it, or NULL */
} wire_layout;

void wire_layout_init(wire_layout *layout);
/* Returns the number of the new field. WIRE_NO_FIELD: there are too many fields, the name is empty or too long, or a field has
 * this name already. */
uint32_t wire_layout_add(wire_layout *layout, const char *name, size_t length);
/* wire_layout_add for a field at a path: no key of the root object is its name. */
uint32_t wire_layout_add_at_path(wire_layout *layout);
/* Returns the number of the field with this name, or WIRE_NO_FIELD. */
uint32_t wire_layout_find(const wire_layout *layout, const uint8_t *name, size_t length);

typedef struct wire_type {
    const char *name; /* the string that a frame has as its tag, or the key that says so; the caller owns it, and `user_data` */
    size_t length;
    const wire_layout *layout;
    void *user_data; /* what the caller keeps for this type */
    bool literal;    /* the name is ASCII, and JSON escapes none of its characters */
    uint32_t rank;   /* in a catalogue with `by_key`: of several keys in one frame, the one with the lowest rank counts */
} wire_type;

/* A hash table with open addressing, in memory that the caller owns. A type may be added while other threads look for types: each
 * of them finds the new type, or does not find it yet. */
typedef struct wire_catalogue {
    const wire_type **slots;  /* a power of two of them; a free slot is NULL, and at least half of the slots are free */
    size_t mask;              /* the number of slots, minus 1 */
    const wire_type *unknown; /* the type of a frame whose type is not in the table */
    /* How a frame says its type. The tag is a member of the root object, whose value is a string: "type" in the Realtime API. */
    wire_pattern tag;
    bool strict;            /* a frame without the tag is refused; else its type is found by its keys, or is `other` */
    bool by_key;            /* in a frame without the tag, the key of a member is the name of its type */
    const wire_type *other; /* the type of a frame without the tag and such a key; NULL: `unknown` */
    /* The object among the members of the root object in which the tag or those keys stand, instead of the root object itself; and
     * the tag in it. `tag` is then a pattern that no key has. */
    wire_pattern inside, inner_tag;
} wire_catalogue;

/* Makes the pattern of a name of 1 to WIRE_MAX_NAME bytes; with `name` NULL, one that no key has. */
void wire_pattern_init(wire_pattern *pattern, const char *name, size_t length);
/* Adds a type; false: the catalogue has a type of this name. Only one thread at a time may add a type, and after the call at
 * least half of the slots must still be free. */
bool wire_catalogue_add(wire_catalogue *catalogue, const wire_type *type);
/* Returns the type of this name, or NULL. */
const wire_type *wire_catalogue_find(const wire_catalogue *catalogue, const uint8_t *name, size_t length);

/* ---- Values -------------------------------------------------------------------------------------- */

/* The order counts: up to WIRE_NULL there is no value and no span; from WIRE_OBJECT on the value is a container. */
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
    bool escaped, non_ascii; /* of a string: it has a backslash, it has a byte above 0x7F */
} wire_value;

/* ---- The outline of an object -------------------------------------------------------------------- */

#define WIRE_OUTLINE 64       /* members of the largest object that has an outline, those of the objects in it included */
#define WIRE_OUTLINE_LEVELS 3 /* the members of the object itself, of the objects among these, and so on */

/* A member: where its key and its value stand. Of a string, the span has the quotes. */
typedef struct wire_entry {
    uint32_t key, start, end;
    uint8_t key_length; /* UINT8_MAX: so long or longer */
    uint8_t level;      /* 1 .. WIRE_OUTLINE_LEVELS */
    bool escaped, non_ascii;
} wire_entry;

/* An outline has the members of an object and of the objects in it, in the order of the frame: behind an object, the members of
 * that object. Members of objects that stand in an array are left out. So what is looked for in the object is found without
 * walking the frame again. This is the part of an outline that begins with the members of one object. */
typedef struct wire_outline {
    const wire_entry *entries;
    size_t count;   /* entries from there to the end of the whole outline */
    unsigned level; /* of the members of this object */
} wire_outline;

/* ---- The payload --------------------------------------------------------------------------------- */

typedef enum wire_conversion {
    WIRE_COPY = 0,         /* the payload's bytes as they are */
    WIRE_PCM16_TO_INT16,   /* the wire is little endian; a copy where the host is little endian too */
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

/* The most bytes that make no whole sample. */
#define WIRE_CARRY_MAX 3

/* Where a payload goes. The samples are made of the carry, which are the bytes that the delta before left over, and the bytes of
 * the payload after it. Whole samples are written to `out`; last bytes that make no whole sample are the next carry. */
typedef struct wire_sink {
    /* Has room for (carry_count + bytes of the payload) / wire_sample_bytes samples. NULL: the walk shall not decode the
     * payload. */
    void *out;
    wire_conversion conversion;
    uint8_t carry[WIRE_CARRY_MAX], carry_count;           /* fewer bytes than a sample has */
    uint8_t next_carry[WIRE_CARRY_MAX], next_carry_count; /* the result, likewise */
} wire_sink;

/* ---- The frame ----------------------------------------------------------------------------------- */

typedef enum wire_payload {
    WIRE_PAYLOAD_NONE = 0,   /* it is absent or null, or the type has no payload */
    WIRE_PAYLOAD_DONE,       /* it was decoded into the sink, and gave payload_bytes bytes */
    WIRE_PAYLOAD_SPAN,       /* it is the string values[payload_field], and was not decoded */
    WIRE_PAYLOAD_WRONG_KIND, /* it is neither a string nor null */
    WIRE_PAYLOAD_PARTS,      /* several elements of an array have one: part_count of them. values[payload_field] is the first */
    WIRE_PAYLOAD_MIXED, /* likewise, but a field that has to be the same in all of them is not: another one stands at `mixed` */
} wire_payload;

typedef struct wire_frame {
    /* What the caller sets before the first call of the walk. */
    const uint8_t *data;
    size_t length;
    const wire_catalogue *catalogue;
    bool defer_payload;      /* the walk shall not ask for a sink, but leave the payload as a span */
    const wire_type *likely; /* a type of the catalogue that this frame probably has, which saves looking for it; or NULL */

    /* What the caller sets after WIRE_NEED_SINK. */
    wire_sink sink;

    /* What the walk finds; after a fault, what it had found until then. After WIRE_NEED_SINK, `type` is a guess, and only the values
     * of fields that are marked in `present` are set. */
    size_t position;       /* after a fault: where the byte at fault stands */
    wire_value key;        /* after a fault: the key in whose value the fault is; kind WIRE_ABSENT: in the value of no key. After
                              WIRE_NEED_SINK: that of the payload */
    const wire_type *type; /* after WIRE_OK: the type of the frame; after WIRE_NEED_SINK: a guess, which may turn out wrong */
    wire_value type_value; /* the value of the tag; its kind is WIRE_ABSENT where the walk has met none */
    wire_value values[WIRE_MAX_FIELDS]; /* after WIRE_OK: values[n] is the value of field n of type->layout */
    uint32_t present;                   /* bit n: the frame has field n */
    uint32_t containers;                /* bit n: the value of field n is an object or an array */
    uint32_t outline_count;             /* entries of `outline`; 0: there is none, or the object is empty */
    wire_payload payload;
    uint32_t payload_field;
    /* Of a layout with paths: how many payloads there are, where another one of the fields that have to be the same stands (0:
     * nowhere), and which members of the root object have paths inside. */
    size_t part_count, mixed;
    uint32_t roots_found;
    size_t copied_from; /* for the caller, who may move the payload behind the frame: where it stood; 0: it was not moved */
    /* After WIRE_NEED_SINK: how many bytes the payload will give. With WIRE_PAYLOAD_DONE: how many bytes it gave. */
    size_t payload_bytes;
    size_t payload_end; /* after WIRE_NEED_SINK: where the closing quote of the payload is guessed to stand */

    /* What the walk keeps between two calls, for itself. */
    size_t cursor;     /* where the payload's opening quote stands */
    uint32_t expected; /* the number of the field whose key is expected next */
    bool asked;        /* the walk has asked for a sink: the next call goes on, and asks for no other */

    /* The outline of the object in field type->layout->outlined. It stands last, behind all that every walk needs. */
    wire_entry outline[WIRE_OUTLINE];
} wire_frame;

static inline void wire_frame_init(wire_frame *frame, const uint8_t *data, size_t length, const wire_catalogue *catalogue,
                                   bool defer_payload) {
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

/* A key that is looked for in a nested object. */
typedef struct wire_key {
    const char *bytes;
    size_t length;
    const struct wire_key *inner; /* where the value is an object: the keys that are looked for inside it; or NULL */
    size_t inner_count;
    size_t inner_place; /* the place in `found` of the first of these */
} wire_key;

/* Does with an outline what wire_tier.members does with the frame. No inner keys are looked for below the last level. */
void wire_outline_members(const uint8_t *data, wire_outline object, const wire_key *keys, size_t count, wire_value *found);
/* The number of the last member of the object with this key, and its value; SIZE_MAX: there is none. */
size_t wire_outline_find(const uint8_t *data, wire_outline object, const char *key, size_t length, wire_value *value);

/* ---- Tiers ------------------------------------------------------------------------------------- */

typedef struct wire_tier {
    const char *name;
    bool (*supported)(void); /* whether this CPU and this operating system can run the tier */

    /* Validates the whole frame and finds its type, fields and payload. Returns WIRE_OK, WIRE_NEED_SINK or a fault. */
    wire_status (*walk)(wire_frame *frame);

    /* Finds members of a nested object in a frame that the walk has accepted: found[i] is the value of the last member whose key
     * is keys[i]. Its kind is WIRE_ABSENT where the object has no such member, or where `object` is no object. The same holds for
     * the inner keys of keys[i]: what is found of them begins at found[keys[i].inner_place]. No two keys of one object are the
     * same. */
    void (*members)(const uint8_t *data, const wire_value *object, const wire_key *keys, size_t count, wire_value *found);

    /* Finds the payloads of a frame with WIRE_PAYLOAD_PARTS or WIRE_PAYLOAD_MIXED. Writes the first `room` of them, and returns how
     * many there are. Some may be no strings. */
    size_t (*parts)(const wire_frame *frame, wire_value *parts, size_t room);

    /* Finds the next element of a nested array in a frame that the walk has accepted. *at: at first the place behind the opening
     * bracket; each call moves it on. false: there is no further element. */
    bool (*element)(const uint8_t *data, const wire_value *array, size_t *at, wire_value *element);

    /* Copies the characters of a string in a frame that the walk has accepted, as long as they are ASCII without an escape, or
     * escaped slashes: some encoders escape every slash of base64. Moves *at behind what was copied: to `end`, to another escape,
     * to a quote, to a byte above 0x7F, or to where fewer than 64 bytes of `room` are left. Returns how many bytes were copied;
     * it may write to all of out[0 .. room). */
    size_t (*slashed)(const uint8_t **at, const uint8_t *end, uint8_t *out, size_t room);

    /* Decodes groups of four base64 symbols. It stops before the first group that has a byte outside the alphabet, or after
     * `length` symbols, which is a multiple of 4. Returns how many symbols were decoded. Reads src[0 .. length). May write to all
     * of out[0 .. length / 4 * 3), of which the first (returned / 4 * 3) bytes are the result. */
    size_t (*base64)(const uint8_t *src, size_t length, uint8_t *out);

    /* Turn `count` samples of the wire into int16 or float32. `in` may have any alignment, `out` has that of its type. `in` and
     * `out` do not overlap. */
    void (*pcm16_to_float32)(const uint8_t *in, size_t count, float *out);
    void (*ulaw_to_int16)(const uint8_t *in, size_t count, int16_t *out);
    void (*ulaw_to_float32)(const uint8_t *in, size_t count, float *out);
    void (*alaw_to_int16)(const uint8_t *in, size_t count, int16_t *out);
    void (*alaw_to_float32)(const uint8_t *in, size_t count, float *out);

    /* Encodes `length` bytes as canonical base64 with its padding. Reads src[0 .. length), and writes exactly
     * out[0 .. (length + 2) / 3 * 4). */
    void (*base64_encode)(const uint8_t *src, size_t length, uint8_t *out);

    /* Turn `count` samples into samples of the wire: in pcm16 two bytes each, the lower one first; in mu-law and A-law one byte
     * each. The samples stand one behind the other, in the byte order of the host. `in` may have any alignment. `in` and `out` do
     * not overlap. G.711 is encoded by the rule of ITU-T G.191 (g711_encode.h). A float is scaled by 32768, rounded half to even,
     * and saturated to -32768 .. 32767; NaN becomes 0. For G.711, a float first becomes an int16 in this way. */
    void (*float32_to_pcm16)(const void *in, size_t count, uint8_t *out);
    void (*int16_to_ulaw)(const void *in, size_t count, uint8_t *out);
    void (*int16_to_alaw)(const void *in, size_t count, uint8_t *out);
    void (*float32_to_ulaw)(const void *in, size_t count, uint8_t *out);
    void (*float32_to_alaw)(const void *in, size_t count, uint8_t *out);

    /* Writes (2 * count + 2) / 3 * 4 symbols: the base64 of the bytes that float32_to_pcm16 would write. NULL in a tier in which
     * float32_to_pcm16 and base64_encode, one after the other, are as fast. */
    void (*float32_to_base64)(const void *in, size_t count, uint8_t *out);
} wire_tier;

/* All tiers of this build, the best first, scalar last, then NULL. */
extern const wire_tier *const wire_tiers[];
/* The tier of this name or, where `name` is NULL, the best one that this machine supports. NULL: no tier of this build has the
 * name, or the machine does not support it. */
const wire_tier *wire_choose_tier(const char *name);

/* ---- Payloads after the walk ------------------------------------------------------------------- */

/* Sets *bytes to the number of bytes that the string `value` decodes to, if it is canonical base64. This function looks only at
 * the length and the padding: wire_payload_decode may still refuse a string that was accepted here. After a fault, *position is
 * the place of the byte at fault in the frame. */
wire_status wire_payload_size(const wire_tier *tier, const uint8_t *data, const wire_value *value, size_t *bytes,
                              size_t *position);
/* Decodes the whole string `value` into `sink`. Returns WIRE_OK, or the fault and, in *position, the place of the byte at
 * fault. */
wire_status wire_payload_decode(const wire_tier *tier, const uint8_t *data, const wire_value *value, wire_sink *sink,
                                size_t *position);
/* wire_payload_decode for `length` symbols without escapes, as the walk calls it. false: they are not canonical base64, and the
 * sink may have been filled in part. */
bool wire_payload_fill(const wire_tier *tier, const uint8_t *src, size_t length, wire_sink *sink);

/* Does with a string that nobody wants what wire_payload_decode would do to `sink`, but for the samples: it counts them, and decodes
 * no more than gives sink->next_carry. So it may accept a string that wire_payload_decode would refuse. `value` NULL: no payload. */
wire_status wire_payload_measure(const wire_tier *tier, const uint8_t *data, const wire_value *value, wire_sink *sink,
                                 size_t *samples, size_t *position);

typedef enum wire_shape { WIRE_RAW = 0, WIRE_OGG, WIRE_WAV } wire_shape;
/* Whether the bytes of a payload begin like an Ogg page or a WAV file. A match of 42 bits or more is no coincidence. */
static inline wire_shape wire_container(const uint8_t *data, const wire_value *value);

/* What the header of a WAV file says. The samples are `bytes` bytes of the payload, from `start` on. */
typedef struct wire_wav {
    wire_conversion to_int16, to_float32;
    uint32_t rate;
    uint16_t channels;
    size_t start, bytes;
} wire_wav;

/* Reads the header of a payload whose size wire_payload_size has found. NULL, or what is wrong with it. */
const char *wire_wav_read(const uint8_t *data, const wire_value *value, size_t payload_bytes, wire_wav *wav);
/* Decodes the samples of a WAV file into `sink`, which has no carry. The rest as wire_payload_decode. */
wire_status wire_wav_decode(const wire_tier *tier, const uint8_t *data, const wire_value *value, const wire_wav *wav,
                            wire_sink *sink, size_t *position);

/* ---- Text and numbers after the walk ------------------------------------------------------------ */

/* Returns how many code points a string has, in a frame that the walk has accepted. *largest: the largest of them. */
size_t wire_text_measure(const uint8_t *data, const wire_value *value, uint32_t *largest);
/* Writes the code points of the string with `width` bytes each (1, 2 or 4). `out` has room for all of them. */
void wire_text_write(const uint8_t *data, const wire_value *value, unsigned width, void *out);
/* Writes the string as UTF-8, and returns how many bytes that takes; 0 where the string is empty or takes more than `room`
 * bytes. */
size_t wire_text_utf8(const uint8_t *data, const wire_value *value, uint8_t *out, size_t room);
/* Writes as many code points of the string as `room` bytes of UTF-8 hold, and returns how many bytes these take. *whole: whether
 * they are all of it. */
size_t wire_text_begin(const uint8_t *data, const wire_value *value, uint8_t *out, size_t room, bool *whole);
/* True if the value is a whole number of 64 bits, however it is written: 1, 1.0, 1e0 or "1". */
bool wire_whole_number(const uint8_t *data, const wire_value *value, int64_t *number);
/* Overwrites each escape that is half a surrogate pair with the escape of U+FFFD. `raw`: the data are what Python's surrogatepass
 * makes of a str, and surrogates that stand there in three bytes are overwritten too. */
void wire_replace_surrogates(uint8_t *data, size_t length, bool raw);
/* True where the JSON number `text` rounds to an infinite double. */
bool wire_number_overflows(const uint8_t *text, size_t length);

/* ---- A frame to be sent ------------------------------------------------------------------------- */

/* In place of a length: the length is more than PTRDIFF_MAX. */
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

/* An array of one dimension in the memory of the caller. `source` says whether its elements are bytes, int16 or float32. */
typedef struct wire_samples {
    const void *first; /* may have any alignment */
    size_t count;
    ptrdiff_t stride; /* bytes from one sample to the next; may be negative or 0 */
    wire_source source;
    bool swapped; /* the byte order of the samples is not that of the host */
} wire_samples;

/* Returns how many base64 symbols `count` samples become, with the padding, or WIRE_TOO_LONG. */
size_t wire_encoded_length(wire_source source, size_t count);
/* Writes exactly wire_encoded_length symbols, and reads no byte beside the samples. `out` does not overlap the samples. */
void wire_encode(const wire_tier *tier, const wire_samples *samples, uint8_t *out);

/* The next two functions turn a text into the characters between the quotes of a JSON string. They write the same ASCII as
 * json.dumps of Python. `text` is `count` code points of `width` bytes each (1, 2 or 4) in the byte order of the host, as CPython
 * keeps a str. */

/* Measures the JSON of a text. WIRE_OK: *length is how many bytes the JSON has, or WIRE_TOO_LONG where `count` is more than
 * PTRDIFF_MAX / 12, because one code point takes at most 12 bytes. WIRE_SURROGATE: *position is the index of the first surrogate,
 * which no valid JSON can hold. A pair of UTF-16 surrogates is two code points here, and is refused too. */
wire_status wire_escape_measure(const void *text, size_t count, unsigned width, size_t *length, size_t *position);
/* Writes the JSON of a text that wire_escape_measure has accepted; `length` is the length that it has measured. */
void wire_escape_write(const void *text, size_t count, unsigned width, size_t length, uint8_t *out);

/* ---- Inline, because each delta calls it -------------------------------------------------------- */

wire_shape wire_container_of(const uint8_t *data, const wire_value *value);

static inline wire_shape wire_container(const uint8_t *data, const wire_value *value) {
    /* The base64 of "OggS" begins with T, that of "RIFF" with U. */
    if (value->end - value->start <= 8) return WIRE_RAW;
    const uint8_t *p = data + value->start;
    if (*p != 'T' && *p != 'U' && !value->escaped) return WIRE_RAW;
    return wire_container_of(data, value);
}

#endif
