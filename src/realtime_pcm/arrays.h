/* Arrays whose memory is a block: NumPy owns the block, and gives it back through the memory
 * handler below (NEP 49). */
#ifndef REALTIME_PCM_ARRAYS_H
#define REALTIME_PCM_ARRAYS_H

#include <Python.h>

#include <numpy/arrayobject.h>
#include <string.h>

#include "blocks.h"

/* The domain in which NumPy reports the memory of arrays to tracemalloc. */
#define NUMPY_TRACE_DOMAIN 389047

static void *handler_malloc(void *context, size_t size) {
    (void)context;
    return blocks_take(size);
}

static void *handler_calloc(void *context, size_t count, size_t size) {
    (void)context;
    if (size != 0 && count > SIZE_MAX / size) return NULL;
    void *data = blocks_take(count * size);
    if (data != NULL) memset(data, 0, count * size);
    return data;
}

static void *handler_realloc(void *context, void *data, size_t size) {
    (void)context;
    return blocks_resize(data, size);
}

static void handler_free(void *context, void *data, size_t size) {
    (void)context;
    (void)size;
    blocks_give(data);
}

static PyDataMem_Handler block_handler = {
    "realtime_pcm_blocks",
    1,
    {NULL, handler_malloc, handler_calloc, handler_realloc, handler_free}};

/* The capsule in which NumPy takes the handler. */
static PyObject *block_handler_capsule;

static int arrays_init(void) {
    block_handler_capsule = PyCapsule_New(&block_handler, "mem_handler", NULL);
#ifdef Py_GIL_DISABLED
    /* The arrays of all threads refer to the capsule, and it lives as long as the process: its
     * references are not counted. */
    if (block_handler_capsule != NULL) {
        block_handler_capsule->ob_tid = 0;
        block_handler_capsule->ob_ref_local = _Py_IMMORTAL_REFCNT_LOCAL;
        block_handler_capsule->ob_ref_shared = 0;
    }
#endif
    return block_handler_capsule == NULL ? -1 : 0;
}

/* A 1-D array of `count` samples in `size` bytes; the samples are not set. The handler is set by
 * hand, because NumPy takes the handler of its context only for memory that NumPy allocates. */
static PyObject *array_of_block(PyObject *descr, npy_intp count, size_t size) {
    void *data = blocks_take(size);
    if (data == NULL) return PyErr_NoMemory();
    Py_INCREF(descr);
    PyObject *array = PyArray_NewFromDescr(&PyArray_Type, (PyArray_Descr *)descr, 1, &count, NULL,
                                           data, NPY_ARRAY_CARRAY, NULL);
    if (array == NULL) {
        blocks_give(data);
        return NULL;
    }
    ((PyArrayObject_fields *)array)->mem_handler = Py_NewRef(block_handler_capsule);
    PyArray_ENABLEFLAGS((PyArrayObject *)array, NPY_ARRAY_OWNDATA);
    PyTraceMalloc_Track(NUMPY_TRACE_DOMAIN, (uintptr_t)data, size);
    return array;
}

#endif
