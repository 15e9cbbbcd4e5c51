/* Turns base64 payloads into samples. The tier's kernel decodes all groups of four symbols except
 * the last one; the last group, escapes and faults are handled here. */
#include "wire.h"
#include "bytes.h"

#include <string.h>

/* Symbols decoded at a time before they are converted: their 3 KiB of payload stay in the
 * first-level cache. */
#define CHUNK_SYMBOLS 4096
#define CHUNK_BYTES (CHUNK_SYMBOLS / 4 * 3)

/* The value of a base64 symbol (RFC 4648 section 4), or 64. */
static uint32_t symbol_value(uint32_t c) {
    if (c - 'A' < 26) return c - 'A';
    if (c - 'a' < 26) return c - 'a' + 26;
    if (c - '0' < 10) return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/* ---- Filling the sink ------------------------------------------------------------------------ */

typedef struct filling {
    const wire_tier *tier;
    wire_sink *sink;
    uint8_t *out; /* where the next sample goes */
    /* Decoded, not yet converted: a carry, a chunk, the last group. */
    uint8_t pending[WIRE_CARRY_MAX + CHUNK_BYTES + 3];
    size_t pending_count;
} filling;

/* Whether the bytes of the payload are the bytes of the samples. */
static bool copies(wire_conversion conversion) {
    return conversion == WIRE_COPY || (conversion == WIRE_PCM16_TO_INT16 && !PORTABLE_BIG_ENDIAN);
}

static void begin(filling *f, const wire_tier *tier, wire_sink *sink) {
    f->tier = tier;
    f->sink = sink;
    f->out = sink->out;
    f->pending_count = sink->carry_count;
    sink->next_carry_count = 0;
    memcpy(f->pending, sink->carry, sink->carry_count);
}

/* Bytes still pending at the end are the next carry. */
static void finish(filling *f) {
    f->sink->next_carry_count = (uint8_t)f->pending_count;
    memcpy(f->sink->next_carry, f->pending, f->pending_count);
}

static void pcm16_to_int16(const uint8_t *in, size_t count, uint8_t *out) {
    for (size_t i = 0; i < count; i++) {
        int16_t sample = (int16_t)(in[2 * i] | in[2 * i + 1] << 8);
        memcpy(out + 2 * i, &sample, 2);
    }
}

/* Puts float32 samples into the byte order of the host. */
static void float32_to_host(uint8_t *bytes, size_t count) {
    if (!PORTABLE_BIG_ENDIAN) return;
    for (size_t i = 0; i < count; i++, bytes += 4) {
        const uint8_t turned[4] = {bytes[3], bytes[2], bytes[1], bytes[0]};
        memcpy(bytes, turned, 4);
    }
}

static void float32_to_int16(const wire_tier *tier, uint8_t *in, size_t count, uint8_t *out) {
    float32_to_host(in, count);
    tier->float32_to_pcm16(in, count, out);
    if (PORTABLE_BIG_ENDIAN) pcm16_to_int16(out, count, out);
}

static void float32_to_float32(uint8_t *in, size_t count, uint8_t *out) {
    float32_to_host(in, count);
    memcpy(out, in, 4 * count);
}

/* Turns the pending bytes into samples. Bytes of an incomplete last sample stay pending. */
static void convert(filling *f) {
    size_t width = wire_sample_bytes(f->sink->conversion);
    size_t count = f->pending_count / width;
    void *out = f->out;
    switch (f->sink->conversion) {
        /* clang-format off */
    case WIRE_COPY: memcpy(out, f->pending, count); f->out += count; break;
    case WIRE_PCM16_TO_INT16: pcm16_to_int16(f->pending, count, out); f->out += count * 2; break;
    case WIRE_PCM16_TO_FLOAT32: f->tier->pcm16_to_float32(f->pending, count, out); f->out += count * 4; break;
    case WIRE_ULAW_TO_INT16: f->tier->ulaw_to_int16(f->pending, count, out); f->out += count * 2; break;
    case WIRE_ULAW_TO_FLOAT32: f->tier->ulaw_to_float32(f->pending, count, out); f->out += count * 4; break;
    case WIRE_ALAW_TO_INT16: f->tier->alaw_to_int16(f->pending, count, out); f->out += count * 2; break;
    case WIRE_ALAW_TO_FLOAT32: f->tier->alaw_to_float32(f->pending, count, out); f->out += count * 4; break;
    case WIRE_FLOAT32_TO_INT16: float32_to_int16(f->tier, f->pending, count, out); f->out += count * 2; break;
    case WIRE_FLOAT32_TO_FLOAT32: float32_to_float32(f->pending, count, out); f->out += count * 4; break;
        /* clang-format on */
    }
    f->pending_count -= count * width;
    memmove(f->pending, f->pending + count * width, f->pending_count);
}

/* Decodes whole groups, never the last one of a payload. Returns how many symbols were decoded: all
 * of them, unless one is bad. */
static size_t fill_groups(filling *f, const uint8_t *src, size_t length) {
    if (copies(f->sink->conversion)) {
        /* At least one more group follows, so `out` has room for the carry and all bytes of these
         * groups, even an odd one. */
        if (f->pending_count) {
            *f->out++ = f->pending[0];
            f->pending_count = 0;
        }
        size_t taken = f->tier->base64(src, length, f->out);
        f->out += taken / 4 * 3;
        return taken;
    }
    /* The last chunk stays pending, so that it is converted together with the last group. */
    size_t done = 0;
    while (done < length) {
        if (f->pending_count > 1) convert(f);
        size_t chunk = length - done < CHUNK_SYMBOLS ? length - done : CHUNK_SYMBOLS;
        size_t taken = f->tier->base64(src + done, chunk, f->pending + f->pending_count);
        f->pending_count += taken / 4 * 3;
        done += taken;
        if (taken < chunk) break;
    }
    return done;
}

/* Decodes the last group: four symbols, of which the last one or two may be padding. Returns how
 * many bytes it has; 0 if it is not canonical. */
static size_t decode_last(const uint8_t group[4], uint8_t bytes[3]) {
    uint32_t a = symbol_value(group[0]), b = symbol_value(group[1]);
    uint32_t c = symbol_value(group[2]), d = symbol_value(group[3]);
    size_t count = 3;
    if (group[3] == '=') {
        d = 0;
        count = 2;
        if (group[2] == '=') {
            c = 0;
            count = 1;
            if (b & 15) return 0;
        } else if (c & 3) {
            return 0;
        }
    }
    if ((a | b | c | d) & 64) return 0;
    uint32_t bits = a << 18 | b << 12 | c << 6 | d;
    bytes[0] = (uint8_t)(bits >> 16);
    bytes[1] = (uint8_t)(bits >> 8);
    bytes[2] = (uint8_t)bits;
    return count;
}

/* Decodes the last group into the sink. false: it is not canonical. */
static bool fill_last(filling *f, const uint8_t group[4]) {
    uint8_t bytes[3];
    const size_t count = decode_last(group, bytes);
    if (count == 0) return false;
    if (copies(f->sink->conversion)) {
        /* With two bytes per sample, an odd last byte has no room in `out`: it becomes the next
         * carry. */
        uint8_t tail[4];
        size_t tail_count = f->pending_count;
        if (tail_count) tail[0] = f->pending[0];
        memcpy(tail + tail_count, bytes, 3);
        tail_count += count;
        size_t written = (size_t)(f->out - (uint8_t *)f->sink->out);
        size_t odd = f->sink->conversion == WIRE_COPY ? 0 : (written + tail_count) & 1;
        memcpy(f->out, tail, tail_count - odd);
        f->out += tail_count - odd;
        f->pending[0] = tail[tail_count - 1];
        f->pending_count = odd;
    } else {
        memcpy(f->pending + f->pending_count, bytes, 3);
        f->pending_count += count;
        convert(f);
    }
    finish(f);
    return true;
}

bool wire_payload_fill(const wire_tier *tier, const uint8_t *src, size_t length, wire_sink *sink) {
    /* The common payload, with no carry, padding or odd byte, takes only the kernel. With '=' in
     * either of the last two places the kernel could write too much: the caller counted it as
     * padding, and made less room. */
    if (copies(sink->conversion) && sink->carry_count == 0 && length % 8 == 0 && length > 0 &&
        src[length - 1] != '=' && src[length - 2] != '=') {
        sink->next_carry_count = 0;
        return tier->base64(src, length, sink->out) == length;
    }
    filling f;
    begin(&f, tier, sink);
    if (length == 0) return finish(&f), true;
    if (length % 4) return false;
    return fill_groups(&f, src, length - 4) == length - 4 && fill_last(&f, src + length - 4);
}

/* ---- Symbols one by one: escapes and faults -------------------------------------------------- */

/* Reads the next byte of the string, or the character of an escape (of \u, its UTF-16 unit), and
 * moves *at past it. */
static uint32_t next_symbol(const uint8_t **at) {
    const uint8_t *p = *at;
    if (*p != '\\') {
        *at = p + 1;
        return *p;
    }
    *at = p + 2;
    switch (p[1]) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'u': *at = p + 6; return wire_hex4(p + 2);
    default: return p[1];
    }
}

