/* The walk: finds the type of a frame, its fields and its payload, and validates all of it.
 * Included by tier.h, after nested.h.
 *
 *     walk            begin_frame or resume_frame, then walk_member for each member of the root
 *                     object, then finish_frame
 *     walk_member     several expected members at once (try_expected), or one: its key, then
 *                     walk_field or walk_other
 */

/* Members kept that come before the tag. A frame with more of them is walked twice. */
#define WALK_PENDING 16
/* The number of the field with this key, or WIRE_NO_FIELD. */
static uint32_t find_field(const wire_layout *layout, const uint8_t *data, const member *m) {
    if (!m->escaped) return wire_layout_find(layout, m->key, m->length);
    uint8_t plain[WIRE_MAX_NAME];
    size_t length = plain_key(data, m->key, m->length, plain);
    return length ? wire_layout_find(layout, plain, length) : WIRE_NO_FIELD;
}

/* The type that the tag names; catalogue->unknown if the catalogue does not have it. */
static const wire_type *find_type(const wire_frame *f) {
    const wire_value *value = &f->type_value;
    const uint8_t *name = f->data + value->start;
    size_t length = value->end - value->start;
    uint8_t plain[WIRE_MAX_TYPE];
    if (value->escaped) {
        length = wire_text_utf8(f->data, value, plain, WIRE_MAX_TYPE);
        name = plain;
    }
    const wire_type *type =
        length && length <= WIRE_MAX_TYPE ? wire_catalogue_find(f->catalogue, name, length) : NULL;
    return type ? type : f->catalogue->unknown;
}

/* Makes `type` the type of the frame, and forgets fields that were found under another type. */
static void use_type(wire_frame *f, const wire_type *type) {
    f->type = type;
    f->present = f->containers = f->outline_count = 0;
    f->payload = WIRE_PAYLOAD_NONE;
    f->payload_field = type->layout->payload_first;
    f->expected = 0;
}

/* Notes that values[field] was written, and expects the next field in order after it. The last of
 * duplicate keys counts, because it writes last. */
static inline void mark(wire_frame *f, uint32_t field) {
    uint32_t bit = 1u << field;
    f->present |= bit;
    f->containers = (f->containers & ~bit) | (f->values[field].kind >= WIRE_OBJECT ? bit : 0);
    f->expected = field + 1;
}

/* Puts a kept member into its field, if the type has one. */
static void store(wire_frame *f, const member *m) {
    uint32_t field = find_field(f->type->layout, f->data, m);
    if (field == WIRE_NO_FIELD) return;
    f->values[field] = m->value;
    mark(f, field);
}

/* Marks missing fields as absent, and decides which value is the payload: of the keys declared for
 * it, the first that is neither absent nor null; of duplicate keys, the last. The payload is done
 * if the value decoded during the walk is this one. */
static void settle_fields(wire_frame *f, size_t decoded_start) {
    const wire_layout *layout = f->type->layout;
    uint32_t absent = (uint32_t)((UINT64_C(1) << layout->field_count) - 1) & ~f->present;
    for (; absent; absent &= absent - 1) f->values[portable_lowest_bit(absent)].kind = WIRE_ABSENT;
    f->payload = WIRE_PAYLOAD_NONE;
    for (uint32_t i = 0; i < layout->payload_count; i++) {
        const wire_value *value = &f->values[layout->payload_first + i];
        if (value->kind <= WIRE_NULL) continue;
        f->payload_field = layout->payload_first + i;
        if (layout->nodes != NULL && f->part_count > 1) {
            f->payload = f->mixed ? WIRE_PAYLOAD_MIXED : WIRE_PAYLOAD_PARTS;
            return;
        }
        f->payload = value->kind != WIRE_STRING      ? WIRE_PAYLOAD_WRONG_KIND
                     : value->start == decoded_start ? WIRE_PAYLOAD_DONE
                                                     : WIRE_PAYLOAD_SPAN;
        return;
    }
}

