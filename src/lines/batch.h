/* Many lines of a recording at once, into the columns of one batch, without Python: lines are
 * found, walked and decoded, and the samples are written where they stay. An unusual or refused
 * line is left to the caller, who decodes it with the Decoder and puts its row in.
 *
 * The columns are those of realtime_pcm/arrow/schema.py, in the layout of Arrow; batch_export hands
 * their memory over through the C data interface of Arrow. Nothing here locks, and only spare
 * buffers outlive a batch: each function may be called without the GIL, by one thread at a time for
 * each batch and each session.
 */
#ifndef REALTIME_PCM_BATCH_H
#define REALTIME_PCM_BATCH_H

#include "lines.h"
#include "session.h"
#include "wire.h"

/* ---- What a message has for the columns ------------------------------------------------------ */

typedef enum batch_kind {
    BATCH_SLOW = 0, /* the caller decodes it */
    BATCH_PLAIN,    /* it changes nothing in the session */
    BATCH_AUDIO,
    BATCH_CHANGE,  /* it changes the session */
    BATCH_UNKNOWN, /* of an undeclared type */
} batch_kind;

/* Kept as `row_plan` of each wire_layout. Fields are given by their numbers; 0: none. */
typedef struct batch_plan {
    uint8_t kind; /* batch_kind */
    uint8_t response_id, item_id, output_index, content_index;
    uint8_t audio_ms[2];                 /* the first one present counts */
    uint8_t texts[4];                    /* likewise */
    uint8_t stash;                       /* continues a text */
    uint8_t item, response, part, error; /* fields with objects that columns are read from */
    uint32_t nested;                     /* the bits of these */
    uint8_t told; /* what it tells about calls, as the caller numbers it; 0: nothing */
    uint8_t told_object, told_field; /* where the id is: in this object, else in this field */
    const session_plan *session;
} batch_plan;

/* Sets the plan of a layout, while other threads may read it. A layout without a plan is left to
 * the caller. */
void batch_set_plan(wire_layout *layout, const batch_plan *plan);

/* ---- The batch ------------------------------------------------------------------------------- */

typedef enum batch_text {
    TEXT_TYPE = 0,
    TEXT_EVENT_ID,
    TEXT_RESPONSE_ID,
    TEXT_ITEM_ID,
    TEXT_TEXT,
    TEXT_ENCODING,
    TEXT_ROLE,
    TEXT_ERROR,
    TEXTS
} batch_text;

typedef enum batch_number {
    NUMBER_OUTPUT_INDEX = 0,
    NUMBER_CONTENT_INDEX,
    NUMBER_AUDIO_MS,
    NUMBER_SAMPLE_OFFSET,
    NUMBERS
} batch_number;

/* Most rows have nothing for most columns, so nulls are written late: by the next value of the
 * column or, at the end, by batch_fill. `filled` is the number of rows that are written. */

/* A column of strings. */
typedef struct text_column {
    uint8_t *data;
    size_t length, room;
    int32_t *ends;  /* ends[0] is 0, ends[row + 1] the end of a row's text in `data` */
    uint8_t *valid; /* one byte per row */
    size_t filled;
} text_column;

typedef struct number_column {
    int64_t *values;
    uint8_t *valid;
    size_t filled;
} number_column;

/* The samples and their formats. */
typedef struct audio_columns {
    uint8_t *pcm;        /* int16 samples, or bytes */
    size_t length, room; /* in bytes */
    int64_t *ends;       /* in samples, or bytes; as those of text_column */
    uint8_t *valid;
    int32_t *rate, *channels;
    uint8_t *rate_valid, *channels_valid;
    size_t filled;
} audio_columns;

/* A word for a direction, in its quotes. */
typedef struct batch_word {
    const uint8_t *bytes;
    size_t length;
    bool sent;
} batch_word;

/* What a frame tells about its call. */
typedef struct batch_told {
    uint8_t told;  /* of its plan */
    bool named;    /* by an id */
    size_t id_end; /* of the id, in batch.ids; it begins where the one before ends */
} batch_told;

#define BATCH_CALL \
    128 /* bytes of a call's id that are compared; a line with a longer one is left to the caller */