static wire_status symbol_fault(uint32_t c) {
    if (c == ' ' || (c >= '\t' && c <= '\r')) return WIRE_BASE64_SPACE;
    if (c == '-' || c == '_') return WIRE_BASE64_URL;
    return WIRE_BASE64_SYMBOL;
}

/* Finds the first byte that makes canonical base64 impossible; WIRE_OK if there is none. */
static wire_status find_fault(const uint8_t *data, const wire_value *value, size_t *position) {
    const uint8_t *p = data + value->start, *end = data + value->end;
    const uint8_t *last = p; /* the last symbol */
    uint32_t last_value = 0;
    unsigned in_group = 0, padding = 0;
    while (p < end) {
        const uint8_t *at = p;
        /* Unless `escaped`, a backslash is just a character that base64 does not have. */
        uint32_t c = value->escaped ? next_symbol(&p) : *p++;
        wire_status fault = WIRE_OK;
        uint32_t v = symbol_value(c);
        if (c == '=') {
            if (in_group < 2 || in_group + padding == 4) {
                fault = WIRE_BASE64_PADDING;
            } else if (padding == 0 && last_value & (in_group == 2 ? 15 : 3)) {
                fault = WIRE_BASE64_BITS;
                at = last;
            }
            padding++;
        } else if (v == 64) {
            fault = symbol_fault(c);
        } else if (padding) {
            fault = WIRE_BASE64_PADDING;
        } else {
            in_group = in_group == 4 ? 1 : in_group + 1;
            last = at;
            last_value = v;
        }
        if (fault != WIRE_OK) {
            *position = (size_t)(at - data);
            return fault;
        }
    }
    if (in_group == 0 || in_group + padding == 4) return WIRE_OK;
    *position = value->end;
    return WIRE_BASE64_SHORT;
}