/* Finds all fields once more, under the type that counts. The frame is known to be valid. */
static void walk_again(walker *w, wire_frame *f) {
    const uint8_t *p = skip_space(w->data, w->end);
    p = skip_space(p + 1, w->end);
    while (*p != '}') {
        member m;
        p = valid_key(w, p, &m);
        p = valid_next(w, valid_value(w, p, &m.value));
        store(f, &m);
    }
}

/* Whether the start of a frame holds control bytes that no JSON text has. */
static bool looks_binary(const walker *w) {
    size_t length = (size_t)(w->end - w->data);
    if (length > 256) length = 256;
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = w->data[i];
        if (byte < ' ' && byte != '\n' && byte != '\r' && byte != '\t') return true;
    }
    return false;
}

/* Finds the fault of a frame whose root is not an object: a fault of its JSON, else that it is not
 * an object. */
static wire_status walk_other_root(walker *w, const uint8_t *p) {
    wire_value ignored;
    const uint8_t *root = p;
    if (p == w->end) {
        fail(w, WIRE_EMPTY, p);
    } else if (w->end - w->data >= 3 && memcmp(w->data, "\xEF\xBB\xBF", 3) == 0) {
        fail(w, WIRE_BYTE_ORDER_MARK, w->data);
    } else if ((p = walk_value(w, p, &ignored, 0)) != NULL) {
        p = skip_space(p, w->end);
        if (p == w->end)
            fail(w, WIRE_ROOT, root);
        else
            fail(w, WIRE_TRAILING, p);
    }
    if (w->status != WIRE_ROOT && looks_binary(w)) w->status = WIRE_BINARY;
    return w->status;
}

/* Reads several members at once while they are of the common kind: the expected key, no white
 * space, and a value that is a short string of plain ASCII, a one-digit number, or null. Returns
 * the byte after the last value read, or NULL if it read none. walk_member decides how the next
 * member is read. */
static inline const uint8_t *try_expected(walker *w, wire_frame *f, const wire_layout *layout,
                                          const uint8_t *p) {
    const uint8_t *const data = w->data, *const end = w->end;
    const uint8_t *behind = NULL;
    const uint32_t first = f->expected;
    if (is_payload(layout, first)) return NULL;
    const uint32_t last =
        first < layout->payload_first ? layout->payload_first : layout->field_count;
    uint32_t field = first;
    for (; field < last; field++) {
        const wire_pattern *pattern = &layout->fields[field];
        wire_value *value = &f->values[field];
        if (!wire_pattern_at(pattern, p, end)) break;
        p += pattern->pattern_length;
        size_t start = (size_t)(p - data);
        if (*p == '"') {
            p = near_quote(w, p + 1);
            if (p == NULL) break;
            put_value(value, start + 1, (size_t)(p - data), WIRE_STRING);
            p++;
        } else if (is_one_digit(p, end)) {
            put_value(value, start, start + 1, WIRE_INTEGER);
            p++;
        } else if (end - p > 4 && wire_load32(p) == wire_load32("null")) {
            put_value(value, start, start + 4, WIRE_NULL);
            p += 4;
        } else {
            break;
        }
        behind = p;
        if (end - p < 2 || wire_load16(p) != wire_load16(",\"")) {
            field++;
            break;
        }
        p++;
    }
    uint32_t seen = (uint32_t)((UINT64_C(1) << field) - (UINT64_C(1) << first));
    f->present |= seen;
    f->containers &= ~seen;
    f->expected = field;
    return behind;
}

/* Most frames begin with the tag, `{"type":"`, and the type of the frame before (f->likely).
 * Returns the byte after the closing quote of that type, or NULL if the frame begins otherwise. */
