# What is known of one connection: the formats of its audio, and where each of its audio streams stands.

cdef extern from "streams.h":
    enum:
        STREAMS_MAX
    void stream_key_of_frame(stream_key *key, const wire_frame *frame, const stream_fields *fields)
    void stream_key_of_response(stream_key *key, const uint8_t *data, const wire_value *response_id)
    void streams_init(stream_table *table, void *(*allocate)(size_t) noexcept, void (*release)(void *) noexcept)
    void streams_clear(stream_table *table)
    audio_stream *streams_find(const stream_table *table, const stream_key *key)
    audio_stream *streams_same_as_last(const stream_table *table, const wire_frame *frame, const stream_fields *fields)
    audio_stream *streams_add(stream_table *table, const stream_key *key)
    void streams_advance(stream_table *table, audio_stream *stream, size_t samples, unsigned taken, uint8_t rest,
                         unsigned rest_count)
    void streams_done(stream_table *table, audio_stream *stream)
    void streams_close(stream_table *table, audio_stream *stream)
    audio_stream *streams_next_of_response(const stream_table *table, const stream_key *response, const audio_stream *after)

cdef enum:
    MAX_RESPONSE_FORMATS = 1024

cdef bytes _key_bytes(const stream_key *key):
    return PyBytes_FromStringAndSize(<const char *>key.bytes, key.length)


# ---- Formats, found by path in a frame that the walk has accepted ---------------------------------------------------------

# Where _members puts what it finds of a session or a response: one value for each of the keys below.
cdef enum:
    FOUND_AUDIO
    FOUND_FLAT_OUTPUT
    FOUND_FLAT_INPUT
    FOUND_RATE
    FOUND_INPUT_RATE
    FOUND_ID
    FOUND_OUTPUT            # of the member `audio`
    FOUND_INPUT
    FOUND_SHARED_FORMAT
    FOUND_OUTPUT_FORMAT     # of audio.output
    FOUND_INPUT_FORMAT      # of audio.input
    FOUND_COUNT

cdef wire_key[1] _SIDE_KEYS
_SIDE_KEYS[:] = [_key(b"format")]
cdef wire_key[3] _AUDIO_KEYS
_AUDIO_KEYS[:] = [_key(b"output", &_SIDE_KEYS[0], 1, FOUND_OUTPUT_FORMAT), _key(b"input", &_SIDE_KEYS[0], 1, FOUND_INPUT_FORMAT),
                  _key(b"format")]
cdef wire_key[6] _HOLDER_KEYS
_HOLDER_KEYS[:] = [_key(b"audio", &_AUDIO_KEYS[0], 3, FOUND_OUTPUT), _key(b"output_audio_format"), _key(b"input_audio_format"),
                   _key(b"sample_rate"), _key(b"input_audio_sampling_rate"), _key(b"id")]
cdef wire_key[4] _FORMAT_KEYS
_FORMAT_KEYS[:] = [_key(b"type"), _key(b"rate"), _key(b"sample_rate"), _key(b"channels")]

# How OpenAI names a session's format, and that format. (DEFAULT_FORMAT itself stands for a format that nobody has named.)
cdef wire_key _USUAL_TEXT = _key(b'{"type":"audio/pcm","rate":24000}')
cdef object _USUAL_FORMAT = named_format("audio/pcm", 24000)
assert _USUAL_FORMAT == DEFAULT_FORMAT and _USUAL_FORMAT is not DEFAULT_FORMAT
message_uncounted(_USUAL_FORMAT)

# JSON text -> the AudioFormat that it names, or None: sessions name the same few formats again and again.
cdef dict _known_formats = {}

