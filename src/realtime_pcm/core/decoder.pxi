# Decoder: the road of a frame. docs/design.md has a drawing of it.
#
#   decode_any      under the GIL, a frame of short bytes goes straight to begin
#   decode_guarded  any other frame: makes bytes or str of it, and takes the session's lock where other threads may come between
#   begin           the walk: a payload that the walk meets is decoded at once, as if its format were that of the delta before
#   continue_delta  the next delta of the stream that spoke last, where that format was right
#   end_stream      the message that ends the stream that spoke last
#   complete        any other message, under the lock: builds the message, and changes the session when nothing can fail any more

cdef extern from "compiler.h":
    void portable_prefetch(const void *address) noexcept

cdef extern from "message.h":
    message *message_from_frame(PyTypeObject *type, void *layout, const message_plan *plan, const wire_frame *f,
                                object type_name, object frame, PyObject **ids) except NULL


# ---- Options ---------------------------------------------------------------------------------------------------------------

cdef Catalogue _catalogue_of(side):  # seldom
    if side == "server":
        return SERVER
    if side == "client":
        return CLIENT
    raise ValueError(f"side is 'server' or 'client', not {side!r}")

@cython.final
cdef class _Only:
    cdef bint wants(self, WireType wire_type) noexcept:
        if wire_type.layout.is_unknown:
            return self.unknown
        return (wire_type.number < PyBytes_GET_SIZE(self.numbers)
                and PyBytes_AS_STRING(self.numbers)[wire_type.number] != 0)

cdef _Only _wanted_types(only, Catalogue catalogue):  # seldom
    if only is None:
        return None
    cdef _Only made = _Only()
    cdef WireType wire_type
    said = (only,) if isinstance(only, (str, type)) else only
    try:
        said = tuple(said)
    except TypeError:
        raise TypeError(f"only= takes wire types and message classes, not {only!r}") from None
    numbers = bytearray(catalogue.count)
    names = []
    for entry in said:
        names.append(entry if isinstance(entry, str) else getattr(entry, "__name__", entry))
        if isinstance(entry, str):
            wire_type = catalogue.types.get(str.__str__(entry))
            if wire_type is None:
                near = did_you_mean(str.__str__(entry), list(catalogue.types))
                raise ValueError(f"only={entry!r}: no message class has this wire type{near} "
                                 f"({catalogue.unknown.layout.cls.__name__} stands for all types that no class has)")
            if wire_type.number < len(numbers):
                numbers[wire_type.number] = 1
        elif isinstance(entry, type) and issubclass(entry, RealtimeMessage):
            if entry not in (RealtimeMessage, CarriesAudio) and _base_of(entry)[0] is not catalogue:
                raise ValueError(f"only={entry.__name__}: no message of the {catalogue.side} is of this class")
            for wire_type in catalogue.types_of(entry):
                # A type that was declared since `numbers` was made is not built.
                if wire_type.number < len(numbers):
                    numbers[wire_type.number] = 1
            made.unknown |= issubclass(catalogue.unknown.layout.cls, entry)
        else:
            raise TypeError(f"only= takes wire types and message classes, not {entry!r}")
    made.numbers = bytes(numbers)
    made.said = tuple(names)
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

