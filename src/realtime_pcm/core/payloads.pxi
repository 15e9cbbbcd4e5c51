# Payloads that are several strings, are in the other alphabet of base64, or are no audio.

cdef object _plain_payload(frame, wire_frame *f, Layout layout):
    """Makes the payload one string of standard base64. If the frame has several, or one in the other alphabet, this gives a copy
    of the frame with that string at its end, from which `f` reads from now on. Raises DecodeError."""
    cdef const wire_value *value = &f.values[f.payload_field]
    key = layout.keys[f.payload_field]
    if f.payload == WIRE_PAYLOAD_WRONG_KIND:
        raise _refusal(frame, f, _reason(WIRE_PAYLOAD_KIND), value.start, key)
    if f.payload == WIRE_PAYLOAD_MIXED:
        raise _refusal(frame, f, "audio of two formats in one message", f.mixed, key)
    if f.payload == WIRE_PAYLOAD_PARTS:
        return _with_payload(f, _joined_parts(frame, f, layout))
    if f.payload != WIRE_PAYLOAD_SPAN or not layout.catalogue.url_safe:
        return None
    standard = _in_standard_letters(f.data, value)
    if standard is None:
        return None
    f.copied_from = value.start
    return _with_payload(f, standard)

cdef bytes _in_standard_letters(const uint8_t *data, const wire_value *value):
    """A copy of URL-safe base64, in the letters of the standard; None: it has no other letters."""
    cdef size_t length = value.end - value.start
    if (not value.escaped and memchr(data + value.start, c"-", length) == NULL
            and memchr(data + value.start, c"_", length) == NULL):
        return None
    text = PyBytes_FromStringAndSize(<const char *>data + value.start, <Py_ssize_t>length)
    text = text.replace(b"-", b"+").replace(b"_", b"/")
    if value.escaped:   # by letters of the same length
        for letter in (b"\\u002d", b"\\u002D"):
            text = text.replace(letter, b"\\u002b")
        for letter in (b"\\u005f", b"\\u005F"):
            text = text.replace(letter, b"\\u002f")
    return text

cdef bytes _with_payload(wire_frame *f, bytes payload):
    cdef wire_value *value = &f.values[f.payload_field]
    frame = PyBytes_FromStringAndSize(<const char *>f.data, <Py_ssize_t>f.length) + payload
    f.data = <const uint8_t *>PyBytes_AS_STRING(frame)
    f.payload = WIRE_PAYLOAD_SPAN
    value.start = f.length
    value.end = f.length + <size_t>PyBytes_GET_SIZE(payload)
    return frame

cdef bytes _joined_parts(frame, wire_frame *f, Layout layout):
    """The base64 of all payloads of a frame, one after the other."""
    cdef size_t i, start, size = 0, position = 0, count = f.part_count
    cdef wire_sink sink
    cdef wire_status status
    cdef encode_work work
    cdef wire_value *parts = <wire_value *>PyMem_RawMalloc(count * sizeof(wire_value))
    key = layout.keys[f.payload_field]
    pieces = []
    if parts == NULL:
        raise MemoryError
    try:
        TIER.parts(f, parts, count)
        for i in range(count):
            position = start = parts[i].start
            status = WIRE_PAYLOAD_KIND if parts[i].kind != WIRE_STRING else WIRE_OK
            if status == WIRE_OK:
                sink.carry_count = 0
                standard = _in_standard_letters(f.data, &parts[i]) if layout.catalogue.url_safe else None
                if standard is None:
                    pieces.append(_decode_payload(f.data, &parts[i], AS_BYTES, &sink, None, &status, &position, False))
                else:
                    parts[i].start, parts[i].end = 0, parts[i].end - start
                    pieces.append(_decode_payload(<const uint8_t *>PyBytes_AS_STRING(standard), &parts[i], AS_BYTES, &sink, None,
                                                  &status, &position, False))
                    position += start
            if status != WIRE_OK:
                raise _refusal(frame, f, _reason(status), position, key)
    finally:
        PyMem_RawFree(parts)
    raw = b"".join(pieces)
    work.samples = wire_samples(PyBytes_AS_STRING(raw), <size_t>PyBytes_GET_SIZE(raw), 1, WIRE_BYTES, False)
    size = wire_encoded_length(WIRE_BYTES, work.samples.count)
    encoded = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>size)
    work.out = <uint8_t *>PyBytes_AS_STRING(encoded)
    _run(size, _do_encode, &work)
    return encoded

cdef object _payload_bytes(frame, wire_frame *f, Layout layout, decoded):
    """The payload of a message without audio, as bytes; None if the payload was absent or null. `decoded`: the bytes that
    begin_payload made, or None."""
    cdef wire_status status = WIRE_OK
    cdef size_t position = 0
    if f.payload == WIRE_PAYLOAD_NONE:
        return None
    if f.payload == WIRE_PAYLOAD_DONE:
        return decoded
    joined = _plain_payload(frame, f, layout)   # f reads from it
    f.sink.carry_count = 0
    decoded = _decode_payload(f.data, &f.values[f.payload_field], AS_BYTES, &f.sink, None, &status, &position, False)
    if status != WIRE_OK:
        raise _refusal(frame, f, _reason(status), position, layout.keys[f.payload_field])
    return decoded

cdef object _no_pcm(frame, const wire_frame *f, Layout layout, str encoding):
    reason = f'audio format {encoding!r} is neither PCM nor G.711; dtype="uint8" gives its bytes'
    if encoding in (layout.catalogue.formats[0].encoding, layout.catalogue.formats[1].encoding):
        reason = (f'until a frame names another format, this audio is taken for {encoding!r}, which is neither PCM nor G.711; '
                  'audio_format= says what it is, dtype="uint8" gives its bytes')
    return _refusal(
        frame, f, reason,
        f.values[f.payload_field].start, layout.keys[f.payload_field])
