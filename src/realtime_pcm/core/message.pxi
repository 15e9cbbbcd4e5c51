# The slots of a message and the descriptors that read them.

cdef extern from "message.h":
    ctypedef struct PyMemberDef:
        pass
    ctypedef struct PyType_Spec:
        pass
    PyType_Spec message_spec
    object PyType_FromSpec(PyType_Spec *spec)
    message *message_new(PyTypeObject *type, void *layout, Py_ssize_t slot_count, Py_ssize_t span_count) except NULL
    void message_seal(PyTypeObject *type)
    void message_freeze(PyTypeObject *type)
    int message_set_on_class(PyTypeObject *type, object name, object value) except -1
    void message_uncounted(object it)
    PyObject **message_slot_at(message *self, Py_ssize_t place) noexcept
    message_span *message_spans(message *self)
    Py_ssize_t message_span_count(message *self)
    void message_write_by(void *writer)
    object message_slot(PyTypeObject *type, PyMemberDef *definition, const char *name, Py_ssize_t place)
    # Slots that every message has. Those of audio follow, then the declared fields.
    enum:
        SLOT_TYPE
        SLOT_FRAME
        SLOT_EVENT_ID

cdef enum:
    SLOT_INCOMPLETE_SAMPLE = 3
    SLOT_AUDIO_FORMAT = 4
    SLOT_SAMPLE_OFFSET = 5

MessageObject = PyType_FromSpec(&message_spec)

cdef message *_message_of(instance) except NULL:
    """The memory of a message. TypeError for any other object: a method may be called on anything.

    The real type of the object decides. Its __class__ may claim to be a message class, and is not asked.
    """
    if not PyObject_TypeCheck(instance, <PyTypeObject *>MessageObject):
        raise TypeError(f"expected a message, not {type(instance).__name__}")
    return <message *><PyObject *>instance

cdef inline void _put(message *m, Py_ssize_t place, object value) noexcept:
    """Fills a slot. The value before is not released: it was NULL, or _replace does that."""
    Py_INCREF(value)
    message_slot_at(m, place)[0] = <PyObject *>value

cdef inline int _replace(message *m, Py_ssize_t place, object value) except -1:
    cdef PyObject *before = message_slot_at(m, place)[0]
    _put(m, place, value)
    Py_XDECREF(before)
    return 0

cdef inline object _frame_of(message *m):
    return <object>message_slot_at(m, SLOT_FRAME)[0]

cdef message_span *_find_span(message *m, uint32_t field) noexcept:
    cdef message_span *spans = message_spans(m)
    cdef Py_ssize_t i
    for i in range(message_span_count(m)):
        if spans[i].field == field:
            return &spans[i]
    return NULL

cdef inline wire_value _value_of_span(const message_span *span) noexcept:
    return wire_value(span.start, span.end, span.kind, span.escaped, span.non_ascii)


# ---- Descriptors -------------------------------------------------------------------------------------------------

@cython.final
cdef class _Definition:
    """The memory that a member descriptor points to. It lives as long as the class: Layout.definitions keeps it."""
    cdef PyMemberDef member
    cdef bytes name

cdef object _slot_descriptor(cls, str name, Py_ssize_t place, list kept):
    """A member descriptor that reads a slot. The interpreter specialises such a read to one load."""
    cdef _Definition definition = _Definition()
    definition.name = name.encode("utf-8", "surrogatepass")
    kept.append(definition)
    return message_slot(<PyTypeObject *>cls, &definition.member, definition.name, place)

cdef int _set_on_class(cls, str name, value) except -1:
    return message_set_on_class(<PyTypeObject *>cls, name, value)


@cython.final
cdef class PayloadText:
    """The payload as the base64 text that was sent, a new str at each read; None if it was absent or null."""
    cdef readonly str __name__

    def __init__(self, str name):
        self.__name__ = name

    def __set__(self, instance, value):
        raise AttributeError(f"{type(instance).__name__} is read-only: {self.__name__}")

    def __get__(self, instance, owner):
        if instance is None:
            return self
        cdef message *m = _message_of(instance)
        cdef message_span *spans = message_spans(m)
        cdef wire_value value
        cdef Py_ssize_t size
        cdef Py_ssize_t i
        for i in range(message_span_count(m)):
            if spans[i].payload:
                value = _value_of_span(&spans[i])
                return _text(_frame_data(_frame_of(m), &size), &value)
        return None