static inline const uint8_t *try_likely_type(walker *w, wire_frame *f) {
    const wire_type *type = f->likely;
    const wire_pattern *tag = &f->catalogue->tag;
    const size_t start = tag->pattern_length + 2;
    if (type == NULL || !type->literal || f->length < start + type->length + 64) return NULL;
    const uint8_t *name = f->data + start, *quote = name + type->length;
    if (*f->data != '{' || !wire_pattern_at(tag, f->data + 1, w->end) || name[-1] != '"' ||
        *quote != '"' || !wire_same(type->name, name, type->length)) {
        return NULL;
    }
    put_value(&f->type_value, start, start + type->length, WIRE_STRING);
    use_type(f, type);
    look_at(w, quote + 1);
    return quote + 1;
}

/* Whether the likely type has its payload under this key, or at a path that begins with it. */
static bool is_likely_payload(const wire_frame *f, const uint8_t *key, size_t length) {
    if (f->likely == NULL || f->likely->layout->payload_count == 0) return false;
    const wire_layout *layout = f->likely->layout;
    uint32_t field = wire_layout_find(layout, key, length);
    return field != WIRE_NO_FIELD && (is_payload(layout, field) || layout->roots >> field & 1);
}

/* Notes that the walk stopped in the value of this member. Returns NULL. */
static const uint8_t *in_member(wire_frame *f, const member *m) {
    size_t start = (size_t)(m->key - f->data);
    f->key = (wire_value){start, start + m->length, WIRE_STRING, m->escaped, true};
    return NULL;
}

/* What the walk knows so far, besides what is in the wire_frame. */
typedef struct progress {
    const wire_layout *layout;    /* the layout of the type; NULL before the type is known */
    const wire_layout *expecting; /* the same; NULL if each key may name a type */
    const wire_type *by_key;      /* of lowest rank among those that keys name, or NULL */
    member pending[WALK_PENDING]; /* members that came before the type */
    unsigned pending_count;
    bool again; /* fields were looked for under a wrong type, or not all members were kept */
    size_t decoded_start; /* where the payload decoded during the walk begins; SIZE_MAX: none */
    /* Where the member begins whose paths the walk has found; SIZE_MAX: of none, or they must be
     * looked for again. */
    size_t paths_of;
} progress;

/* Whether the walk may stop for a sink. Not if the fields must be found `again`: resume_frame would
 * not know of it. */
static inline bool may_ask(wire_frame *f, const progress *so_far) {
    if (f->defer_payload || f->asked || so_far->again) return false;
    f->named_by_key = so_far->by_key;
    return true;
}

/* Makes `type`, which may be a guess, the type of the frame, and puts the members before it into
 * its fields. */
static void adopt_type(wire_frame *f, progress *so_far, const wire_type *type) {
    use_type(f, type);
    so_far->layout = type->layout;
    so_far->expecting = f->catalogue->by_key ? NULL : type->layout;
    for (unsigned i = 0; i < so_far->pending_count; i++) store(f, &so_far->pending[i]);
}

/* The type of a frame whose tag is missing or not a string. */
static const wire_type *type_without_tag(const wire_frame *f, const progress *so_far) {
    const wire_catalogue *catalogue = f->catalogue;
    return so_far->by_key     ? so_far->by_key
           : catalogue->other ? catalogue->other
                              : catalogue->unknown;
}

/* The type that the tag or the keys name. */
static const wire_type *type_found(const wire_frame *f, const progress *so_far) {
    return f->type_value.kind == WIRE_STRING ? find_type(f) : type_without_tag(f, so_far);
}

/* Whether all frames are of the type `other`. */
static bool has_one_type(const wire_catalogue *catalogue) {
    return catalogue->tag.pattern_length == 0 && catalogue->inside.pattern_length == 0 &&
           !catalogue->by_key;
}

/* Looks up a key that may name a type. false: it names none, or another key counts. */
static bool name_type_by_key(const wire_frame *f, progress *so_far, const uint8_t *key,
                             size_t length) {
    const wire_type *type =
        length && length <= WIRE_MAX_TYPE ? wire_catalogue_find(f->catalogue, key, length) : NULL;
    if (type == NULL || (so_far->by_key && so_far->by_key->rank <= type->rank)) return false;
    so_far->by_key = type;
    return true;
}