/* ---- Escaped payloads, some symbols at a time ------------------------------------------------ */

#define SOME_SYMBOLS 1024

/* Reads up to SOME_SYMBOLS characters from *at on, without their escapes, and moves *at past them.
 * If more characters follow, it has read at least SOME_SYMBOLS - 63. */
static size_t read_symbols(const wire_tier *tier, const uint8_t **at, const uint8_t *end,
                           uint8_t *out) {
    size_t count = 0;
    for (;;) {
        count += tier->slashed(at, end, out + count, SOME_SYMBOLS - count);
        if (*at == end || count + 64 > SOME_SYMBOLS) return count;
        do {
            uint32_t c = next_symbol(at);
            out[count++] = c <= 0x7F ? (uint8_t)c : 0xFF;
        } while (*at < end && **at == '\\' && count < SOME_SYMBOLS);
    }
}

/* Counts the characters of an escaped payload, and the '=' at its end, up to three. Does not check
 * that the characters are base64. */
static size_t count_symbols(const wire_tier *tier, const uint8_t *data, const wire_value *value,
                            unsigned *padding) {
    const uint8_t *p = data + value->start, *end = data + value->end;
    uint8_t some[SOME_SYMBOLS];
    size_t count = 0;
    *padding = 0;
    while (p < end) {
        size_t here = read_symbols(tier, &p, end, some);
        unsigned last = 0;
        while (last < 3 && last < here && some[here - 1 - last] == '=') last++;
        *padding = last + (last == here ? *padding : 0);
        count += here;
    }
    return count;
}

