# Spans of a frame as Python objects, and the DecodeErrors of a frame.

cdef extern from "values.h":
    int values_init() except -1
    PyObject *value_text(const uint8_t *data, const wire_value *value) except NULL
    PyObject *value_flat(const uint8_t *data, const wire_value *value) except NULL

values_init()

cdef inline object _owned(PyObject *reference):
    """Takes over a new reference as an object."""
    cdef object owned = <object>reference
    Py_DECREF(owned)
    return owned

cdef inline object _text(const uint8_t *data, const wire_value *value):
    return _owned(value_text(data, value))

cdef inline object _flat(const uint8_t *data, const wire_value *value):
    """A string, number, bool or None; None for an object or array."""
    return _owned(value_flat(data, value))

cdef inline const uint8_t *_frame_data(object frame, Py_ssize_t *size) except NULL:
    """The UTF-8 of a frame in the form that a message keeps: bytes, or a str, in which CPython keeps the UTF-8 once it was asked
    for."""
    if isinstance(frame, bytes):
        size[0] = PyBytes_GET_SIZE(frame)
        return <const uint8_t *>PyBytes_AS_STRING(frame)
    return <const uint8_t *>PyUnicode_AsUTF8AndSize(frame, size)

cdef object _load_span(object frame, size_t start, size_t end):
    """The JSON value in this span of the frame, parsed by json_values.load."""
    cdef Py_ssize_t size
    cdef const uint8_t *data = _frame_data(frame, &size)
    return json_values.load(PyMemoryView_FromMemory(<char *>data + start, <Py_ssize_t>(end - start), PyBUF_READ))

cdef wire_key _key(const char *name, const wire_key *inner=NULL, size_t inner_count=0, size_t inner_place=0):
    return wire_key(name, strlen(name), inner, inner_count, inner_place)


# ---- Values as JSON --------------------------------------------------------------------------------------------------------

cdef bytes _json_text(str text, str name):
    """A str as a JSON string of ASCII, with its quotes. `name`: of the field, for the error."""
    cdef size_t length = 0
    cdef size_t position = 0
    cdef Py_ssize_t count = PyUnicode_GET_LENGTH(text)
    cdef unsigned width = <unsigned>PyUnicode_KIND(text)
    if wire_escape_measure(PyUnicode_DATA(text), <size_t>count, width, &length, &position) != WIRE_OK:
        raise ValueError(f"{name}: the character at {position} is a lone surrogate, which JSON cannot hold")
    if length == WIRE_TOO_LONG:
        raise MemoryError
    written = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>length + 2)
    cdef uint8_t *out = <uint8_t *>PyBytes_AS_STRING(written)
    out[0] = out[length + 1] = b'"'
    wire_escape_write(PyUnicode_DATA(text), <size_t>count, width, length, out + 1)
    return written


# ---- Refusals ------------------------------------------------------------------------------------------------

cdef object _refusal(frame, const wire_frame *f, str reason, size_t position, field):
    """The DecodeError for a fault at `position`. `field`: the key that the error names; None: the key in whose value the walk met
    the fault, or "type" where the value of "type" is the fault."""
    if position >= f.length and f.copied_from:
        position += f.copied_from - f.length    # in a copy of the payload after the frame
    message_type = _text(f.data, &f.type_value) if f.type_value.kind == WIRE_STRING else None
    if field is None and f.key.kind == WIRE_STRING:
        field = _text(f.data, &f.key)
    elif f.type_value.kind > WIRE_ABSENT and f.type_value.kind != WIRE_STRING and position == f.type_value.start:
        field = "type"
    return DecodeError(reason, <Py_ssize_t>position, message_type, field, frame)

cdef str _reason(wire_status status):
    return wire_reason(status).decode()