/* A key of the root object, in a catalogue in which keys name types. */
static void take_key_as_type(wire_frame *f, progress *so_far, const uint8_t *key, size_t length) {
    if (f->catalogue->inside.pattern_length || !name_type_by_key(f, so_far, key, length)) return;
    const wire_type *type = so_far->by_key;
    if (so_far->layout == NULL)
        adopt_type(f, so_far, type);
    else
        so_far->again |= type != f->type;
}

/* p: the opening quote of a key. Reads the key and the colon. Returns the first byte of the value.
 * `field`: the number of the field, if the type is known and has one. */
static inline const uint8_t *walk_key(walker *w, wire_frame *f, progress *so_far, const uint8_t *p,
                                      member *m, uint32_t *field) {
    bool ignored;
    uint8_t plain[WIRE_MAX_NAME];
    m->key = ++p;
    p = walk_string(w, p, &m->escaped, &ignored);
    if (p == NULL) return NULL;
    m->length = (size_t)(p - m->key);
    const uint8_t *key = m->escaped ? plain : m->key;
    const size_t length = m->escaped ? plain_key(f->data, m->key, m->length, plain) : m->length;
    m->names_type = wire_pattern_names(&f->catalogue->tag, key, length);
    if (f->catalogue->by_key && !m->names_type) take_key_as_type(f, so_far, key, length);
    /* Some servers, such as Speaches, send "type" after the payload. Then the type of the previous
     * frame is assumed here. If "type" turns out to be another one, walk_other notices, and
     * finish_frame walks the frame again. */
    if (so_far->layout == NULL && is_likely_payload(f, key, length))
        adopt_type(f, so_far, f->likely);
    if (so_far->layout != NULL) *field = wire_layout_find(so_far->layout, key, length);
    p++;
    if (p == w->end || *p != ':') {
        if ((p = next_token(w, p, w->end)) == NULL) return NULL;
        if (*p != ':') return fail(w, WIRE_EXPECTED_COLON, p);
    }
    return skip_space(p + 1, w->end);
}

/* p: the value of a member that is not a known field: the tag, a member before the tag, which is
 * kept, or an undeclared member. Returns the byte after the value. */
static inline const uint8_t *walk_other(walker *w, wire_frame *f, progress *so_far,
                                        const uint8_t *p, member *m) {
    member *kept = m;
    if (!m->names_type && so_far->layout == NULL && so_far->pending_count < WALK_PENDING) {
        kept = &so_far->pending[so_far->pending_count];
    }
    wire_value *value = m->names_type ? &f->type_value : &kept->value;
    p = walk_value(w, p, value, 1);
    if (p == NULL) return in_member(f, m);
    if (m->names_type) {
        const wire_type *type = value->kind == WIRE_STRING ? find_type(f) : NULL;
        if (so_far->layout != NULL) {
            so_far->again |= type != f->type; /* the last of several tags counts */
        } else if (type != NULL) {
            adopt_type(f, so_far, type);
        }
    } else if (kept != m) {
        kept->key = m->key;
        kept->length = m->length;
        kept->escaped = m->escaped;
        so_far->pending_count++;
    } else {
        so_far->again |= so_far->layout == NULL; /* no room to keep it */
    }
    return p;
}

/* p: the value of a member with paths inside. Returns the byte after it. `resumes`: the walk has
 * stopped in it. */