@cython.final
cdef class Decoder:
    """Decoder(*, dtype="int16", audio_format=None, only=None, side="server", session=None, lone_surrogates="refuse")\n--\n
    Decodes the frames of one connection and follows its session: the format of its audio, split samples, offsets.

    dtype: of the samples: "int16", "float32" (scaled by 1/32768 into [-1, 1)), or "uint8", the payload's bytes as sent. "bytes":
        `pcm` is no array but bytes, which hold the int16 samples, little-endian.
    audio_format: None follows what the session negotiates; an AudioFormat or the name of one ("g711_ulaw") forces that format.
    only: wire types and message classes to build. decode() gives None for any other message: its JSON is validated, its payload
        is not, and the session follows it all the same.
    side: who has sent the frames, "server" or "client".
    session: the Session of another decoder, of either side, to share; by default the decoder has its own.
    lone_surrogates: "refuse" refuses a frame that holds half a surrogate pair, as JSON does. "replace" decodes a copy of such a
        frame, in which each half is U+FFFD: some servers cut a text delta inside an emoji. `frame` is then that copy.
    Raises TypeError for an argument of a wrong type, ValueError for a dtype, a format, a side or a wire type that is not known,
        and for a class in `only` that no message of this side has.

    May be used from several threads: the calls of decode() wait for one another.
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

    def __dealloc__(self):
        cdef int i
        for i in range(RECURRING_KEYS + 1):
            Py_XDECREF(self.ids[i])

    def __init__(self, *, dtype="int16", audio_format=None, only=None, side="server", session=None,  # seldom
                 lone_surrogates="refuse"):
        name = _dtype_name(dtype)
        if lone_surrogates != "refuse" and lone_surrogates != "replace":
            raise ValueError(f'lone_surrogates is "refuse" or "replace", not {lone_surrogates!r}')
        forced = forced_format(audio_format, name)
        catalogue = _catalogue_of(side)
        wanted = _wanted_types(only, catalogue)
        if session is None:
            session = Session() if self.is_made else self.session
        elif not isinstance(session, Session):
            raise TypeError(f"session= takes a Session, not {type(session).__name__}")
        if self.session is not None and self.session.owner == _this_thread():
            raise RuntimeError("Decoder.__init__ was called from within decode() of the same decoder, which is decoding a frame")
        # Another thread may be decoding: this waits for it. All that can be refused was checked above.
        cdef Session locked = self.lock_session()
        self.session = session
        if self.catalogue is not catalogue:
            self.catalogue = catalogue
            self.last_type = NULL
        self.dtype = name
        self.dtype_code = _DTYPES[name]
        self.forced = forced
        self.only = wanted
        self.replaces_surrogates = lone_surrogates == "replace"
        self.last_format = None
        self.last_own = None
        self.is_made = True
        if locked is not None:
            locked.unlock()

    @property
    def audio_format(self):
        """The AudioFormat that output audio is decoded from: the session's as it stands, or the one that was forced."""
        return self.session_formats()[1]

    @property
    def input_audio_format(self):
        """The AudioFormat of the session's input audio as it stands."""
        return self.session_formats()[0]

    @property
    def evicted_bytes(self):
        """How many bytes of split samples were lost: their stream was evicted, another session began, the format of the stream
        changed before the other half came, or a message without `incomplete_sample` ended the stream."""
        return 0 if self.session is None else self.session.evicted_bytes

    def __repr__(self):  # seldom
        only = "" if self.only is None else f", only={self.only.said!r}"
        side = "" if self.catalogue is SERVER else f", side={self.catalogue.side!r}"
        return f"Decoder(dtype={self.dtype!r}, audio_format={self.audio_format!r}{only}{side})"

    @cython.binding(False)
    def decode(self, frame, out=None):
        """Decodes one frame (bytes, str, bytearray or memoryview) into its message; None for a message that `only` leaves out.

        out: an array of the decoder's dtype, C-contiguous and writeable, for the samples; `pcm` is then a 1-D array over the
        filled part of `out`.
        Raises DecodeError for a bad frame; TypeError for a frame of another type, and for any `out` where dtype is "bytes";
        ValueError for an `out` that is too small, of another dtype, not C-contiguous or read-only. After any of these the decoder
        is as it was before the call. After a DecodeError, or where `out` is too small, `out` may hold samples.
        """
        return self.decode_any(frame, out)

    # ---- the lock

    cdef Session lock_session(self):
        """Locks the session of this decoder and returns it: the caller unlocks it. None where the decoder has no session, or this
        thread has locked it already."""
        cdef Session session
        while True:
            session = self.session
            if session is None or not session.lock():
                return None
            # During the wait, __init__ may have given the decoder another session.
            if self.session is session:
                return session
            session.unlock()

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
        if (not FREE_THREADED and out is None and PyBytes_CheckExact(frame) and PyBytes_GET_SIZE(frame) < GIL_BOUND
                and (_held == 0 or self.session is None or not self.session.held)):
            return self.begin(frame, <const uint8_t *>PyBytes_AS_STRING(frame), PyBytes_GET_SIZE(frame), None)
        return self.decode_guarded(frame, out)

    cdef object decode_guarded(self, frame, out):
        cdef const uint8_t *data
        cdef Py_ssize_t size
        cdef Session locked
        if PyBytes_CheckExact(frame):
            pass
        elif isinstance(frame, str):
            try:
                data = _frame_data(frame, &size)
            except UnicodeEncodeError:
                if self.replaces_surrogates:
                    return self.decode_guarded(_without_surrogates(str.encode(frame, "utf-8", "surrogatepass"), True), out)
                raise _surrogate_refusal(frame, self.catalogue) from None
        elif isinstance(frame, (bytearray, memoryview)):
            try:
                frame = bytes(frame)
            except ValueError as error:
                raise TypeError(f"a frame is bytes, str, bytearray or memoryview: {error}") from None
        elif not isinstance(frame, bytes):
            raise TypeError(f"a frame is bytes, str, bytearray or memoryview, not {type(frame).__name__}")
        data = _frame_data(frame, &size)
        if size < GIL_BOUND and not FREE_THREADED and (self.session is None or not self.session.held):
            if out is not None:
                _check_out(out, self.dtype_code)
            return self.begin(frame, data, size, out)
        locked = self.lock_session()
        try:
            if out is not None:
                _check_out(out, self.dtype_code)
            return self.begin(frame, data, size, out)
        finally:
            if locked is not None:
                locked.unlock()

    # ---- begin

    cdef object begin(self, frame, const uint8_t *data, Py_ssize_t size, out):
        cdef wire_frame f
        cdef wire_status status
        cdef WireType wire_type
        cdef audio_stream *stream
        cdef bint wanted
        cdef object pcm = None
        cdef Py_ssize_t page = PAGE
        while page < size and page <= PAGES_AHEAD * PAGE:
            portable_prefetch(data + page)
            portable_prefetch(data + page + 64)
            page += PAGE
        # A payload is left for later where a stream holds a carry: begin_payload sees to that.
        wire_frame_init(&f, data, <size_t>size, self.catalogue.table, False)
        f.likely = self.last_type
        status = _walk(&f)
        if status == WIRE_NEED_SINK:
            pcm = self.begin_payload(&f, out)
            status = _walk(&f)
            if f.payload != WIRE_PAYLOAD_DONE:
                # The guess was wrong: its memory goes before any other is taken.
                pcm = None
            elif _BIG_ENDIAN and self.dtype_code == DTYPE_BYTES and (<WireType>f.type.owner).layout.is_audio:
                pcm = _little_endian(pcm)
        if status == WIRE_OK:
            # Set here and not earlier: until the frame ends, f.type may be a guess, or a second "type" may replace it.
            self.last_type = f.type
            wire_type = <WireType>f.type.owner
            wanted = self.only is None or self.only.wants(wire_type)
            # Most messages change nothing in the session, or are the next delta of the audio stream that spoke last, or its end.
            if wire_type.plain:
                return _owned(<PyObject *>self.fill(frame, &f, wire_type)) if wanted else None
            # Between the look for a stream and its change no Python code may run, because it might end the stream. To fill in an
            # object or array makes Python containers, and then the collector may run Python code.
            if f.payload == (WIRE_PAYLOAD_DONE if wanted else WIRE_PAYLOAD_SPAN) and not f.containers:
                stream = self.next_stream(&f, wire_type.layout)
                if stream != NULL and wanted:
                    return self.continue_delta(frame, &f, wire_type, stream, pcm)
                if stream != NULL and self.pass_over(&f, stream):
                    return None
            elif wire_type.ends_stream and wanted and self.session is not None and not f.containers:
                stream = streams_same_as_last(&self.session.streams, &f, &wire_type.layout.ids)
                if stream != NULL:
                    return self.end_stream(frame, &f, wire_type, stream)
        return self.complete_alone(frame, &f, status, pcm, out)

    cdef object begin_payload(self, wire_frame *f, out):
        """An array or bytes for the payload, made before the whole message is known, as if the format were that of the delta
        before; with `out`, a part of it. None: the payload is decoded later, or not at all."""
        cdef WireType wire_type = <WireType>f.type.owner
        cdef int conversion
        cdef size_t samples
        f.sink.out = NULL
        f.sink.carry_count = 0
        # A carry goes before the next payload of its own stream, and only the ids, which may come last, tell the stream.
        if self.session is not None and self.session.streams.carries > 0:
            return None
        if self.only is not None and not self.only.wants(wire_type):
            return None
        if not wire_type.layout.is_audio:
            return _bytes_for(&f.sink, f.payload_bytes)
        conversion = self.conversion_to(self.session_formats()[1] if self.last_format is None else self.last_format)
        if conversion < 0:
            return None
        f.sink.conversion = <wire_conversion>conversion
        if out is not None:
            # `out` is written to only where nothing can come that makes it too small: where the payload is the last member, the
            # ids are known, and `out` has room. Two kinds of frame still get past this: the payload stands twice, and a key
            # between the two changes the stream or the format; or the guessed end is wrong, and members stand behind the payload.
            samples = f.payload_bytes // wire_sample_bytes(f.sink.conversion)
            if (f.payload_end + 2 != f.length or f.data[f.length - 1] != c'}' or not self.is_next(f, wire_type.layout)
                    or <size_t>cnp.PyArray_SIZE(<cnp.ndarray>out) < samples):
                return None
        return _room_for(&f.sink, f.payload_bytes, self.dtype_code, out)

    # ---- the next delta
    #
    # Whether a delta goes on from the last one is asked in layers: streams_same_as_last compares the ids;
    # Session.same_as_last also asks whether the format of that stream still holds; last_stream, whether the delta names no format
    # and the last conversion was from that format; next_stream, whether it is audio and no Ogg. is_next asks last_stream in the
    # middle of the walk.

    cdef bint is_next(self, const wire_frame *f, Layout layout) noexcept:
        """Whether what the walk has read before the payload says that the delta is the next one of the stream that spoke last,
        and has the format of the delta before."""
        # Number 0 means that the class has no such field; bit 0 would be that of event_id.
        cdef uint32_t ids = (<uint32_t>1 << layout.ids.response_id | <uint32_t>1 << layout.ids.item_id
                             | <uint32_t>1 << layout.ids.content_index) & ~<uint32_t>1
        return not ids & ~f.present and self.last_stream(f, layout) != NULL

    cdef inline audio_stream *last_stream(self, const wire_frame *f, Layout layout) noexcept:
        """The stream that spoke last, if the ids of this delta name that stream and the format of the delta before holds; else
        NULL."""
        cdef audio_stream *stream
        if self.session is None or f.present & layout.format_fields:
            return NULL
        stream = self.session.same_as_last(f, layout)
        if stream == NULL or (self.forced is None and stream.format != <void *><PyObject *>self.last_format):
            return NULL
        return stream

    cdef inline audio_stream *next_stream(self, const wire_frame *f, Layout layout) noexcept:
        """The stream of a delta, if that stream spoke last and the format of the delta before holds; else, or if the payload
        looks like Ogg, NULL, and `complete` does the rest."""
        if not layout.is_audio or _is_ogg(f.data, &f.values[f.payload_field]):
            return NULL
        return self.last_stream(f, layout)

    cdef object continue_delta(self, frame, const wire_frame *f, WireType wire_type, audio_stream *stream, pcm):
        cdef message *m = self.fill(frame, f, wire_type)
        cdef object result = _owned(<PyObject *>m)
        _put_audio(m, wire_type.layout, pcm, self.last_format, stream.offset)
        # 0 bytes of a carry were taken: begin_payload decodes no payload while any stream has a carry.
        streams_advance(&self.session.streams, stream, <size_t>_count_samples(pcm, self.dtype_code), 0, f.sink.rest,
                        f.sink.rest_count)
        return result

    cdef object end_stream(self, frame, const wire_frame *f, WireType wire_type, audio_stream *stream):
        """The message that ends the stream that spoke last."""
        cdef message *m = self.fill(frame, f, wire_type)
        cdef object result = _owned(<PyObject *>m)
        _put(m, SLOT_INCOMPLETE_SAMPLE, PyBytes_FromStringAndSize(<const char *>&stream.carry, stream.carry_count))
        streams_done(&self.session.streams, stream)
        return result

    cdef bint pass_over(self, wire_frame *f, audio_stream *stream) except -1:
        """Moves a stream on behind a delta that `only` leaves out. False: `complete` has to do it, because the payload is no
        base64, or the stream is in the middle of a sample."""
        cdef Py_ssize_t samples
        # Where the format is forced, this decoder may have decoded nothing yet: another decoder of the session has.
        cdef int conversion = self.conversion_to(self.last_format if self.forced is None else self.forced)
        if stream.carry_count or conversion < 0:
            return False
        f.sink.conversion = <wire_conversion>conversion
        f.sink.carry_count = 0
        samples = _measure_payload(f, &f.values[f.payload_field])
        if samples < 0:
            return False
        streams_advance(&self.session.streams, stream, <size_t>samples, 0, f.sink.rest, f.sink.rest_count)
        return True

    # ---- any other message

    cdef object complete_alone(self, frame, wire_frame *f, wire_status status, pcm, out):
        """Calls complete() under the lock, because complete() may run Python code. Either decode_guarded() took the lock for this
        thread, or the lock was seen free there or in decode_any(), and the GIL was held ever since: then this does not wait."""
        cdef Session locked = self.lock_session()
        try:
            return self.complete(frame, f, status, pcm, out)
        finally:
            if locked is not None:
                locked.unlock()

    cdef object complete(self, frame, wire_frame *f, wire_status status, pcm, out):
        """Makes the message of what the walk has found, and changes the session as the message says. `pcm`: the array or bytes
        that begin_payload made, or None."""
        cdef WireType wire_type
        cdef Layout layout
        cdef _Change change = None
        cdef message *m
        if status == WIRE_SURROGATE and self.replaces_surrogates:
            return self.decode_guarded(_without_surrogates(frame, isinstance(frame, str)), out)
        if status != WIRE_OK:
            raise _refusal(frame, f, _reason(status), f.position, None)
        wire_type = <WireType>f.type.owner
        layout = wire_type.layout
        cdef bint wanted = self.only is None or self.only.wants(wire_type)
        if layout.is_audio:
            return self.complete_audio(frame, f, wire_type, pcm, out, wanted)
        if layout.role >= ROLE_AUDIO_END and self.session is not None:
            change = self.session.read_change(f, layout)
        result = None
        if wanted:
            m = self.fill(frame, f, wire_type)
            result = _owned(<PyObject *>m)
            if layout.bytes_payload:
                _put(m, layout.payload_place(), _payload_bytes(frame, f, layout, pcm))
            if layout.ends_audio:
                _put(m, SLOT_INCOMPLETE_SAMPLE, b"" if change is None else self.session.leftovers(change))
        # From here on nothing is refused, so the session may change.
        if change is not None:
            # Nobody is given the bytes of a stream that a message without `incomplete_sample` ends. (Those of a message that
            # `only` leaves out are not counted: the caller has said that it is not wanted.)
            if not layout.ends_audio:
                self.session.streams.evicted_bytes += <uint64_t>len(self.session.leftovers(change))
            self.session.apply(change)
        return result

    cdef object complete_audio(self, frame, wire_frame *f, WireType wire_type, pcm, out, bint wanted):
        """complete() of an audio message. One that `only` leaves out gives None, and moves its stream on by the length of its
        payload, which is not decoded; where that payload is refused, the stream stays."""
        cdef Layout layout = wire_type.layout
        cdef wire_value *value = &f.values[f.payload_field]
        cdef message *m = NULL
        cdef stream_key key
        cdef audio_stream *stream = NULL
        cdef Py_ssize_t samples
        cdef object result = None
        if wanted:
            m = self.fill(frame, f, wire_type)
            result = _owned(<PyObject *>m)
        # Python code may run in what follows, and may change the streams: so the stream is looked for afterwards.
        stream_format = DEFAULT_FORMAT if self.session is None else self.session.format_of_stream(f, layout)
        audio_format = self.forced if self.forced is not None else self.format_of_message(f, layout, stream_format)
        cdef int conversion = self.conversion_to(audio_format)
        fault = self.payload_fault(frame, f, layout, audio_format, conversion)
        if fault is not None:
            if wanted:
                raise fault
            return None
        if self.session is not None:
            stream_key_of_frame(&key, f, &layout.ids)
            stream = streams_find(&self.session.streams, &key)
        if not (f.payload == WIRE_PAYLOAD_DONE and pcm is not None and f.sink.conversion == <wire_conversion>conversion):
            f.sink.conversion = <wire_conversion>(WIRE_COPY if conversion < 0 else conversion)
            f.sink.carry_count = stream != NULL and stream.carry_count and _sample_bytes(conversion) == 2
            f.sink.carry = stream.carry if f.sink.carry_count else 0
            if not wanted:
                samples = _measure_payload(f, value)
            else:
                pcm = self.samples_of(frame, f, layout, out)
        if wanted:
            samples = _count_samples(pcm, self.dtype_code)
        elif samples < 0:
            return None
        if m != NULL:
            offset = None
            left = b""
            if self.session is not None:
                offset = 0 if stream == NULL else stream.offset
            elif f.sink.rest_count:
                left = bytes((f.sink.rest,))
            _put_audio(m, layout, pcm, audio_format, offset)
            _replace(m, SLOT_INCOMPLETE_SAMPLE, left)
        # From here on nothing is refused, so the stream may move on.
        if self.session is not None:
            self.session.advance(stream, &key, stream_format, samples, &f.sink)
        return result

    cdef object payload_fault(self, frame, const wire_frame *f, Layout layout, audio_format, int conversion):
        """The DecodeError for what is wrong with an audio payload before its base64 is decoded, or None."""
        cdef const wire_value *value = &f.values[f.payload_field]
        cdef size_t payload_bytes = 0
        cdef size_t position = 0
        cdef wire_status status
        if f.payload == WIRE_PAYLOAD_WRONG_KIND:
            return _refusal(frame, f, _reason(WIRE_PAYLOAD_KIND), value.start, layout.keys[f.payload_field])
        if f.payload == WIRE_PAYLOAD_NONE:
            return None
        if conversion != WIRE_COPY and audio_format is DEFAULT_FORMAT and _is_ogg(f.data, value):
            # Nobody has named a format (unmute names none), and 42 bits of an Ogg page are no accident.
            return _no_pcm(frame, f, layout, "ogg")
        if conversion >= 0:
            return None
        status = _payload_size(f.data, value, &payload_bytes, &position)
        if status != WIRE_OK:
            return _refusal(frame, f, _reason(status), position, layout.keys[f.payload_field])
        return _no_pcm(frame, f, layout, audio_format.encoding) if payload_bytes else None

    cdef object samples_of(self, frame, wire_frame *f, Layout layout, out):
        """The samples of an audio message whose payload the walk did not decode, or decoded by another conversion."""
        cdef wire_status status = WIRE_OK
        cdef size_t position = 0
        if f.payload == WIRE_PAYLOAD_NONE:
            f.sink.rest = f.sink.carry
            f.sink.rest_count = f.sink.carry_count
            # No payload, and a carry alone makes no sample: an empty array.
            return _room_for(&f.sink, 0, self.dtype_code, out)
        pcm = _decode_payload(f.data, &f.values[f.payload_field], self.dtype_code, &f.sink, out, &status, &position)
        if pcm is None:
            raise _refusal(frame, f, _reason(status), position, layout.keys[f.payload_field])
        return _little_endian(pcm) if _BIG_ENDIAN and self.dtype_code == DTYPE_BYTES else pcm

    # ---- formats

    cdef tuple session_formats(self):
        """(input, output) as they stand."""
        if self.session is None:
            return (DEFAULT_FORMAT, DEFAULT_FORMAT if self.forced is None else self.forced)
        return self.session.formats if self.forced is None else (self.session.input_format, self.forced)

    cdef object format_of_message(self, const wire_frame *f, Layout layout, stream_format):
        """The format of a message that may name a part of it itself; the other parts are those of `stream_format`."""
        if not f.present & layout.format_fields:
            return stream_format
        own = (_string_or_none(_sent(f, layout.format_name)), _sent(f, layout.format_rate), _sent(f, layout.format_channels))
        # Nearly always the message says the same as the one before.
        plain = _is_plain_format(own)
        before = self.last_own
        if plain and before is not None and stream_format is before[0] and own == before[1]:
            return before[2]
        found = format_with(stream_format, *own)
        if plain:
            self.last_own = (stream_format, own, found)
        return found

    cdef int conversion_to(self, audio_format) except -2:
        """The conversion from a format to the decoder's dtype, -1 where there is none. The format and the conversion become the
        guess for the next payload."""
        cdef int conversion = self.last_conversion
        if audio_format is not self.last_format:
            conversion = _conversion(self.dtype_code, audio_format)
            self.last_conversion = conversion
            self.last_format = audio_format
        return conversion

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
            _text(f.data, &f.type_value) if layout.is_unknown else wire_type.name, frame, ids)
        if f.containers and self.session is not None:
            formats = self.session_formats()
            Py_INCREF(formats)
            m.formats = <PyObject *>formats
        return m


