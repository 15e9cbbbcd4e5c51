# Decoder: frame -> message.

cdef enum:
    DTYPE_INT16
    DTYPE_FLOAT32
    DTYPE_UINT8

cdef enum:
    # A frame shorter than this is decoded with the GIL held: letting go and taking it back costs about as much as
    # decoding 2 kB, and even the slowest JSON (3 ns a byte) is walked in 0.8 ms.
    GIL_BOUND = 256 * 1024

cdef dict _DTYPES = {
    "int16": (DTYPE_INT16, cnp.NPY_INT16), "float32": (DTYPE_FLOAT32, cnp.NPY_FLOAT32),
    "uint8": (DTYPE_UINT8, cnp.NPY_UINT8)}

cdef object _forced_format(audio_format):
    if audio_format is None or isinstance(audio_format, AudioFormat):
        return audio_format
    if not isinstance(audio_format, str):
        raise TypeError(f"audio_format is an AudioFormat, a wire name or None, not {type(audio_format).__name__}")
    forced = named_format(audio_format)
    if forced is None:
        raise ValueError(f"audio_format {audio_format!r} names no format")
    return forced

cdef str _dtype_name(dtype):
    if isinstance(dtype, str) and dtype in _DTYPES:
        return dtype
    import numpy
    try:
        name = numpy.dtype(dtype).name
    except TypeError:
        name = None
    if name not in _DTYPES:
        raise ValueError(f"dtype {dtype!r} is none of {', '.join(_DTYPES)}")
    return name


