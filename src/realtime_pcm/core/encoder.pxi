# AudioEncoder: from samples to the text of a frame.


# ---- Fields as JSON --------------------------------------------------------------------------------------------------------

cdef bytes _json_flat(value, str name):
    """The JSON of a str, int, float, bool or None. `name`: of the field, for the error."""
    if isinstance(value, str):
        return _json_text(str.__str__(value), name)
    if value is None:
        return b"null"
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, int):
        return int.__repr__(value).encode()
    if isinstance(value, float):
        if not isfinite(<double>value):
            raise ValueError(f"{name}: JSON has no {value!r}")
        return float.__repr__(value).encode()
    raise TypeError(f"{name} is a str, int, float, bool or None, not {type(value).__name__}")

cdef int _check_fields(Layout layout, fields) except -1:
    for name in fields:
        if name not in layout.names or name == "pcm":
            known = []
            for field in layout.names:
                if field is not None and field != "pcm":
                    known.append(field)
            raise no_field(layout.cls, name, known)
    return 0


# ---- Samples ---------------------------------------------------------------------------------------------------------------

cdef int _source_of(int dtype_code, int code) noexcept:
    """The wire_source for samples of a dtype in a format; -1 if there is none, because the format is neither PCM nor G.711.

    code: the `_code` of the format."""
    if code < 0 or code > <int>ENCODING_ALAW:
        return -1
    if dtype_code == DTYPE_INT16:
        return WIRE_INT16_TO_PCM16 if code == 0 else WIRE_INT16_TO_ULAW if code == 1 else WIRE_INT16_TO_ALAW
    return WIRE_FLOAT32_TO_PCM16 if code == 0 else WIRE_FLOAT32_TO_ULAW if code == 1 else WIRE_FLOAT32_TO_ALAW

cdef int _samples_of_array(cnp.ndarray array, audio_format, int code, wire_samples *samples) except -1:
    cdef int number = cnp.PyArray_TYPE(array)
    cdef int source
    if number != cnp.NPY_INT16 and number != cnp.NPY_FLOAT32:
        raise TypeError(f"pcm is an array of int16 or float32, or the payload's bytes, not an array of {array.dtype}")
    if cnp.PyArray_NDIM(array) != 1:
        raise ValueError(f"pcm has one dimension (channels interleaved), not the shape {(<object>array).shape}")
    source = _source_of(DTYPE_INT16 if number == cnp.NPY_INT16 else DTYPE_FLOAT32, code)
    if source < 0:
        raise ValueError(f"audio format {audio_format.encoding!r} is neither PCM nor G.711: give the payload's bytes")
    samples.first = cnp.PyArray_DATA(array)
    samples.count = <size_t>cnp.PyArray_SIZE(array)
    samples.stride = cnp.PyArray_STRIDE(array, 0)
    samples.source = <wire_source>source
    samples.swapped = cnp.PyArray_ISBYTESWAPPED(array)
    return 0

cdef object _no_samples(error):
    return TypeError(f"pcm is a 1-D array of int16 or float32, or the payload's contiguous bytes: {error}")

cdef object _array_or_bytes(given):
    """A memoryview of a buffer whose elements are bytes; of any other buffer, an array over its memory."""
    try:
        view = memoryview(given)
        if view.itemsize == 1 and view.format.lstrip("@=<>!") in ("B", "b", "c"):
            return view
        return cnp.PyArray_FROM_O(view)
    except (TypeError, BufferError, ValueError, RuntimeError) as error:
        raise _no_samples(error) from None

cdef int _samples_of_bytes(const void *data, Py_ssize_t size, int code, wire_samples *samples) except -1:
    if size & 1 and code == 0:
        raise ValueError(f"a payload of pcm16 has two bytes a sample, and {size} bytes are odd")
    samples.first = data
    samples.count = <size_t>size
    samples.stride = 1
    samples.source = WIRE_BYTES
    samples.swapped = False
    return 0


# ---- Frames ----------------------------------------------------------------------------------------------------------------

cdef object _write_frame(bytes head, bytes tail, encode_work *work, bint as_bytes):
    cdef size_t symbols = wire_encoded_length(work.samples.source, work.samples.count)
    cdef size_t before = <size_t>PyBytes_GET_SIZE(head)
    if symbols == WIRE_TOO_LONG:
        raise MemoryError
    cdef Py_ssize_t length = <Py_ssize_t>(before + symbols) + PyBytes_GET_SIZE(tail)
    cdef uint8_t *out
    if as_bytes:
        frame = PyBytes_FromStringAndSize(NULL, length)
        out = <uint8_t *>PyBytes_AS_STRING(frame)
    else:
        frame = PyUnicode_New(length, 127)
        out = <uint8_t *>PyUnicode_DATA(frame)
    memcpy(out, PyBytes_AS_STRING(head), before)
    work.out = out + before
    _run(symbols, _do_encode, work)
    memcpy(out + before + symbols, PyBytes_AS_STRING(tail), <size_t>PyBytes_GET_SIZE(tail))
    return frame