static const uint8_t *walk_root(walker *w, wire_frame *f, progress *so_far, const uint8_t *p,
                                member *m, uint32_t field, bool resumes) {
    const wire_layout *layout = so_far->layout;
    const size_t start = (size_t)(p - f->data);
    nested search = {.layout = layout,
                     .member = field,
                     .may_ask = may_ask(f, so_far),
                     .resumes = resumes,
                     .repeated = resumes && f->repeated};
    so_far->paths_of = start;
    if (resumes)
        p = f->data + f->cursor;
    else
        forget_paths(f);
    p = walk_nested(w, f, &search, p);
    f->repeated = search.repeated;
    if (p == NULL) return in_member(f, m);
    if (search.repeated) so_far->paths_of = SIZE_MAX;
    if (search.decoded) so_far->decoded_start = f->cursor + 1;
    put_value(&f->values[field], start, (size_t)(p - f->data),
              f->data[start] == '{' ? WIRE_OBJECT : WIRE_ARRAY);
    mark(f, field);
    return p;
}

/* p: the value of a field in whose object the walk notes or finds members. Returns the byte after
 * it. */
static PORTABLE_NOINLINE const uint8_t *walk_object(walker *w, wire_frame *f, progress *so_far,
                                                    const uint8_t *p, member *m, uint32_t field) {
    const bool outlined = field == so_far->layout->outlined;
    if (!outlined && p < w->end && (*p == '{' || *p == '['))
        return walk_root(w, f, so_far, p, m, field, false);
    w->outline = outlined && f->length <= UINT32_MAX ? f->outline : NULL;
    w->outline_count = 0;
    p = walk_value(w, p, &f->values[field], 1);
    w->outline = NULL;
    if (outlined) f->outline_count = w->outline_count;
    if (p == NULL) return in_member(f, m);
    mark(f, field);
    return p;
}

/* p: the value of a field. Returns the byte after it. The walk stops at a payload whose end can be
 * guessed: NULL, with status WIRE_NEED_SINK. */
static inline const uint8_t *walk_field(walker *w, wire_frame *f, progress *so_far,
                                        const uint8_t *p, member *m, uint32_t field) {
    const wire_layout *layout = so_far->layout;
    if (is_payload(layout, field) && may_ask(f, so_far) && p < w->end && *p == '"' &&
        need_sink(w, f, field, field, p))
        return in_member(f, m);
    if (field == layout->outlined || layout->roots >> field & 1)
        return walk_object(w, f, so_far, p, m, field);
    /* walk_value writes to the final place: a copy of a value whose parts were just stored would
     * stall on each store. */
    p = walk_value(w, p, &f->values[field], 1);
    if (p == NULL) return in_member(f, m);
    mark(f, field);
    return p;
}

/* p: the key of a member of the root object. Reads that member, or several. Returns the byte after
 * the last value read. */
static inline const uint8_t *walk_member(walker *w, wire_frame *f, progress *so_far,
                                         const uint8_t *p) {
    if (*p != '"') return fail(w, WIRE_EXPECTED_KEY, p);
    member m;
    m.escaped = false;
    uint32_t field = WIRE_NO_FIELD;
    const wire_layout *layout = so_far->expecting;
    if (layout != NULL) {
        const uint8_t *behind = try_expected(w, f, layout, p);
        if (behind != NULL) return behind;
        /* The expected key with any other value, such as a payload: no need to scan this key
         * either. */
        if (f->expected < layout->field_count &&
            wire_pattern_at(&layout->fields[f->expected], p, w->end)) {
            field = f->expected;
            m.key = p + 1;
            m.length = layout->fields[field].length;
            p = skip_space(p + layout->fields[field].pattern_length, w->end);
            goto value;
        }
    } else if (wire_pattern_at(&f->catalogue->tag, p, w->end) &&
               p[f->catalogue->tag.pattern_length] == '"') {
        m.key = p + 1;
        m.length = f->catalogue->tag.length;
        m.names_type = true;
        return walk_other(w, f, so_far, p + f->catalogue->tag.pattern_length, &m);
    }
    p = walk_key(w, f, so_far, p, &m, &field);
    if (p == NULL) return NULL;
    if (field == WIRE_NO_FIELD) return walk_other(w, f, so_far, p, &m);
value:
    return walk_field(w, f, so_far, p, &m, field);
}

