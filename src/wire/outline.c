/* Finds what is asked for in an object of which the walk has made an outline. */
#include "bytes.h"

/* The number of the first member of the object from `at` on; object->count: there is none. */
static size_t next_member(const wire_outline *object, size_t at) {
    for (; at < object->count && object->entries[at].level >= object->level; at++) {
        if (object->entries[at].level == object->level) return at;
    }
    return object->count;
}

static bool has_key(const uint8_t *data, const wire_entry *entry, const char *key, size_t length) {
    return entry->key_length == length && wire_same(data + entry->key, key, length);
}

static void read_value(const uint8_t *data, const wire_entry *entry, wire_value *value) {
    *value = (wire_value){entry->start, entry->end, WIRE_INTEGER, entry->escaped, entry->non_ascii};
    switch (data[value->start]) {
        /* clang-format off */
    case '{': value->kind = WIRE_OBJECT; break;
    case '[': value->kind = WIRE_ARRAY; break;
    case 'n': value->kind = WIRE_NULL; break;
    case 't': value->kind = WIRE_TRUE; break;
    case 'f': value->kind = WIRE_FALSE; break;
    case '"': value->kind = WIRE_STRING; value->start++; value->end--; break;
        /* clang-format on */
    default:
        for (size_t i = value->start; i < value->end; i++) {
            if (data[i] == '.' || (data[i] | 0x20) == 'e') value->kind = WIRE_REAL;
        }
    }
}

size_t wire_outline_find(const uint8_t *data, wire_outline object, const char *key, size_t length, wire_value *value) {
    size_t found = SIZE_MAX;
    for (size_t at = next_member(&object, 0); at < object.count; at = next_member(&object, at + 1)) {
        if (has_key(data, &object.entries[at], key, length)) found = at;
    }
    if (found != SIZE_MAX) read_value(data, &object.entries[found], value);
    return found;
}

static void forget(const wire_key *keys, size_t count, wire_value *found, size_t place) {
    for (size_t i = 0; i < count; i++) {
        found[place + i].kind = WIRE_ABSENT;
        forget(keys[i].inner, keys[i].inner_count, found, keys[i].inner_place);
    }
}

static void find(const uint8_t *data, wire_outline object, const wire_key *keys, size_t count, wire_value *found, size_t place) {
    for (size_t at = next_member(&object, 0); at < object.count; at = next_member(&object, at + 1)) {
        size_t i = 0;
        while (i < count && !has_key(data, &object.entries[at], keys[i].bytes, keys[i].length)) i++;
        if (i == count) continue;
        read_value(data, &object.entries[at], &found[place + i]);
        /* Of duplicate members the last one counts: nothing that was found in an earlier one stays. */
        forget(keys[i].inner, keys[i].inner_count, found, keys[i].inner_place);
        if (keys[i].inner_count && found[place + i].kind == WIRE_OBJECT) {
            find(data, wire_outline_inner(object, at), keys[i].inner, keys[i].inner_count, found, keys[i].inner_place);
        }
    }
}

void wire_outline_members(const uint8_t *data, wire_outline object, const wire_key *keys, size_t count, wire_value *found) {
    forget(keys, count, found, 0);
    find(data, object, keys, count, found, 0);
}