cdef object _format_value(const uint8_t *data, const wire_value *value):
    """The AudioFormat that a session names by a string, or by an object with `type` and `rate`; None where it names none."""
    cdef bint quoted = value.kind == WIRE_STRING
    if not quoted and value.kind != WIRE_OBJECT:
        return None
    if (value.end - value.start == _USUAL_TEXT.length
            and memcmp(data + value.start, _USUAL_TEXT.bytes, _USUAL_TEXT.length) == 0):
        return _USUAL_FORMAT
    if value.end - value.start > 128:
        return _read_format(data, value)
    json = (<const char *>data)[value.start - quoted:value.end + quoted]
    try:
        return _known_formats[json]
    except KeyError:
        pass
    audio_format = _read_format(data, value)
    if len(_known_formats) >= 256:
        _known_formats.clear()
    _known_formats[json] = audio_format
    return audio_format

cdef object _read_format(const uint8_t *data, const wire_value *value):
    cdef wire_value[4] found
    if value.kind == WIRE_STRING:
        return named_format(_text(data, value))
    _members(data, value, _FORMAT_KEYS, 4, found)
    name = _text(data, &found[0]) if found[0].kind == WIRE_STRING else None
    rate = _flat(data, &found[1])
    return named_format(name, _flat(data, &found[2]) if rate is None else rate, _flat(data, &found[3]))

cdef int _read_formats(_Change change, const wire_frame *f, int holder, before, beside_rate, wire_value *id) except -1:
    """Reads the formats that the object in the field `holder` names, `session` or `response`: change.output_format and
    change.input_format, each None where it is not named. `before`: the input format so far, for a rate that comes without a name.
    `beside_rate`: the rate so far, for a name that comes without a rate. `id` becomes the place of the holder's id."""
    cdef wire_value[FOUND_COUNT] found
    cdef const uint8_t *data = f.data
    _members_of_field(f, holder, _HOLDER_KEYS, FOUND_OUTPUT, found)
    id[0] = found[FOUND_ID]
    # GA's audio.<side>.format, else GPT-Live's audio.format, else the flat name of the beta.
    shared = _format_value(data, &found[FOUND_SHARED_FORMAT])
    change.output_format = (_format_value(data, &found[FOUND_OUTPUT_FORMAT]) or shared
                            or _format_value(data, &found[FOUND_FLAT_OUTPUT]))
    change.input_format = (_format_value(data, &found[FOUND_INPUT_FORMAT]) or shared
                           or _format_value(data, &found[FOUND_FLAT_INPUT]))
    # DashScope and Voice Live send the rate of the input beside its name, as `sample_rate` or `input_audio_sampling_rate`.
    rate = _flat(data, &found[FOUND_RATE])
    if rate is None:
        rate = _flat(data, &found[FOUND_INPUT_RATE])
    change.beside_rate = rate if isinstance(rate, int) and not isinstance(rate, bool) and rate > 0 else None
    if rate is None and change.input_format is not None:
        rate = beside_rate
    if rate is not None:
        change.input_format = _with_rate(data, &found[FOUND_INPUT_FORMAT], change.input_format, rate, before)
    return 0

cdef object _with_rate(const uint8_t *data, const wire_value *value, found, rate, before):
    """The input format `found` with the `rate` sent beside it. `value`: the object that named `found`, if an object did.
    `before`: the input format so far, for a rate without a name (`found` is None)."""
    cdef wire_value own
    _members(data, value, &_FORMAT_KEYS[1], 1, &own)
    if own.kind == WIRE_INTEGER or (before if found is None else found).encoding != "pcm16":
        return found
    # A name such as "pcm16-8000hz" holds a rate, and that rate counts.
    if found is not None and found != DEFAULT_FORMAT:
        return found
    return format_with(before if found is None else found, None, rate, None)


# The keys under which an error names the message that it refuses: OpenAI's, then GPT-Live's.
cdef wire_key[2] _REFUSED_KEYS
_REFUSED_KEYS[:] = [_key(b"event_id"), _key(b"client_event_id")]

cdef object _short_text(const uint8_t *data, const wire_value *value):
    """A string of at most 512 bytes; None for anything else."""
    return _text(data, value) if value.kind == WIRE_STRING and value.end - value.start <= 512 else None

