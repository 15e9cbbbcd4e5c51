/* Audio formats as values, and the one table of their names on the wire. No Python. */
#ifndef REALTIME_PCM_FORMATS_H
#define REALTIME_PCM_FORMATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "wire.h"

/* The order matters: AudioFormat._code in audio.py has the same numbers, and -1 for
 * ENCODING_OTHER. */
typedef enum audio_encoding {
    ENCODING_PCM16 = 0, /* signed, 16 bits, little endian */
    ENCODING_ULAW,
    ENCODING_ALAW,
    ENCODING_FLOAT32, /* little endian, 1.0 is full scale */
    ENCODING_WAV,     /* each payload is a WAV file, whose header has its rate and channels */
    ENCODING_OTHER,   /* of another name; its payloads are bytes */
} audio_encoding;

/* Bytes of UTF-8 that are kept of a name that is not in the table. */
#define FORMAT_NAME_MAX 40

typedef struct audio_format {
    uint8_t encoding; /* audio_encoding */
    bool unnamed;     /* nobody has named it: it is assumed */
    uint16_t name_length;
    int32_t rate, channels;
    char name[FORMAT_NAME_MAX]; /* of ENCODING_OTHER: the name as it was sent */
} audio_format;

/* pcm16 at 24,000 Hz, mono, while nobody has named a format. */
#define FORMAT_OF_REALTIME {ENCODING_PCM16, true, 0, 24000, 1, ""}
extern const audio_format FORMAT_DEFAULT;

/* A name on the wire. */
typedef struct format_name {
    const char *name; /* in lower case */
    size_t length;
    audio_encoding encoding;
    int32_t rate; /* if none is sent */
} format_name;

/* All of them, then one whose `name` is NULL. */
extern const format_name format_names[];
/* Our name of an encoding, as AudioFormat has it; NULL for ENCODING_OTHER, which has its own. */
const char *format_encoding_name(audio_encoding encoding);
/* The encoding that has this name of ours; ENCODING_OTHER if none has. */
audio_encoding format_encoding_of(const uint8_t *name, size_t length);
/* Bytes of one sample as it is sent; 0 where the payload has to tell (WAV) or nobody knows. */
unsigned format_sample_bytes(audio_encoding encoding);

static inline bool format_same(const audio_format *a, const audio_format *b) {
    return a->encoding == b->encoding && a->rate == b->rate && a->channels == b->channels &&
           a->unnamed == b->unnamed &&
           (a->encoding != ENCODING_OTHER ||
            (a->name_length == b->name_length && memcmp(a->name, b->name, a->name_length) == 0));
}

/* Something in a format that was not understood: an unknown name, or a rate that is not a whole
 * number. */
typedef struct format_doubt {
    wire_value value; /* kind WIRE_ABSENT: nothing */
} format_doubt;

/* The format that a value of the wire names: a string, or an object with `type`, `rate` or
 * `sample_rate`, and `channels`. false: it names none. `own_rate`, unless NULL: whether the object
 * has a `rate` of its own. */
bool format_read(const wire_tier *tier, const uint8_t *data, const wire_value *value,
                 audio_format *format, bool *own_rate, format_doubt *doubt);
/* The format of a message that sends a name, a rate or channels itself; each is ABSENT if not sent.
 * A missing part is the one that the name implies or, without a name, that of `base`. Returns
 * whether the name names a format. */
bool format_with(const uint8_t *data, const wire_value *name, const wire_value *rate,
                 const wire_value *channels, const audio_format *base, audio_format *format,
                 format_doubt *doubt);
/* A rate or a number of channels, however it is written. 0: it is not one, or more than
 * INT32_MAX. */
int32_t format_count(const uint8_t *data, const wire_value *value, format_doubt *doubt);

/* What samples are decoded to. */
typedef enum sample_kind { SAMPLES_INT16 = 0, SAMPLES_FLOAT32, SAMPLES_AS_SENT } sample_kind;

/* Instead of a wire_conversion: there is none; or the header of each payload says which. */
enum { CONVERSION_NONE = -1, CONVERSION_OF_HEADER = -2 };

/* The wire_conversion from an encoding to samples. */
int format_conversion(audio_encoding encoding, sample_kind samples);

#endif
