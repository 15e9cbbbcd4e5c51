/* Reads audio formats: their names on the wire, and what an object, a name and a number of channels
 * say. */
#include "formats.h"

#include <string.h>

#include "bytes.h"

const audio_format FORMAT_DEFAULT = FORMAT_OF_REALTIME;

#define NAME(text) text, sizeof text - 1

/* clang-format off */
const format_name format_names[] = {
    {NAME("pcm16"), ENCODING_PCM16, 24000},          /* OpenAI beta */
    {NAME("audio/pcm"), ENCODING_PCM16, 24000},      /* OpenAI GA */
    {NAME("pcm"), ENCODING_PCM16, 24000},            /* DashScope, Inworld */
    {NAME("pcm24"), ENCODING_PCM16, 24000},          /* DashScope: 24 kHz, 16 bits */
    {NAME("s16le"), ENCODING_PCM16, 24000},          /* vLLM-Omni */
    {NAME("pcm16-8000hz"), ENCODING_PCM16, 8000},    /* Voice Live, older spelling */
    {NAME("pcm16-16000hz"), ENCODING_PCM16, 16000},
    {NAME("pcm16_8000hz"), ENCODING_PCM16, 8000},
    {NAME("pcm16_16000hz"), ENCODING_PCM16, 16000},
    {NAME("g711_ulaw"), ENCODING_ULAW, 8000},        /* OpenAI beta */
    {NAME("audio/pcmu"), ENCODING_ULAW, 8000},       /* OpenAI GA */
    {NAME("pcmu"), ENCODING_ULAW, 8000},
    {NAME("g711_alaw"), ENCODING_ALAW, 8000},
    {NAME("audio/pcma"), ENCODING_ALAW, 8000},
    {NAME("pcma"), ENCODING_ALAW, 8000},
    {NAME("float32"), ENCODING_FLOAT32, 24000},
    {NAME("f32le"), ENCODING_FLOAT32, 24000},        /* vLLM-Omni */
    {NAME("wav"), ENCODING_WAV, 24000},              /* vLLM-Omni, DashScope */
    {NAME("audio/wav"), ENCODING_WAV, 24000},
    {NAME("audio/x-mulaw"), ENCODING_ULAW, 8000},    /* Twilio, Plivo */
    {NAME("pcm_mulaw"), ENCODING_ULAW, 8000},        /* Cartesia */
    {NAME("audio/x-alaw"), ENCODING_ALAW, 8000},
    {NAME("pcm_alaw"), ENCODING_ALAW, 8000},
    {NAME("l16"), ENCODING_PCM16, 24000},            /* Telnyx: little endian, not RFC 2586 */
    {NAME("audio/x-l16"), ENCODING_PCM16, 24000},    /* Plivo */
    {NAME("audio/x-raw"), ENCODING_PCM16, 8000},     /* Exotel */
    {NAME("slin"), ENCODING_PCM16, 8000},
    {NAME("raw/slin"), ENCODING_PCM16, 8000},
    {NAME("linear16"), ENCODING_PCM16, 24000},       /* Hume */
    {NAME("audio/lpcm"), ENCODING_PCM16, 24000},     /* Nova Sonic */
    {NAME("pcm_s16le"), ENCODING_PCM16, 24000},      /* Cartesia */
    {NAME("pcm_f32le"), ENCODING_FLOAT32, 24000},    /* Cartesia */
    {NULL, 0, ENCODING_OTHER, 0},
};
/* clang-format on */

static const struct {
    const char *name;
    unsigned sample_bytes;
} ENCODINGS[] = {
    [ENCODING_PCM16] = {"pcm16", 2},    [ENCODING_ULAW] = {"g711_ulaw", 1},
    [ENCODING_ALAW] = {"g711_alaw", 1}, [ENCODING_FLOAT32] = {"float32", 4},
    [ENCODING_WAV] = {"wav", 0},        [ENCODING_OTHER] = {NULL, 0},
};

const char *format_encoding_name(audio_encoding encoding) {
    return ENCODINGS[encoding].name;
}

unsigned format_sample_bytes(audio_encoding encoding) {
    return ENCODINGS[encoding].sample_bytes;
}

audio_encoding format_encoding_of(const uint8_t *name, size_t length) {
    for (int i = 0; i < ENCODING_OTHER; i++) {
        if (strlen(ENCODINGS[i].name) == length && memcmp(ENCODINGS[i].name, name, length) == 0)
            return (audio_encoding)i;
    }
    return ENCODING_OTHER;
}

