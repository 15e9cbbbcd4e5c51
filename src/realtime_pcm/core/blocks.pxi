# The memory of arrays: blocks of src/blocks, handed to NumPy with ownership and with a memory handler that takes them back.
#
# An array of such a block is owned, writable and exactly sized, and can be resized. Whoever drops it gives its block back,
# from whatever thread. Blocks that were given back are kept up to a bound (memory.py), and taken again without a page fault.

cdef extern from "blocks.h" nogil:
    ctypedef struct blocks_counts:
        size_t kept_bytes
        size_t kept_blocks
        uint64_t reused
        uint64_t fresh
    enum:
        BLOCKS_LIMIT
    void *blocks_take(size_t size)
    void blocks_give(void *data)
    void blocks_set_limit(size_t count)
    size_t blocks_limit()
    void blocks_clear()
    blocks_counts blocks_count()
    void blocks_refuse(long after, long count)

cdef extern from "arrays.h":
    int arrays_init() except -1
    object array_of_block(object descr, cnp.npy_intp count, size_t size)

cdef extern from "numpy/arrayobject.h":
    # Takes over the reference to the descr.
    object PyArray_NewFromDescr(PyTypeObject *subtype, object descr, int nd, cnp.npy_intp *dims, cnp.npy_intp *strides,
                                void *data, int flags, PyObject *obj)

arrays_init()

cdef _limit_at_import():
    text = os.environ.get("REALTIME_PCM_BLOCK_CACHE")
    if not text:
        return
    if not text.isdecimal():
        raise ImportError(f"REALTIME_PCM_BLOCK_CACHE={text!r} is no number of bytes; 0 turns the cache off")
    blocks_set_limit(min(int(text), sys.maxsize))

_limit_at_import()

cdef inline object _new_array(object descr, cnp.npy_intp count, size_t item_bytes):
    """A fresh array of one dimension, owned and exactly sized; its samples are not set."""
    if blocks_limit() == 0:
        Py_INCREF(descr)
        return PyArray_NewFromDescr(<PyTypeObject *>cnp.ndarray, descr, 1, &count, NULL, NULL, 0, NULL)
    return array_of_block(descr, count, <size_t>count * item_bytes)


# ---- For memory.py ---------------------------------------------------------------------------------------------------------

def _cache_counts():
    """(limit, kept bytes, kept blocks, arrays of a kept block, arrays of a fresh one)."""
    cdef blocks_counts counts = blocks_count()
    return blocks_limit(), counts.kept_bytes, counts.kept_blocks, counts.reused, counts.fresh

def _set_cache_limit(size_t count):
    blocks_set_limit(count)

def _clear_cache():
    blocks_clear()

def _refuse_blocks(long after, long count):
    """For tests: `after` more fresh blocks are had, then `count` of them are refused, as if there were no memory."""
    blocks_refuse(after, count)
