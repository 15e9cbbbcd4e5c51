/* Encodes samples as base64 payloads: in one call if a tier's kernel takes the array as it is, else
 * chunk by chunk. */
#include "wire.h"
#include "bytes.h"

#include <string.h>

/* Samples converted at a time, 100 ms at 24 kHz: at most 9.4 KiB gathered and 4.7 KiB for the wire,
 * which stay in the first-level cache. The bytes of a chunk are a multiple of 48, so that only the
 * last chunk ends inside a group, or inside an iteration of a kernel. */
#define CHUNK_SAMPLES 2400

/* Bytes per sample in the caller's array. */
static size_t sample_width(wire_source source) {
    switch (source) {
    case WIRE_BYTES: return 1;
    case WIRE_INT16_TO_PCM16:
    case WIRE_INT16_TO_ULAW:
    case WIRE_INT16_TO_ALAW: return 2;
    default: return 4;
    }
}

/* Bytes per sample on the wire. */
static size_t wire_width(wire_source source) {
    return source == WIRE_INT16_TO_PCM16 || source == WIRE_FLOAT32_TO_PCM16 ? 2 : 1;
}

size_t wire_encoded_length(wire_source source, size_t count) {
    size_t width = wire_width(source);
    /* Three bytes become four symbols: one more sample, and the symbols could exceed
     * PTRDIFF_MAX. */
    if (count > (size_t)PTRDIFF_MAX / 4 * 3 / width) return WIRE_TOO_LONG;
    return (count * width + 2) / 3 * 4;
}

/* ---- Gathering: contiguous samples in the requested byte order ------------------------------- */

static inline void gather_bytes(const uint8_t *first, ptrdiff_t stride, size_t count,
                                uint8_t *out) {
    for (size_t i = 0; i < count; i++) out[i] = first[(ptrdiff_t)i * stride];
}

static inline void gather_2(const uint8_t *first, ptrdiff_t stride, size_t count, bool swap,
                            uint8_t *out) {
    for (size_t i = 0; i < count; i++) {
        uint16_t sample = wire_load16(first + (ptrdiff_t)i * stride);
        if (swap) sample = (uint16_t)(sample << 8 | sample >> 8);
        memcpy(out + 2 * i, &sample, 2);
    }
}

static inline void gather_4(const uint8_t *first, ptrdiff_t stride, size_t count, bool swap,
                            uint8_t *out) {
    for (size_t i = 0; i < count; i++) {
        uint32_t sample = wire_load32(first + (ptrdiff_t)i * stride);
        if (swap) sample = portable_swap_32(sample);
        memcpy(out + 4 * i, &sample, 4);
    }
}

/* The compiler vectorises the loops whose stride it knows. */
static void gather(const uint8_t *first, ptrdiff_t stride, size_t width, size_t count, bool swap,
                   uint8_t *out) {
    if (width == 1)
        gather_bytes(first, stride, count, out);
    else if (width == 2 && stride == 2)
        gather_2(first, 2, count, swap, out);
    else if (width == 2)
        gather_2(first, stride, count, swap, out);
    else if (stride == 4)
        gather_4(first, 4, count, swap, out);
    else
        gather_4(first, stride, count, swap, out);
}

/* ---- Converting and encoding ----------------------------------------------------------------- */

/* convert, encode_at_once and encode_converted take contiguous samples: in the host's byte order if
 * a kernel converts them, else in the wire's. */

static void convert(const wire_tier *tier, wire_source source, const uint8_t *in, size_t count,
                    uint8_t *out) {
    switch (source) {
    case WIRE_BYTES:
    case WIRE_INT16_TO_PCM16: break; /* done by encode_at_once */
    case WIRE_INT16_TO_ULAW: tier->int16_to_ulaw(in, count, out); break;
    case WIRE_INT16_TO_ALAW: tier->int16_to_alaw(in, count, out); break;
    case WIRE_FLOAT32_TO_PCM16: tier->float32_to_pcm16(in, count, out); break;
    case WIRE_FLOAT32_TO_ULAW: tier->float32_to_ulaw(in, count, out); break;
    case WIRE_FLOAT32_TO_ALAW: tier->float32_to_alaw(in, count, out); break;
    }
}

/* Encodes samples that need no conversion first. false: they need one. */
static bool encode_at_once(const wire_tier *tier, wire_source source, const uint8_t *in,
                           size_t count, uint8_t *out) {
    if (source == WIRE_BYTES || source == WIRE_INT16_TO_PCM16) {
        tier->base64_encode(in, count * wire_width(source), out);
        return true;
    }
    if (source == WIRE_FLOAT32_TO_PCM16 && tier->float32_to_base64 != NULL) {
        tier->float32_to_base64(in, count, out);
        return true;
    }
    return false;
}

static void encode_converted(const wire_tier *tier, wire_source source, const uint8_t *in,
                             size_t count, uint8_t *out) {
    _Alignas(64) uint8_t converted[CHUNK_SAMPLES * 2];
    for (size_t chunk; count > 0; count -= chunk, in += chunk * sample_width(source)) {
        chunk = count < CHUNK_SAMPLES ? count : CHUNK_SAMPLES;
        size_t bytes = chunk * wire_width(source);
        convert(tier, source, in, chunk, converted);
        tier->base64_encode(converted, bytes, out);
        out += (bytes + 2) / 3 * 4;
    }
}

static void encode_gathered(const wire_tier *tier, const wire_samples *samples, bool swap,
                            uint8_t *out) {
    _Alignas(64) uint8_t gathered[CHUNK_SAMPLES * 4];
    wire_source source = samples->source;
    for (size_t done = 0; done < samples->count; done += CHUNK_SAMPLES) {
        size_t count =
            samples->count - done < CHUNK_SAMPLES ? samples->count - done : CHUNK_SAMPLES;
        const uint8_t *first = (const uint8_t *)samples->first + (ptrdiff_t)done * samples->stride;
        gather(first, samples->stride, sample_width(source), count, swap, gathered);
        if (!encode_at_once(tier, source, gathered, count, out))
            encode_converted(tier, source, gathered, count, out);
        out += (count * wire_width(source) + 2) / 3 * 4;
    }
}

void wire_encode(const wire_tier *tier, const wire_samples *samples, uint8_t *out) {
    wire_source source = samples->source;
    size_t width = sample_width(source);
    /* An empty array may have no memory. */
    if (samples->count == 0) return;
    /* Kernels that convert take the host's byte order. If none does, the samples must be in that of
     * the wire, lower byte first. */
    bool swap =
        width > 1 && samples->swapped != (source == WIRE_INT16_TO_PCM16 && PORTABLE_BIG_ENDIAN);
    if (swap || samples->stride != (ptrdiff_t)width)
        encode_gathered(tier, samples, swap, out);
    else if (!encode_at_once(tier, source, samples->first, samples->count, out))
        encode_converted(tier, source, samples->first, samples->count, out);
}