static void doubt_value(format_doubt *doubt, const wire_value *value) {
    if (doubt != NULL && doubt->value.kind == WIRE_ABSENT) doubt->value = *value;
}

int32_t format_count(const uint8_t *data, const wire_value *value, format_doubt *doubt) {
    if (value->kind <= WIRE_NULL) return 0;
    int64_t number;
    if (wire_whole_number(data, value, &number) && number > 0 && number <= INT32_MAX)
        return (int32_t)number;
    doubt_value(doubt, value);
    return 0;
}

/* Whether a name says anything: xAI sends "not specified" as output_audio_format, next to the
 * nested format, which counts. */
static bool says_something(const uint8_t *name, size_t length) {
    static const char nothing[] = "not specified";
    return length > 0 && !(length == sizeof nothing - 1 && memcmp(name, nothing, length) == 0);
}

static const format_name *find_name(const format_name *names, const uint8_t *name, size_t length) {
    for (const format_name *known = names; known->name; known++) {
        if (known->length != length) continue;
        size_t i = 0;
        while (i < length &&
               (name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]) == known->name[i])
            i++;
        if (i == length) return known;
    }
    return NULL;
}

/* A number of up to six digits; 0 if there is none. */
static int32_t digits_of(const uint8_t *text, size_t length) {
    int32_t number = 0;
    if (length == 0 || length > 6) return 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') return 0;
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

/* A name of the table followed by a rate: "audio/pcm;rate=16000" (RFC 6838), "pcm_16000"
 * (ElevenLabs). NULL: it is not one. */
static const format_name *name_with_rate(const uint8_t *name, size_t length, int32_t *rate) {
    static const char parameter[] = "rate=";
    /* No provider documents these without a rate. */
    static const format_name rated[] = {{NAME("ulaw"), ENCODING_ULAW, 8000},
                                        {NAME("alaw"), ENCODING_ALAW, 8000},
                                        {NULL, 0, ENCODING_OTHER, 0}};
    const uint8_t *semicolon = memchr(name, ';', length);
    if (semicolon != NULL) {
        const uint8_t *at = semicolon + 1, *end = name + length;
        while (at < end && *at == ' ') at++;
        const size_t left = (size_t)(end - at), skipped = sizeof parameter - 1;
        if (left <= skipped || memcmp(at, parameter, skipped) != 0) return NULL;
        *rate = digits_of(at + skipped, left - skipped);
        return *rate ? find_name(format_names, name, (size_t)(semicolon - name)) : NULL;
    }
    size_t base = length;
    while (base > 0 && name[base - 1] != '_') base--;
    *rate = base ? digits_of(name + base, length - base) : 0;
    if (*rate == 0) return NULL;
    const format_name *known = find_name(format_names, name, base - 1);
    return known ? known : find_name(rated, name, base - 1);
}

/* The format of a name, at its usual rate. false: the name says nothing. */
static bool named_format(const uint8_t *data, const wire_value *value, audio_format *format,
                         format_doubt *doubt) {
    uint8_t name[FORMAT_NAME_MAX];
    bool whole;
    const size_t length = wire_text_begin(data, value, name, sizeof name, &whole);
    if (!says_something(name, length)) return false;
    int32_t rate = 0;
    const format_name *known = whole ? find_name(format_names, name, length) : NULL;
    if (known == NULL && whole) known = name_with_rate(name, length, &rate);
    format->encoding = (uint8_t)(known ? known->encoding : ENCODING_OTHER);
    format->unnamed = false;
    format->rate = known == NULL ? FORMAT_DEFAULT.rate : rate ? rate : known->rate;
    format->channels = 1;
    format->name_length = 0;
    if (known == NULL) {
        format->name_length = (uint16_t)length;
        memcpy(format->name, name, length);
        doubt_value(doubt, value);
    }
    return true;
}

/* The number of channels that a value names: 0 if it names none, at most one more than a format may
 * have. */
static int32_t count_channels(const uint8_t *data, const wire_value *value, format_doubt *doubt) {
    int64_t number;
    if (value->kind > WIRE_NULL && wire_whole_number(data, value, &number) &&
        number > WIRE_MOST_CHANNELS) {
        return WIRE_MOST_CHANNELS + 1;
    }
    return format_count(data, value, doubt);
}

/* With more channels than a format may have it becomes one that nobody decodes, and its name says
 * so. */
static void set_counts(audio_format *format, int32_t rate, int32_t channels) {
    static const char more[] = " of more than 255 channels";
    if (rate) format->rate = rate;
    if (channels > WIRE_MOST_CHANNELS) {
        const char *known = format_encoding_name((audio_encoding)format->encoding);
        size_t length = known ? strlen(known) : format->name_length;
        if (known) memcpy(format->name, known, length);
        if (length > sizeof format->name - (sizeof more - 1)) {
            length = sizeof format->name - (sizeof more - 1);
            while (length > 0 && (format->name[length] & 0xC0) == 0x80)
                length--; /* not in the middle of a character */
        }
        memcpy(format->name + length, more, sizeof more - 1);
        format->name_length = (uint16_t)(length + sizeof more - 1);
        format->encoding = ENCODING_OTHER;
        format->unnamed = false;
        format->channels = 1;
    } else if (channels) {
        format->channels = channels;
    }
}

#define KEY(text) {text, sizeof text - 1, NULL, 0, 0}

bool format_read(const wire_tier *tier, const uint8_t *data, const wire_value *value,
                 audio_format *format, bool *own_rate, format_doubt *doubt) {
    /* How OpenAI names the format of nearly all sessions. */
    static const char usual[] = "{\"type\":\"audio/pcm\",\"rate\":24000}";
    static const wire_key keys[4] = {KEY("type"), KEY("rate"), KEY("sample_rate"), KEY("channels")};
    if (own_rate != NULL) *own_rate = false;
    if (value->kind == WIRE_STRING) return named_format(data, value, format, doubt);
    if (value->kind != WIRE_OBJECT) {
        if (value->kind > WIRE_NULL) doubt_value(doubt, value);
        return false;
    }
    if (value->end - value->start == sizeof usual - 1 &&
        memcmp(data + value->start, usual, sizeof usual - 1) == 0) {
        *format = FORMAT_DEFAULT;
        format->unnamed = false;
        if (own_rate != NULL) *own_rate = true;
        return true;
    }
    wire_value found[4];
    tier->members(data, value, keys, 4, found);
    const int32_t own = format_count(data, &found[1], doubt);
    const int32_t rate = own ? own : format_count(data, &found[2], doubt);
    const int32_t channels = count_channels(data, &found[3], doubt);
    if (found[0].kind > WIRE_NULL && found[0].kind != WIRE_STRING) doubt_value(doubt, &found[0]);
    if (own_rate != NULL) *own_rate = own != 0;
    if (found[0].kind != WIRE_STRING || !named_format(data, &found[0], format, doubt)) {
        if (rate == 0) return false;
        *format = FORMAT_DEFAULT;
        format->unnamed = false;
    }
    set_counts(format, rate, channels);
    return true;
}

bool format_with(const uint8_t *data, const wire_value *name, const wire_value *rate,
                 const wire_value *channels, const audio_format *base, audio_format *format,
                 format_doubt *doubt) {
    const int32_t own_rate = format_count(data, rate, doubt),
                  own_channels = count_channels(data, channels, doubt);
    if (name->kind > WIRE_NULL && name->kind != WIRE_STRING) doubt_value(doubt, name);
    const bool named = name->kind == WIRE_STRING && named_format(data, name, format, doubt);
    if (!named) {
        *format = *base;
        format->unnamed &= !(own_rate || own_channels);
    }
    set_counts(format, own_rate, own_channels);
    return named;
}

int format_conversion(audio_encoding encoding, sample_kind samples) {
    static const int8_t to_int16[] = {WIRE_PCM16_TO_INT16,  WIRE_ULAW_TO_INT16,
                                      WIRE_ALAW_TO_INT16,   WIRE_FLOAT32_TO_INT16,
                                      CONVERSION_OF_HEADER, CONVERSION_NONE};
    static const int8_t to_float32[] = {WIRE_PCM16_TO_FLOAT32, WIRE_ULAW_TO_FLOAT32,
                                        WIRE_ALAW_TO_FLOAT32,  WIRE_FLOAT32_TO_FLOAT32,
                                        CONVERSION_OF_HEADER,  CONVERSION_NONE};
    if (samples == SAMPLES_AS_SENT) return WIRE_COPY;
    return samples == SAMPLES_INT16 ? to_int16[encoding] : to_float32[encoding];
}
