# The memory of arrays.

cdef extern from "numpy/arrayobject.h":
    # Takes over the reference to the descr.
    object PyArray_NewFromDescr(PyTypeObject *subtype, object descr, int nd, cnp.npy_intp *dims, cnp.npy_intp *strides,
                                void *data, int flags, PyObject *obj)

cdef inline object _new_array(object descr, cnp.npy_intp count):
    """A fresh array of one dimension, owned and exactly sized; its samples are not set."""
    Py_INCREF(descr)
    return PyArray_NewFromDescr(<PyTypeObject *>cnp.ndarray, descr, 1, &count, NULL, NULL, 0, NULL)
