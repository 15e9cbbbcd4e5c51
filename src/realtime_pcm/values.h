/* Values of a frame as Python objects. All return new references, or NULL with an exception set. */
#ifndef REALTIME_PCM_VALUES_H
#define REALTIME_PCM_VALUES_H

#include <Python.h>

#include "bytes.h"
#include "wire.h"

/* Copies `length` bytes. Most spans are short, and calling memcpy would cost as much as the whole
 * copy. */
static inline void copy_bytes(uint8_t *out, const uint8_t *in, size_t length) {
    if (length > 64) {
        memcpy(out, in, length);
    } else if (length >= 16) {
        for (size_t i = 0; i + 16 < length; i += 16) memcpy(out + i, in + i, 16);
        memcpy(out + length - 16, in + length - 16, 16);
    } else if (length >= 8) {
        uint64_t first = wire_load64(in), last = wire_load64(in + length - 8);
        memcpy(out, &first, 8);
        memcpy(out + length - 8, &last, 8);
    } else {
        for (size_t i = 0; i < length; i++) out[i] = in[i];
    }
}

/* A string with escapes or beyond ASCII. A first pass finds its length and its widest character, so
 * that the str is made once, in its final size. */
static PyObject *value_text_measured(const uint8_t *data, const wire_value *value) {
    uint32_t largest;
    size_t count = wire_text_measure(data, value, &largest);
    PyObject *text = PyUnicode_New((Py_ssize_t)count, largest);
    if (text != NULL && count > 0) {
        wire_text_write(data, value,
                        largest < 0x100     ? 1
                        : largest < 0x10000 ? 2
                                            : 4,
                        PyUnicode_DATA(text));
    }
    return text;
}

static inline PyObject *value_text(const uint8_t *data, const wire_value *value) {
    if (value->escaped || value->non_ascii) return value_text_measured(data, value);
    size_t length = value->end - value->start;
    PyObject *text = PyUnicode_New((Py_ssize_t)length, 127);
    if (text != NULL) copy_bytes(PyUnicode_1BYTE_DATA(text), data + value->start, length);
    return text;
}

/* The ints 0 to 9, by far the commonest numbers. values_init makes them. */
static PyObject *one_digit[10];

static int values_init(void) {
    for (long i = 0; i < 10; i++) {
        one_digit[i] = PyLong_FromLong(i);
        if (one_digit[i] == NULL) return -1;
    }
    return 0;
}

/* A string that is often the same as in the message before: then the str of that message is
 * returned again. `before` keeps the last such str as long as the decoder lives, so a string of
 * more than RECURRING_ID_MAX bytes is not kept. */
#define RECURRING_ID_MAX 256

static inline bool same_text(PyObject *text, const uint8_t *bytes, size_t length) {
    return (size_t)PyUnicode_GET_LENGTH(text) == length &&
           wire_same(PyUnicode_1BYTE_DATA(text), bytes, length);
}

/* value_recurring_text if the string is not that of `before`. `in_turn`: two strings of this key
 * alternate, and before[1] is the other one. */
static PORTABLE_NOINLINE PyObject *value_changed_text(const uint8_t *data, const wire_value *value,
                                                      PyObject **before, bool in_turn) {
    PyObject *text, *gone = *before;
    if (in_turn) {
        gone = before[1];
        before[1] = *before;
        if (same_text(gone, data + value->start, value->end - value->start)) {
            *before = gone;
            return Py_NewRef(gone);
        }
        *before = gone;
    }
    text = value_text(data, value);
    if (text == NULL) return NULL;
    *before = Py_NewRef(text);
    Py_DECREF(gone);
    return text;
}

static inline PyObject *value_recurring_text(const uint8_t *data, const wire_value *value,
                                             PyObject **before, bool in_turn) {
    size_t length = value->end - value->start;
    if (value->escaped || value->non_ascii || length > RECURRING_ID_MAX)
        return value_text(data, value);
    if (same_text(*before, data + value->start, length)) return Py_NewRef(*before);
    return value_changed_text(data, value, before, in_turn);
}

