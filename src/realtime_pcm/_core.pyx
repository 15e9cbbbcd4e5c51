# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
# cython: freethreading_compatible=True, binding=True, embedsignature=False
"""The core: a frame in, a message out. `_core.pxd` is its map."""

import os
import sys
import threading

cimport cython
cimport numpy as cnp
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE, PyBytes_FromStringAndSize, PyBytes_CheckExact
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from cpython.object cimport PyObject, PyTypeObject
from cpython.pythread cimport (
    PyThread_acquire_lock, PyThread_allocate_lock, PyThread_free_lock, PyThread_get_thread_ident,
    PyThread_release_lock, PyThread_type_lock,
)
from cpython.ref cimport Py_DECREF, Py_INCREF, Py_XDECREF
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from ._wire cimport *

from . import nested
from .audio import DEFAULT as DEFAULT_FORMAT
from .audio import AudioFormat, named_format
from .errors import DecodeError

cnp.import_array()

cdef extern from "Python.h":
    """
    #ifdef Py_GIL_DISABLED
    #define FREE_THREADED 1
    #else
    #define FREE_THREADED 0
    #endif
    """
    bint FREE_THREADED
    object PyUnicode_New(Py_ssize_t size, uint32_t largest)
    void *PyUnicode_DATA(object text)
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    object PyMemoryView_FromMemory(char *memory, Py_ssize_t size, int flags)
    int PyBUF_READ
    object PyUnicode_FromKindAndData(int kind, const void *buffer, Py_ssize_t size)
    object PyLong_FromLongLong(long long value)


# ---- The tier ------------------------------------------------------------------------------------------

cdef const wire_tier *TIER

def _available_tiers():
    """The tiers that this build holds and this machine runs, the best first."""
    names = []
    cdef int i = 0
    while wire_tiers[i] != NULL:
        if wire_tiers[i].supported():
            names.append(wire_tiers[i].name.decode())
        i += 1
    return names

cdef const wire_tier *_choose_tier() except NULL:
    forced = os.environ.get("REALTIME_PCM_SIMD") or None
    cdef bytes name = None if forced is None else forced.encode("utf-8", "replace")
    cdef const wire_tier *tier = wire_choose_tier(NULL if name is None else <const char *>name)
    if tier == NULL:
        raise ImportError(
            f"REALTIME_PCM_SIMD={forced!r} is not a tier of this machine; these are: {', '.join(_available_tiers())}")
    return tier

TIER = _choose_tier()

def simd_tier():
    """The kernel tier in use: "avx512vbmi", "avx2", "ssse3", "neon" or "scalar".

    The best that this machine runs, or the one that the environment variable REALTIME_PCM_SIMD named at import.
    """
    return TIER.name.decode()

def _use_tier(str name):
    """For tests: decode with another tier from here on. ValueError where this machine does not run it."""
    global TIER
    cdef bytes encoded = name.encode()
    cdef const wire_tier *tier = wire_choose_tier(encoded)
    if tier == NULL:
        raise ValueError(f"{name!r} is not one of {', '.join(_available_tiers())}")
    TIER = tier


# ---- Values of a frame -----------------------------------------------------------------------------------

cdef object _text(const uint8_t *data, const wire_value *value):
    """A string of the frame. Its length is known before it is made, so it is made once."""
    cdef size_t length = value.end - value.start
    cdef uint32_t largest
    cdef object text
    if not value.escaped and not value.non_ascii:
        text = PyUnicode_New(<Py_ssize_t>length, 127)
        memcpy(PyUnicode_DATA(text), data + value.start, length)
        return text
    cdef size_t count = wire_text_measure(data, value, &largest)
    if count == 0:
        return ""
    text = PyUnicode_New(<Py_ssize_t>count, largest)
    wire_text_write(data, value, 1 if largest < 0x100 else 2 if largest < 0x10000 else 4, PyUnicode_DATA(text))
    return text

cdef object _long_integer(const uint8_t *data, const wire_value *value):
    # As orjson has it: what 64 bits do not hold is a float.
    cdef object number
    cdef size_t length = value.end - value.start
    if length <= 20:
        number = int((<const char *>data)[value.start:value.end])
        if -0x8000000000000000 <= number <= 0xFFFFFFFFFFFFFFFF:
            return number
    return float((<const char *>data)[value.start:value.end])

cdef inline object _integer(const uint8_t *data, const wire_value *value):
    cdef const uint8_t *p = data + value.start
    cdef const uint8_t *end = data + value.end
    cdef int64_t number = 0
    if end - p == 1:
        return PyLong_FromLongLong(p[0] - 0x30)
    cdef bint negative = p[0] == b"-"
    if end - p > 18 or (negative and p[1] == b"0"):
        return _long_integer(data, value)
    if negative:
        p += 1
    while p < end:
        number = number * 10 + (p[0] - 0x30)
        p += 1
    return PyLong_FromLongLong(-number if negative else number)

cdef inline object _flat(const uint8_t *data, const wire_value *value):
    """Any value but a container."""
    if value.kind == WIRE_STRING:
        return _text(data, value)
    if value.kind == WIRE_INTEGER:
        return _integer(data, value)
    if value.kind == WIRE_TRUE:
        return True
    if value.kind == WIRE_FALSE:
        return False
    if value.kind == WIRE_REAL:
        return float((<const char *>data)[value.start:value.end])
    return None

cdef inline const uint8_t *_frame_data(object frame, Py_ssize_t *size) except NULL:
    """The UTF-8 of a frame as messages keep it: bytes, or str whose UTF-8 was taken before."""
    if isinstance(frame, bytes):
        size[0] = PyBytes_GET_SIZE(frame)
        return <const uint8_t *>PyBytes_AS_STRING(frame)
    return <const uint8_t *>PyUnicode_AsUTF8AndSize(frame, size)

cdef object _load_span(object frame, size_t start, size_t end):
    cdef Py_ssize_t size
    cdef const uint8_t *data = _frame_data(frame, &size)
    return nested.load(PyMemoryView_FromMemory(<char *>data + start, <Py_ssize_t>(end - start), PyBUF_READ))


include "_message.pxi"
include "_catalogue.pxi"
include "_bases.pxi"
include "_session.pxi"
include "_decoder.pxi"
