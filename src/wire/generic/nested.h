/* The walk through a member of the root object that has paths of the layout inside: it validates
 * the member, and finds the fields at the paths and the payload in the same pass. Included by
 * tier.h, after sink.h and paths.h.
 *
 * If the walk stops at the payload, each level notes where it was (wire_frame.steps). The next call
 * goes down along these steps, and continues at the payload.
 */

typedef struct nested {
    const wire_layout *layout;
    uint32_t member; /* the field of the root object that is walked */
    bool may_ask;    /* the walk may stop at the first payload whose end it can guess */
    bool resumes;    /* it has stopped there, and is on its way down to it */
    bool decoded;    /* the payload was decoded */
    bool repeated;   /* an object has a key twice, so that other values may count */
} nested;

static const uint8_t *walk_inside(walker *w, wire_frame *f, nested *search, const wire_node *node,
                                  const uint8_t *p, unsigned depth);

/* Notes the step that a level has taken towards the payload at which the walk stops. `depth`: of
 * the values at this level. Returns NULL. */
static const uint8_t *stop_inside(const walker *w, wire_frame *f, unsigned depth, uint64_t seen,
                                  size_t node) {
    if (w->status == WIRE_NEED_SINK) f->steps[depth - 2] = (wire_step){seen, (uint8_t)node};
    return NULL;
}

/* p: at the key of a member. Returns its node, or NULL if it has none. Moves *p past the colon; to
 * NULL at a fault. `expected`: the node whose key is looked for first. */
static inline const wire_node *walk_node_key(walker *w, const wire_node *nodes,
                                             const wire_node *node, const wire_node *expected,
                                             const uint8_t **p) {
    const wire_node *inner = expected;
    do {
        if (wire_pattern_at(&inner->key, *p, w->end)) {
            *p += inner->key.pattern_length;
            return inner;
        }
        inner = &nodes[inner->next ? inner->next : node->child];
    } while (inner != expected);
    bool ignored;
    member m = {.key = *p + 1, .escaped = false};
    *p = walk_string(w, m.key, &m.escaped, &ignored);
    if (*p == NULL) return NULL;
    m.length = (size_t)(*p - m.key);
    if ((*p = next_token(w, *p + 1, w->end)) == NULL) return NULL;
    if (**p != ':') return *p = fail(w, WIRE_EXPECTED_COLON, *p), NULL;
    ++*p;
    return node_of_key(w, nodes, node, &m);
}

/* walk_inside for a container that is itself the value of a field. The walk does not stop in it,
 * because it would lose the container's beginning. */
static const uint8_t *walk_field_inside(walker *w, wire_frame *f, nested *search,
                                        const wire_node *node, const uint8_t *p, unsigned depth) {
    const bool may_ask = search->may_ask;
    search->may_ask = false;
    const uint8_t *behind = walk_inside(w, f, search, node, p, depth);
    search->may_ask = may_ask;
    if (behind != NULL) put_container(w, f, node->field, p, behind);
    return behind;
}

/* p: the value at the end of a path, or one that no path leads through. Returns the byte after
 * it. */
static PORTABLE_NOINLINE const uint8_t *walk_leaf(walker *w, wire_frame *f, nested *search,
                                                  const wire_node *node, const uint8_t *p,
                                                  unsigned depth) {
    const uint32_t field = node->field;
    const uint8_t *behind = NULL;
    /* The first value is written to its final place, as in walk_field. */
    wire_value other, *value = field && !(f->present >> field & 1) ? &f->values[field] : &other;
    if (*p == '"') {
        if (is_payload(search->layout, field)) {
            if (search->resumes) {
                search->resumes = false;
                behind = fill_sink(w, f, p, value);
                search->decoded = behind != NULL;
            } else if (search->may_ask && f->part_count == 0 && depth - 2 < WIRE_MAX_STEPS &&
                       need_sink(w, f, search->member, field, p)) {
                return NULL;
            }
        } else if ((behind = near_quote(w, p + 1)) != NULL) {
            put_value(value, (size_t)(p + 1 - w->data), (size_t)(behind - w->data), WIRE_STRING);
            behind++;
        }
    }
    if (behind == NULL) behind = walk_value(w, p, value, depth);
    if (behind != NULL && field) put_at_path(f, field, value);
    return behind;
}