/* p: just past the value of a member. Returns the quote of the next key, or the closing brace. */
static inline const uint8_t *next_member(walker *w, const uint8_t *p) {
    if (p < w->end && *p == ',') {
        p++;
    } else {
        if ((p = next_token(w, p, w->end)) == NULL) return NULL;
        if (*p == '}') return p;
        if (*p != ',') return fail(w, WIRE_EXPECTED_COMMA, p);
        p++;
    }
    if (p < w->end && *p == '"') return p;
    if ((p = next_token(w, p, w->end)) == NULL) return NULL;
    /* A brace after a comma does not end the object: a key is missing. */
    return *p == '}' ? fail(w, WIRE_EXPECTED_KEY, p) : p;
}

/* Returns the first key of the root object, or its closing brace. NULL, with the fault set, if the
 * frame is not an object. */
static inline const uint8_t *begin_frame(walker *w, wire_frame *f, progress *so_far) {
    const uint8_t *p = try_likely_type(w, f);
    if (p != NULL) {
        so_far->layout = so_far->expecting = f->type->layout;
        return next_member(w, p);
    }
    if (w->end > w->data) look_at(w, w->data);
    p = skip_space(w->data, w->end);
    if (p == w->end || *p != '{') return walk_other_root(w, p), NULL;
    if (has_one_type(f->catalogue)) adopt_type(f, so_far, type_without_tag(f, so_far));
    return next_token(w, p + 1, w->end);
}

/* Continues after WIRE_NEED_SINK. Of `progress` only the pending members are lost, and they were
 * put into their fields when the type became known. */
static inline const uint8_t *resume_frame(walker *w, wire_frame *f, progress *so_far) {
    const uint32_t field = f->payload_member;
    member m = {.key = f->data + f->key.start,
                .length = f->key.end - f->key.start,
                .escaped = f->key.escaped};
    const uint8_t *p = f->data + f->cursor, *behind;
    so_far->layout = f->type->layout;
    so_far->expecting = f->catalogue->by_key ? NULL : so_far->layout;
    so_far->by_key = f->named_by_key;
    f->key.kind = WIRE_ABSENT;
    look_at(w, f->data + f->payload_end);
    if (field != f->payload_field) {
        p = skip_space(m.key + m.length + 1, w->end);
        behind = walk_root(w, f, so_far, skip_space(p + 1, w->end), &m, field, true);
    } else if ((behind = fill_sink(w, f, p, &f->values[field])) != NULL) {
        so_far->decoded_start = f->cursor + 1;
        mark(f, field);
    } else {
        behind = walk_field(w, f, so_far, p, &m, field);
    }
    return behind == NULL ? NULL : next_member(w, behind);
}

/* p: the opening brace of the object that holds the tag or the keys. Returns the byte after it. The
 * last of duplicate objects counts. */
static const uint8_t *find_type_inside(walker *w, wire_frame *f, progress *so_far,
                                       const uint8_t *p) {
    so_far->by_key = NULL;
    f->type_value.kind = WIRE_ABSENT;
    p = skip_space(p + 1, w->end);
    while (*p != '}') {
        member m;
        uint8_t plain[WIRE_MAX_NAME];
        p = valid_key(w, p, &m);
        const uint8_t *key = m.escaped ? plain : m.key;
        const size_t length = m.escaped ? plain_key(f->data, m.key, m.length, plain) : m.length;
        p = valid_value(w, p, &m.value);
        if (wire_pattern_names(&f->catalogue->inner_tag, key, length)) f->type_value = m.value;
        if (f->catalogue->by_key) name_type_by_key(f, so_far, key, length);
        p = valid_next(w, p);
    }
    return p + 1;
}