cdef inline void _put_audio(message *m, Layout layout, pcm, audio_format, sample_offset) noexcept:
    _put(m, layout.payload_place(), pcm)
    _put(m, SLOT_AUDIO_FORMAT, audio_format)
    _put(m, SLOT_SAMPLE_OFFSET, sample_offset)
    _put(m, SLOT_INCOMPLETE_SAMPLE, b"")

cdef Py_ssize_t _measure_payload(wire_frame *f, const wire_value *value) except -2:
    """The number of samples of a payload that is not wanted, by its length; a byte left over goes into f.sink.rest. -1 where the
    payload is no base64, as far as was looked.

    Only where a byte is left over is base64 decoded to get that byte: the last group, or a whole payload that has escapes.
    """
    cdef size_t payload_bytes = 0
    cdef size_t position = 0
    cdef size_t width = wire_sample_bytes(f.sink.conversion)
    cdef size_t samples
    cdef wire_sink scratch
    cdef wire_value looked_at = value[0]
    cdef wire_status status
    if f.payload != WIRE_PAYLOAD_NONE and _payload_size(f.data, value, &payload_bytes, &position) != WIRE_OK:
        return -1
    samples = (payload_bytes + f.sink.carry_count) // width
    f.sink.rest = f.sink.carry
    f.sink.rest_count = <uint8_t>(payload_bytes + f.sink.carry_count - samples * width)
    if f.sink.rest_count == 0 or payload_bytes == 0:
        return <Py_ssize_t>samples
    if not value.escaped:
        looked_at.start = value.end - 4
    scratch.carry_count = 0
    decoded = _decode_payload(f.data, &looked_at, AS_BYTES, &scratch, None, &status, &position)
    if decoded is None:
        return -1
    f.sink.rest = <uint8_t>PyBytes_AS_STRING(decoded)[PyBytes_GET_SIZE(decoded) - 1]
    return <Py_ssize_t>samples

