# The memory of arrays. The samples of an array lie in a block of src/blocks: NumPy owns the block, and frees it through the
# memory handler of arrays.h, which gives the block back.
#
# Such an array owns its memory, is writable, has room for its samples and no more, and can be resized. When its last reference is
# dropped, in whichever thread, the block goes back. Blocks that were given back are kept up to a bound (memory.py), and the next
# array of that size is made of a kept block, without a page fault.

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
    void blocks_forked()
    void blocks_refuse(long after, long count)

cdef extern from "arrays.h":
    int arrays_init() except -1
    object array_of_block(object descr, cnp.npy_intp count, size_t size)

cdef extern from "numpy/arrayobject.h":
    # Steals the reference to `descr`.
    object PyArray_NewFromDescr(PyTypeObject *subtype, void *descr, int nd, cnp.npy_intp *dims, cnp.npy_intp *strides,
                                void *data, int flags, PyObject *obj)

arrays_init()

cdef _limit_at_import():
    text = os.environ.get("REALTIME_PCM_BLOCK_CACHE")
    if not text:
        return
    if not text.isdecimal():
        raise ImportError(f"REALTIME_PCM_BLOCK_CACHE={text!r} is not a number of bytes; 0 turns the cache off")
    blocks_set_limit(min(int(text), sys.maxsize))

_limit_at_import()

def _forked():
    blocks_forked()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)

cdef inline object _new_array(object descr, cnp.npy_intp count, size_t item_bytes):
    """A new 1-D array of `count` samples that owns its memory; the samples are not set. With the cache off, NumPy allocates."""
    if blocks_limit() == 0:
        Py_INCREF(descr)
        return PyArray_NewFromDescr(<PyTypeObject *>cnp.ndarray, <void *>descr, 1, &count, NULL, NULL, 0, NULL)
    return array_of_block(descr, count, <size_t>count * item_bytes)


# ---- For memory.py ---------------------------------------------------------------------------------------------------------

def _cache_counts():
    """(limit, kept bytes, kept blocks, arrays made of a kept block, arrays made of a new block)."""
    cdef blocks_counts counts = blocks_count()
    return blocks_limit(), counts.kept_bytes, counts.kept_blocks, counts.reused, counts.fresh

def _set_cache_limit(size_t count):
    blocks_set_limit(count)

def _clear_cache():
    blocks_clear()

def _refuse_blocks(long after, long count):
    """For tests: `after` more new blocks are given, then `count` of them are refused, as if there were no memory."""
    blocks_refuse(after, count)
