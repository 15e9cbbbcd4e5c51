# Messages written by keyword: the JSON is made of the keywords, and decoded as any frame is. writing.py does the rest.

cdef object _write_fully = None     # the function of writing.py, which is imported when it is first needed

cdef bint _has_null(bytes text) noexcept:
    """Whether "null" stands anywhere in a text."""
    cdef const uint8_t *at = <const uint8_t *>PyBytes_AS_STRING(text)
    cdef uint8_t found = 0
    cdef Py_ssize_t i
    # No exit from the middle of this loop: so compilers make vector code of it.
    for i in range(PyBytes_GET_SIZE(text) - 3):
        found |= (at[i] == 0x6E) & (at[i + 1] == 0x75) & (at[i + 2] == 0x6C) & (at[i + 3] == 0x6C)
    return found

def json_text(value, str name):
    """A JSON value as bytes. Raises what json_values.refuse raises; `name` begins the path in the error."""
    cdef bytes text
    try:
        text = json_values.write(value, _plain_value, json_values.write_options)
    except TypeError:
        json_values.refuse(value, _plain_value, name)
        raise
    # orjson writes null for a number that is not finite.
    if _has_null(text):
        json_values.refuse(value, _plain_value, name)
    return text

def _plain_value(value):
    """What JSON is written of a value that is no str, number, bool, list, tuple or dict."""
    if isinstance(value, ViewObject):
        text = view_text(<ViewObject>value)
        return value.raw if text is None else json_values.fragment(text)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, Enum):
        return value.value
    raise TypeError(f"JSON has no {type(value).__name__}")

def _write_message(cls, dict given):
    """The message of class `cls` that has the given fields."""
    global _write_fully
    cdef Layout layout = getattr(cls, "_layout", None)
    if layout is None or not layout.wire_names or not layout.flat_names.issuperset(given):
        if _write_fully is None:
            from .writing import write
            _write_fully = write
        return _write_fully(cls, given)
    event = {"type": layout.wire_names[0]}
    event.update(given)
    frame = json_text(event, cls.__name__).decode()
    return _decode_plain(frame, SERVER if layout.side == SIDE_SERVER else CLIENT)

Py_INCREF(_write_message)
message_writer = <PyObject *>_write_message

def frame_with_payload(cls, str text, payload, audio_format):
    """The frame `text` of a message without its payload, with the payload put in last. audio_format: None where the class has no
    audio, and the payload is bytes."""
    cdef Layout layout = cls._layout
    if audio_format is None:
        if not isinstance(payload, cnp.ndarray):
            payload = _array_or_bytes(payload)
        if isinstance(payload, cnp.ndarray) and cnp.PyArray_TYPE(<cnp.ndarray>payload) != cnp.NPY_UINT8:
            raise TypeError(f"the payload is bytes, not an array of {payload.dtype}")
    head = text.encode()[:-1] + b"," + _json_text(layout.keys[layout.wire.payload_first], "key") + b':"'
    code = -1 if audio_format is None else audio_format._code
    if text.isascii():
        return _frame_with(head, payload, audio_format, code, False)
    return _frame_with(head, payload, audio_format, code, True).decode()