/* p: the value at a node, inside `depth` levels; or the payload, which is in it. Returns the byte
 * after the value. Recurses no deeper than the path. */
static inline const uint8_t *walk_node(walker *w, wire_frame *f, nested *search,
                                       const wire_node *node, const uint8_t *p, unsigned depth) {
    if (node->child && (search->resumes || *p == '{' || *p == '[')) {
        return node->field ? walk_field_inside(w, f, search, node, p, depth)
                           : walk_inside(w, f, search, node, p, depth);
    }
    return walk_leaf(w, f, search, node, p, depth);
}

/* p: the opening brace of an object, or the payload inside it. Returns the byte after its closing
 * brace. depth: of its members. */
static const uint8_t *walk_node_object(walker *w, wire_frame *f, nested *search,
                                       const wire_node *node, const uint8_t *p, unsigned depth) {
    const uint8_t *const end = w->end;
    const wire_node *const nodes = search->layout->nodes, *expected = &nodes[node->child], *inner;
    uint64_t seen = 0;
    if (search->resumes) {
        inner = &nodes[f->steps[depth - 2].node];
        seen = f->steps[depth - 2].seen;
        goto value;
    }
    if ((p = next_token(w, p + 1, end)) == NULL) return NULL;
    if (*p == '}') return p + 1;
    for (;;) {
        if (*p != '"') return fail(w, WIRE_EXPECTED_KEY, p);
        inner = walk_node_key(w, nodes, node, expected, &p);
        if (p == NULL || (p = next_token(w, p, end)) == NULL) return NULL;
        if (inner == NULL) {
            wire_value ignored;
            if ((p = walk_value(w, p, &ignored, depth)) == NULL) return NULL;
        } else {
            const uint64_t bit = UINT64_C(1) << (inner - nodes);
            search->repeated |= (seen & bit) != 0;
            seen |= bit;
        value:
            expected = &nodes[inner->next ? inner->next : node->child];
            p = walk_node(w, f, search, inner, p, depth);
            if (p == NULL) return stop_inside(w, f, depth, seen, (size_t)(inner - nodes));
        }
        if ((p = next_token(w, p, end)) == NULL) return NULL;
        if (*p == '}') return p + 1;
        if (*p != ',') return fail(w, WIRE_EXPECTED_COMMA, p);
        if ((p = next_token(w, p + 1, end)) == NULL) return NULL;
    }
}

/* The same for an array. */
static const uint8_t *walk_node_array(walker *w, wire_frame *f, nested *search,
                                      const wire_node *element, const uint8_t *p, unsigned depth) {
    if (!search->resumes) {
        if ((p = next_token(w, p + 1, w->end)) == NULL) return NULL;
        if (*p == ']') return p + 1;
    }
    for (;;) {
        p = walk_node(w, f, search, element, p, depth);
        if (p == NULL) return stop_inside(w, f, depth, 0, 0);
        if ((p = next_token(w, p, w->end)) == NULL) return NULL;
        if (*p == ']') return p + 1;
        if (*p != ',') return fail(w, WIRE_EXPECTED_COMMA, p);
        if ((p = next_token(w, p + 1, w->end)) == NULL) return NULL;
    }
}

/* p: a container inside `depth` levels, at a node with paths inside, or the payload in that
 * container. Returns the byte after the container. */
static const uint8_t *walk_inside(walker *w, wire_frame *f, nested *search, const wire_node *node,
                                  const uint8_t *p, unsigned depth) {
    const wire_node *inner = &search->layout->nodes[node->child];
    const uint8_t opening = inner->element ? '[' : '{';
    if (!search->resumes && *p != opening) return walk_container(w, p, depth);
    return inner->element ? walk_node_array(w, f, search, inner, p, depth + 1)
                          : walk_node_object(w, f, search, node, p, depth + 1);
}

/* p: the value of the member, a container; or the payload, which is in it. Returns the byte after
 * the member. */
static const uint8_t *walk_nested(walker *w, wire_frame *f, nested *search, const uint8_t *p) {
    const wire_node *nodes = search->layout->nodes, *node = &nodes[nodes->child];
    while (node->field != search->member) node = &nodes[node->next];
    return walk_inside(w, f, search, node, p, 1);
}
