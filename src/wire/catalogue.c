/* Finds the types of a catalogue and the fields of a layout by name. A layout is complete before it
 * is used; types may be added to a catalogue while other threads read it. */
#include "atomics.h"
#include "wire.h"
#include "bytes.h"

#include <string.h>

void wire_layout_init(wire_layout *layout) {
    memset(layout, 0, sizeof *layout);
    layout->outlined = WIRE_NO_FIELD;
}

uint32_t wire_layout_add_at_path(wire_layout *layout) {
    const uint32_t number = layout->field_count;
    if (number == WIRE_MAX_FIELDS) return WIRE_NO_FIELD;
    wire_pattern_init(&layout->fields[number], NULL, 0);
    layout->at_path |= 1u << number;
    layout->field_count = number + 1;
    return number;
}

uint32_t wire_layout_find(const wire_layout *layout, const uint8_t *name, size_t length) {
    if (length == 0 || length > WIRE_MAX_NAME) return WIRE_NO_FIELD;
    /* Terminates: at most WIRE_MAX_FIELDS of the 64 places are taken. */
    for (uint32_t place = wire_field_hash(name, length);; place = (place + 1) & 63) {
        uint32_t entry = layout->index[place];
        if (entry == 0) return WIRE_NO_FIELD;
        if (wire_pattern_names(&layout->fields[entry - 1], name, length)) return entry - 1;
    }
}

void wire_pattern_init(wire_pattern *pattern, const char *name, size_t length) {
    const uint8_t *bytes = (const uint8_t *)name;
    memset(pattern, 0, sizeof *pattern);
    if (name == NULL) {
        pattern->length = UINT32_MAX;
        pattern->room = PTRDIFF_MAX;
        return;
    }
    pattern->bytes[0] = '"';
    memcpy(pattern->bytes + 1, name, length);
    memcpy(pattern->bytes + 1 + length, "\":", 2);
    pattern->length = (uint32_t)length;
    pattern->pattern_length = (uint32_t)length + 3;
    pattern->room = (ptrdiff_t)(length + 4 < 8 ? 8 : length + 4);
    /* JSON escapes this character, so the text never occurs in a frame: such a key is found only by
     * its name. */
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] < 0x20 || bytes[i] == '"' || bytes[i] == '\\') pattern->room = PTRDIFF_MAX;
    }
    memset(&pattern->first_mask, 0xFF, length + 3 < 8 ? length + 3 : 8);
}

uint32_t wire_layout_add(wire_layout *layout, const char *name, size_t length) {
    const uint8_t *bytes = (const uint8_t *)name;
    uint32_t number = layout->field_count;
    if (number == WIRE_MAX_FIELDS || length == 0 || length > WIRE_MAX_NAME) return WIRE_NO_FIELD;
    if (wire_layout_find(layout, bytes, length) != WIRE_NO_FIELD) return WIRE_NO_FIELD;
    wire_pattern_init(&layout->fields[number], name, length);
    uint32_t place = wire_field_hash(bytes, length);
    while (layout->index[place]) place = (place + 1) & 63;
    layout->index[place] = (uint8_t)(number + 1);
    layout->field_count = number + 1;
    return number;
}

/* Many wire types begin alike ("response.") or end alike (".delta"); their middle, end and length
 * together nearly always tell them apart. */
static inline size_t type_hash(const uint8_t *name, size_t length) {
    uint64_t middle, end;
    if (length >= 8) {
        middle = wire_load64(name + (length - 8) / 2);
        end = wire_load64(name + length - 8);
    } else {
        middle = 0;
        end = 0;
        for (size_t i = 0; i < length; i++) end = end << 8 | name[i];
    }
    uint64_t hash =
        (middle ^ length) * UINT64_C(0x9E3779B97F4A7C15) ^ end * UINT64_C(0xD6E8FEB86659FD93);
    return (size_t)(hash >> 40);
}

const wire_type *wire_catalogue_find(const wire_catalogue *catalogue, const uint8_t *name,
                                     size_t length) {
    /* Terminates: at least half of the slots are free. */
    for (size_t place = type_hash(name, length) & catalogue->mask;;
         place = (place + 1) & catalogue->mask) {
        const wire_type *type = load_pointer(&catalogue->slots[place]);
        if (type == NULL) return NULL;
        if (type->length == length && wire_same(type->name, name, length)) return type;
    }
}

bool wire_catalogue_add(wire_catalogue *catalogue, const wire_type *type) {
    const uint8_t *name = (const uint8_t *)type->name;
    size_t place = type_hash(name, type->length) & catalogue->mask;
    for (; catalogue->slots[place]; place = (place + 1) & catalogue->mask) {
        const wire_type *other = catalogue->slots[place];
        if (other->length == type->length && wire_same(other->name, name, type->length))
            return false;
    }
    store_pointer(&catalogue->slots[place], type);
    return true;
}
