/* Writes JSON text, and calls classes that write it: their keywords come as an array, so no dict is
 * made of them. */
#ifndef REALTIME_PCM_WRITER_H
#define REALTIME_PCM_WRITER_H

#include <Python.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "values.h"
#include "wire.h"

/* Without the GIL, a critical section: nobody changes a dict or list in between. */
#ifdef Py_GIL_DISABLED
#define BEGIN_READING(object) Py_BEGIN_CRITICAL_SECTION(object)
#define END_READING() Py_END_CRITICAL_SECTION()
#else
#define BEGIN_READING(object) {
#define END_READING() }
#endif

/* ---- Text ------------------------------------------------------------------------------------ */

/* A short text is kept in the writer, a longer one in memory of its own. */
typedef struct {
    uint8_t *bytes;
    size_t length, room;
    bool non_ascii;
    uint8_t inside[1000];
} writer;

static inline void writer_begin(writer *self) {
    self->bytes = self->inside;
    self->length = 0;
    self->room = sizeof(self->inside);
    self->non_ascii = false;
}

static inline void writer_end(writer *self) {
    if (self->bytes != self->inside) PyMem_Free(self->bytes);
}

static PORTABLE_NOINLINE int writer_grow(writer *self, size_t more) {
    if (more > (size_t)PY_SSIZE_T_MAX / 2 - self->length) {
        PyErr_NoMemory();
        return -1;
    }
    const size_t room = (self->length + more) + (self->length + more) / 2;
    const bool moves = self->bytes == self->inside;
    uint8_t *larger = PyMem_Realloc(moves ? NULL : self->bytes, room);
    if (larger == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (moves) memcpy(larger, self->inside, self->length);
    self->bytes = larger;
    self->room = room;
    return 0;
}

/* Makes room for `more` bytes; 0, or -1 with an exception. */
static inline int writer_reserve(writer *self, size_t more) {
    return self->room - self->length >= more ? 0 : writer_grow(self, more);
}

static inline int writer_put(writer *self, const void *text, size_t length) {
    if (writer_reserve(self, length) < 0) return -1;
    copy_bytes(self->bytes + self->length, text, length);
    self->length += length;
    return 0;
}

/* A str of ASCII, as a JSON string. */
static inline int writer_put_ascii(writer *self, const void *text, size_t count) {
    size_t length = 0, position;
    wire_escape_measure(text, count, 1, &length, &position);
    if (length == WIRE_TOO_LONG) {
        PyErr_NoMemory();
        return -1;
    }
    if (writer_reserve(self, length + 2) < 0) return -1;
    uint8_t *out = self->bytes + self->length;
    out[0] = '"';
    if (length == count) {
        copy_bytes(out + 1, text, length);
    } else {
        wire_escape_write(text, count, 1, length, out + 1);
    }
    out[length + 1] = '"';
    self->length += length + 2;
    return 0;
}

static inline int writer_put_number(writer *self, long long number) {
    uint8_t digits[20], *at = digits + sizeof(digits);
    unsigned long long left =
        number < 0 ? 0 - (unsigned long long)number : (unsigned long long)number;
    do {
        *--at = (uint8_t)('0' + left % 10);
        left /= 10;
    } while (left);
    if (number < 0) *--at = '-';
    return writer_put(self, at, (size_t)(digits + sizeof(digits) - at));
}

typedef enum { FINITE, NOT_FINITE, CONTAINER } finiteness;

static inline finiteness finiteness_of(PyObject *value, size_t *nulls) {
    if (value == Py_None) {
        --*nulls;
        return FINITE;
    }
    if (PyUnicode_CheckExact(value) || PyLong_CheckExact(value) || PyBool_Check(value))
        return FINITE;
    if (PyFloat_CheckExact(value)) return isfinite(PyFloat_AS_DOUBLE(value)) ? FINITE : NOT_FINITE;
    return PyDict_CheckExact(value) || PyList_CheckExact(value) || PyTuple_CheckExact(value)
               ? CONTAINER
               : NOT_FINITE;
}

static bool is_all_finite(PyObject *value, size_t *nulls);

/* With `inner`, whether everything inside the containers in a dict, a list or a tuple is finite;
 * else whether its other elements are. */
static bool elements_finite(PyObject *value, size_t *nulls, bool inner) {
    PyObject *key, *element;
    Py_ssize_t at = 0;
    const bool is_dict = PyDict_CheckExact(value), is_list = PyList_CheckExact(value);
    while (*nulls) {
        if (is_dict) {
            if (!PyDict_Next(value, &at, &key, &element)) break;
        } else if (is_list) {
            if (at >= PyList_GET_SIZE(value)) break;
            element = PyList_GET_ITEM(value, at++);
        } else {
            if (at >= PyTuple_GET_SIZE(value)) break;
            element = PyTuple_GET_ITEM(value, at++);
        }
        if (inner) {
            const bool container = PyDict_CheckExact(element) || PyList_CheckExact(element) ||
                                   PyTuple_CheckExact(element);
            if (container && !is_all_finite(element, nulls)) return false;
        } else if (finiteness_of(element, nulls) == NOT_FINITE) {
            return false;
        }
    }
    return true;
}

static bool is_all_finite(PyObject *value, size_t *nulls) {
    bool finite;
    BEGIN_READING(value);
    finite = elements_finite(value, nulls, false) && elements_finite(value, nulls, true);
    END_READING();
    return finite;
}

/* Whether each null that orjson has written of a value is a None, and none of them a number that is
 * not finite. Looks for Nones until all nulls are found: first in the outermost object, which has
 * most of them. False too if the value holds a type of somebody's own. */
static bool nulls_are_none(PyObject *value, size_t nulls) {
    if (nulls == 0) return true;
    finiteness found = finiteness_of(value, &nulls);
    return found == FINITE || (found == CONTAINER && is_all_finite(value, &nulls));
}

/* The text as a str. */
static inline PyObject *writer_str(const writer *self) {
    if (self->non_ascii)
        return PyUnicode_DecodeUTF8((const char *)self->bytes, (Py_ssize_t)self->length, NULL);
    PyObject *text = PyUnicode_New((Py_ssize_t)self->length, 127);
    if (text != NULL) copy_bytes(PyUnicode_1BYTE_DATA(text), self->bytes, self->length);
    return text;
}

/* ---- Calls ----------------------------------------------------------------------------------- */

/* Whether no class below `base` brings an __init__ or a __new__ of its own. */
static inline bool is_made_alike(PyTypeObject *cls, PyTypeObject *base) {
    return cls->tp_init == base->tp_init && cls->tp_new == base->tp_new;
}

/* Calls a class that has no vectorcall of its own. */
static PyObject *call_by_tuple(PyObject *cls, PyObject **args, Py_ssize_t count, PyObject *names) {
    PyObject *result = NULL, *keywords = NULL, *given = PyTuple_New(count);
    if (given == NULL) return NULL;
    for (Py_ssize_t i = 0; i < count; i++) PyTuple_SET_ITEM(given, i, Py_NewRef(args[i]));
    if (names != NULL) {
        keywords = PyDict_New();
        if (keywords == NULL) goto done;
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
            if (PyDict_SetItem(keywords, PyTuple_GET_ITEM(names, i), args[count + i]) < 0)
                goto done;
        }
    }
    result = Py_TYPE(cls)->tp_call(cls, given, keywords);
done:
    Py_DECREF(given);
    Py_XDECREF(keywords);
    return result;
}

/* Lets the classes of a metaclass be called by their tp_vectorcall: before Python 3.12, a metaclass
 * that a class statement makes does not inherit that. */
static void allow_vectorcall(PyObject *cls) {
    PyTypeObject *metaclass = (PyTypeObject *)cls;
    if (metaclass->tp_call != PyType_Type.tp_call) return;
    metaclass->tp_vectorcall_offset = offsetof(PyTypeObject, tp_vectorcall);
    metaclass->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
}

/* function: a vectorcallfunc. */
static void call_by_vector(PyTypeObject *cls, void *function) {
    cls->tp_vectorcall = (vectorcallfunc)function;
}

/* An attribute of the class itself, not of its bases. Borrowed; NULL if it has none. */
static inline PyObject *own_attribute(PyObject *cls, PyObject *name) {
    PyObject *dict = ((PyTypeObject *)cls)->tp_dict,
             *found = dict == NULL ? NULL : PyDict_GetItemWithError(dict, name);
    if (found == NULL) PyErr_Clear();
    return found;
}

static inline PyObject **tuple_items(PyObject *items) {
    return ((PyTupleObject *)items)->ob_item;
}

#endif