wire_status wire_payload_size(const wire_tier *tier, const uint8_t *data, const wire_value *value,
                              size_t *bytes, size_t *position) {
    size_t length = value->end - value->start;
    const uint8_t *end = data + value->end;
    unsigned padding = 0;
    if (value->escaped) {
        length = count_symbols(tier, data, value, &padding);
    } else if (length >= 2) {
        padding = end[-1] == '=' ? 1 + (end[-2] == '=') : 0;
    }
    if (length % 4 == 0 && padding <= 2) {
        *bytes = length / 4 * 3 - (length ? padding : 0);
        return WIRE_OK;
    }
    return find_fault(data, value, position);
}

static bool fill_escaped(const wire_tier *tier, const uint8_t *data, const wire_value *value,
                         wire_sink *sink) {
    const uint8_t *p = data + value->start, *end = data + value->end;
    uint8_t symbols[4 + SOME_SYMBOLS];
    size_t count = 0;
    filling f;
    begin(&f, tier, sink);
    while (p < end) {
        /* More symbols follow: decode those read so far except one to four, which may belong to the
         * last group. */
        if (count) {
            size_t groups = (count - 1) / 4 * 4;
            if (fill_groups(&f, symbols, groups) != groups) return false;
            count -= groups;
            memmove(symbols, symbols + groups, count);
        }
        count += read_symbols(tier, &p, end, symbols + count);
    }
    if (count == 0) return finish(&f), true;
    if (count % 4) return false;
    return fill_groups(&f, symbols, count - 4) == count - 4 && fill_last(&f, symbols + count - 4);
}

wire_status wire_payload_decode(const wire_tier *tier, const uint8_t *data, const wire_value *value,
                                wire_sink *sink, size_t *position) {
    bool filled = value->escaped ? fill_escaped(tier, data, value, sink)
                                 : wire_payload_fill(tier, data + value->start,
                                                     value->end - value->start, sink);
    return filled ? WIRE_OK : find_fault(data, value, position);
}

/* ---- A part of a payload --------------------------------------------------------------------- */

/* Keeps those of `count` bytes that belong to the part: *skip bytes come before it, and *wanted are
 * still to come. */
static void hold_part(filling *f, const uint8_t *bytes, size_t count, size_t *skip,
                      size_t *wanted) {
    const size_t skipped = count < *skip ? count : *skip;
    const size_t taken = count - skipped < *wanted ? count - skipped : *wanted;
    memcpy(f->pending + f->pending_count, bytes + skipped, taken);
    f->pending_count += taken;
    *skip -= skipped;
    *wanted -= taken;
    convert(f);
}

/* Decodes the whole string, and fills the sink with `wanted` of its bytes, after the first `skip`.
 * false: it is not base64. */