cdef inline object _sent(const wire_frame *f, int number):
    """The value of a flat field as it was sent; None where the field is absent, null, or not declared (number 0)."""
    return _flat(f.data, &f.values[number]) if number else None

cdef bint _is_plain_format(tuple own):
    """Whether a message named its format by a short name and whole numbers. Only then is the format remembered: a long name would
    be kept as long as the decoder, and values of other types may be equal and mean something else (true and 1)."""
    name, rate, channels = own
    return ((name is None or len(<str>name) <= 64) and (rate is None or type(rate) is int)
            and (channels is None or type(channels) is int))

cdef object _string_or_none(value):
    return value if isinstance(value, str) else None

cdef object _payload_bytes(frame, wire_frame *f, Layout layout, decoded):
    """The payload of a message that is no audio, as bytes; None where the payload was absent or null. `decoded`: the bytes that
    begin_payload made, or None."""
    cdef wire_status status = WIRE_OK
    cdef size_t position = f.values[f.payload_field].start
    if f.payload == WIRE_PAYLOAD_NONE:
        return None
    if f.payload == WIRE_PAYLOAD_DONE:
        return decoded
    if f.payload == WIRE_PAYLOAD_WRONG_KIND:
        status = WIRE_PAYLOAD_KIND
    else:
        f.sink.carry_count = 0
        decoded = _decode_payload(f.data, &f.values[f.payload_field], AS_BYTES, &f.sink, None, &status, &position)
    if status != WIRE_OK:
        raise _refusal(frame, f, _reason(status), position, layout.keys[f.payload_field])
    return decoded


