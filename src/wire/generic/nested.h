/* The walk through a member of the root object that has paths of the layout inside: it validates the
 * member, and finds the fields at the paths and the payload in the same pass. Included by tier.h,
 * after sink.h and paths.h.
 */

typedef struct nested {
    const wire_node *nodes;
    uint32_t member; /* the field of the root object that is walked */
    /* The walk stops at the first payload whose end it can guess. After that stop, `filled` is the
     * payload's opening quote, and the payload is decoded there. */
    bool may_ask;
    const uint8_t *filled;
    bool decoded;  /* the payload was */
    bool repeated; /* an object has a key twice, so that other values may count */
} nested;

static const uint8_t *walk_node(walker *w, wire_frame *f, nested *search, const wire_node *node,
                                const uint8_t *p, unsigned depth);

/* p: the opening brace of an object. Returns the byte after its closing brace. */
static const uint8_t *walk_node_object(walker *w, wire_frame *f, nested *search,
                                       const wire_node *node, const uint8_t *p, unsigned depth) {
    const uint8_t *const end = w->end;
    const wire_node *const nodes = search->nodes, *expected = &nodes[node->child];
    uint64_t seen = 0;
    if ((p = next_token(w, p + 1, end)) == NULL) return NULL;
    if (*p == '}') return p + 1;
    for (;;) {
        const wire_node *inner = expected;
        if (*p != '"') return fail(w, WIRE_EXPECTED_KEY, p);
        while (!wire_pattern_at(&inner->key, p, end)) {
            inner = &nodes[inner->next ? inner->next : node->child];
            if (inner == expected) {
                inner = NULL;
                break;
            }
        }
        if (inner != NULL) {
            p += inner->key.pattern_length;
        } else {
            bool ignored;
            member m = {.key = p + 1, .escaped = false};
            p = walk_string(w, m.key, &m.escaped, &ignored);
            if (p == NULL) return NULL;
            m.length = (size_t)(p - m.key);
            inner = node_of_key(w, nodes, node, &m);
            if ((p = next_token(w, p + 1, end)) == NULL) return NULL;
            if (*p++ != ':') return fail(w, WIRE_EXPECTED_COLON, p - 1);
        }
        if ((p = next_token(w, p, end)) == NULL) return NULL;
        if (inner == NULL) {
            wire_value ignored;
            p = walk_value(w, p, &ignored, depth);
        } else {
            const uint64_t bit = UINT64_C(1) << (inner - nodes);
            search->repeated |= (seen & bit) != 0;
            seen |= bit;
            expected = &nodes[inner->next ? inner->next : node->child];
            p = walk_node(w, f, search, inner, p, depth);
        }
        if (p == NULL || (p = next_token(w, p, end)) == NULL) return NULL;
        if (*p == '}') return p + 1;
        if (*p != ',') return fail(w, WIRE_EXPECTED_COMMA, p);
        if ((p = next_token(w, p + 1, end)) == NULL) return NULL;
    }
}

/* p: the opening bracket of an array. Returns the byte after its closing bracket. */
static const uint8_t *walk_node_array(walker *w, wire_frame *f, nested *search,
                                      const wire_node *element, const uint8_t *p, unsigned depth) {
    if ((p = next_token(w, p + 1, w->end)) == NULL) return NULL;
    if (*p == ']') return p + 1;
    for (;;) {
        p = walk_node(w, f, search, element, p, depth);
        if (p == NULL || (p = next_token(w, p, w->end)) == NULL) return NULL;
        if (*p == ']') return p + 1;
        if (*p != ',') return fail(w, WIRE_EXPECTED_COMMA, p);
        if ((p = next_token(w, p + 1, w->end)) == NULL) return NULL;
    }
}

/* p: a container inside `depth` levels, at a node with paths inside. Returns the byte after it. */
static const uint8_t *walk_inside(walker *w, wire_frame *f, nested *search, const wire_node *node,
                                  const uint8_t *p, unsigned depth) {
    const wire_node *inner = &search->nodes[node->child];
    if (*p == '{' && !inner->element) return walk_node_object(w, f, search, node, p, depth + 1);
    if (*p == '[' && inner->element) return walk_node_array(w, f, search, inner, p, depth + 1);
    return walk_container(w, p, depth);
}

/* p: the value at a node, inside `depth` levels. Returns the byte after it. Recurses no deeper than
 * the path. */
static const uint8_t *walk_node(walker *w, wire_frame *f, nested *search, const wire_node *node,
                                const uint8_t *p, unsigned depth) {
    const uint32_t field = node->field;
    const uint8_t *behind = NULL;
    /* The first value is written to its final place, as in walk_field. */
    wire_value other, *value = field && !(f->present >> field & 1) ? &f->values[field] : &other;
    if (node->child && (*p == '{' || *p == '[')) {
        behind = walk_inside(w, f, search, node, p, depth);
        if (behind != NULL && field) put_container(w, f, field, p, behind);
        return behind;
    }
    if (*p == '"' && is_payload(f->type->layout, field)) {
        if (search->may_ask && f->part_count == 0 && need_sink(w, f, search->member, field, p))
            return NULL;
        if (p == search->filled) {
            behind = fill_sink(w, f, p, value);
            search->decoded = behind != NULL;
        }
    }
    if (behind == NULL) behind = walk_value(w, p, value, depth);
    if (behind != NULL && field) put_at_path(f, field, value);
    return behind;
}

/* p: the value of the member, a container. Returns the byte after it. */
static const uint8_t *walk_nested(walker *w, wire_frame *f, nested *search, const uint8_t *p) {
    unsigned i = search->nodes->child;
    while (search->nodes[i].field != search->member) i = search->nodes[i].next;
    return walk_inside(w, f, search, &search->nodes[i], p, 1);
}
