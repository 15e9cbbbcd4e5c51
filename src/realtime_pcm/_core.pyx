# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
# cython: freethreading_compatible=True, binding=True, embedsignature=False
"""The core: a frame in, a message out. `_core.pxd` is its map."""

import os
import sys
from collections import OrderedDict

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
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcmp, memcpy, memset, strlen

from ._wire cimport *

from . import nested
from .audio import DEFAULT as DEFAULT_FORMAT
from .audio import AudioFormat, named_format, own_format
from .errors import DecodeError

cnp.import_array()

cdef extern from "numpy/arrayobject.h":
    # Takes over the reference to the descr.
    object PyArray_NewFromDescr(PyTypeObject *subtype, object descr, int nd, cnp.npy_intp *dims, cnp.npy_intp *strides,
                                void *data, int flags, PyObject *obj)

cdef extern from "Python.h":
    """
    #ifdef Py_GIL_DISABLED
    #define FREE_THREADED 1
    #else
    #define FREE_THREADED 0
    #endif
    """
    bint FREE_THREADED
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL
    object PyMemoryView_FromMemory(char *memory, Py_ssize_t size, int flags)
    int PyBUF_READ


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

cdef extern from "values.h":
    enum:
        LONGEST_ID
    int values_init() except -1
    PyObject *value_text(const uint8_t *data, const wire_value *value) except NULL
    PyObject *value_recurring_text(const uint8_t *data, const wire_value *value, PyObject **before) except NULL
    PyObject *value_flat(const uint8_t *data, const wire_value *value) except NULL

values_init()

cdef inline object _owned(PyObject *reference):
    """A new reference as an object."""
    cdef object it = <object>reference
    Py_DECREF(it)
    return it

cdef inline object _text(const uint8_t *data, const wire_value *value):
    return _owned(value_text(data, value))

cdef inline object _flat(const uint8_t *data, const wire_value *value):
    return _owned(value_flat(data, value))

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


include "_view.pxi"
include "_message.pxi"
include "_catalogue.pxi"
include "_bases.pxi"
include "_session.pxi"
include "_decoder.pxi"