@cython.final
cdef class Decoder:
    """Decodes the frames of one connection and follows its session: the format of its audio, split samples, offsets.

    dtype: of the samples: "int16", "float32" (scaled by 1/32768 into [-1, 1)), or "uint8", the payload's bytes as sent.
    audio_format: None follows what the session negotiates; an AudioFormat or a wire name ("g711_ulaw") forces one.
    only: wire types and message classes to build. Other messages are validated and followed, and give None.
    Raises ValueError and TypeError for arguments it does not know.

    May be used from several threads; each call is then one after the other.
    """

    def __cinit__(self):
        self.lock = PyThread_allocate_lock()
        if self.lock == NULL:
            raise MemoryError
        # A decoder without __init__ is one with its defaults.
        self.set_up("int16", None, None)

    def __dealloc__(self):
        cdef int i
        for i in range(8):
            Py_XDECREF(self.ids[i])
        if self.lock != NULL:
            PyThread_free_lock(self.lock)

    def __init__(self, *, dtype="int16", audio_format=None, only=None):
        self.set_up(_dtype_name(dtype), _forced_format(audio_format), None if only is None else _wire_names_of(only))

    cdef int set_up(self, str dtype, forced, frozenset only) except -1:
        """All that can be refused was looked at before: nothing of the decoder changes otherwise."""
        code, number = _DTYPES[dtype]
        descr = cnp.PyArray_DescrFromType(number)
        self.steady = False
        self.last_format = None
        self.dtype = dtype
        self.dtype_code = code
        self.type_number = number
        self.descr = descr
        self.forced = forced
        self.only = only
        _forget_session(self)
        return 0

    @property
    def audio_format(self):
        """The format of the session's output audio as it stands."""
        return self.output_format

    @property
    def input_audio_format(self):
        """The format of the session's input audio as it stands."""
        return self.input_format

    @cython.binding(False)
    def decode(self, frame, out=None):
        """One frame (bytes, str, bytearray or memoryview) into its message; None for what `only` leaves out.

        out: an array of the decoder's dtype, C-contiguous, that samples go into; `pcm` is then the filled part.
        Raises DecodeError for a bad frame, TypeError for a frame of another type, ValueError for an `out` that is too
        small or of another dtype; the decoder is then as it was before.
        """
        return self.decode_any(frame, out)

    cdef object decode_any(self, frame, out):
        cdef bint taken
        if self.held or FREE_THREADED:
            taken = self.take()
            try:
                return self.decode_frame(frame, out)
            finally:
                if taken:
                    self.give_back()
        if out is None and PyBytes_CheckExact(frame) and PyBytes_GET_SIZE(frame) < GIL_BOUND:
            return self.build(frame, <const uint8_t *>PyBytes_AS_STRING(frame), PyBytes_GET_SIZE(frame), None)
        return self.decode_frame(frame, out)

    # Threads: under the GIL, only a call that lets go of it in the middle needs the lock, be it for a long frame or because it
    # runs Python code, as following a session does.

    cdef bint take(self) except -1:
        """Waits until no other thread is inside. False where this thread is."""
        cdef unsigned long me = PyThread_get_thread_ident()
        if self.owner == me:
            return False
        if not PyThread_acquire_lock(self.lock, 0):
            with nogil:
                PyThread_acquire_lock(self.lock, 1)
        self.owner = me
        self.held = True
        return True

    cdef void give_back(self) noexcept:
        self.owner = 0
        self.held = False
        PyThread_release_lock(self.lock)

    cdef object decode_frame(self, frame, out):
        cdef const uint8_t *data
        cdef Py_ssize_t size
        cdef bint taken
        if PyBytes_CheckExact(frame):
            pass
        elif isinstance(frame, str):
            try:
                data = _frame_data(frame, &size)
            except UnicodeEncodeError:
                raise _surrogate_error(frame) from None
        elif isinstance(frame, (bytearray, memoryview)):
            frame = bytes(frame)
        elif not isinstance(frame, bytes):
            raise TypeError(f"a frame is bytes, str, bytearray or memoryview, not {type(frame).__name__}")
        data = _frame_data(frame, &size)
        if out is not None:
            _check_out(out, self.type_number, self.dtype)
        if size < GIL_BOUND or self.stateless:
            return self.build(frame, data, size, out)
        taken = self.take()
        try:
            return self.build(frame, data, size, out)
        finally:
            if taken:
                self.give_back()

    cdef object build(self, frame, const uint8_t *data, Py_ssize_t size, out):
        cdef wire_frame f
        cdef wire_status status
        cdef Catalogue catalogue = _catalogue
        if catalogue is None:
            catalogue = _current_catalogue()
        wire_frame_init(&f, data, <size_t>size, &catalogue.wire, self.carries > 0)
        f.likely = self.last_type
        status = _walk(&f)
        if status == WIRE_OK:
            self.last_type = f.type
        # Most messages are made of flat fields and change nothing, or go on with the audio stream that spoke last.
        if status == WIRE_OK and (<WireName>f.type.owner).plain and self.only is None:
            return _owned(<PyObject *>self.fill(frame, &f, <WireName>f.type.owner))
        if status == WIRE_NEED_SINK and self.steady and out is None and (<WireName>f.type.owner).layout.is_audio:
            return self.build_next_delta(frame, &f)
        return self.build_in_full(frame, &f, status, out)

    cdef object build_next_delta(self, frame, wire_frame *f):
        """The next delta of the stream that spoke last, if it is that: all but its ids and samples are known."""
        cdef WireName name = <WireName>f.type.owner
        cdef Layout layout = name.layout
        cdef object audio_format = self.last_format
        f.sink.carry_count = 0
        cdef object pcm = self.allocate(&f.sink, f.payload_bytes, audio_format, None)
        cdef wire_status status = _walk(f)
        if (status != WIRE_OK or f.payload != WIRE_PAYLOAD_DONE or name.role != ROLE_NONE
                or f.present & layout.format_fields or _is_ogg(f.data, &f.values[f.payload_field])):
            return self.finish_alone(frame, f, status, pcm, None)
        self.last_type = f.type
        cdef message *m = self.fill(frame, f, name)
        cdef object result = _owned(<PyObject *>m)
        cdef Stream stream = self.last_stream
        if (stream is None or not _is_slot(m, layout, layout.response_id, stream.response_id)
                or not _is_slot(m, layout, layout.item_id, stream.item_id)
                or not _is_slot(m, layout, layout.content_index, stream.content_index)):
            return self.finish_alone(frame, f, status, pcm, None)
        _put_audio(m, layout, pcm, audio_format, stream.offset)
        self.move(stream, cnp.PyArray_SIZE(<cnp.ndarray>pcm), &f.sink)
        return result

    cdef object build_in_full(self, frame, wire_frame *f, wire_status status, out):
        cdef WireName name
        cdef Layout layout
        cdef object pcm = None
        if status == WIRE_NEED_SINK:
            name = <WireName>f.type.owner
            layout = name.layout
            f.sink.out = NULL
            f.sink.carry_count = 0
            if self.only is None or name.name in self.only:
                if not layout.is_audio:
                    pcm = _allocate_bytes(&f.sink, f.payload_bytes)
                # Once a sample is in `out` it must fit, whatever format or second payload is still to come, and it must be audio:
                # a type that is still to come may be another.
                elif out is None or (f.type_value.kind == WIRE_STRING
                                     and cnp.PyArray_SIZE(<cnp.ndarray>out) >= <Py_ssize_t>f.length // 4 * 3):
                    pcm = self.allocate(&f.sink, f.payload_bytes, self.likely_format(), out)
            status = _walk(f)
        return self.finish_alone(frame, f, status, pcm, out)

    cdef object finish_alone(self, frame, wire_frame *f, wire_status status, pcm, out):
        """finish, which runs Python code, with the lock. Nobody has it: since decode looked, nothing let go of the GIL."""
        cdef bint taken
        if self.stateless:
            return self.finish(frame, f, status, pcm, out)
        taken = self.take()
        try:
            return self.finish(frame, f, status, pcm, out)
        finally:
            if taken:
                self.give_back()

    cdef object finish(self, frame, wire_frame *f, wire_status status, pcm, out):
        """What the walk found into a message, and what that changes in the session. `pcm`: what it decoded into, if so."""
        cdef WireName name
        cdef Layout layout
        cdef _Change change = None
        cdef Stream stream = None
        cdef bint wanted = True
        if status != WIRE_OK:
            raise _error(frame, f, wire_reason(status).decode(), f.position, None)

        # Only now: a type that stands behind the payload was a guess until here.
        self.last_type = f.type
        name = <WireName>f.type.owner
        layout = name.layout
        if self.only is not None:
            wanted = self.wants(name, f)
        if name.role >= ROLE_SESSION_START and not self.stateless:
            change = _read_change(self, f, layout, name.role)
        if not wanted:
            if layout.is_audio and not self.stateless:
                self.pass_over(f, name)
            if change is not None:
                _apply_change(self, change)
            return None

        cdef message *m = self.fill(frame, f, name)
        cdef object result = _owned(<PyObject *>m)
        if layout.is_audio:
            self.steady = False
            stream = self.fill_audio(frame, f, m, name, pcm, out)
        elif layout.bytes_payload:
            _fill_bytes(frame, f, m, layout, pcm)
        elif layout.ends_audio:
            _put(m, SLOT_INCOMPLETE_SAMPLE, b"" if change is None else _leftovers(change))
        # From here on nothing is refused: the message counts.
        if change is not None:
            _apply_change(self, change)
        if stream is not None:
            pcm = <object>m.slots[layout.plan.first_slot + layout.wire.payload_first]
            self.move(stream, cnp.PyArray_SIZE(<cnp.ndarray>pcm), &f.sink)
            self.steady = (self.last_conversion >= 0 and self.only is None and name.role == ROLE_NONE
                           and not f.present & layout.format_fields)
        return result

    # ---- the message

    cdef message *fill(self, frame, wire_frame *f, WireName name) except NULL:
        """The message with its flat fields; what is parsed or read later, and the payload, is kept as a span."""
        cdef Layout layout = name.layout
        if f.containers:
            _expect_containers(layout, f)
        cdef message *m = message_from_frame(
            <PyTypeObject *>layout.cls, <void *>layout, &layout.plan, f,
            name.name if name.wire.length else _text(f.data, &f.type_value), frame,
            NULL if FREE_THREADED and self.stateless else self.ids)
        if f.containers and not self.stateless:
            Py_INCREF(self.formats)
            m.formats = <PyObject *>self.formats
        return m

    # ---- the audio

    cdef object likely_format(self):
        """The format to begin decoding with, before the whole message is known."""
        return self.output_format if self.last_format is None else self.last_format

    cdef object format_of(self, wire_frame *f, WireName name, response_id):
        """Forced, else the message's own, else its response's, else the session's."""
        cdef Layout layout = name.layout
        if self.forced is not None:
            return self.forced
        found = self.input_format if name.role == ROLE_INPUT_AUDIO else self.output_format
        if self.response_formats:
            found = self.response_formats.get(_bounded(response_id), found)
        if f.present & layout.format_fields:
            own = (_string_or_none(_sent(f, layout.format_name)), _sent(f, layout.format_rate),
                   _sent(f, layout.format_channels))
            # The same as in the message before, nearly always.
            plain = _is_plain_format(own)
            before = self.last_own
            if plain and before is not None and found is before[0] and own == before[1]:
                return before[2]
            base, found = found, own_format(found, *own)
            if plain:
                self.last_own = (base, own, found)
        return found

    cdef int conversion_to(self, audio_format) except -2:
        cdef int conversion = self.last_conversion
        if audio_format is not self.last_format:
            conversion = _conversion(self.dtype_code, audio_format)
            self.steady = False
            self.last_conversion = conversion
            self.last_format = audio_format
        return conversion

    cdef object allocate(self, wire_sink *sink, size_t payload_bytes, audio_format, out):
        """The array that a payload of so many bytes, and the carry, goes into; None where its format is no PCM."""
        cdef int conversion = self.conversion_to(audio_format)
        cdef cnp.npy_intp count
        if conversion < 0:
            return None
        sink.conversion = <wire_conversion>conversion
        count = <cnp.npy_intp>((payload_bytes + sink.carry_count) / wire_sample_bytes(sink.conversion))
        if out is None:
            Py_INCREF(self.descr)
            pcm = PyArray_NewFromDescr(<PyTypeObject *>cnp.ndarray, self.descr, 1, &count, NULL, NULL, 0, NULL)
        else:
            pcm = _part_of(out, count, self.type_number)
        sink.out = cnp.PyArray_DATA(<cnp.ndarray>pcm)
        return pcm

    cdef Stream fill_audio(self, frame, wire_frame *f, message *m, WireName name, pcm, out):
        """The samples, format, offset and leftover of an audio message; its stream, not yet moved on."""
        cdef wire_value *value = &f.values[f.payload_field]
        cdef size_t payload_bytes = 0
        cdef size_t position
        cdef wire_status status
        cdef Stream stream = None
        cdef int conversion
        cdef cnp.npy_intp nothing = 0
        cdef Layout layout = name.layout
        if f.payload == WIRE_PAYLOAD_WRONG_KIND:
            raise _error(frame, f, wire_reason(WIRE_PAYLOAD_KIND).decode(), value.start, layout.key(f.payload_field))
        response_id = _slot(m, layout, layout.response_id)
        audio_format = self.format_of(f, name, response_id)
        if not self.stateless:
            item_id = _slot(m, layout, layout.item_id)
            content_index = _INPUT if name.role == ROLE_INPUT_AUDIO else _slot(m, layout, layout.content_index)
            stream = _find_stream(self, response_id, item_id, content_index)
            if stream is None:
                stream = _open_stream(response_id, item_id, content_index)
        conversion = self.conversion_to(audio_format)
        if (f.payload >= WIRE_PAYLOAD_DONE and _is_ogg(f.data, value) and audio_format is DEFAULT_FORMAT
                and conversion != WIRE_COPY):
            # Nobody has named a format (unmute does not): 42 bits of a header are no accident.
            raise _no_pcm(frame, f, layout, "ogg")
        if f.payload == WIRE_PAYLOAD_DONE and pcm is not None and f.sink.conversion == <wire_conversion>conversion:
            pass
        else:
            f.sink.carry_count = 0
            f.sink.rest_count = 0
            if f.payload != WIRE_PAYLOAD_NONE:
                status = _payload_size(f.data, value, &payload_bytes, &position)
                if status != WIRE_OK:
                    raise _error(frame, f, wire_reason(status).decode(), position, layout.key(f.payload_field))
            if conversion < 0:
                if payload_bytes:
                    raise _no_pcm(frame, f, layout, audio_format.encoding)
                conversion = WIRE_COPY
            if stream is not None and stream.carry_count and wire_sample_bytes(<wire_conversion>conversion) == 2:
                f.sink.carry = stream.carry
                f.sink.carry_count = 1
            if payload_bytes == 0:
                f.sink.rest = f.sink.carry
                f.sink.rest_count = f.sink.carry_count
                pcm = cnp.PyArray_SimpleNew(1, &nothing, self.type_number) if out is None else _part_of(out, 0, self.type_number)
            else:
                pcm = self.allocate(&f.sink, payload_bytes, audio_format, out)
            status = WIRE_OK
            if f.payload != WIRE_PAYLOAD_NONE and value.end > value.start:
                status = _payload_decode(f.data, value, &f.sink, &position)
            if status != WIRE_OK:
                raise _error(frame, f, wire_reason(status).decode(), position, layout.key(f.payload_field))
        _put_audio(m, layout, pcm, audio_format, None if stream is None else stream.offset)
        if stream is None and f.sink.rest_count:
            left = bytes((f.sink.rest,))
            Py_DECREF(<object>m.slots[SLOT_INCOMPLETE_SAMPLE])
            _put(m, SLOT_INCOMPLETE_SAMPLE, left)
        return stream

    cdef int move(self, Stream stream, Py_ssize_t samples, wire_sink *sink) except -1:
        if stream is not self.last_stream:
            if stream.key in self.streams:
                self.streams.move_to_end(stream.key)
            else:
                _add_stream(self, stream)
            self.last_stream = stream
        stream.offset += samples
        if stream.carry_count > sink.carry_count:
            self.evicted_bytes += 1     # the format has changed to one without halves
        self.carries += sink.rest_count - stream.carry_count
        stream.carry = sink.rest
        stream.carry_count = sink.rest_count
        return 0

    # ---- only=

    cdef bint wants(self, WireName name, wire_frame *f) except -1:
        if name.wire.length:
            return name.name in self.only
        return None in self.only or _text(f.data, &f.type_value) in self.only

    cdef int pass_over(self, wire_frame *f, WireName name) except -1:
        """Moves the stream of an audio message that is not wanted on: by its length; decoded only where a byte is
        left over. A payload of a length or padding that base64 has not moves nothing."""
        cdef Layout layout = name.layout
        cdef wire_value *value = &f.values[f.payload_field]
        cdef size_t payload_bytes = 0
        cdef size_t position
        cdef cnp.npy_intp count
        cdef wire_sink sink
        cdef wire_status status
        if f.payload != WIRE_PAYLOAD_SPAN or _payload_size(f.data, value, &payload_bytes, &position) != WIRE_OK:
            return 0
        response_id = _sent_id(self, f, layout, layout.response_id)
        item_id = _sent_id(self, f, layout, layout.item_id)
        content_index = _INPUT if name.role == ROLE_INPUT_AUDIO else _sent(f, layout.content_index)
        cdef Stream stream = _find_stream(self, response_id, item_id, content_index)
        if stream is None:
            stream = _open_stream(response_id, item_id, content_index)
        cdef int conversion = self.conversion_to(self.format_of(f, name, response_id))
        if conversion < 0:
            return 0
        sink.conversion = <wire_conversion>conversion
        cdef size_t width = wire_sample_bytes(sink.conversion)
        sink.carry = stream.carry
        sink.carry_count = stream.carry_count if width == 2 else 0
        sink.rest = stream.carry
        count = <cnp.npy_intp>((payload_bytes + sink.carry_count) / width)
        sink.rest_count = <uint8_t>(payload_bytes + sink.carry_count - count * width)
        if sink.rest_count and payload_bytes:
            scratch = cnp.PyArray_SimpleNew(1, &count, self.type_number)
            sink.out = cnp.PyArray_DATA(<cnp.ndarray>scratch)
            status = _payload_decode(f.data, value, &sink, &position)
            if status != WIRE_OK:
                return 0
        return self.move(stream, count, &sink)


cdef wire_status _payload_size(const uint8_t *data, const wire_value *value, size_t *bytes, size_t *position) noexcept:
    cdef wire_status status
    if value.end - value.start < GIL_BOUND:
        return wire_payload_size(TIER, data, value, bytes, position)
    with nogil:
        status = wire_payload_size(TIER, data, value, bytes, position)
    return status

cdef wire_status _payload_decode(const uint8_t *data, const wire_value *value, wire_sink *sink, size_t *position) noexcept:
    cdef wire_status status
    if value.end - value.start < GIL_BOUND:
        return wire_payload_decode(TIER, data, value, sink, position)
    with nogil:
        status = wire_payload_decode(TIER, data, value, sink, position)
    return status

cdef inline wire_status _walk(wire_frame *f) noexcept:
    cdef wire_status status
    if f.length < GIL_BOUND:
        return TIER.walk(f)
    with nogil:
        status = TIER.walk(f)
    return status

cdef inline void _put(message *m, Py_ssize_t place, object value) noexcept:
    Py_INCREF(value)
    m.slots[place] = <PyObject *>value

cdef inline void _put_audio(message *m, Layout layout, pcm, audio_format, sample_offset) noexcept:
    _put(m, layout.plan.first_slot + layout.wire.payload_first, pcm)
    _put(m, SLOT_AUDIO_FORMAT, audio_format)
    _put(m, SLOT_SAMPLE_OFFSET, sample_offset)
    _put(m, SLOT_INCOMPLETE_SAMPLE, b"")

cdef inline bint _is_slot(message *m, Layout layout, int number, value) noexcept:
    """Whether a flat field is this very object; None where the message has no such field."""
    return (<PyObject *>None if number == 0 else m.slots[layout.plan.first_slot + number]) == <PyObject *>value

cdef inline object _slot(message *m, Layout layout, int number):
    """A flat field's value, None where there is none or where it is a container."""
    if number == 0 or m.slots[layout.plan.first_slot + number] == NULL:
        return None
    return <object>m.slots[layout.plan.first_slot + number]

cdef inline object _sent(wire_frame *f, int number):
    """As _slot, where no message is made."""
    return _flat(f.data, &f.values[number]) if number else None

cdef inline object _sent_id(Decoder self, wire_frame *f, Layout layout, int number):
    if number and f.values[number].kind == WIRE_STRING:
        return _owned(value_recurring_text(f.data, &f.values[number], &self.ids[layout.plan.id_place[number]]))
    return _sent(f, number)

cdef bint _is_plain_format(tuple own):
    """A short name and whole numbers: what is neither is not kept, and may equal what means something else (true and 1)."""
    name, rate, channels = own
    return ((name is None or len(<str>name) <= 64) and (rate is None or type(rate) is int)
            and (channels is None or type(channels) is int))

cdef object _string_or_none(value):
    return value if isinstance(value, str) else None

cdef object _allocate_bytes(wire_sink *sink, size_t payload_bytes):
    data = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>payload_bytes)
    sink.out = PyBytes_AS_STRING(data)
    sink.conversion = WIRE_COPY
    return data

