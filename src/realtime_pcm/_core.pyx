# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# cython: freethreading_compatible=True, auto_pickle=False, binding=True, embedsignature=True, embedsignature.format=clinic
"""The core: a frame in, a message out. `_core.pxd` is its map."""

import operator
import os
import sys
from collections import deque
from enum import Enum
from types import MemberDescriptorType

cimport cython
cimport numpy as cnp
from cpython.buffer cimport Py_buffer, PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_CheckSignals
from cpython.mem cimport PyMem_Calloc, PyMem_RawFree, PyMem_RawMalloc
from cpython.object cimport PyObject, PyObject_TypeCheck, PyTypeObject
from cpython.pythread cimport PyThread_acquire_lock, PyThread_allocate_lock, PyThread_type_lock
from cpython.pystate cimport PyInterpreterState, PyThreadState
from cpython.ref cimport Py_DECREF, Py_INCREF, Py_XDECREF
from cpython.time cimport monotonic
from cpython.tuple cimport PyTuple_GET_ITEM
from cpython.type cimport PyType_IsSubtype
from libc.math cimport isfinite
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memchr, memcpy, memset, strlen

from ._lines cimport lines_calls
from ._session cimport *
from ._wire cimport *

from . import declare, json_values, paths, reprs
from .audio import DEFAULT as DEFAULT_FORMAT
from .audio import AudioFormat, forced_format, learn_names
from .errors import DecodeError, did_you_mean, no_field
from .only import wanted_types

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
    const char *REALTIME_PCM_VERSION
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL
    object PyMemoryView_FromMemory(char *memory, Py_ssize_t size, int flags)
    long long PyLong_AsLongLongAndOverflow(object number, int *overflow) except? -1
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    object PyUnicode_New(Py_ssize_t size, uint32_t largest)
    void *PyUnicode_DATA(object text)
    int PyUnicode_KIND(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    int PyBUF_READ
    PyInterpreterState *PyInterpreterState_Get()
    PyThreadState *PyInterpreterState_ThreadHead(PyInterpreterState *interpreter)
    PyThreadState *PyThreadState_Next(PyThreadState *thread)
    int PyThread_acquire_lock_timed(PyThread_type_lock lock, long long microseconds, int interruptible) nogil

# The modules of the package by name, once it is imported: see _again.py.
first_import = {}

# CMake passes the version of pyproject.toml: reading it from the installed metadata would take as long as the whole import.
__version__ = REALTIME_PCM_VERSION.decode()

# Each file uses names of the files above it only: tests/core/test_direction.py sees to that.
include "core/tier.pxi"
include "core/blocks.pxi"
include "core/values.pxi"
include "core/formats.pxi"
include "core/samples.pxi"
include "core/views.pxi"
include "core/message.pxi"
include "core/catalogue.pxi"
include "core/bases.pxi"
include "core/session.pxi"
include "core/payloads.pxi"
include "core/decoder.pxi"
include "core/frames.pxi"
include "core/encoder.pxi"
include "core/call.pxi"
include "core/writing.pxi"
include "core/pickling.pxi"

LINES = &lines_calls
