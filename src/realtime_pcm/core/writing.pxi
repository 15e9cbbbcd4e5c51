# Messages written by keyword. Most are filled as their JSON is written; the others writing.py writes, and decodes as any frame.

cdef object _write_fully = None

def write_fully_by(function):
    """Sets the function that writes what _write_message does not write itself."""
    global _write_fully
    _write_fully = function

cdef dict _heads_of(Layout layout):
    heads = {}
    for name, head in json_heads(layout.flat_names).items():
        number = layout.names.index(name)
        if layout.places[number] == name:
            heads[name] = (number, head)
    layout.opening = b'{"type":' + _json_text(layout.wire_names[0], "type")
    layout.heads = heads
    return heads

cdef object _write_quickly(Layout layout, dict given):
    """The message of these fields, as decoding its JSON would fill it; None for fields that need the decoder, or are no fields.

    Where each value stands in the JSON is known, so the JSON is not read again: that would take as long as writing it.
    """
    cdef message_span[32] spans
    cdef Py_ssize_t span_count = 0
    cdef Py_ssize_t at
    cdef uint32_t number
    cdef uint32_t spanned = 0
    cdef message *m
    cdef Py_ssize_t i
    cdef bytes text
    cdef char first
    cdef dict heads = layout.heads
    if heads is None:
        heads = _heads_of(layout)
    pieces = [layout.opening]
    flat = {}
    at = PyBytes_GET_SIZE(layout.opening)
    for name, value in given.items():
        found = heads.get(name)
        text = None if found is None else _value_text(value)
        if text is None:
            return None
        number = found[0]
        at += PyBytes_GET_SIZE(found[1])
        first = PyBytes_AS_STRING(text)[0]
        if first == b"{" or first == b"[":
            if not (layout.read_lazily | layout.expected_containers) >> number & 1:
                return None
            spans[span_count] = message_span(<size_t>at, <size_t>(at + PyBytes_GET_SIZE(text)), number,
                                             WIRE_OBJECT if first == b"{" else WIRE_ARRAY, False, False, False)
            span_count += 1
            spanned |= <uint32_t>1 << number
        elif type(value) is str and layout.plan.later >> number & 1:
            return None
        elif value is None or type(value) is str or type(value) is int or type(value) is bool:
            flat[number] = value
        else:
            return None
        at += PyBytes_GET_SIZE(text)
        pieces.append(found[1])
        pieces.append(text)
    pieces.append(b"}")
    frame = b"".join(pieces).decode()
    m = message_new(<PyTypeObject *>layout.cls, <void *>layout, layout.plan.slot_before_fields + layout.wire.field_count,
                    span_count)
    made = _owned(<PyObject *>m)
    memcpy(message_spans(m), spans, span_count * sizeof(message_span))
    _put(m, SLOT_TYPE, layout.wire_names[0])
    _put(m, SLOT_FRAME, frame)
    for i in range(<Py_ssize_t>layout.wire.field_count):
        if not spanned >> i & 1:
            _put(m, layout.place(<int>i), flat.get(i))
    if layout.ends_audio:
        _put(m, SLOT_INCOMPLETE_SAMPLE, b"")
    return made

def _write_message(cls, dict given):
    """The message of class `cls` that has the given fields."""
    cdef Layout layout = getattr(cls, "_layout", None)
    if layout is None or layout.cls is not cls or not layout.wire_names or layout.wire.payload_count or layout.catalogue is not (
            CLIENT if layout.in_session.sent else SERVER):
        return _write_fully(cls, given)
    written = _write_quickly(layout, given)
    return _write_fully(cls, given) if written is None else written

message_write_by(_write_message)

def frame_with_payload(cls, str text, payload, audio_format):
    """The frame `text` of a message, whose payload is empty and comes last, with the payload put in. audio_format: None where the
    class has no audio, and the payload is bytes."""
    cdef Layout layout = cls._layout
    if audio_format is None:
        if not isinstance(payload, cnp.ndarray):
            payload = _array_or_bytes(payload)
        if isinstance(payload, cnp.ndarray) and cnp.PyArray_TYPE(<cnp.ndarray>payload) != cnp.NPY_UINT8:
            raise TypeError(f"the payload is bytes, not an array of {payload.dtype}")
    tail = _tail_of(layout)
    head = text.encode()
    head = head[: len(head) - len(tail)]
    code = -1 if audio_format is None else audio_format._code
    if text.isascii():
        return _frame_with(head, tail, payload, audio_format, code, False)
    return _frame_with(head, tail, payload, audio_format, code, True).decode()
