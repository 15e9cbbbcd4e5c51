# Messages written by keyword. Most are filled as their JSON is written; the others writing.py writes, and decodes as any frame.

cdef object _write_fully = None

def write_fully_by(function):
    """Sets the function that writes what _write_message does not write itself."""
    global _write_fully
    _write_fully = function

cdef int _prepare_to_write(Layout layout) except -1:
    """Notes where the fields of a class stand. `opening` stays None for a class that writing.py writes."""
    heads = {}
    side = CLIENT if layout.in_session.sent else SERVER
    if layout.wire_names and not layout.wire.payload_count and layout.catalogue is side:
        for number, name in enumerate(layout.names):
            if name is not None and layout.places[number] == name:
                heads[name] = _head_of(name, <uint32_t>number)
        layout.opening = b'{"type":' + _json_text(layout.wire_names[0], "type")
    layout.heads = heads
    return 0

cdef object _write_quickly(Layout layout, tuple names, PyObject **values):
    """The message of these fields, as decoding its JSON would fill it; None for fields that need the decoder, or are no fields.

    Where each value stands in the JSON is known, so the JSON is not read again: that would take as long as writing it.
    """
    cdef writer to
    cdef message_span[32] spans
    cdef PyObject *flat[32]
    cdef Py_ssize_t span_count = 0
    cdef Py_ssize_t i
    cdef size_t start
    cdef uint32_t number
    cdef uint32_t spanned = 0
    cdef _Head head
    cdef uint8_t first
    cdef message *m
    if layout.heads is None:
        _prepare_to_write(layout)
    if layout.opening is None:
        return None
    memset(flat, 0, sizeof(flat))
    writer_begin(&to)
    try:
        writer_put(&to, PyBytes_AS_STRING(layout.opening), PyBytes_GET_SIZE(layout.opening))
        for i in range(len(names)):
            found = layout.heads.get(names[i])
            if found is None:
                return None
            head = <_Head>found
            number = head.number
            value = <object>values[i]
            writer_put(&to, PyBytes_AS_STRING(head.text), PyBytes_GET_SIZE(head.text))
            start = to.length
            if not _put_value(&to, value):
                return None
            first = to.bytes[start]
            if first == b"{" or first == b"[":
                if not (layout.read_lazily | layout.expected_containers) >> number & 1:
                    return None
                spans[span_count] = message_span(start, to.length, number, WIRE_OBJECT if first == b"{" else WIRE_ARRAY,
                                                 False, False, False)
                span_count += 1
                spanned |= <uint32_t>1 << number
            elif type(value) is str and layout.plan.later >> number & 1:
                return None
            elif value is None or type(value) is str or type(value) is int or type(value) is bool:
                flat[number] = values[i]
            else:
                return None
        writer_put(&to, b"}", 1)
        frame = writer_str(&to)
    finally:
        writer_end(&to)
    m = message_new(<PyTypeObject *>layout.cls, <void *>layout, layout.plan.slot_before_fields + layout.wire.field_count,
                    span_count)
    made = _owned(<PyObject *>m)
    memcpy(message_spans(m), spans, span_count * sizeof(message_span))
    _put(m, SLOT_TYPE, layout.wire_names[0])
    _put(m, SLOT_FRAME, frame)
    for i in range(<Py_ssize_t>layout.wire.field_count):
        if not spanned >> i & 1:
            _put(m, layout.place(<int>i), None if flat[i] == NULL else <object>flat[i])
    if layout.ends_audio:
        _put(m, SLOT_INCOMPLETE_SAMPLE, b"")
    return made

cdef object _write_message(cls, PyObject *names, PyObject **values):
    """The message of class `cls` that has the given fields. names: a tuple, or NULL."""
    cdef PyObject *found = own_attribute(cls, "_layout")
    cdef tuple given = () if names == NULL else <tuple>names
    if found != NULL and type(<object>found) is Layout and (<Layout>found).cls is cls:
        written = _write_quickly(<Layout>found, given, values)
        if written is not None:
            return written
    fields = {}
    for i in range(len(given)):
        fields[given[i]] = <object>values[i]
    return _write_fully(cls, fields)

message_write_by(<void *>_write_message)

def frame_with_payload(cls, str text, payload, audio_format):
    """The frame `text` of a message, whose payload is empty and comes last, with the payload put in. audio_format: None if the
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