cdef int _fill_bytes(frame, wire_frame *f, message *m, Layout layout, data) except -1:
    """The payload of a message that is no audio."""
    cdef wire_value *value = &f.values[f.payload_field]
    cdef size_t payload_bytes, position
    cdef wire_status status = WIRE_OK
    cdef Py_ssize_t place = layout.plan.first_slot + layout.wire.payload_first
    if f.payload == WIRE_PAYLOAD_NONE:
        _put(m, place, None)
        return 0
    if f.payload == WIRE_PAYLOAD_WRONG_KIND:
        raise _error(frame, f, wire_reason(WIRE_PAYLOAD_KIND).decode(), value.start, layout.key(f.payload_field))
    if f.payload == WIRE_PAYLOAD_SPAN:
        status = _payload_size(f.data, value, &payload_bytes, &position)
        if status == WIRE_OK:
            f.sink.carry_count = 0
            data = _allocate_bytes(&f.sink, payload_bytes)
            status = _payload_decode(f.data, value, &f.sink, &position)
        if status != WIRE_OK:
            raise _error(frame, f, wire_reason(status).decode(), position, layout.key(f.payload_field))
    _put(m, place, data)
    return 0

cdef object _part_of(cnp.ndarray out, cnp.npy_intp count, int type_number):
    """The first samples of `out`, as an array of one dimension."""
    if cnp.PyArray_SIZE(out) < count:
        raise ValueError(f"out holds {cnp.PyArray_SIZE(out)} samples, the message has {count}")
    part = cnp.PyArray_SimpleNewFromData(1, &count, type_number, cnp.PyArray_DATA(out))
    cnp.set_array_base(part, out)
    return part

