# Decoder: the road of a frame. docs/design.md has a drawing of it.
#
#   decode_any     a frame of bytes goes straight to decode_frame
#   decode_other   any other frame: makes bytes or str of it
#   decode_frame   the walk: a payload that the walk meets is decoded at once, as if its format were that of the delta before
#   finish_audio   builds an audio message; the next delta of the stream that spoke last needs no more
#   settle_audio   any other delta: asks the session how it is to be decoded, until it was
#   finish_other   builds any other message that changes the session, then changes it
#
# A message is built first, which may fail or run Python code. Then the session is asked and changed in one stretch in which no
# Python code can run: under the GIL no other thread comes in between, and without the GIL the critical sections keep it out.

cdef extern from "compiler.h":
    void portable_prefetch(const void *address) noexcept

cdef extern from "message.h":
    message *message_from_frame(PyTypeObject *type, void *layout, const message_plan *plan, const wire_frame *f,
                                object type_name, object frame, PyObject **ids) except NULL


# ---- Options ---------------------------------------------------------------------------------------------------------------

@cython.final
cdef class _Only:
    cdef bint wants(self, WireType wire_type) noexcept:
        if wire_type.layout.is_unknown:
            return self.unknown
        return (wire_type.number < PyBytes_GET_SIZE(self.numbers)
                and PyBytes_AS_STRING(self.numbers)[wire_type.number] != 0)

cdef _Only _read_only(only, Catalogue catalogue):
    if only is None:
        return None
    cdef _Only made = _Only()
    made.numbers, made.unknown, made.said = wanted_types(only, catalogue, RealtimeMessage)
    return made


# ---- The decoder -----------------------------------------------------------------------------------------------------------

# How many messages were made under the GIL, by all decoders. A decoder whose last message is more than AWAY messages ago makes
# new strings of its ids: to count a reference to its old ones, in pages that have left the caches, would take longer.
cdef uint64_t _filled = 0
cdef enum:
    AWAY = 128

# The first lines of the pages of a long frame are asked for at once: the processor reads ahead by itself, but not beyond the end
# of a page.
cdef enum:
    PAGE = 4096
    PAGES_AHEAD = 8

# How often a long payload is decoded without the GIL while other threads change how it must be decoded. Then the GIL is held.
cdef enum:
    MAX_TRIES = 3