cdef object _refused_id(const wire_frame *f, Layout layout):  # seldom
    """The event_id of the client's message that an error is about; None where the error names none."""
    cdef wire_value[2] found
    _members_of_field(f, layout.holder, _REFUSED_KEYS, 2, found)
    named = _short_text(f.data, &found[0]) or _short_text(f.data, &found[1])
    if named is None and "client_event_id" in layout.names:
        named = _short_text(f.data, &f.values[layout.names.index("client_event_id")])
    return named


# ---- After a fork ----------------------------------------------------------------------------------------------------------

cdef extern from *:
    uint64_t PyThreadState_GetID(PyThreadState *state) noexcept
    PyThreadState *PyThreadState_Get() noexcept

cdef inline uint64_t _this_thread() noexcept:
    """A number that no other thread has, and none gets later. The ident of a thread is given to others when it has ended."""
    return PyThreadState_GetID(PyThreadState_Get())

# The number of forks between the process that imported the package and this one. A lock that was taken before the last fork may
# belong to a thread that this process does not have.
cdef unsigned long _forks = 0
# The thread that forked last, the only one that this process has of its parent's. What it had locked it still has.
cdef uint64_t _survivor = 0
# How many sessions are locked, under the GIL; after a fork maybe more than are.
cdef long _held = 0

def _forked():  # seldom
    global _forks, _survivor
    _forks += 1
    _survivor = _this_thread()
    blocks_forked()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


# ---- The session -----------------------------------------------------------------------------------------------------------

# The formats of most sessions: the views of all their messages refer to this one tuple.
cdef tuple _DEFAULT_FORMATS = (DEFAULT_FORMAT, DEFAULT_FORMAT)
message_uncounted(_DEFAULT_FORMATS)

cdef dict _with_format(dict formats, bytes response, audio_format, Py_ssize_t limit):
    """`formats`, or a new dict where it is None, with the format that a response names, and without the oldest beyond `limit`."""
    if formats is None:
        formats = {}
    while len(formats) >= limit and response not in formats:
        del formats[next(iter(formats))]
    formats[response] = audio_format
    return formats

@cython.final
@cython.no_gc
@cython.freelist(4)
cdef class _Change:
    pass