# ---- Refusals --------------------------------------------------------------------------------------------------------------

cdef object _no_pcm(frame, const wire_frame *f, Layout layout, str encoding):  # seldom
    return _refusal(
        frame, f, f'audio format {encoding!r} is neither PCM nor G.711; dtype="uint8" gives its bytes',
        f.values[f.payload_field].start, layout.keys[f.payload_field])

cdef struct replace_work:
    uint8_t *data
    size_t size
    bint raw

cdef object _surrogate_refusal(frame, Catalogue catalogue):  # seldom
    """The DecodeError for a str with a lone surrogate, which UTF-8 cannot hold. The walk finds the first fault in what the UTF-8
    would be: the surrogate, or a fault that stands before it."""
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

cdef object _without_surrogates(frame, bint as_str):  # seldom
    """A copy of a frame in which each half of a surrogate pair is U+FFFD. frame: a str, or its UTF-8 with surrogates passed."""
    cdef Py_ssize_t size
    cdef const uint8_t *data = _frame_data(frame, &size)
    copy = PyBytes_FromStringAndSize(<const char *>data, size)
    cdef replace_work work = replace_work(<uint8_t *>PyBytes_AS_STRING(copy), <size_t>size, as_str)
    _run(<size_t>size, _do_replace_surrogates, &work)
    return copy.decode() if as_str else copy


