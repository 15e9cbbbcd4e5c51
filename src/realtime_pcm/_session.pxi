# What a decoder knows of its session: the formats of its audio, and where each audio stream stands.

cdef enum:
    MAX_STREAMS = 1024
    MAX_RESPONSE_FORMATS = 1024

@cython.final
cdef class Stream:
    pass


# ---- Formats, found by path in a frame that is known to be valid --------------------------------------------

cdef wire_key _key(const char *name):
    return wire_key(name, strlen(name))

cdef wire_key[6] _HOLDER_KEYS       # of a session or a response
_HOLDER_KEYS[:] = [_key(b"audio"), _key(b"output_audio_format"), _key(b"input_audio_format"), _key(b"sample_rate"),
                   _key(b"input_audio_sampling_rate"), _key(b"id")]
cdef wire_key[3] _AUDIO_KEYS
_AUDIO_KEYS[:] = [_key(b"output"), _key(b"input"), _key(b"format")]
cdef wire_key[4] _FORMAT_KEYS
_FORMAT_KEYS[:] = [_key(b"type"), _key(b"rate"), _key(b"sample_rate"), _key(b"channels")]

# Formats by the JSON that names them: sessions name the same few again and again.
cdef dict _known_formats = {}

cdef void _members(const uint8_t *data, const wire_value *parent, const wire_key *keys, size_t count,
                   wire_value *found) noexcept:
    if parent.kind != WIRE_OBJECT or parent.end - parent.start < GIL_BOUND:
        TIER.members(data, parent, keys, count, found)
    else:
        with nogil:
            TIER.members(data, parent, keys, count, found)

cdef object _format_value(const uint8_t *data, const wire_value *value):
    """A format as a session names it: a name, or an object of type and rate; None where it says nothing."""
    cdef bint quoted = value.kind == WIRE_STRING
    if not quoted and value.kind != WIRE_OBJECT:
        return None
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

@cython.final
cdef class _Named:
    """What a session or a response says of its formats, and its id."""
    cdef object output_format, input_format, id

cdef _Named _read_named(const uint8_t *data, const wire_value *holder, before):
    """`before`: the input's format as it stands, for a rate that comes without a name."""
    cdef wire_value[6] found
    cdef wire_value[3] audio
    cdef wire_value side
    cdef _Named named = _Named()
    _members(data, holder, _HOLDER_KEYS, 6, found)
    _members(data, &found[0], _AUDIO_KEYS, 3, audio)
    if found[5].kind == WIRE_STRING:
        named.id = _text(data, &found[5])
    # GA's audio.<side>.format, else GPT-Live's audio.format, else beta's flat name.
    _members(data, &audio[0], &_AUDIO_KEYS[2], 1, &side)
    shared = _format_value(data, &audio[2])
    named.output_format = _format_value(data, &side) or shared or _format_value(data, &found[1])
    _members(data, &audio[1], &_AUDIO_KEYS[2], 1, &side)
    named.input_format = _format_value(data, &side) or shared or _format_value(data, &found[2])
    # A name without a rate has the one that DashScope and Voice Live send beside it.
    rate = _flat(data, &found[3])
    if rate is None:
        rate = _flat(data, &found[4])
    if rate is not None:
        named.input_format = _with_rate(data, &side, named.input_format, rate, before)
    return named

cdef object _with_rate(const uint8_t *data, const wire_value *value, found, rate, before):
    cdef wire_value own
    _members(data, value, &_FORMAT_KEYS[1], 1, &own)
    if own.kind == WIRE_INTEGER or (before if found is None else found).encoding != "pcm16":
        return found
    # A name that holds a rate has no other.
    if found is not None and found != DEFAULT_FORMAT:
        return found
    return own_format(before if found is None else found, None, rate, None)


cdef int _conversion(int dtype_code, object audio_format) except -2:
    """The conversion from a format to a dtype, -1 where there is none."""
    cdef int code = audio_format._code
    if dtype_code == DTYPE_UINT8:
        return WIRE_COPY
    if code < 0:
        return -1
    if dtype_code == DTYPE_INT16:
        return (<int>WIRE_PCM16_TO_INT16 if code == 0 else <int>WIRE_ULAW_TO_INT16 if code == 1
                else <int>WIRE_ALAW_TO_INT16)
    return (<int>WIRE_PCM16_TO_FLOAT32 if code == 0 else <int>WIRE_ULAW_TO_FLOAT32 if code == 1
            else <int>WIRE_ALAW_TO_FLOAT32)


# What stands for the content_index of the user's speech: it has no ids, and neither has GPT-Live's output beside it.
cdef object _INPUT = object()

# How an Ogg page begins ("OggS", version 0), in base64: up to the bits that say which page it is.
cdef const char *_OGG = b"T2dnUwA"

cdef inline bint _is_ogg(const uint8_t *data, const wire_value *value) noexcept:
    return value.end - value.start > 8 and memcmp(data + value.start, _OGG, 7) == 0


# ---- Streams -----------------------------------------------------------------------------------------------

cdef inline object _bounded(id):
    """An id as a decoder keeps it: the providers' are some 30 characters long, but a frame may hold megabytes of one."""
    if isinstance(id, str) and len(<str>id) > LONGEST_ID:
        return len(<str>id), hash(id)
    return id