/* Finds the tag or the keys in the object `inside`, once the whole frame is known to be valid. */
static void look_inside(walker *w, wire_frame *f, progress *so_far) {
    const uint8_t *p = skip_space(w->data, w->end);
    look_at(w, p);
    p = skip_space(p + 1, w->end);
    while (*p != '}') {
        member m;
        uint8_t plain[WIRE_MAX_NAME];
        p = valid_key(w, p, &m);
        const uint8_t *key = m.escaped ? plain : m.key;
        const size_t length = m.escaped ? plain_key(f->data, m.key, m.length, plain) : m.length;
        if (wire_pattern_names(&f->catalogue->inside, key, length) && *p == '{') {
            p = find_type_inside(w, f, so_far, p);
        } else {
            p = valid_value(w, p, &m.value);
        }
        p = valid_next(w, p);
    }
    so_far->again |= so_far->layout == NULL || f->type != type_found(f, so_far);
}

/* Settles a frame whose tag is missing or not a string. false: the catalogue refuses such a
 * frame. */
static bool settle_untagged(const wire_frame *f, progress *so_far) {
    if (f->catalogue->strict) return false;
    so_far->again |= so_far->layout == NULL || f->type != type_without_tag(f, so_far);
    return true;
}

/* Whether the walk has found all paths: it has walked the one member that has some inside. */
static bool paths_stand(const wire_frame *f, const progress *so_far) {
    const uint32_t roots = f->roots_found;
    return so_far->paths_of != SIZE_MAX && (roots & (roots - 1)) == 0 &&
           f->values[portable_lowest_bit(roots)].start == so_far->paths_of;
}

/* p: the closing brace of the root object. Checks what follows, and the type; settles the fields
 * and the payload. */
static inline wire_status finish_frame(walker *w, wire_frame *f, progress *so_far,
                                       const uint8_t *p) {
    const uint8_t *behind = skip_space(p + 1, w->end);
    if (behind != w->end) return fail(w, WIRE_TRAILING, behind), w->status;
    if (f->catalogue->inside.pattern_length) look_inside(w, f, so_far);
    if (f->type_value.kind != WIRE_STRING && !settle_untagged(f, so_far)) {
        if (f->type_value.kind == WIRE_ABSENT) return fail(w, WIRE_TYPE_MISSING, p), w->status;
        f->type = NULL;
        return fail(w, WIRE_TYPE_KIND, f->data + f->type_value.start), w->status;
    }
    if (so_far->again) {
        use_type(f, type_found(f, so_far));
        walk_again(w, f);
        so_far->decoded_start = so_far->paths_of = SIZE_MAX;
    }
    if (f->type->layout->nodes != NULL) {
        f->roots_found = f->present & f->type->layout->roots;
        if (!paths_stand(f, so_far)) find_paths(w, f, NULL, 0);
        f->present &= ~f->type->layout->hidden;
        f->containers &= ~f->type->layout->hidden;
    }
    settle_fields(f, so_far->decoded_start);
    return WIRE_OK;
}

static wire_status walk_frame(walker *w, wire_frame *f) {
    progress so_far;
    so_far.layout = so_far.expecting = NULL;
    so_far.by_key = NULL;
    so_far.pending_count = 0;
    so_far.again = false;
    so_far.decoded_start = so_far.paths_of = SIZE_MAX;
    const uint8_t *p = f->asked ? resume_frame(w, f, &so_far) : begin_frame(w, f, &so_far);
    while (p != NULL && *p != '}') {
        p = walk_member(w, f, &so_far, p);
        if (p != NULL) p = next_member(w, p);
    }
    return p == NULL ? w->status : finish_frame(w, f, &so_far, p);
}

static wire_status walk(wire_frame *f) {
    walker w = {f->data, f->data + f->length, f->data, 0, f->data, WIRE_OK, NULL, 0};
    wire_status status = walk_frame(&w, f);
    if (status > WIRE_NEED_SINK) f->position = (size_t)(w.fault - f->data);
    return status;
}