static bool fill_part(const wire_tier *tier, const uint8_t *data, const wire_value *value,
                      wire_sink *sink, size_t skip, size_t wanted) {
    const uint8_t *p = data + value->start, *end = data + value->end;
    uint8_t symbols[4 + SOME_SYMBOLS], bytes[(4 + SOME_SYMBOLS) / 4 * 3];
    size_t count = 0;
    filling f;
    begin(&f, tier, sink);
    while (p < end) {
        if (count) {
            const size_t groups = (count - 1) / 4 * 4;
            if (tier->base64(symbols, groups, bytes) != groups) return false;
            hold_part(&f, bytes, groups / 4 * 3, &skip, &wanted);
            count -= groups;
            memmove(symbols, symbols + groups, count);
        }
        count += read_symbols(tier, &p, end, symbols + count);
    }
    if (count % 4) return false;
    if (count) {
        if (count > 4) {
            if (tier->base64(symbols, count - 4, bytes) != count - 4) return false;
            hold_part(&f, bytes, (count - 4) / 4 * 3, &skip, &wanted);
        }
        const size_t last = decode_last(symbols + count - 4, bytes);
        if (last == 0) return false;
        hold_part(&f, bytes, last, &skip, &wanted);
    }
    finish(&f);
    return true;
}

wire_status wire_payload_measure(const wire_tier *tier, const uint8_t *data,
                                 const wire_value *value, wire_sink *sink, size_t *samples,
                                 size_t *position) {
    const size_t width = wire_sample_bytes(sink->conversion), carried = sink->carry_count;
    size_t bytes = 0;
    if (value != NULL) {
        const wire_status status = wire_payload_size(tier, data, value, &bytes, position);
        if (status != WIRE_OK) return status;
    }
    *samples = (bytes + carried) / width;
    const size_t left = bytes + carried - *samples * width;
    sink->next_carry_count = (uint8_t)left;
    if (left == 0) return WIRE_OK;
    /* The next carry is the last bytes of the carry and the payload. */
    const size_t from_payload = left < bytes ? left : bytes;
    memcpy(sink->next_carry, sink->carry + carried - (left - from_payload), left - from_payload);
    if (from_payload == 0) return WIRE_OK;
    /* The last eight symbols hold at least the last four bytes. */
    wire_value last = *value;
    if (!value->escaped && value->end - value->start > 8) {
        last.start = value->end - 8;
        bytes = 6 - (size_t)(data[value->end - 1] == '=') - (size_t)(data[value->end - 2] == '=');
    }
    wire_sink end = {.out = sink->next_carry + left - from_payload, .conversion = WIRE_COPY};
    if (!fill_part(tier, data, &last, &end, bytes - from_payload, from_payload))
        return find_fault(data, value, position);
    return WIRE_OK;
}

/* ---- Ogg and WAV ----------------------------------------------------------------------------- */

wire_shape wire_container_of(const uint8_t *data, const wire_value *value) {
    const uint8_t *p = data + value->start, *end = data + value->end;
    uint8_t symbols[16];
    size_t count = 0;
    while (count < sizeof symbols && p < end) {
        const uint32_t c = value->escaped ? next_symbol(&p) : *p++;
        symbols[count++] = c <= 0x7F ? (uint8_t)c : 0xFF;
    }
    /* "OggS", version 0, and two bits of the flags, which are always 0. */
    if (count > 8 && memcmp(symbols, "T2dnUwA", 7) == 0) return WIRE_OGG;
    /* "RIFF", then four bytes of any value, then "WAVE". */
    if (count == 16 && memcmp(symbols, "UklGR", 5) == 0 && symbols[5] >= 'g' && symbols[5] <= 'v' &&
        symbols[11] == 'X' && memcmp(symbols + 12, "QVZF", 4) == 0) {
        return WIRE_WAV;
    }
    return WIRE_RAW;
}

/* Reads the bytes of a base64 string one at a time. */
typedef struct byte_reader {
    const uint8_t *at, *end;
    bool escaped;
    uint32_t bits;
    unsigned bit_count;
    size_t read; /* bytes so far */
} byte_reader;

/* false: the string has ended, or the next symbol is not base64. */
static bool next_byte(byte_reader *r, uint8_t *byte) {
    while (r->bit_count < 8) {
        if (r->at >= r->end) return false;
        const uint32_t value = symbol_value(r->escaped ? next_symbol(&r->at) : *r->at++);
        if (value == 64) return false;
        r->bits = r->bits << 6 | value;
        r->bit_count += 6;
    }
    r->bit_count -= 8;
    *byte = (uint8_t)(r->bits >> r->bit_count);
    r->read++;
    return true;
}

