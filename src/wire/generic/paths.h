/* Fields at a path: members of nested objects and of the elements of arrays, in a frame that the
 * walk has accepted. Included by tier.h, after members.h.
 *
 * Most frames need none of this: the walk finds their paths as it goes (nested.h). find_paths is
 * for the others: those with duplicate keys, with two members that have paths inside, or with a
 * type that was not known in time. It goes down from the members of the root object along the paths
 * of the layout, as deep as the longest of them. The last of duplicate keys counts. Of several
 * elements of an array, the first with a field counts; payloads are counted, and their places are
 * written to `parts`.
 */

static inline bool is_payload(const wire_layout *layout, uint32_t field) {
    return field - layout->payload_first < layout->payload_count;
}

/* Where a search for paths puts what is not the value of a field. */
typedef struct path_search {
    const wire_node *nodes;
    wire_value *parts; /* where the payloads of several elements go */
    size_t room;
} path_search;

/* Forgets all that was found at paths. */
static void forget_paths(wire_frame *f) {
    f->present &= ~f->type->layout->at_path;
    f->containers &= ~f->type->layout->at_path;
    f->part_count = f->mixed = 0;
}

/* Stores the value at the end of a path. A null is no value. */
static inline void put_at_path(wire_frame *f, uint32_t field, const wire_value *value) {
    const uint32_t bit = 1u << field;
    if (value->kind == WIRE_NULL) return;
    if (is_payload(f->type->layout, field)) {
        if (f->part_count++) return;
    } else if (f->present & bit) {
        const wire_value *first = &f->values[field];
        const size_t length = value->end - value->start;
        if (f->type->layout->uniform & bit && f->mixed == 0 &&
            (length != first->end - first->start ||
             memcmp(f->data + first->start, f->data + value->start, length) != 0)) {
            f->mixed = value->start;
        }
        return;
    }
    if (value != &f->values[field]) f->values[field] = *value;
    f->present |= bit;
    f->containers = (f->containers & ~bit) | (value->kind >= WIRE_OBJECT ? bit : 0);
}

static const uint8_t *find_at_node(walker *w, wire_frame *f, const path_search *search,
                                   const wire_node *node, const uint8_t *p);

/* The node inside `node` with a member's key; NULL if there is none. */
static const wire_node *node_of_key(const walker *w, const wire_node *nodes, const wire_node *node,
                                    const member *m) {
    uint8_t plain[WIRE_MAX_NAME];
    const uint8_t *key = m->escaped ? plain : m->key;
    const size_t length = m->escaped ? plain_key(w->data, m->key, m->length, plain) : m->length;
    for (unsigned i = node->child; i; i = nodes[i].next) {
        if (length && wire_pattern_names(&nodes[i].key, key, length)) return &nodes[i];
    }
    return NULL;
}

/* p: the opening brace of an object. Returns the byte after its closing brace. The last member of
 * each key counts. */
static const uint8_t *find_in_object(walker *w, wire_frame *f, const path_search *search,
                                     const wire_node *node, const uint8_t *p) {
    const uint8_t *last[WIRE_MAX_NODES] = {NULL};
    p = skip_space(p + 1, w->end);
    while (*p != '}') {
        member m;
        p = valid_key(w, p, &m);
        const wire_node *inner = node_of_key(w, search->nodes, node, &m);
        if (inner != NULL) last[inner - search->nodes] = p;
        p = valid_next(w, pass_value(w, p));
    }
    for (unsigned next;; last[next] = NULL) {
        next = 0;
        for (unsigned i = node->child; i; i = search->nodes[i].next) {
            if (last[i] != NULL && (next == 0 || last[i] < last[next])) next = i;
        }
        if (next == 0) return p + 1;
        find_at_node(w, f, search, &search->nodes[next], last[next]);
    }
}

/* p: the opening bracket of an array. Returns the byte after its closing bracket. */
static const uint8_t *find_in_array(walker *w, wire_frame *f, const path_search *search,
                                    const wire_node *element, const uint8_t *p) {
    p = skip_space(p + 1, w->end);
    while (*p != ']') {
        p = find_at_node(w, f, search, element, p);
        p = valid_next(w, p);
    }
    return p + 1;
}

/* Stores a container at the end of a path. */
static void put_container(const walker *w, wire_frame *f, uint32_t field, const uint8_t *p,
                          const uint8_t *behind) {
    wire_value value;
    put_value(&value, (size_t)(p - w->data), (size_t)(behind - w->data),
              *p == '{' ? WIRE_OBJECT : WIRE_ARRAY);
    put_at_path(f, field, &value);
}

/* p: the value at a node. Returns the byte after it. Recurses no deeper than the path. */
static const uint8_t *find_at_node(walker *w, wire_frame *f, const path_search *search,
                                   const wire_node *node, const uint8_t *p) {
    const wire_node *inner = &search->nodes[node->child];
    const uint8_t *behind;
    if (node->child && *p == '{' && !inner->element) {
        behind = find_in_object(w, f, search, node, p);
    } else if (node->child && *p == '[' && inner->element) {
        behind = find_in_array(w, f, search, inner, p);
    } else {
        wire_value value;
        behind = valid_value(w, p, &value);
        if (is_payload(f->type->layout, node->field) && f->part_count < search->room)
            search->parts[f->part_count] = value; /* a null is overwritten: it does not count */
        if (node->field) put_at_path(f, node->field, &value);
        return behind;
    }
    if (node->field) put_container(w, f, node->field, p, behind);
    return behind;
}

/* Finds the fields at the paths of the layout, and the first `room` payloads. */
static void find_paths(walker *w, wire_frame *f, wire_value *parts, size_t room) {
    const wire_layout *layout = f->type->layout;
    const path_search search = {layout->nodes, parts, room};
    forget_paths(f);
    for (unsigned i = layout->nodes->child; i; i = layout->nodes[i].next) {
        const wire_node *node = &layout->nodes[i];
        const wire_node *inner = &layout->nodes[node->child];
        if (!(f->present >> node->field & 1)) continue;
        const uint8_t *p = f->data + f->values[node->field].start;
        if (f->values[node->field].kind == WIRE_OBJECT && !inner->element)
            find_in_object(w, f, &search, node, p);
        if (f->values[node->field].kind == WIRE_ARRAY && inner->element)
            find_in_array(w, f, &search, inner, p);
    }
}

/* Writes the places of up to `room` payloads of a frame with WIRE_PAYLOAD_PARTS. Returns how many
 * there are. */
static size_t walk_parts(const wire_frame *f, wire_value *parts, size_t room) {
    wire_frame again = {
        .data = f->data, .length = f->length, .type = f->type, .present = f->roots_found};
    walker w = {f->data, f->data + f->length, f->data, 0, f->data, WIRE_OK, NULL, 0};
    for (uint32_t left = f->roots_found; left; left &= left - 1) {
        /* A hidden field's kind was overwritten. */
        wire_value *value = &again.values[portable_lowest_bit(left)];
        *value = f->values[portable_lowest_bit(left)];
        value->kind = f->data[value->start] == '{'   ? WIRE_OBJECT
                      : f->data[value->start] == '[' ? WIRE_ARRAY
                                                     : WIRE_NULL;
    }
    look_at(&w, f->data);
    find_paths(&w, &again, parts, room);
    return again.part_count;
}
