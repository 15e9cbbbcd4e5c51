/* How a message lies in memory, and how it is filled from what the walk found.
 *
 * A message is one allocation: a head, one object reference for each slot, and after the slots one
 * message_span (three words) for each payload and for each value that becomes an object only at its
 * first read. Declared fields are read through member descriptors: the interpreter specialises such
 * a read to one load.
 *
 * The interpreter makes each class of a class statement garbage-collected, and gives it a general
 * deallocator. message_seal undoes both. Measured for a message of eight slots, made, read five
 * times and dropped: 42 ns sealed, 92 ns not sealed, 65 ns for a class with __slots__. A freelist
 * in front of the interpreter's allocator gained nothing. A metaclass could do what message_seal
 * does, but would make every `case` that does not match 85 ns slower.
 */
#ifndef REALTIME_PCM_MESSAGE_H
#define REALTIME_PCM_MESSAGE_H

#include <Python.h>
#include <stddef.h>
#include <structmember.h>

#include "compiler.h"
#include "values.h"
#include "writer.h"

typedef struct {
    PyObject_VAR_HEAD
    PyObject *no_dict; /* always NULL, at __dictoffset__: no subclass gets a dict */
    void *layout;      /* borrowed: kept alive by the type, for good */
    PyObject *formats; /* for views: (input, output) before this message; or NULL */
    Py_ssize_t slot_count;
    PyObject *slots[1];
} message;

/* Where a value is in the frame. */
typedef struct {
    size_t start, end;
    uint32_t field; /* its number in the layout */
    uint8_t kind;   /* wire_kind */
    bool payload;   /* base64 */
    bool escaped, non_ascii;
} message_span;

#define MESSAGE_SPAN_WORDS \
    ((Py_ssize_t)((sizeof(message_span) + sizeof(PyObject *) - 1) / sizeof(PyObject *)))

/* A slot, by its place in the layout of this message. Assertions are on in the builds of `nox -s
 * asan`. */
static inline PyObject **message_slot_at(message *self, Py_ssize_t place) {
    assert(0 <= place && place < self->slot_count);
    return &self->slots[place];
}

static inline message_span *message_spans(message *self) {
    return (message_span *)(self->slots + self->slot_count);
}

static inline Py_ssize_t message_span_count(message *self) {
    return (Py_SIZE(self) - self->slot_count) / MESSAGE_SPAN_WORDS;
}

/* All slots are NULL. The caller fills every slot that a member descriptor reads; a slot of a
 * LazyField may stay NULL. */
static inline message *message_new(PyTypeObject *type, void *layout, Py_ssize_t slot_count,
                                   Py_ssize_t span_count) {
    Py_ssize_t size = slot_count + MESSAGE_SPAN_WORDS * span_count;
    message *self = PyObject_Malloc(offsetof(message, slots) + (size_t)size * sizeof(PyObject *));
    if (self == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    PyObject_InitVar((PyVarObject *)self, type, size);
    self->no_dict = NULL;
    self->layout = layout;
    self->formats = NULL;
    self->slot_count = slot_count;
    for (Py_ssize_t i = 0; i < slot_count; i++) self->slots[i] = NULL;
    return self;
}

static void message_dealloc(PyObject *object) {
    message *self = (message *)object;
    PyTypeObject *type = Py_TYPE(object);
    for (Py_ssize_t i = 0; i < self->slot_count; i++) Py_XDECREF(self->slots[i]);
    Py_XDECREF(self->formats);
    PyObject_Free(self);
    Py_DECREF(type);
}

static int message_setattro(PyObject *self, PyObject *name, PyObject *value) {
    (void)value;
    PyErr_Format(PyExc_AttributeError, "%s is read-only: %S", Py_TYPE(self)->tp_name, name);
    return -1;
}

/* Called with a message class, the names of the keywords (a tuple, or NULL) and their values: gives
 * the message (core/writing.pxi). */
static PyObject *(*message_writer)(PyObject *cls, PyObject *names, PyObject **values);

static void message_write_by(void *writer) {
    message_writer = (PyObject * (*)(PyObject *, PyObject *, PyObject **)) writer;
}

static PyObject *message_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    if (message_writer == NULL || PyTuple_GET_SIZE(args)) {
        PyErr_Format(PyExc_TypeError, "%s takes its fields as keywords", type->tp_name);
        return NULL;
    }
    if (kwargs == NULL) return message_writer((PyObject *)type, NULL, NULL);
    PyObject *names = PySequence_Tuple(kwargs), *written = NULL;
    PyObject *list = PyDict_Values(kwargs), *values = list == NULL ? NULL : PyList_AsTuple(list);
    if (names != NULL && values != NULL)
        written = message_writer((PyObject *)type, names, tuple_items(values));
    Py_XDECREF(names);
    Py_XDECREF(list);
    Py_XDECREF(values);
    return written;
}