@cython.final
cdef class Decoder:
    """Decoder(*, dtype="int16", audio_format=None, only=None, side="server", catalogue=None, session=None, \
lone_surrogates="refuse")\n--\n
    Decodes the frames of one connection and follows its session: audio formats, split samples, offsets.

    Any thread may use it: each decode() sees the session as it was before or after any other.

    Args:
        dtype: Type of the samples: "int16"; "float32", scaled by 1/32768 into [-1, 1); "uint8", the payload's bytes as
            sent; or "bytes": then `pcm` is bytes of little-endian int16 samples, not an array.
        audio_format: None follows the session. An AudioFormat, or the name of one ("g711_ulaw"), forces that format.
        only: Wire types and message classes to build. decode() gives None for any other message: its JSON is still
            validated and the session follows it, but its payload is not checked.
        side: The side that sent the frames, "server" or "client".
        catalogue: The messages of another socket, a module such as realtime_pcm.sockets.twilio. None: the Realtime API.
        session: The Session of another decoder, of either side, to share. By default the decoder has its own.
        lone_surrogates: "refuse" refuses a frame with half a surrogate pair, as JSON does. "replace" decodes a copy of the
            frame in which each half is U+FFFD, because some servers cut a text delta inside an emoji. `frame` is then that
            copy.

    Raises:
        TypeError: An argument has the wrong type.
        ValueError: A dtype, format, side or wire type is unknown, or `only` has a class that no message of this side can
            be.

    Examples:
        >>> decoder = rp.Decoder(dtype="float32")
        >>> message = decoder.decode(frame)
    """

    def __cinit__(self):
        cdef int i
        for i in range(RECURRING_KEYS + 1):
            Py_INCREF("")
            self.ids[i] = <PyObject *>""
        self.filled_at = _filled
        self.catalogue = SERVER
        self.session = Session()
        self.dtype = "int16"
        self.assumed = FORMAT_DEFAULT
        self.assumed_object = DEFAULT_FORMAT
        self.conversion = WIRE_PCM16_TO_INT16

    def __dealloc__(self):
        cdef int i
        for i in range(RECURRING_KEYS + 1):
            Py_XDECREF(self.ids[i])

    def __init__(self, *, dtype="int16", audio_format=None, only=None, side="server", catalogue=None,
                 session=None, lone_surrogates="refuse"):
        cdef session_reader reader
        cdef Catalogue messages = _catalogue_of(side, catalogue)
        name = _dtype_name(dtype)
        if lone_surrogates != "refuse" and lone_surrogates != "replace":
            raise ValueError(f'lone_surrogates is "refuse" or "replace", not {lone_surrogates!r}')
        forced = forced_format(audio_format, name)
        wanted = _read_only(only, messages)
        if session is not None and not isinstance(session, Session):
            raise TypeError(f"session= takes a Session, not {type(session).__name__}")
        reader.samples = _sample_kind(_DTYPES[name])
        reader.is_forced = forced is not None
        reader.forced = FORMAT_DEFAULT
        if forced is not None:
            _value_of_format(forced, &reader.forced)
        if self.is_made:
            raise TypeError("Decoder.__init__ was called twice, or after a decode()")
        self.is_made = True
        if session is not None:
            self.session = session
        self.session.use_formats(messages)
        self.catalogue = messages
        self.dtype = name
        self.dtype_code = _DTYPES[name]
        self.only = wanted
        self.replaces_surrogates = lone_surrogates == "replace"
        self.reader = reader
        self.assumed = reader.forced
        self.assumed_object = DEFAULT_FORMAT if forced is None else forced
        self.conversion = format_conversion(<audio_encoding>reader.forced.encoding, <sample_kind>reader.samples)

    @property
    def audio_format(self):
        """The AudioFormat of output audio: the session's current one, or the one that was forced."""
        return self.session_formats()[1]

    @property
    def input_audio_format(self):
        """The current AudioFormat of the session's input audio."""
        return self.session_formats()[0]

    @property
    def evicted_bytes(self):
        """How many bytes of split samples were lost: their stream was evicted, another session began, the format of the stream
        changed before the other half came, or a message without `incomplete_sample` ended the stream."""
        return 0 if self.session is None else self.session.evicted_bytes

    def __repr__(self):
        only = "" if self.only is None else f", only={self.only.said!r}"
        side = "" if self.catalogue.side == "server" else f", side={self.catalogue.side!r}"
        if self.catalogue.pair is not None:
            side += f", catalogue={self.catalogue.pair!r}"
        return f"Decoder(dtype={self.dtype!r}, audio_format={self.audio_format!r}{only}{side})"

    @cython.binding(False)
    def decode(self, frame, out=None):
        """Decodes one frame into its message.

        Args:
            frame: bytes, str, bytearray or memoryview.
            out: A C-contiguous, writable array of the decoder's dtype for the samples. `pcm` is then a 1-D array over its
                filled part.

        Returns:
            The message; None if `only` leaves it out.

        Raises:
            DecodeError: The frame is bad.
            TypeError: The frame has another type, or `out` is given and dtype is "bytes".
            ValueError: `out` is too small, has another dtype, is not C-contiguous or is read-only.

        After an error the decoder is as it was before the call. After a DecodeError, or if `out` was too small, `out` may hold
        samples.
        """
        return self.decode_any(frame, out)

    # ---- a frame of any kind

    cdef inline void prefetch(self, frame) noexcept:
        """Asks for what the decode of a short frame reads, all at once. A server that has thousands of connections finds neither
        the frame nor the decoder in its caches, and would wait for one line of them after the other."""
        cdef int i
        portable_prefetch(<const char *><PyObject *>self + 64)
        for i in range(1, 5):
            portable_prefetch(<const char *><PyObject *>frame + 64 * i)
        for i in range(3):
            portable_prefetch(<const char *><PyObject *>self.session + 64 * i)

    cdef object decode_any(self, frame, out):
        self.prefetch(frame)
        if not FREE_THREADED and out is None and PyBytes_CheckExact(frame):
            return self.decode_frame(frame, <const uint8_t *>PyBytes_AS_STRING(frame), PyBytes_GET_SIZE(frame), None)
        return self.decode_other(frame, out)

    cdef object decode_other(self, frame, out):
        cdef const uint8_t *data
        cdef Py_ssize_t size
        if PyBytes_CheckExact(frame):
            pass
        elif isinstance(frame, str):
            try:
                data = _frame_data(frame, &size)
            except UnicodeEncodeError:
                if self.replaces_surrogates:
                    return self.decode_other(_without_surrogates(str.encode(frame, "utf-8", "surrogatepass"), True), out)
                raise _surrogate_refusal(frame, self.catalogue) from None
        elif isinstance(frame, (bytearray, memoryview)):
            try:
                frame = bytes(frame)
            except ValueError as error:
                raise TypeError(f"a frame is bytes, str, bytearray or memoryview: {error}") from None
        elif not isinstance(frame, bytes):
            raise TypeError(f"a frame is bytes, str, bytearray or memoryview, not {type(frame).__name__}")
        data = _frame_data(frame, &size)
        with cython.critical_section(self, self if self.session is None else self.session):
            if out is not None:
                _check_out(out, self.dtype_code)
            return self.decode_frame(frame, data, size, out)

    # ---- the walk

    cdef object decode_frame(self, frame, const uint8_t *data, Py_ssize_t size, out):
        cdef wire_frame f
        cdef wire_status status
        cdef WireType wire_type
        cdef bint wanted
        cdef object pcm = None
        cdef Py_ssize_t page = PAGE
        while page < size and page <= PAGES_AHEAD * PAGE:
            portable_prefetch(data + page)
            portable_prefetch(data + page + 64)
            page += PAGE
        self.is_made = True
        # If a stream has a carry, begin_payload leaves the payload for later.
        wire_frame_init(&f, data, <size_t>size, self.catalogue.table, False)
        f.likely = self.last_type
        status = _walk(&f)
        if status == WIRE_NEED_SINK:
            pcm = self.begin_payload(&f, out)
            status = _walk(&f)
            if f.payload != WIRE_PAYLOAD_DONE:
                # The guess was wrong: its memory goes before any other is taken.
                pcm = None
            elif _BIG_ENDIAN and self.dtype_code == DTYPE_BYTES and (<WireType>f.type.user_data).layout.is_audio:
                pcm = _little_endian(pcm)
        if status != WIRE_OK:
            if status == WIRE_SURROGATE and self.replaces_surrogates:
                return self.decode_other(_without_surrogates(frame, isinstance(frame, str)), out)
            raise _refusal(frame, &f, _reason(status), f.position, None)
        # Set here and not earlier: until the frame ends, f.type may be a guess, or a second "type" may replace it.
        self.last_type = f.type
        wire_type = <WireType>f.type.user_data
        wanted = self.only is None or self.only.wants(wire_type)
        if wire_type.plain:
            return _owned(<PyObject *>self.fill(frame, &f, wire_type)) if wanted else None
        if wire_type.layout.is_audio:
            return self.finish_audio(frame, &f, wire_type, wanted, pcm, out)
        return self.finish_other(frame, &f, wire_type, wanted, pcm)

    cdef object begin_payload(self, wire_frame *f, out):
        """An array or bytes for the payload, made before the whole message is known, as if the format were that of the delta
        before; with `out`, a part of it. None: the payload is decoded later, or not at all."""
        cdef WireType wire_type = <WireType>f.type.user_data
        cdef size_t samples
        f.sink.out = NULL
        f.sink.carry_count = 0
        # A carry goes before the next payload of its own stream, and only the ids, which may come last, tell the stream.
        if self.session is not None and self.session.state.streams.carries > 0:
            return None
        if self.only is not None and not self.only.wants(wire_type):
            return None
        if not wire_type.layout.is_audio:
            return _bytes_for(&f.sink, f.payload_bytes)
        if self.conversion < 0:
            return None
        f.sink.conversion = <wire_conversion>self.conversion
        if out is not None:
            # `out` is written to only if nothing can follow that makes it too small: the payload is the last member, the ids are
            # known, and `out` has room. Two kinds of frame still get past this: one with two payloads and a key between them
            # that changes the stream or the format, and one whose guessed end is wrong, so that members follow the payload.
            samples = f.payload_bytes // wire_sample_bytes(f.sink.conversion)
            if (f.payload_end + 2 != f.length or f.data[f.length - 1] != c'}'
                    or not self.continues_last_stream(f, wire_type.layout)
                    or <size_t>cnp.PyArray_SIZE(<cnp.ndarray>out) < samples):
                return None
        return _room_for(&f.sink, f.payload_bytes, self.dtype_code, out)

    cdef bint continues_last_stream(self, const wire_frame *f, Layout layout) noexcept:
        """Whether what the walk has read before the payload says that the delta is the next one of the stream that spoke last,
        and has the format of the delta before."""
        # Number 0 means that the class has no such field; bit 0 would be that of event_id.
        cdef uint32_t ids = (<uint32_t>1 << layout.in_session.ids.response_id | <uint32_t>1 << layout.in_session.ids.item_id
                             | <uint32_t>1 << layout.in_session.ids.content_index) & ~<uint32_t>1
        return (not ids & ~f.present and self.session is not None
                and session_continues_last_stream(&self.session.state, f, &layout.in_session, &self.reader,
                                                  &self.assumed) != NULL)

    # ---- audio

    cdef object finish_audio(self, frame, wire_frame *f, WireType wire_type, bint wanted, pcm, out):
        """An audio message. One that `only` leaves out gives None, and moves its stream on by the length of its payload, which is
        not decoded."""
        cdef Layout layout = wire_type.layout
        cdef message *m = NULL
        cdef audio_stream *stream
        cdef object result = None
        if wanted:
            m = self.fill(frame, f, wire_type)
            result = _owned(<PyObject *>m)
            if f.payload == WIRE_PAYLOAD_DONE and pcm is not None and self.session is not None:
                stream = session_continues_last_stream(&self.session.state, f, &layout.in_session, &self.reader, &self.assumed)
                # While a long frame was walked without the GIL, another thread may have made this decoder assume another format.
                if (stream != NULL and <int>f.sink.conversion == self.conversion
                        and not (self.assumed.unnamed and self.conversion != <int>WIRE_COPY
                                 and wire_container(f.data, &f.values[f.payload_field]) != WIRE_RAW)):
                    _put_audio(m, layout, pcm, self.assumed_object, stream.offset)
                    streams_advance(&self.session.state.streams, stream, <size_t>_count_samples(pcm, self.dtype_code), 0,
                                    &f.sink.next_carry[0], f.sink.next_carry_count)
                    return result
        return self.settle_audio(frame, f, layout, m, result, pcm, out)

    cdef object settle_audio(self, frame, wire_frame *f, Layout layout, message *m, result, pcm, out):
        """`m`: the message, which `result` owns; NULL if `only` leaves it out. `pcm`: what the walk has decoded, or None."""
        cdef Session session = self.session
        cdef c_session *state = NULL if session is None else &session.state
        cdef audio_step step
        cdef session_answer answer
        cdef size_t samples = 0
        cdef int decoded_by = <int>f.sink.conversion if f.payload == WIRE_PAYLOAD_DONE and pcm is not None else CONVERSION_NONE
        cdef int tries = 0
        cdef uint8_t lost = 0
        cdef object wav_format = None
        cdef object joined = None
        if f.payload >= WIRE_PAYLOAD_WRONG_KIND or layout.catalogue.url_safe:
            try:
                joined = _plain_payload(frame, f, layout)   # f reads from it
            except DecodeError:
                if m == NULL:
                    return None     # it is refused, and its stream stays
                raise
        if f.payload == WIRE_PAYLOAD_NONE:
            f.sink.carry_count = 0
            f.sink.conversion = WIRE_COPY
        while True:
            answer = session_prepare_audio(state, f, &layout.in_session, &self.reader, decoded_by, &step)
            if answer == SESSION_NO_MEMORY:
                raise MemoryError
            if answer > SESSION_DECODE:
                if m == NULL:
                    return None
                raise self.no_samples(frame, f, layout, answer, &step)
            if m != NULL and not format_same(step.format, &self.assumed):
                session_abandon_audio(state, &step)
                self.assume(step.format)
                continue
            if answer == SESSION_READY:
                break
            tries += 1
            f.sink.carry_count = step.carry_count
            memcpy(&f.sink.carry[0], &step.carry[0], step.carry_count)
            decoded_by = step.conversion
            wav_format = None
            lost = 0
            if step.conversion == CONVERSION_OF_HEADER:
                try:
                    pcm, wav_format = self.wav_samples(frame, f, layout, m != NULL, out, &samples, tries > MAX_TRIES)
                except DecodeError:
                    if m == NULL:
                        return None     # it is refused, and its stream stays
                    raise
                if session is not None:
                    # Each payload is a file of its own: no other continues its last sample.
                    lost = f.sink.next_carry_count
                    f.sink.next_carry_count = 0
            elif m == NULL:
                f.sink.conversion = <wire_conversion>step.conversion
                if _payload_measure(f.data, &f.values[f.payload_field], &f.sink, &samples, tries > MAX_TRIES) != WIRE_OK:
                    return None     # it is refused, and its stream stays
            else:
                f.sink.conversion = <wire_conversion>step.conversion
                pcm = self.samples_of(frame, f, layout, out, tries > MAX_TRIES)
        # From here to the commit nothing is refused and no Python code runs. An allocation may fail, which abandons the step.
        try:
            if f.payload == WIRE_PAYLOAD_NONE or f.values[f.payload_field].start == f.values[f.payload_field].end:
                # No payload, and a carry alone makes no sample: an empty array, and the carry waits on.
                f.sink.conversion = <wire_conversion>step.conversion if step.conversion >= 0 else WIRE_COPY
                f.sink.carry_count = f.sink.next_carry_count = step.carry_count
                memcpy(&f.sink.carry[0], &step.carry[0], step.carry_count)
                memcpy(&f.sink.next_carry[0], &step.carry[0], step.carry_count)
                if m != NULL and pcm is None:
                    pcm = _room_for(&f.sink, 0, self.dtype_code, out)
            if m != NULL:
                samples = <size_t>_count_samples(pcm, self.dtype_code)
                offset = None
                left = b""
                if session is not None:
                    offset = step.offset
                elif f.sink.next_carry_count:
                    left = PyBytes_FromStringAndSize(<const char *>&f.sink.next_carry[0], f.sink.next_carry_count)
                _put_audio(m, layout, pcm, self.assumed_object if wav_format is None else wav_format, offset)
                _replace(m, SLOT_INCOMPLETE_SAMPLE, left)
        except BaseException:
            session_abandon_audio(state, &step)
            raise
        session_commit_audio(state, f, &step, samples)
        if lost:
            state.streams.evicted_bytes += lost
        if session is not None and session.state.has_doubt:
            session.tell_doubt()
        return result

    cdef int assume(self, const c_format *found) except -1:
        """Takes this format for that of the next delta. May run Python code."""
        cdef c_format value = found[0]
        audio_object = _format_object(&value)
        self.assumed = value
        self.assumed_object = audio_object
        self.conversion = format_conversion(<audio_encoding>value.encoding, <sample_kind>self.reader.samples)
        return 0

    cdef object no_samples(self, frame, const wire_frame *f, Layout layout, session_answer answer,
                           const audio_step *step):
        """The DecodeError for a payload from which no conversion leads to samples."""
        cdef const wire_value *value = &f.values[f.payload_field]
        cdef size_t payload_bytes = 0
        cdef size_t position = 0
        cdef wire_status status
        if answer == SESSION_OGG:
            return _no_pcm(frame, f, layout, "ogg")
        if answer == SESSION_WAV:
            reason = 'a WAV file, though nobody has named a format; audio_format="wav" reads the header of each payload'
            return _refusal(frame, f, reason, value.start, layout.keys[f.payload_field])
        # Before other threads run, which may end the response that the format belongs to.
        cdef c_format copy = step.format[0]
        status = _payload_size(f.data, value, &payload_bytes, &position, False)
        if status != WIRE_OK:
            return _refusal(frame, f, _reason(status), position, layout.keys[f.payload_field])
        return _no_pcm(frame, f, layout, _format_object(&copy).encoding)

    cdef object samples_of(self, frame, wire_frame *f, Layout layout, out, bint keep_gil):
        """The samples of an audio message by the conversion and the carry that the sink has."""
        cdef wire_status status = WIRE_OK
        cdef size_t position = 0
        pcm = _decode_payload(f.data, &f.values[f.payload_field], self.dtype_code, &f.sink, out, &status, &position, keep_gil)
        if pcm is None:
            raise _refusal(frame, f, _reason(status), position, layout.keys[f.payload_field])
        return _little_endian(pcm) if _BIG_ENDIAN and self.dtype_code == DTYPE_BYTES else pcm

    cdef tuple wav_samples(self, frame, wire_frame *f, Layout layout, bint wanted, out, size_t *samples, bint keep_gil):
        """(samples, format) of a payload that is a WAV file, or (None, None) if they are not wanted. Raises DecodeError."""
        cdef const wire_value *value = &f.values[f.payload_field]
        cdef wire_wav wav
        cdef size_t payload_bytes = 0
        cdef size_t position = 0
        cdef wire_status status = _payload_size(f.data, value, &payload_bytes, &position, keep_gil)
        if status != WIRE_OK:
            raise _refusal(frame, f, _reason(status), position, layout.keys[f.payload_field])
        wrong = _wav_read(f.data, value, payload_bytes, &wav, keep_gil)
        if wrong is not None:
            raise _refusal(frame, f, wrong, value.start, layout.keys[f.payload_field])
        f.sink.conversion = wav.to_float32 if self.dtype_code == DTYPE_FLOAT32 else wav.to_int16
        f.sink.carry_count = 0
        samples[0] = wav.bytes // wire_sample_bytes(f.sink.conversion)
        f.sink.next_carry_count = <uint8_t>(wav.bytes % wire_sample_bytes(f.sink.conversion))
        if not wanted:
            return None, None
        audio_format = AudioFormat("wav", wav.rate, wav.channels)
        pcm = _room_for(&f.sink, wav.bytes, self.dtype_code, out)
        status = _wav_decode(f.data, value, &wav, &f.sink, &position, keep_gil)
        if status != WIRE_OK:
            raise _refusal(frame, f, _reason(status), position, layout.keys[f.payload_field])
        return _little_endian(pcm) if _BIG_ENDIAN and self.dtype_code == DTYPE_BYTES else pcm, audio_format

    # ---- any other message

    cdef object finish_other(self, frame, wire_frame *f, WireType wire_type, bint wanted, payload):
        """A message that ends a stream, changes the session, or has a payload that is no audio. `payload`: what the walk has
        decoded of it, or None."""
        cdef Layout layout = wire_type.layout
        cdef Session session = self.session
        cdef message *m = NULL
        cdef session_facts facts
        cdef session_step step
        cdef bint changes = session is not None and layout.in_session.role >= ROLE_AUDIO_END
        cdef bint has_facts = layout.in_session.role > ROLE_AUDIO_END
        result = None
        left = b""
        if wanted:
            m = self.fill(frame, f, wire_type)
            result = _owned(<PyObject *>m)
            if layout.bytes_payload:
                _put(m, layout.payload_place(), _payload_bytes(frame, f, layout, payload))
            if layout.ends_audio:
                _put(m, SLOT_INCOMPLETE_SAMPLE, left)
        if not changes:
            return result
        if has_facts:
            _read_facts(&facts, f, &layout.in_session)
        # From here to the commit nothing is refused and no Python code runs. An allocation may fail, which abandons the step.
        if not session_prepare(&session.state, f, &layout.in_session, &facts if has_facts else NULL, &step):
            raise MemoryError
        if step.left_count and m != NULL and layout.ends_audio:
            try:
                left = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>step.left_count)
            except BaseException:
                session_abandon(&session.state, &step)
                raise
            session_ended_carries(&session.state, &step, <uint8_t *>PyBytes_AS_STRING(left))
            _replace(m, SLOT_INCOMPLETE_SAMPLE, left)
        session_commit(&session.state, &step)
        if session.state.has_doubt:
            session.tell_doubt()
        return result

    # ---- formats

    cdef tuple session_formats(self):
        """(input, output) as they stand."""
        forced = self.assumed_object if self.reader.is_forced else None
        if self.session is None:
            return (DEFAULT_FORMAT, DEFAULT_FORMAT if forced is None else forced)
        formats = self.session.format_objects()
        return formats if forced is None else (formats[0], forced)

    # ---- the message

    cdef message *fill(self, frame, const wire_frame *f, WireType wire_type) except NULL:
        """A new message with its flat fields. It keeps the spans of its payload and of the values that are made at a first
        read."""
        global _filled
        cdef Layout layout = wire_type.layout
        cdef PyObject **ids = self.ids
        if FREE_THREADED:
            if self.session is None:
                ids = NULL      # there, decode() makes a decoder for each call
        else:
            if _filled - self.filled_at > AWAY:
                ids = NULL
            _filled += 1
            self.filled_at = _filled
        if f.containers & ~layout.expected_containers:
            _expect_containers(layout, f)
        cdef message *m = message_from_frame(
            <PyTypeObject *>layout.cls, <void *>layout, &layout.plan, f,
            _unknown_type(f) if layout.is_unknown else wire_type.name, frame, ids)
        if f.containers and self.session is not None:
            formats = self.session_formats()
            Py_INCREF(formats)
            m.formats = <PyObject *>formats
        return m