/* The text of a number, as bytes that Python's own conversions read. */
static PyObject *number_text(const uint8_t *data, const wire_value *value) {
    return PyBytes_FromStringAndSize((const char *)data + value->start,
                                     (Py_ssize_t)(value->end - value->start));
}

/* More significant digits than can change the double that a number rounds to: the exact middle of
 * two neighbouring doubles has 767 at the most. */
#define NUMBER_DIGITS 800

/* The text of a long number with NUMBER_DIGITS significant digits. If one of the digits after them
 * is not 0, a single 1 replaces all of these: the number rounds to the same double. NULL without an
 * exception if the number is short enough as it is. */
static PyObject *shortened_number(const uint8_t *data, const wire_value *value) {
    const uint8_t *p = data + value->start, *end = data + value->end;
    if (end - p <= 2 * NUMBER_DIGITS) return NULL;
    char text[NUMBER_DIGITS + 32];
    size_t length = 0, digits = 0;
    int64_t point = 0, exponent = 0; /* point: the power of ten of the last kept digit */
    bool fraction = false, sticky = false;
    if (*p == '-') {
        text[length++] = '-';
        p++;
    }
    for (; p < end && (*p | 0x20) != 'e'; p++) {
        if (*p == '.') {
            fraction = true;
            continue;
        }
        if (digits == 0 && *p == '0') {
            point -= fraction;
        } else if (digits < NUMBER_DIGITS) {
            text[length++] = (char)*p;
            digits++;
            point -= fraction;
        } else {
            sticky |= *p != '0';
            point += !fraction;
        }
    }
    if (digits == 0) text[length++] = '0';
    if (sticky) {
        text[length++] = '1';
        point--;
    }
    if (p < end) {
        bool negative = *++p == '-';
        if (*p == '-' || *p == '+') p++;
        for (; p < end; p++) {
            if (exponent < INT64_C(1) << 58) exponent = exponent * 10 + (*p - '0');
        }
        if (negative) exponent = -exponent;
    }
    exponent += point;
    /* Far outside the range of a double only the sign of the exponent matters. */
    if (exponent < -9999) exponent = -9999;
    if (exponent > 9999) exponent = 9999;
    length += (size_t)snprintf(text + length, 16, "e%d", (int)exponent);
    return PyBytes_FromStringAndSize(text, (Py_ssize_t)length);
}

static PyObject *value_real(const uint8_t *data, const wire_value *value) {
    PyObject *text = shortened_number(data, value);
    if (text == NULL && !PyErr_Occurred()) text = number_text(data, value);
    if (text == NULL) return NULL;
    PyObject *number = PyFloat_FromString(text);
    Py_DECREF(text);
    return number;
}

/* As in orjson, an integer that 64 bits do not hold becomes a float. */
static PyObject *value_integer(const uint8_t *data, const wire_value *value) {
    const uint8_t *p = data + value->start, *end = data + value->end;
    bool negative = *p == '-';
    p += negative;
    if (end - p > 20) return value_real(data, value);
    uint64_t number = 0;
    for (; p < end; p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        if (number > (UINT64_MAX - digit) / 10) return value_real(data, value);
        number = number * 10 + digit;
    }
    if (!negative)
        return number <= INT64_MAX ? PyLong_FromLongLong((long long)number)
                                   : PyLong_FromUnsignedLongLong(number);
    if (number > (uint64_t)INT64_MAX + 1) return value_real(data, value);
    return PyLong_FromLongLong((long long)(0 - number));
}

/* Any value; None for an object or array. */
static inline PyObject *value_flat(const uint8_t *data, const wire_value *value) {
    switch (value->kind) {
    case WIRE_STRING: return value_text(data, value);
    case WIRE_INTEGER:
        if (value->end - value->start == 1) return Py_NewRef(one_digit[data[value->start] - '0']);
        return value_integer(data, value);
    case WIRE_REAL: return value_real(data, value);
    case WIRE_TRUE: return Py_NewRef(Py_True);
    case WIRE_FALSE: return Py_NewRef(Py_False);
    default: return Py_NewRef(Py_None);
    }
}

#endif