cdef int _check_out(out, int type_number, str dtype) except -1:
    if not isinstance(out, cnp.ndarray):
        raise ValueError(f"out is a NumPy array, not {type(out).__name__}")
    cdef cnp.ndarray array = out
    if cnp.PyArray_TYPE(array) != type_number or cnp.PyArray_ISBYTESWAPPED(array):
        raise ValueError(f"out has dtype {array.dtype}, the decoder {dtype}")
    if not (cnp.PyArray_ISCARRAY(array)):
        raise ValueError("out is not C-contiguous, aligned and writeable")
    return 0


# ---- Errors ------------------------------------------------------------------------------------------------

cdef object _error(frame, const wire_frame *f, str reason, size_t position, field):
    message_type = _text(f.data, &f.type_value) if f.type_value.kind == WIRE_STRING else None
    if field is None and f.key.kind == WIRE_STRING:
        field = _text(f.data, &f.key)
    elif f.type_value.kind > WIRE_ABSENT and f.type_value.kind != WIRE_STRING and position == f.type_value.start:
        field = "type"
    return DecodeError(reason, <Py_ssize_t>position, message_type, field, frame)

cdef object _no_pcm(frame, const wire_frame *f, Layout layout, str encoding):
    return _error(
        frame, f, f'audio format {encoding!r} is neither PCM nor G.711; dtype="uint8" gives its bytes',
        f.values[f.payload_field].start, layout.key(f.payload_field))