cdef Stream _find_stream(Decoder self, response_id, item_id, content_index):
    """The open stream of this key, or None. The one that spoke last is found without a table."""
    cdef Stream last = self.last_stream
    if (last is not None and last.response_id is response_id and last.item_id is item_id
            and last.content_index is content_index):
        return last
    return self.streams.get((_bounded(response_id), _bounded(item_id), _bounded(content_index)))

cdef Stream _open_stream(response_id, item_id, content_index):
    cdef Stream stream = Stream()
    stream.response_id = _bounded(response_id)
    stream.item_id = _bounded(item_id)
    stream.content_index = _bounded(content_index)
    stream.key = (stream.response_id, stream.item_id, stream.content_index)
    return stream

cdef int _add_stream(Decoder self, Stream stream) except -1:
    """All that can fail comes first: a MemoryError leaves the streams as they were."""
    cdef Stream oldest = None     # the one that has not spoken for longest
    if len(self.streams) >= MAX_STREAMS:
        oldest = next(iter(self.streams.values()))
    self.streams[stream.key] = stream
    if oldest is not None:
        self.evicted_bytes += oldest.carry_count
        _close_stream(self, oldest)
    return 0

cdef int _close_stream(Decoder self, Stream stream) except -1:
    """Forgets a stream and what it held. Allocates nothing."""
    self.streams.pop(stream.key, None)
    if self.last_stream is stream:
        self.last_stream = None
    self.carries -= stream.carry_count
    stream.carry_count = 0
    return 0

cdef list _streams_of_response(Decoder self, response_id):
    cdef Stream stream
    response_id = _bounded(response_id)
    return [stream for stream in self.streams.values()
            if stream.response_id == response_id and stream.content_index is not _INPUT]


# ---- What a message does to all that --------------------------------------------------------------------------

@cython.final
cdef class _Change:
    """What a session or response message will change once the whole of it is accepted."""
    cdef object output_format, input_format, response_id, response_format
    cdef list ended
    cdef bint start

cdef _Change _read_change(Decoder self, const wire_frame *f, Layout layout, int role):
    cdef _Change change = _Change()
    cdef const uint8_t *data = f.data
    cdef wire_value holder
    cdef _Named named
    change.ended = []
    if role == ROLE_SESSION_START or role == ROLE_SESSION_UPDATE:
        change.start = role == ROLE_SESSION_START
        holder = f.values[layout.session]
        named = _read_named(data, &holder, DEFAULT_FORMAT if change.start else self.input_format)
        change.output_format = named.output_format
        change.input_format = named.input_format
    elif role == ROLE_RESPONSE_START or role == ROLE_RESPONSE_END:
        holder = f.values[layout.response]
        named = _read_named(data, &holder, DEFAULT_FORMAT)
        change.response_id = named.id
        change.response_format = named.output_format
        if change.response_id is None and layout.response_id:
            # xAI leaves `response` empty and names the response beside it.
            change.response_id = _flat(data, &f.values[layout.response_id])
        if role == ROLE_RESPONSE_END:
            change.ended = _streams_of_response(self, change.response_id)
    else:
        stream = _find_stream(
            self, _flat(data, &f.values[layout.response_id]), _flat(data, &f.values[layout.item_id]),
            _flat(data, &f.values[layout.content_index]))
        if stream is not None:
            change.ended = [stream]
    return change

cdef bytes _leftovers(_Change change):
    cdef Stream stream
    left = b""
    for stream in change.ended:
        if stream.carry_count:
            left += bytes((stream.carry,))
    return left

cdef int _apply_change(Decoder self, _Change change) except -1:
    """All that can fail comes first: a MemoryError leaves the session as it was."""
    output_format = self.output_format
    input_format = self.input_format
    if change.start:
        output_format = DEFAULT_FORMAT if self.forced is None else self.forced
        input_format = DEFAULT_FORMAT
    if self.forced is None and change.output_format is not None:
        output_format = change.output_format
    if change.input_format is not None:
        input_format = change.input_format
    formats = (input_format, output_format)
    if change.start:
        _forget_session(self)
    elif change.response_format is not None and change.response_id is not None and self.forced is None:
        oldest = next(iter(self.response_formats), None)
        self.response_formats[_bounded(change.response_id)] = change.response_format
        if len(self.response_formats) > MAX_RESPONSE_FORMATS:
            del self.response_formats[oldest]
    self.steady = False
    self.output_format = output_format
    self.input_format = input_format
    self.formats = formats
    for stream in change.ended:
        _close_stream(self, stream)
    return 0

cdef int _forget_session(Decoder self) except -1:
    output_format = DEFAULT_FORMAT if self.forced is None else self.forced
    formats = (DEFAULT_FORMAT, output_format)
    response_formats = {}
    streams = OrderedDict()
    self.evicted_bytes += self.carries
    self.streams = streams
    self.response_formats = response_formats
    self.output_format = output_format
    self.input_format = DEFAULT_FORMAT
    self.formats = formats
    self.last_stream = None
    self.steady = False
    self.carries = 0