cdef object _unknown_type(const wire_frame *f):
    return _text(f.data, &f.type_value) if f.type_value.kind == WIRE_STRING else ""

cdef inline void _put_audio(message *m, Layout layout, pcm, audio_format, sample_offset) noexcept:
    _put(m, layout.payload_place(), pcm)
    _put(m, SLOT_AUDIO_FORMAT, audio_format)
    _put(m, SLOT_SAMPLE_OFFSET, sample_offset)
    _put(m, SLOT_INCOMPLETE_SAMPLE, b"")


# ---- Refusals --------------------------------------------------------------------------------------------------------------

cdef struct replace_work:
    uint8_t *data
    size_t size
    bint raw

cdef object _surrogate_refusal(frame, Catalogue catalogue):
    """The DecodeError for a str with a lone surrogate, which UTF-8 cannot hold. The walk finds the first fault in what the UTF-8
    would be: the surrogate, or a fault before it."""
    cdef bytes data = str.encode(frame, "utf-8", "surrogatepass")
    cdef wire_frame f
    wire_frame_init(&f, <const uint8_t *>PyBytes_AS_STRING(data), <size_t>len(data), catalogue.table, True)
    cdef wire_status status = _walk(&f)
    if status == WIRE_UTF8:
        status = WIRE_SURROGATE
    return _refusal(frame, &f, _reason(status), f.position, None)


cdef wire_status _do_replace_surrogates(void *arguments) noexcept nogil:
    cdef replace_work *work = <replace_work *>arguments
    wire_replace_surrogates(work.data, work.size, work.raw)
    return WIRE_OK

cdef object _without_surrogates(frame, bint as_str):
    """A copy of a frame in which each half of a surrogate pair is U+FFFD. frame: a str, or its UTF-8 with surrogates passed."""
    cdef Py_ssize_t size
    cdef const uint8_t *data = _frame_data(frame, &size)
    copy = PyBytes_FromStringAndSize(<const char *>data, size)
    cdef replace_work work = replace_work(<uint8_t *>PyBytes_AS_STRING(copy), <size_t>size, as_str)
    _run(<size_t>size, _do_replace_surrogates, &work)
    return copy.decode() if as_str else copy