# ---- An iterable of frames -------------------------------------------------------------------------------------------------

cdef enum:
    PASSED_OVER = 64        # to pass over a frame costs as much as to walk its bytes and so many more

cdef class DecodedFrames:
    """The messages of an iterable of frames; a message that `only` leaves out is passed over.

    decoder: the Decoder. An exception from decoding a frame leaves __next__, and the next call goes on with the next frame.
    """
    cdef object frames
    cdef readonly object _source    # what the frames come from, for repr
    cdef readonly Decoder decoder
    cdef Py_ssize_t passed          # bytes passed over since the handlers of signals last had their turn
    cdef double breathed            # when other threads last had their turn

    def __init__(self, frames, Decoder decoder not None, source=""):
        self.frames = iter(frames)
        self._source = source
        self.decoder = decoder

    def __iter__(self):
        return self

    def __next__(self):
        cdef Decoder decoder = self.decoder
        if decoder is None:
            raise TypeError(f"__init__ of this {type(self).__name__} was not called")
        while True:
            frame = next(self.frames)
            message = decoder.decode_any(frame, None)
            if message is not None:
                return message
            self.passed += PASSED_OVER + (PyBytes_GET_SIZE(frame) if PyBytes_CheckExact(frame) else len(frame))
            if self.passed >= GIL_BOUND:
                self.passed = 0
                _breathe(&self.breathed)


