# Messages written by keyword: the JSON is made of the keywords, and decoded as any frame is. writing.py does the rest.

cdef object _write_fully = None

def write_fully_by(function):  # seldom
    """Sets the function that writes what _write_message does not write itself."""
    global _write_fully
    _write_fully = function

def _write_message(cls, dict given):
    """The message of class `cls` that has the given fields."""
    cdef Layout layout = getattr(cls, "_layout", None)
    if layout is None or not layout.wire_names or not layout.flat_names.issuperset(given):
        return _write_fully(cls, given)
    event = {"type": layout.wire_names[0]}
    event.update(given)
    frame = json_text(event, cls.__name__).decode()
    return _decode_plain(frame, layout.catalogue)

message_write_by(_write_message)

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