/* The call of a message class: keywords alone become a message without a dict of them. */
static PyObject *message_call(PyObject *cls, PyObject **args, size_t nargsf, PyObject *names) {
    const PyTypeObject *type = (PyTypeObject *)cls;
    const bool alike = type->tp_new == message_tp_new && type->tp_init == PyBaseObject_Type.tp_init;
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    if (!alike || count || message_writer == NULL) return call_by_tuple(cls, args, count, names);
    return message_writer(cls, names, args);
}

static PyMemberDef message_members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(message, no_dict), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot message_slots[] = {
    {Py_tp_dealloc, message_dealloc},
    {Py_tp_setattro, message_setattro},
    {Py_tp_new, message_tp_new},
    {Py_tp_members, message_members},
    {Py_tp_doc, "The memory of a message; use RealtimeServerMessage."},
    {0, NULL},
};

static PyType_Spec message_spec = {
    .name = "realtime_pcm._core.MessageObject",
    .basicsize = offsetof(message, slots),
    .itemsize = sizeof(PyObject *),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = message_slots,
};

/* Undoes what a class statement below MessageObject has done to its class: garbage collection and
 * the general deallocator. Called before the class has an instance. A message refers to strings,
 * numbers, arrays, its frame, and values parsed from the frame. A cycle arises only where a user
 * stores a message in its own parsed values, and such a cycle is never collected. */
static void message_seal(PyTypeObject *type) {
    type->tp_flags &= ~Py_TPFLAGS_HAVE_GC;
    type->tp_traverse = NULL;
    type->tp_clear = NULL;
    type->tp_free = PyObject_Free;
    type->tp_dealloc = message_dealloc;
    call_by_vector(type, (void *)message_call);
}

/* Called when all of a class is declared. From then on the interpreter refuses to give an
 * instance another class, or the class other bases: descriptors of one layout would read slots
 * of another. */
static void message_freeze(PyTypeObject *type) {
    type->tp_flags |= Py_TPFLAGS_IMMUTABLETYPE;
    PyType_Modified(type);
}

/* Sets an attribute of a class, frozen or not. */
static int message_set_on_class(PyTypeObject *type, PyObject *name, PyObject *value) {
    int status = PyDict_SetItem(type->tp_dict, name, value);
    PyType_Modified(type);
    return status;
}

/* Makes an object immortal in free-threaded Python; does nothing under the GIL. All threads that
 * decode refer to the same classes and catalogue entries, and would wait for one another to count
 * these references. These objects live as long as the process anyway. */
static void message_uncounted(PyObject *object) {
#ifdef Py_GIL_DISABLED
    object->ob_tid = 0;
    object->ob_ref_local = _Py_IMMORTAL_REFCNT_LOCAL;
    object->ob_ref_shared = 0;
#else
    (void)object;
#endif
}

/* A descriptor that reads slot `place`. `definition` must outlive the class. */
static PyObject *message_slot(PyTypeObject *type, PyMemberDef *definition, const char *name,
                              Py_ssize_t place) {
    definition->name = name;
    definition->type = T_OBJECT_EX;
    definition->offset =
        (Py_ssize_t)offsetof(message, slots) + place * (Py_ssize_t)sizeof(PyObject *);
    definition->flags = READONLY;
    definition->doc = NULL;
    return PyDescr_NewMember(type, definition);
}

/* ---- Filling --------------------------------------------------------------------------------- */