# ---- Without a session -----------------------------------------------------------------------------------------------------

cdef Decoder _without_session(dtype, audio_format, side):
    cdef Decoder decoder = Decoder(dtype=dtype, audio_format=audio_format, side=side)
    decoder.session = None
    return decoder

message_uncounted(DEFAULT_FORMAT)

cdef Decoder _plain = _without_session("int16", None, "server")
cdef Decoder _plain_client = _without_session("int16", None, "client")

cdef inline object _decode_plain(frame, Catalogue catalogue):
    if FREE_THREADED:
        return _without_session("int16", None, catalogue.side).decode_any(frame, None)
    return (_plain if catalogue is SERVER else _plain_client).decode_any(frame, None)

def decode(frame, *, dtype="int16", audio_format=None, side="server"):
    """Decodes one frame (bytes, str, bytearray or memoryview) into its message, without a session.

    dtype: of the samples: "int16", "float32" (scaled by 1/32768 into [-1, 1)), or "uint8", the payload's bytes as sent. "bytes":
        `pcm` is no array but bytes, which hold the int16 samples, little-endian.
    audio_format: an AudioFormat or the name of one, which then counts; without it the format that the message itself names, else
        pcm16 at 24,000 Hz, mono.
    side: who has sent the frame, "server" or "client".
    Raises DecodeError for a bad frame, TypeError for a frame of another type or an option of a wrong type, ValueError for a
        dtype, a format or a side that is not known.
    """
    if dtype == "int16" and audio_format is None:
        return _decode_plain(frame, _catalogue_of(side))
    return _without_session(dtype, audio_format, side).decode_any(frame, None)