static bool read_bytes(byte_reader *r, uint8_t *out, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!next_byte(r, out + i)) return false;
    }
    return true;
}

static bool skip_bytes(byte_reader *r, size_t count) {
    uint8_t ignored;
    while (count > 0 && next_byte(r, &ignored)) count--;
    return count == 0;
}

static uint32_t little16(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t little32(const uint8_t *p) {
    return little16(p) | little16(p + 2) << 16;
}

/* Reads the chunk "fmt ", which begins with `p`. Returns NULL, or what is wrong with it. */
static const char *read_wav_format(const uint8_t *p, size_t length, wire_wav *wav) {
    enum { INTEGER = 1, FLOAT = 3, ALAW = 6, ULAW = 7, EXTENSIBLE = 0xFFFE };
    uint32_t tag = little16(p);
    const uint32_t bits = little16(p + 14);
    if (tag == EXTENSIBLE && length >= 26) tag = little16(p + 24);
    wav->channels = (uint16_t)little16(p + 2);
    wav->rate = little32(p + 4);
    if (wav->channels > WIRE_MOST_CHANNELS) return "WAV header with more than 255 channels";
    if (wav->channels == 0 || wav->rate == 0 || wav->rate > INT32_MAX)
        return "WAV header without a rate or channels";
    if (tag == INTEGER && bits == 16) {
        wav->to_int16 = WIRE_PCM16_TO_INT16;
        wav->to_float32 = WIRE_PCM16_TO_FLOAT32;
    } else if (tag == FLOAT && bits == 32) {
        wav->to_int16 = WIRE_FLOAT32_TO_INT16;
        wav->to_float32 = WIRE_FLOAT32_TO_FLOAT32;
    } else if (tag == ULAW && bits == 8) {
        wav->to_int16 = WIRE_ULAW_TO_INT16;
        wav->to_float32 = WIRE_ULAW_TO_FLOAT32;
    } else if (tag == ALAW && bits == 8) {
        wav->to_int16 = WIRE_ALAW_TO_INT16;
        wav->to_float32 = WIRE_ALAW_TO_FLOAT32;
    } else {
        return "WAV samples that are none of 16-bit PCM, float32, mu-law and A-law";
    }
    return NULL;
}

const char *wire_wav_read(const uint8_t *data, const wire_value *value, size_t payload_bytes,
                          wire_wav *wav) {
    byte_reader r = {data + value->start, data + value->end, value->escaped, 0, 0, 0};
    uint8_t header[40];
    bool has_format = false;
    if (!read_bytes(&r, header, 12) || memcmp(header, "RIFF", 4) != 0 ||
        memcmp(header + 8, "WAVE", 4) != 0) {
        return "no WAV header at the start of the payload";
    }
    while (read_bytes(&r, header, 8)) {
        const size_t length = little32(header + 4);
        if (memcmp(header, "data", 4) == 0) {
            if (!has_format) break;
            /* A streaming server does not know the length yet, and writes 0 or the largest
             * number. */
            const size_t left = payload_bytes - r.read;
            wav->start = r.read;
            wav->bytes = length > 0 && length < left ? length : left;
            return NULL;
        }
        size_t known = 0;
        if (memcmp(header, "fmt ", 4) == 0 && length >= 16) {
            known = length < sizeof header ? length : sizeof header;
            if (!read_bytes(&r, header, known)) break;
            const char *wrong = read_wav_format(header, known, wav);
            if (wrong != NULL) return wrong;
            has_format = true;
        }
        /* Chunks are padded to an even length. */
        if (!skip_bytes(&r, length - known + (length & 1))) break;
    }
    return "WAV header without a chunk of samples";
}

wire_status wire_wav_decode(const wire_tier *tier, const uint8_t *data, const wire_value *value,
                            const wire_wav *wav, wire_sink *sink, size_t *position) {
    return fill_part(tier, data, value, sink, wav->start, wav->bytes)
               ? WIRE_OK
               : find_fault(data, value, position);
}