@cython.final
cdef class Session:
    """Session()\n--\n
    What is known of one connection: the formats of its audio, and where each of its audio streams stands.

    Every Decoder has one, and several decoders may share one (`Decoder(session=other.session)`). audio_format and
    input_audio_format: the formats of the output and the input as they stand. evicted_bytes: how many bytes of split samples were
    lost.

    May be used from several threads: a lock makes the calls of decode() wait for one another.
    """

    def __init__(self):
        pass    # without it, any argument would be taken in silence

    def __cinit__(self):
        streams_init(&self.streams, PyMem_RawMalloc, PyMem_RawFree)
        if FREE_THREADED:
            self.make_lock()
        self.output_format = self.input_format = DEFAULT_FORMAT
        self.formats = _DEFAULT_FORMATS
        self.response_formats = self.last_response_format = None
        self.beside_rate = self.before_update = self.update_id = None

    def __dealloc__(self):
        streams_clear(&self.streams)
        if self.lock_ != NULL:
            if not FREE_THREADED:
                PyThread_release_lock(self.lock_)
            PyThread_free_lock(self.lock_)

    @property
    def audio_format(self):
        """The AudioFormat of the output audio as it stands."""
        return self.output_format

    @property
    def input_audio_format(self):
        """The AudioFormat of the input audio as it stands."""
        return self.input_format

    @property
    def evicted_bytes(self):
        """How many bytes of split samples were lost: their stream was evicted, another session began, the format of the stream
        changed before the other half came, or a message without `incomplete_sample` ended the stream."""
        return self.streams.evicted_bytes

    def __repr__(self):  # seldom
        return (f"Session(audio_format={self.output_format!r}, input_audio_format={self.input_format!r}, "
                f"streams={self.streams.count})")

    # Threads: under the GIL, a call needs the lock only where another thread can run in the middle of it: while a long frame is
    # walked, and while the call runs Python code, which following a session does. There `held` is the lock, which the GIL guards.
    # The first thread that has to wait makes `lock_`, which is always taken; unlock() releases it once for a thread that waits,
    # and `held` stays set: so that thread has the lock from then on, and no other can come before it. Without the GIL, `lock_` is
    # the lock.

    cdef int make_lock(self) except -1:
        cdef PyThread_type_lock made = PyThread_allocate_lock()
        if made == NULL:
            raise MemoryError
        self.lock_ = made
        return 0

    cdef bint lock(self) except -1:
        """Takes the lock, and waits for another thread that has it. False where this thread has it already: then the caller must
        not unlock()."""
        global _held
        cdef uint64_t me = _this_thread()
        if self.owner == me:
            return False
        if FREE_THREADED:
            self.lock_free_threaded()
            self.held = True
        else:
            if self.forks != _forks:
                self.forget_threads()
            if not self.held or not self.wait():
                self.held = True
                _held += 1
        self.owner = me
        self.forks = _forks
        return True

    cdef int lock_free_threaded(self) except -1:
        if PyThread_acquire_lock(self.lock_, 0):
            return 0
        with cython.critical_section(self):
            if self.forks != _forks and self.held and self.owner != _survivor:
                # The thread that has the lock was not copied by the fork. The old lock is left alone, because a lock that is
                # taken cannot be freed.
                self.make_lock()
                PyThread_acquire_lock(self.lock_, 1)
                self.forks = _forks
                return 0
        with nogil:
            PyThread_acquire_lock(self.lock_, 1)
        return 0

    cdef void forget_threads(self) noexcept:
        """Under the GIL, after a fork. Of the threads of the parent only the survivor was copied: any other that had the lock had
        changed nothing of the session yet, because a call changes the session at its end. Nobody waits in the child. The lock
        that the others waited for is left alone, because a lock that is taken cannot be freed."""
        global _held
        self.lock_ = NULL
        self.waiting = 0
        if self.held and self.owner != _survivor:
            self.owner = 0
            self.held = False
            _held -= 1
        self.forks = _forks

    cdef bint wait(self) except -1:
        """Under the GIL, waits until another thread hands the lock over; False where nobody has the lock any more."""
        # A lock that was handed over is for the thread that waited, which needs the GIL first. This thread must not be quicker.
        while self.held and self.owner == 0:
            with nogil:
                PyThread_acquire_lock_timed(_never, PAUSE_US, 0)
        if not self.held:
            return False
        if self.lock_ == NULL:
            self.make_lock()
            PyThread_acquire_lock(self.lock_, 1)
        self.waiting += 1
        with nogil:
            PyThread_acquire_lock(self.lock_, 1)
        return True

    cdef void unlock(self) noexcept:
        global _held
        self.owner = 0
        if FREE_THREADED:
            self.held = False
            PyThread_release_lock(self.lock_)
        elif self.waiting:
            self.waiting -= 1
            PyThread_release_lock(self.lock_)
        else:
            self.held = False
            _held -= 1

    # ---- streams

    cdef inline audio_stream *same_as_last(self, const wire_frame *f, Layout layout) noexcept:
        """The stream of this delta, if that stream spoke last and its `format` still holds; else NULL.

        stream.format is the format of the stream's next delta, unless that delta names one itself. It holds as long as
        stream.generation is that of the table, and `forget_stream_formats` moves the generation of the table on.
        """
        cdef audio_stream *stream = streams_same_as_last(&self.streams, f, &layout.ids)
        if stream == NULL or stream.generation != self.streams.generation:
            return NULL
        return stream

    cdef void forget_stream_formats(self) noexcept:
        """Makes all streams forget their formats, because a format of the session or of a response may have changed."""
        self.streams.generation += 1

    cdef int advance(self, audio_stream *stream, const stream_key *key, audio_format, Py_ssize_t samples,
                     const wire_sink *sink) except -1:
        """Moves a stream on behind a delta. `stream`: NULL where the stream begins with this delta, under `key`. `audio_format`:
        the format of the stream's next delta, unless that delta names one.

        What can fail comes first: a MemoryError leaves the streams as they were.
        """
        if stream == NULL:
            stream = streams_add(&self.streams, key)
            if stream == NULL:
                raise MemoryError
        streams_advance(&self.streams, stream, <size_t>samples, sink.carry_count, sink.rest, sink.rest_count)
        stream.format = <const void *><PyObject *>audio_format
        stream.generation = self.streams.generation
        return 0

    # ---- formats

    cdef object format_of_stream(self, const wire_frame *f, Layout layout):
        """The format of a delta that names none itself: that of its response, else that of the session. A response keeps the
        format that it named: a session.updated changes only responses that named none. The session keeps the format alive until
        `forget_stream_formats` is called."""
        cdef stream_key key
        if layout.role == ROLE_INPUT_AUDIO:
            found = self.input_format
        else:
            # A fixture, which a client of GPT-Live has played, is pcm16 at 24,000 Hz whatever the session says.
            found = self.output_format if layout.side == SIDE_SERVER else DEFAULT_FORMAT
        if self.last_response_length or self.response_formats is not None:
            if layout.ids.response_id:
                stream_key_of_response(&key, f.data, &f.values[layout.ids.response_id])
                if self.is_last_response(&key):
                    return self.last_response_format
                if self.response_formats is not None:
                    return self.response_formats.get(_key_bytes(&key), found)
        return found

    cdef bint is_last_response(self, const stream_key *key) noexcept:
        return key.length == self.last_response_length and memcmp(key.bytes, self.last_response, key.length) == 0

    # ---- what a message changes

    cdef _Change read_change(self, const wire_frame *f, Layout layout):
        """What the message will change. The walk has accepted the frame, and nothing is changed yet."""
        cdef _Change change = _Change()
        cdef wire_value id
        change.role = layout.role
        change.proposed = layout.side == SIDE_CLIENT
        if layout.role == ROLE_AUDIO_END:
            stream_key_of_frame(&change.key, f, &layout.ids)
            return change
        if layout.role == ROLE_ERROR:
            change.update_id = _refused_id(f, layout)
            return change
        if layout.role == ROLE_SESSION_START or layout.role == ROLE_SESSION_UPDATE:
            if layout.role == ROLE_SESSION_START:
                _read_formats(change, f, layout.holder, DEFAULT_FORMAT, None, &id)
            else:
                _read_formats(change, f, layout.holder, self.input_format, self.beside_rate, &id)
            if change.proposed:
                change.update_id = _short_text(f.data, &f.values[0])
            return change
        _read_formats(change, f, layout.holder, DEFAULT_FORMAT, None, &id)
        change.response_format, change.output_format, change.input_format = change.output_format, None, None
        if id.kind != WIRE_STRING:
            # xAI leaves the object `response` empty, and sends `response_id` beside it.
            if layout.ids.response_id:
                id = f.values[layout.ids.response_id]
            else:
                id.kind = WIRE_ABSENT
        stream_key_of_response(&change.key, f.data, &id)
        if id.kind > WIRE_NULL and id.kind < WIRE_OBJECT:
            change.names_response = True
        return change

    cdef audio_stream *next_ended(self, _Change change, audio_stream *after) noexcept:
        """The first stream that the message ends (`after` is NULL), or the one behind `after`; NULL where there is none."""
        if change.role == ROLE_AUDIO_END:
            return streams_find(&self.streams, &change.key) if after == NULL else NULL
        if change.role == ROLE_RESPONSE_END:
            return streams_next_of_response(&self.streams, &change.key, after)
        return NULL

    cdef bytes leftovers(self, _Change change):
        """The bytes that the streams which the message ends still hold: half samples, one byte at most for each stream."""
        cdef uint8_t[STREAMS_MAX] left
        cdef Py_ssize_t count = 0
        cdef audio_stream *stream = self.next_ended(change, NULL)
        while stream != NULL:
            if stream.carry_count:
                left[count] = stream.carry
                count += 1
            stream = self.next_ended(change, stream)
        return PyBytes_FromStringAndSize(<const char *>left, count)

    cdef int apply(self, _Change change) except -1:
        """Changes the session as the message says. What can fail comes first: a MemoryError leaves the session as it was."""
        cdef audio_stream *stream
        if change.role == ROLE_ERROR:
            self.take_back(change)
            return 0
        output_format, input_format = self.output_format, self.input_format
        cdef bint start = change.role == ROLE_SESSION_START
        if start:
            output_format = input_format = DEFAULT_FORMAT
        # A client's session.update changes the format of what the client sends from then on. The format of what the server sends
        # changes when the server says so, in its next message about the session. Only as long as the server has sent no message
        # about the session or a response does the client's word count for both.
        if change.output_format is not None and not (change.proposed and self.server_spoke):
            output_format = change.output_format
        if change.input_format is not None:
            input_format = change.input_format
        formats = self.formats
        if input_format is not self.input_format or output_format is not self.output_format:
            formats = (input_format, output_format)
        cdef dict response_formats = None if start else self.response_formats
        cdef bint is_named = change.response_format is not None and change.names_response
        cdef bint is_last = is_named and change.key.length <= sizeof(self.last_response)
        if is_named:
            # At most MAX_RESPONSE_FORMATS are kept. Where one of them stands in last_response, the dict holds one fewer.
            if self.last_response_length and not self.is_last_response(&change.key):
                before = PyBytes_FromStringAndSize(<const char *>self.last_response, self.last_response_length)
                response_formats = _with_format(response_formats, before, self.last_response_format, MAX_RESPONSE_FORMATS - 1)
            elif is_last and response_formats is not None and len(response_formats) == MAX_RESPONSE_FORMATS:
                del response_formats[next(iter(response_formats))]
            if not is_last:
                response_formats = _with_format(response_formats, _key_bytes(&change.key), change.response_format,
                                                MAX_RESPONSE_FORMATS)
            self.forget_stream_formats()
        if start:
            streams_clear(&self.streams)
        if change.role != ROLE_AUDIO_END:
            self.forget_stream_formats()
        self.server_spoke |= not change.proposed and change.role >= ROLE_SESSION_START
        if change.role == ROLE_SESSION_START or change.role == ROLE_SESSION_UPDATE:
            if not change.proposed:
                self.before_update = None
            elif change.input_format is not None or change.output_format is not None:
                if self.before_update is None:
                    self.before_update = self.formats
                self.update_id = change.update_id
            if start or change.beside_rate is not None:
                self.beside_rate = change.beside_rate
        if is_last:
            memcpy(self.last_response, change.key.bytes, change.key.length)
            self.last_response_length = change.key.length
            self.last_response_format = change.response_format
        elif start or is_named:
            self.last_response_length = 0
            self.last_response_format = None
        self.response_formats = response_formats
        self.output_format = output_format
        self.input_format = input_format
        self.formats = formats
        if change.role == ROLE_AUDIO_END:
            stream = streams_find(&self.streams, &change.key)
            if stream != NULL:
                streams_done(&self.streams, stream)
            return 0
        while (stream := self.next_ended(change, NULL)) != NULL:
            streams_close(&self.streams, stream)
        return 0

    cdef int take_back(self, _Change change) except -1:
        """An error of the server: where that error refuses the client's last update, the formats are those from before it. An
        error without an id may be about any message, but a format that was wrongly taken back comes again with session.updated.
        """
        if self.before_update is None or change.proposed or change.update_id != self.update_id:
            return 0
        self.forget_stream_formats()
        self.formats = self.before_update
        self.input_format, self.output_format = self.formats
        self.before_update = None
        return 0