cdef object _frame_with(bytes head, bytes tail, pcm, audio_format, int code, bint as_bytes):
    """A frame of its text up to the payload, the samples or bytes that are the payload, and the text after it. code: the `_code`
    of the format."""
    cdef encode_work work
    cdef Py_buffer view
    cdef bint has_view = False
    if not PyBytes_CheckExact(pcm) and not isinstance(pcm, cnp.ndarray):
        pcm = _array_or_bytes(pcm)
    if isinstance(pcm, cnp.ndarray) and cnp.PyArray_TYPE(<cnp.ndarray>pcm) != cnp.NPY_UINT8:
        _samples_of_array(pcm, audio_format, code, &work.samples)
    elif PyBytes_CheckExact(pcm):
        _samples_of_bytes(PyBytes_AS_STRING(pcm), PyBytes_GET_SIZE(pcm), code, &work.samples)
    else:
        try:
            PyObject_GetBuffer(pcm, &view, PyBUF_SIMPLE)
        except (BufferError, ValueError) as error:
            raise _no_samples(error) from None
        has_view = True
    try:
        if has_view:
            _samples_of_bytes(view.buf, view.len, code, &work.samples)
        return _write_frame(head, tail, &work, as_bytes)
    finally:
        if has_view:
            PyBuffer_Release(&view)


cdef bytes _tail_of(Layout layout):
    """The text of a frame after its payload."""
    return ('"' + paths.closing(layout.payload_path)).encode()


# ---- The encoder -----------------------------------------------------------------------------------------------------------

@cython.final
cdef class AudioEncoder:
    """AudioEncoder(message=None, *, audio_format=None, session=None, **fields)\n--\n
    Encodes samples as the frames of one message: `{"type":"input_audio_buffer.append","audio":"..."}`.

    Any thread may use it.

    Args:
        message: A message class of either side that has audio. By default the client's InputAudioBufferAppend.
        audio_format: The format to convert samples to: an AudioFormat or the name of one.
        session: A Session. Each call converts samples to the session's format at that moment: the input format for the
            user's speech, the output format for the server's, and always pcm16 at 24,000 Hz for a fixture (GPT-Live). With
            neither a format nor a session: the format that the fields name, else that of the socket if nobody names one;
            pcm16 at 24,000 Hz in the Realtime API.
        fields: Fields of the message that are the same in every frame.

    Raises:
        TypeError: Both a format and a session are given, or a field is not declared.
        ValueError: The format is unknown.

    Examples:
        >>> encoder = rp.AudioEncoder(session=decoder.session)
        >>> await ws.send(encoder.encode(samples))
    """

    def __cinit__(self):
        self.fixed_format = DEFAULT_FORMAT

    def __init__(self, message=None, *, audio_format=None, session=None, **fields):
        cdef Layout layout
        cdef WireType wire_type
        if message is None:
            wire_type = CLIENT.types["input_audio_buffer.append"]
            message = wire_type.layout.cls
        layout = _layout_of(message)
        if layout is None or not layout.is_audio or message.canonical_type is None:
            raise TypeError(f"message is a message class that has audio, not {message!r:.80}")
        if audio_format is not None and session is not None:
            raise TypeError("AudioEncoder() takes audio_format= or session=, not both")
        if session is not None and not isinstance(session, Session):
            raise TypeError(f"session= takes a Session, not {type(session).__name__}")
        forced = _unnamed(layout)
        if session is not None:
            (<Session>session).use_formats(layout.catalogue)
        elif audio_format is not None:
            forced = forced_format(audio_format, "int16" if isinstance(audio_format, str) else "uint8")
        _check_fields(layout, fields)
        head = self.head_of(layout, fields)
        if audio_format is None and session is None and _names_format(layout, fields):
            forced = _format_named(layout, head)
        self.layout = layout
        self.names_format = audio_format is None and session is None
        self.session = session
        self.fixed_format = forced
        self.fields = fields
        self.head = head
        self.tail = _tail_of(layout)

    @property
    def message(self):
        """The message class whose frames are made."""
        return None if self.layout is None else self.layout.cls

    @property
    def audio_format(self):
        """The AudioFormat that samples are converted to: the session's current one, or the one that was given."""
        return self.format_now()

    def __repr__(self):
        name = None if self.layout is None else self.layout.cls.__name__
        return f"AudioEncoder({name}, audio_format={self.format_now()!r})"

    @cython.binding(False)  # as for Decoder.decode
    def encode(self, pcm, *, rate=None, **fields):
        """Encodes samples as one frame.

        A WebSocket library sends a str as a text frame, which servers expect. Nothing is resampled.

        Args:
            pcm: A 1-D array of int16, or of float32 in [-1, 1) (scaled by 32768, rounded half to even, saturated; NaN becomes
                0), with any stride and byte order, channels interleaved. Or a bytes-like object, which is sent as the payload.
                A buffer whose elements are not bytes (array.array, memoryview, ctypes) counts as an array of its type.
            rate: The sample rate of `pcm`, to be checked against the format's.
            **fields: Fields of this one frame.

        Returns:
            The frame as an ASCII str.

        Raises:
            TypeError: `pcm` has another type, or a field is not declared.
            ValueError: The array is not 1-D, pcm16 has an odd number of bytes, an array comes with a format that is neither PCM
                nor G.711, or `rate` is not the format's.
        """
        return self.encode_any(pcm, rate, fields, False)

    @cython.binding(False)
    def encode_bytes(self, pcm, *, rate=None, **fields):
        """The same frame as encode() makes, as bytes: for libraries that take bytes, and for files."""
        return self.encode_any(pcm, rate, fields, True)

    cdef object format_now(self):
        if self.session is None:
            return self.fixed_format
        formats = self.session.format_objects()
        if self.layout.in_session.role == ROLE_INPUT_AUDIO:
            return formats[0]
        return DEFAULT_FORMAT if self.layout.in_session.own_format else formats[1]

    cdef int code_of(self, audio_format) except -2:
        """The `_code` of the format of this call, which is read once for each format. Threads without a GIL read it each time."""
        cdef int code
        if FREE_THREADED:
            return audio_format._code
        before = self.coded_format  # kept until the new one is in its place: only then may the end of a format run Python code
        if audio_format is before:
            return self.code
        code = audio_format._code
        self.code = code
        self.coded_format = audio_format
        return code

    cdef bytes head_of(self, Layout layout, dict fields):
        """The text of a frame up to its payload."""
        cls = layout.cls
        if layout.wire.nodes != NULL or layout.catalogue.pair is not None:
            for name, value in fields.items():
                _json_flat(value, name)
            text = json_text(layout.event_of(cls.canonical_type, fields, True), cls.__name__)
            return text[: len(text) - len(_tail_of(layout))]
        parts = [b'{"type":', _json_text(cls.canonical_type, "type")]
        for name, value in fields.items():
            parts.append(b"," + _json_text(layout.keys[layout.names.index(name)], "key") + b":" + _json_flat(value, name))
        parts.append(b"," + _json_text(layout.keys[layout.wire.payload_first], "key") + b':"')
        return b"".join(parts)

    cdef object encode_any(self, pcm, rate, dict fields, bint as_bytes):
        if self.layout is None:
            raise TypeError("__init__ of this AudioEncoder was not called")
        audio_format = self.format_now()
        cdef int code
        head = self.head
        if fields:
            _check_fields(self.layout, fields)
            merged = {**self.fields, **fields}
            head = self.head_of(self.layout, merged)
            if self.names_format and _has_format_field(self.layout, fields):
                audio_format = _format_named(self.layout, head) if _names_format(self.layout, merged) else _unnamed(self.layout)
        code = self.code_of(audio_format)
        if rate is not None and rate != audio_format.rate:
            settle = "" if self.session is None else (
                "wait until the session has settled (session.updated) if it is to have that rate, or ")
            raise ValueError(f"the samples have a rate of {rate}, the {'format' if self.session is None else 'session'} "
                             f"{audio_format.rate}: {settle}resample them first")
        return _frame_with(head, self.tail, pcm, audio_format, code, as_bytes)