typedef struct batch {
    /* Set by the caller. */
    const wire_tier *tier;
    const wire_catalogue *catalogues[2]; /* of the server's messages and of the client's */
    session *session;
    session_reader reader;
    bool as_sent;  /* the bytes of payloads, not int16 samples */
    bool own;      /* the recording is one of ours: its directions count */
    bool wrapped;  /* frames stand in objects; else each line is a frame of the server */
    bool has_keys; /* `keys` fit the lines so far; false: the caller looks at each line */
    bool quoted;   /* the frame is a string of JSON */
    line_keys keys;
    size_t time_at, direction_at, call_at; /* which of the values that line_split finds; 0: none */
    double scale, origin;                  /* of times; scale NaN: nobody knows yet */
    const batch_word *words;
    size_t word_count;
    size_t max_rows, max_bytes;
    size_t most_empty; /* empty lines in a row that are passed; one more is left to the caller */
    const uint8_t *source;
    size_t source_length;

    uint8_t call[BATCH_CALL]; /* of the lines so far, as JSON; other lines are the caller's */
    size_t call_length;

    audio_format assumed[2]; /* of the last delta of each side: the next one probably has it too */

    /* The position. */
    size_t rows, line; /* line: the last line of the recording that was read */
    bool unfinished;   /* the row `rows` has begun */
    size_t bytes;      /* of text in the columns, except source and direction */
    const wire_type *likely[2];
    size_t slow_lines;
    size_t empty_lines; /* how many of the last lines are empty */
    uint8_t *scratch;
    size_t scratch_room;

    /* The columns. */
    text_column texts[TEXTS];
    number_column numbers[NUMBERS];
    audio_columns audio;
    int64_t *line_of; /* of each row */
    uint8_t *sent;    /* likewise: whether the client has sent the frame */
    double *time;
    uint8_t *time_valid;
    /* Times that the caller reads: their rows and texts. */
    size_t late_count, late_length, late_room;
    uint32_t *late_rows;
    size_t *late_ends;
    uint8_t *late;
    /* What frames have told about their calls. The caller reads it and sets told_count to 0. */
    size_t told_count, told_room, ids_room;
    batch_told *tellings;
    uint8_t *ids;
} batch;

typedef enum batch_stop {
    BATCH_NEED_DATA = 0, /* no whole line is left */
    BATCH_FULL,
    BATCH_NEED_CALLER, /* the line *at .. *line_end is left to the caller */
    BATCH_NO_MEMORY,   /* the line is still to be read */
} batch_stop;

/* Takes memory for max_rows rows. false: no memory. The caller's fields are set before. */
bool batch_begin(batch *b);
/* Gives all memory back. */
void batch_end(batch *b);

/* Reads lines from data[*at ..] until a batch_stop, and moves *at past each line. `last`: the data
 * end the file, so that the last line needs no newline. */
batch_stop batch_run(batch *b, const uint8_t *data, size_t length, bool last, size_t *at,
                     size_t *line_end);

/* ---- A row of the caller --------------------------------------------------------------------- */

/* Begins a row, in which all is null except the source, the line and the direction. A row that was
 * not ended is discarded. */
void batch_row(batch *b, size_t line, bool sent);
bool batch_put_text(batch *b, batch_text column, const uint8_t *text, size_t length);
void batch_put_number(batch *b, batch_number column, int64_t number);
void batch_put_time(batch *b, double time);
/* Samples or bytes, and their format; 0 for a rate or channels that a column cannot hold. */
bool batch_put_pcm(batch *b, const void *pcm, size_t bytes, int32_t rate, int32_t channels);
/* Ends the row. */
void batch_row_done(batch *b);
/* Fills all columns up to the last row. batch_export calls it. */
void batch_fill(batch *b);

/* ---- Handing over ---------------------------------------------------------------------------- */

struct ArrowArray;
/* Hands the columns over as a struct of Arrow, in the order of schema.py, and leaves the batch
 * without memory: call batch_begin next. false: no memory, and the batch is as it was. */
bool batch_export(batch *b, struct ArrowArray *array);

/* ---- For a module that is not linked with this library --------------------------------------- */

typedef struct lines_functions {
    bool (*split)(const uint8_t *start, const uint8_t *end, const line_keys *keys,
                  line_span *found);
    size_t (*unquote)(const uint8_t *start, const uint8_t *end, uint8_t *out);
    bool (*time)(const uint8_t *start, const uint8_t *end, double scale, double origin,
                 double *time);
    void (*set_plan)(wire_layout *layout, const batch_plan *plan);
    bool (*begin)(batch *b);
    void (*end)(batch *b);
    batch_stop (*run)(batch *b, const uint8_t *data, size_t length, bool last, size_t *at,
                      size_t *line_end);
    void (*row)(batch *b, size_t line, bool sent);
    bool (*put_text)(batch *b, batch_text column, const uint8_t *text, size_t length);
    void (*put_number)(batch *b, batch_number column, int64_t number);
    void (*put_time)(batch *b, double time);
    bool (*put_pcm)(batch *b, const void *pcm, size_t bytes, int32_t rate, int32_t channels);
    void (*row_done)(batch *b);
    bool (*hand_over)(batch *b, struct ArrowArray *array);
} lines_functions;

extern const lines_functions lines_calls;

#endif