/* What filling needs to know of a message class. */
typedef struct {
    Py_ssize_t slot_before_fields; /* field n >= 1 lies in slot slot_before_fields + n */
    uint32_t later; /* bit n: a string in field n stays a span until its first read */
    int8_t id_place[WIRE_MAX_FIELDS]; /* the place of field n in `ids` of the decoder; -1: none */
} message_plan;

/* The length of _RECURRING (core/catalogue.pxi). Of its last field, two strings are kept. */
enum { RECURRING_KEYS = 5 };

/* Slots that every message has. */
enum { SLOT_TYPE = 0, SLOT_FRAME = 1, SLOT_EVENT_ID = 2 };

/* One bit for each field of the layout that holds a payload. */
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
    (void)count; /* immortal */
#endif
}

/* A new message with its type, its frame and its flat fields. The slots of the payload's keys and
 * of spans are NULL. If the walk has made an outline, one more slot after the fields holds it:
 * bytes, with a wire_entry for each member. `ids`: the id strings of the messages before, which
 * value_recurring_text uses again, or NULL. */
static message *message_from_frame(PyTypeObject *type, void *layout, const message_plan *plan,
                                   const wire_frame *f, PyObject *type_name, PyObject *frame,
                                   PyObject **ids) {
    const wire_layout *wire = f->type->layout;
    const uint8_t *data = f->data;
    uint32_t count = wire->field_count;
    uint32_t payloads = payload_fields(wire);
    uint32_t spans = f->containers & ~payloads;
    for (uint32_t later = plan->later; later; later &= later - 1) {
        uint32_t i = (uint32_t)portable_lowest_bit(later);
        if (f->values[i].kind == WIRE_STRING) spans |= 1u << i;
    }
    if (f->payload == WIRE_PAYLOAD_DONE || f->payload == WIRE_PAYLOAD_SPAN ||
        f->payload == WIRE_PAYLOAD_PARTS) {
        spans |= 1u << f->payload_field;
    }

    const bool outlined = spans && f->outline_count && f->containers >> wire->outlined & 1;
    message *self =
        message_new(type, layout, plan->slot_before_fields + count + outlined, count_bits(spans));
    if (self == NULL) return NULL;
    PyObject **slots = self->slots + plan->slot_before_fields;
    self->slots[SLOT_TYPE] = Py_NewRef(type_name);
    self->slots[SLOT_FRAME] = Py_NewRef(frame);
    message_span *span = message_spans(self);
    for (uint32_t left = spans; left; left &= left - 1) {
        uint32_t i = (uint32_t)portable_lowest_bit(left);
        const wire_value *value = &f->values[i];
        *span++ = (message_span){value->start,   value->end,      i, value->kind, payloads >> i & 1,
                                 value->escaped, value->non_ascii};
    }
    if (!(spans & 1)) {
        self->slots[SLOT_EVENT_ID] = value_flat(data, &f->values[0]);
        if (self->slots[SLOT_EVENT_ID] == NULL) goto failed;
    }
    const uint32_t flat = ~(spans | payloads | 1u);
    for (uint32_t left = f->present & flat; left; left &= left - 1) {
        uint32_t i = (uint32_t)portable_lowest_bit(left);
        const wire_value *value = &f->values[i];
        slots[i] = value->kind == WIRE_STRING && plan->id_place[i] >= 0 && ids != NULL
                       ? value_recurring_text(data, value, &ids[plan->id_place[i]],
                                              plan->id_place[i] == RECURRING_KEYS - 1)
                       : value_flat(data, value);
        if (slots[i] == NULL) goto failed;
    }
    Py_ssize_t absent = 0;
    for (uint32_t left = (uint32_t)((UINT64_C(1) << count) - 1) & ~f->present & flat; left;
         left &= left - 1) {
        slots[portable_lowest_bit(left)] = Py_None;
        absent++;
    }
    refer_to_none(absent);
    if (outlined) {
        slots[count] = PyBytes_FromStringAndSize(
            (const char *)f->outline, (Py_ssize_t)(f->outline_count * sizeof(wire_entry)));
        if (slots[count] == NULL) goto failed;
    }
    return self;

failed:
    Py_DECREF((PyObject *)self);
    return NULL;
}

#endif
