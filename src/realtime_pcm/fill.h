/* From what the walk found to a message: its flat fields as objects, the rest as spans. */
#ifndef REALTIME_PCM_FILL_H
#define REALTIME_PCM_FILL_H

#include "message.h"
#include "values.h"

/* What filling needs to know of a message class. */
typedef struct {
    Py_ssize_t first_slot;      /* field n >= 1 lies in slot first_slot + n */
    uint32_t later;             /* bit n: a string in field n stays a span until it is asked for */
    int8_t id_place[WIRE_MAX_FIELDS];   /* which of the remembered ids field n may be; -1: none */
} message_plan;

/* Slots that every message has. */
enum { SLOT_TYPE = 0, SLOT_FRAME = 1, SLOT_EVENT_ID = 2 };

/* One bit for each of the layout's fields that holds a payload. */
static inline uint32_t payload_fields(const wire_layout *layout) {
    return layout->payload_count ? ((1u << layout->payload_count) - 1) << layout->payload_first : 0;
}

static inline Py_ssize_t count_bits(uint32_t bits) {
    Py_ssize_t count = 0;
    for (; bits; bits &= bits - 1) count++;
    return count;
}

/* `count` references to None at once. */
static inline void refer_to_none(Py_ssize_t count) {
#if PY_VERSION_HEX < 0x030C0000
    Py_SET_REFCNT(Py_None, Py_REFCNT(Py_None) + count);
#else
    (void)count;  /* immortal */
#endif
}

/* A new message with type, frame and flat fields. The slots of the payload's keys, and those of spans, are NULL. ids: the
 * strings of the messages before, or NULL for none. */
static message *message_from_frame(PyTypeObject *type, void *layout, const message_plan *plan, const wire_frame *f,
                                   PyObject *type_name, PyObject *frame, PyObject **ids) {
    const wire_layout *wire = f->type->layout;
    const uint8_t *data = f->data;
    uint32_t count = wire->field_count;
    uint32_t payloads = payload_fields(wire);
    uint32_t spans = f->containers & ~payloads;
    for (uint32_t later = plan->later; later; later &= later - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(later);
        if (f->values[i].kind == WIRE_STRING) spans |= 1u << i;
    }
    if (f->payload == WIRE_PAYLOAD_DONE || f->payload == WIRE_PAYLOAD_SPAN) spans |= 1u << f->payload_field;

    message *self = message_new(type, layout, plan->first_slot + count, count_bits(spans));
    if (self == NULL) return NULL;
    PyObject **slots = self->slots + plan->first_slot;
    self->slots[SLOT_TYPE] = Py_NewRef(type_name);
    self->slots[SLOT_FRAME] = Py_NewRef(frame);
    message_span *span = message_spans(self);
    for (uint32_t left = spans; left; left &= left - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(left);
        *span++ = (message_span){i, f->values[i].start, f->values[i].end};
    }
    if (!(spans & 1)) {
        self->slots[SLOT_EVENT_ID] = value_flat(data, &f->values[0]);
        if (self->slots[SLOT_EVENT_ID] == NULL) goto failed;
    }
    const uint32_t flat = ~(spans | payloads | 1u);
    for (uint32_t left = f->present & flat; left; left &= left - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(left);
        const wire_value *value = &f->values[i];
        slots[i] = value->kind == WIRE_STRING && plan->id_place[i] >= 0 && ids != NULL
                       ? value_recurring_text(data, value, &ids[plan->id_place[i]])
                       : value_flat(data, value);
        if (slots[i] == NULL) goto failed;
    }
    Py_ssize_t absent = 0;
    for (uint32_t left = (uint32_t)((UINT64_C(1) << count) - 1) & ~f->present & flat; left; left &= left - 1) {
        slots[__builtin_ctz(left)] = Py_None;
        absent++;
    }
    refer_to_none(absent);
    return self;

failed:
    Py_DECREF((PyObject *)self);
    return NULL;
}

#endif