cdef object _surrogate_error(frame):
    """A str that UTF-8 cannot hold: as the bytes it would be, in which the first surrogate is a fault like any other."""
    cdef bytes data = str.encode(frame, "utf-8", "surrogatepass")
    cdef wire_frame f
    wire_frame_init(&f, <const uint8_t *>PyBytes_AS_STRING(data), <size_t>len(data), &_current_catalogue().wire, True)
    cdef wire_status status = TIER.walk(&f)
    if status == WIRE_UTF8:
        status = WIRE_SURROGATE
    return _error(frame, &f, wire_reason(status).decode(), f.position, None)


cdef frozenset _wire_names_of(only):
    """The wire types that `only` names."""
    if isinstance(only, (str, type)):
        only = (only,)
    names = set()
    for entry in only:
        if isinstance(entry, str):
            names.add(entry)
        elif isinstance(entry, type) and issubclass(entry, RealtimeServerMessage):
            names.update(name for name, wire in _current_catalogue().wire_names.items() if issubclass(wire.layout.cls, entry))
            if issubclass(UnknownMessage, entry):
                names.add(None)
        else:
            raise TypeError(f"only takes wire types and message classes, not {entry!r}")
    return frozenset(names)


cdef class DecodedFrames:
    """The messages of an iterable of frames, those that `only` leaves out passed over.

    decoder: the Decoder. What decoding a frame raises is raised; the next call goes on with the next frame.
    """
    cdef object frames
    cdef public Decoder decoder

    def __init__(self, frames, Decoder decoder not None):
        self.frames = iter(frames)
        self.decoder = decoder

    def __iter__(self):
        return self

    def __next__(self):
        message = None
        while message is None:
            message = self.decoder.decode_any(next(self.frames), None)
        return message