cdef object _unnamed(Layout layout):
    """The format of these frames while none names one."""
    return layout.catalogue.formats[0 if layout.in_session.role == ROLE_INPUT_AUDIO else 1]

cdef bint _has_format_field(Layout layout, dict fields):
    """Whether any of these fields is for a format, be it None."""
    cdef const session_plan *plan = &layout.in_session
    for number in (plan.format_name, plan.format_rate, plan.format_channels):
        if number and layout.names[number] in fields:
            return True
    return False

cdef bint _names_format(Layout layout, dict fields):
    """Whether any of these fields says which format the audio has."""
    cdef const session_plan *plan = &layout.in_session
    for number in (plan.format_name, plan.format_rate, plan.format_channels):
        if number and fields.get(layout.names[number]) is not None:
            return True
    return False

cdef object _format_named(Layout layout, bytes head):
    """The format that a frame names, from its text up to the payload."""
    decoder = Decoder(dtype="uint8", side=layout.side_name, catalogue=layout.catalogue.pair)
    return decoder.decode(head + _tail_of(layout)).audio_format


cdef dict _append_encoders = {}

def encode_append(pcm, *, audio_format="pcm16", event_id=None):
    """One `input_audio_buffer.append` frame as a str.

    Args:
        pcm: Samples or bytes, as for AudioEncoder.encode, which also lists the errors.
        audio_format: An AudioFormat or the name of one.
        event_id: The id that the server repeats in an error about this frame.
    """
    encoder = _append_encoders.get(audio_format)
    if encoder is None:
        encoder = AudioEncoder(audio_format=audio_format)
        if len(_append_encoders) < 64:
            _append_encoders[audio_format] = encoder
    return (<AudioEncoder>encoder).encode_any(pcm, None, {} if event_id is None else {"event_id": event_id}, False)
