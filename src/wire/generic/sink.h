/* Where the walk stops for a sink: at a payload whose end it can guess. Included by tier.h, after
 * json.h. */

/* The closing quote of a payload is looked for in this many last bytes of a frame. OpenAI's
 * payloads are followed by 2 bytes, xAI's by about 300. */
#define WALK_TRAILER 512
/* The most base64 symbols of a guessed payload: memory for a longer one is allocated only when its
 * end is known. So a wrong guess costs memory for at most 60 KiB of payload (240 KiB as float32
 * from G.711). Azure's longest deltas have 73,600 symbols. */
#define WALK_GUESS (80 * 1024)

/* Guesses the closing quote of a payload that begins at `src`: the first special byte after `src`
 * within the last WALK_TRAILER bytes of the frame. NULL if that byte is not a quote, or the length
 * is 0, not a multiple of four, or more than WALK_GUESS. */
static const uint8_t *guess_end(walker *w, const uint8_t *src) {
    const uint8_t *p = src;
    if (w->end - src > 64) {
        p = w->end - 64;
        look_at(w, p);
        /* If the payload is the last string, as in OpenAI's frames, 64 bytes will do: only one of
         * them, its quote, is special. */
        if (w->special == 0 || w->special & (w->special - 1))
            p = w->end - src > WALK_TRAILER ? w->end - WALK_TRAILER : src;
    }
    p = scan_string(w, p);
    if (p == w->end || *p != '"' || p == src || (p - src) % 4 != 0 || p - src > WALK_GUESS)
        return NULL;
    return p;
}

/* p: the opening quote of a payload, in the value of the field `member` of the root object. Makes
 * the walk stop there, with status WIRE_NEED_SINK, if the end of the payload can be guessed. */
static inline bool need_sink(walker *w, wire_frame *f, uint32_t member, uint32_t field,
                             const uint8_t *p) {
    const uint8_t *closing = guess_end(w, p + 1);
    if (closing == NULL) return false;
    f->payload_bytes =
        (size_t)(closing - p - 1) / 4 * 3 - (closing[-1] == '=') - (closing[-2] == '=');
    f->payload_field = field;
    f->payload_member = member;
    f->cursor = (size_t)(p - f->data);
    f->payload_end = (size_t)(closing - f->data);
    f->asked = true;
    w->status = WIRE_NEED_SINK;
    return true;
}

/* p: the opening quote of the payload at which the walk stopped. Decodes it up to its guessed end,
 * and returns the byte after it. NULL: the caller declined (sink.out is NULL), or the guess or the
 * base64 is wrong; the value is then read like any other string. */
static inline const uint8_t *fill_sink(walker *w, wire_frame *f, const uint8_t *p,
                                       wire_value *value) {
    const uint8_t *closing = f->data + f->payload_end;
    if (f->sink.out == NULL ||
        !wire_payload_fill(&TIER_TABLE, p + 1, (size_t)(closing - p - 1), &f->sink))
        return NULL;
    put_value(value, f->cursor + 1, f->payload_end, WIRE_STRING);
    return closing + 1;
}