# ---- Without a session ----------------------------------------------------------------------------------------

cdef Decoder _without_session(dtype, audio_format):
    cdef Decoder decoder = Decoder(dtype=dtype, audio_format=audio_format)
    decoder.stateless = True
    return decoder

message_uncounted(DEFAULT_FORMAT)

cdef Decoder _plain = _without_session("int16", None)

def decode(frame, *, dtype="int16", audio_format=None):
    """One frame (bytes, str, bytearray or memoryview) into its message, without a session.

    dtype: of the samples: "int16", "float32" (scaled by 1/32768 into [-1, 1)), or "uint8", the payload's bytes as sent.
    audio_format: an AudioFormat or a wire name; without it the message's own, else pcm16 at 24,000 Hz, mono.
    Raises DecodeError for a bad frame, TypeError for a frame of another type.
    """
    if dtype == "int16" and audio_format is None and not FREE_THREADED:
        return _plain.decode_frame(frame, None)
    return _without_session(dtype, audio_format).decode_frame(frame, None)


# ---- Copies and pickles ---------------------------------------------------------------------------------------

cdef tuple _state_of(instance):
    """What a pickle holds beside the frame."""
    cdef message *m = <message *><PyObject *>instance
    formats = None if m.formats == NULL else <object>m.formats
    names = ("pcm", "audio_format", "sample_offset", "incomplete_sample")
    return formats, {name: getattr(instance, name) for name in names if hasattr(instance, name)}

def _restore(frame, formats, dict state):
    """A message out of a pickle: its frame once more, and its audio as it was."""
    cdef Decoder decoder = _without_session("uint8", None)
    result = decoder.decode_frame(frame, None)
    cdef message *m = <message *><PyObject *>result
    cdef Layout layout = <Layout>m.layout
    places = {
        "pcm": layout.plan.first_slot + layout.wire.payload_first, "audio_format": SLOT_AUDIO_FORMAT,
        "sample_offset": SLOT_SAMPLE_OFFSET, "incomplete_sample": SLOT_INCOMPLETE_SAMPLE}
    cdef Py_ssize_t place
    if state and not layout.is_audio and not (layout.ends_audio and set(state) == {"incomplete_sample"}):
        # The class that had these is not declared in this process: its slots are not there.
        return result
    for name, value in state.items():
        place = places[name]
        before = <object>m.slots[place]
        _put(m, place, value)
        Py_DECREF(before)
    if formats is not None and m.formats == NULL:
        Py_INCREF(formats)
        m.formats = <PyObject *>formats
    return result
