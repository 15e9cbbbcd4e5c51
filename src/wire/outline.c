/* Finds members of a nested object in the outline that the walk has made of it. */
#include "bytes.h"

/* Iterates over the members of an object, from `entry` on. */
#define EACH_MEMBER(entry, end, level_) \
    for (; entry < (end) && entry->level >= (level_); entry++) \
        if (entry->level == (level_))

static inline bool has_key(const uint8_t *data, const wire_entry *entry, const char *key,
                           size_t length) {
    return entry->key_length == length && wire_same(data + entry->key, key, length);
}

static void read_number(const uint8_t *data, wire_value *value) {
    value->kind = WIRE_INTEGER;
    for (size_t i = value->start; i < value->end; i++) {
        if (data[i] == '.' || (data[i] | 0x20) == 'e') value->kind = WIRE_REAL;
    }
}

static inline void read_value(const uint8_t *data, const wire_entry *entry, wire_value *value) {
    *value = (wire_value){entry->start, entry->end, WIRE_STRING, entry->escaped, entry->non_ascii};
    switch (data[entry->start]) {
        /* clang-format off */
    case '"': value->start++; value->end--; break;
    case '{': value->kind = WIRE_OBJECT; break;
    case '[': value->kind = WIRE_ARRAY; break;
    case 'n': value->kind = WIRE_NULL; break;
    case 't': value->kind = WIRE_TRUE; break;
    case 'f': value->kind = WIRE_FALSE; break;
    default: read_number(data, value);
        /* clang-format on */
    }
}

size_t wire_outline_find(const uint8_t *data, wire_outline object, const char *key, size_t length,
                         wire_value *value) {
    const wire_entry *entry = object.entries, *const end = entry + object.count, *found = NULL;
    EACH_MEMBER(entry, end, object.level) {
        if (has_key(data, entry, key, length)) found = entry;
    }
    if (found == NULL) return SIZE_MAX;
    read_value(data, found, value);
    return (size_t)(found - object.entries);
}

static void find(const uint8_t *data, const wire_entry *entry, const wire_entry *end,
                 unsigned level, const wire_key *keys, size_t count, wire_value *found,
                 size_t place) {
    uint64_t lengths = 0; /* a bit for each length of a key, modulo 64 */
    for (size_t i = 0; i < count; i++) lengths |= UINT64_C(1) << (keys[i].length & 63);
    EACH_MEMBER(entry, end, level) {
        if (!(lengths >> (entry->key_length & 63) & 1)) continue;
        const wire_key *key = keys, *const behind = keys + count;
        while (key < behind && !has_key(data, entry, key->bytes, key->length)) key++;
        if (key == behind) continue;
        wire_value *value = &found[place + (size_t)(key - keys)];
        read_value(data, entry, value);
        if (key->inner_count == 0) continue;
        /* The last of duplicate members counts: forget what was found in an earlier one. */
        wire_forget_found(key->inner, key->inner_count, found, key->inner_place);
        if (value->kind == WIRE_OBJECT) {
            find(data, entry + 1, end, level + 1, key->inner, key->inner_count, found,
                 key->inner_place);
        }
    }
}

void wire_outline_members(const uint8_t *data, wire_outline object, const wire_key *keys,
                          size_t count, wire_value *found) {
    wire_forget_found(keys, count, found, 0);
    find(data, object.entries, object.entries + object.count, object.level, keys, count, found, 0);
}
