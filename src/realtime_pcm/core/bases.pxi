# The base classes of all messages: what every message can do.

# The function that __reduce__ calls. pickling.pxi sets it, because loading a pickle takes a decoder.
cdef object _reduce = None

# False while this file makes the base classes. Once it is True, each class statement declares a message.
cdef bint _bases_are_made = False

class RealtimeMessage(MessageObject):
    """One message of a Realtime conversation, of either side: decoded from a frame, or written by keyword. Read-only.

    Call a message class to write a message: `SessionUpdate(session={"instructions": "Be brief."})`. The keywords are the
    declared fields and `event_id`; a field that is not given is left out, and None is written as null. `extra`: a dict of fields
    that the class does not declare. `type`: another of the wire names of the class. A class with audio takes `pcm`, a 1-D array
    of int16 or float32 or the payload's bytes, and `audio_format`, which is the one that the other fields name, else pcm16 at
    24,000 Hz.
    The message is what decoding its frame gives.

    Attributes:
        type: The wire's string.
        event_id: Str or None.
        frame: What was decoded, bytes or str, or the str to send.
        canonical_type: The first of the wire names of its class, the same for all names; None for a type that no class
            declares.

    Raises:
        TypeError: For a field that is not declared, and for a value that JSON cannot hold.
        ValueError: For a number that is not finite, for half a surrogate pair, and for an unknown `type`.
    """

    __match_args__ = ()
    __hash__ = None
    canonical_type = None

    def __init_subclass__(cls, role=None, catalogue=None, reads=None, **kwargs):
        if not isinstance(cls, type) or not PyType_IsSubtype(cls, MessageObject):
            raise TypeError(f"{cls!r:.80} is no message class")
        if "wire" in kwargs:
            raise TypeError(f"{cls.__name__}: wire= is gone. Write the wire names into the class: "
                            '`type: Literal["a.name", "another.name"] = "a.name"`')
        super().__init_subclass__(**kwargs)
        message_seal(<PyTypeObject *>cls)
        if _bases_are_made:
            _declare(cls, role, catalogue, reads)

    @property
    def extra(self):
        """The undeclared fields: a fresh dict, parsed from the frame each time."""
        cdef Layout layout = <Layout>_message_of(self).layout
        found = self.to_dict()
        if layout.catalogue.inside is None and isinstance(found.get(layout.catalogue.tag), str):
            del found[layout.catalogue.tag]
        for place in layout.places:
            if isinstance(place, str):
                found.pop(place, None)
        if layout.wire.nodes != NULL:
            layout.remove_paths(found)
        return found

    @property
    def frame_text(self):
        """The frame as str: the text to send, or to pass on."""
        frame = _frame_of(_message_of(self))
        return frame if isinstance(frame, str) else (<bytes>frame).decode()

    def to_dict(self):
        """All of the frame as fresh Python objects, as orjson reads it."""
        cdef message *m = _message_of(self)
        cdef Py_ssize_t size
        frame = _frame_of(m)
        _frame_data(frame, &size)
        return _load_span(frame, 0, size)

    def __repr__(self):
        cdef message *m = _message_of(self)
        cdef Layout layout = <Layout>m.layout
        parts = []
        if layout.is_unknown:
            parts.append(f"type={reprs.brief(self.type)}")
        for name in ("event_id", *layout.fields):
            part = layout.describe(m, name)
            if part is not None:
                parts.append(f"{name}={part}")
        return f"{layout.cls.__name__}({', '.join(parts)})"

    def __eq__(self, other):
        if type(other) is not type(self):
            return NotImplemented
        if self is other:
            return True
        cdef message *one = _message_of(self)
        cdef message *two = _message_of(other)
        if (<Layout>one.layout).is_audio:
            if (self.audio_format, self.sample_offset) != (other.audio_format, other.sample_offset):
                return False
            if not _same_samples(self.pcm, other.pcm):
                return False
        frame, other_frame = self.frame, other.frame
        if type(frame) is type(other_frame) and frame == other_frame:
            return True
        return json_values.same(self.to_dict(), other.to_dict())

    def __reduce__(self):
        return _reduce(self)

    def __copy__(self):
        return _clone(self, False)

    def __deepcopy__(self, memo):
        return _clone(self, True)


cdef bint _same_samples(pcm, other) except -1:
    if type(pcm) is bytes or type(other) is bytes:
        return type(pcm) is type(other) and pcm == other
    return pcm.dtype == other.dtype and pcm.shape == other.shape and not (pcm != other).any()

cdef object _clone(object original, bint deep):
    """A copy of a message. `deep`: with a copy of the audio, and without the values that were parsed: reads make them anew."""
    cdef message *source = _message_of(original)
    cdef Layout layout = <Layout>source.layout
    cdef Py_ssize_t span_count = message_span_count(source)
    cdef object cls = type(original)
    cdef message *m = message_new(<PyTypeObject *>cls, source.layout, source.slot_count, span_count)
    clone = _owned(<PyObject *>m)
    memcpy(message_spans(m), message_spans(source), span_count * sizeof(message_span))
    if source.formats != NULL:
        Py_INCREF(<object>source.formats)
        m.formats = source.formats
    cdef Py_ssize_t i
    for i in range(source.slot_count):
        if source.slots[i] == NULL or (deep and _is_parsed(layout, source, i)):
            continue
        value = <object>source.slots[i]
        if deep and isinstance(value, cnp.ndarray):
            value = value.copy()
        _put(m, i, value)
    return clone

cdef bint _is_parsed(Layout layout, message *m, Py_ssize_t place) noexcept:
    """Whether the slot holds a value that its first read made of a span."""
    cdef Py_ssize_t number = 0 if place == SLOT_EVENT_ID else place - layout.plan.slot_before_fields
    cdef message_span *span
    if number < 0 or (number == 0 and place != SLOT_EVENT_ID):
        return False
    span = _find_span(m, <uint32_t>number)
    return span != NULL and not span.payload


# ---- Both sides ----------------------------------------------------------------------------------------------------------

cdef list _base_definitions = []

cdef _finish_base(cls, dict places):
    """Freezes a base class of messages. `places`: the attributes that it adds, and their slots."""
    for name, place in places.items():
        _set_on_class(cls, name, _slot_descriptor(cls, name, place, _base_definitions))
    message_freeze(<PyTypeObject *>cls)

cdef _finish_side(Catalogue catalogue, base, audio, audio_end, unknown):
    """Registers the base classes of one side of a conversation, and its class for wire types that no class declares."""
    cdef Layout layout
    _bases[base] = (catalogue, KIND_PLAIN)
    _bases[audio] = (catalogue, KIND_AUDIO)
    _bases[audio_end] = (catalogue, KIND_AUDIO_END)
    _finish_base(base, {})
    _finish_base(audio, {})
    _finish_base(audio_end, {"incomplete_sample": SLOT_INCOMPLETE_SAMPLE})
    layout = _declare(unknown, None)
    layout.is_unknown = True
    catalogue.set_unknown(layout)

def _pcm_format(self):
    """The AudioFormat of the samples. encoding: "pcm16" for int16 and bytes, "float32" for float32, the payload's for uint8.
    rate and channels: those of the payload."""
    cdef message *m = _message_of(self)
    cdef Layout layout = <Layout>m.layout
    if not layout.is_audio:
        raise TypeError(f"pcm_format is a property of audio messages, not of {layout.cls.__name__}")
    sent = <object>message_slot_at(m, SLOT_AUDIO_FORMAT)[0]
    pcm = <object>message_slot_at(m, layout.payload_place())[0]
    dtype = "int16" if type(pcm) is bytes else pcm.dtype
    if dtype == "uint8" or (dtype == "int16" and sent.encoding == "pcm16"):
        return sent
    return AudioFormat("pcm16" if dtype == "int16" else "float32", sent.rate, sent.channels)

message_seal(<PyTypeObject *>RealtimeMessage)
# Each declared class reads event_id by a slot descriptor of its own, as long as no object or array comes there.
_set_on_class(RealtimeMessage, "event_id", _lazy("event_id", 0, RealtimeMessage))
_finish_base(RealtimeMessage, {"type": SLOT_TYPE, "frame": SLOT_FRAME})


class CarriesAudio(RealtimeMessage):
    """A message that carries audio, of either side: the base of AudioMessage and ClientAudioMessage. No class derives from it.

    Attributes:
        pcm: The samples: a new 1-D array, or the filled part of `out`; its dtype is the decoder's, its channels are
            interleaved. With dtype="bytes": bytes.
        audio_format: The AudioFormat of the payload as it was sent.
        pcm_format: The AudioFormat of the array.
        sample_offset: The index of the first sample in its stream, counted in bytes for dtype="uint8"; None from
            decode().
        incomplete_sample: From decode(), the byte at the end that makes no whole sample, else b""; a Decoder puts that
            byte in front of the next message's samples instead.
    """

    pcm_format = property(_pcm_format, doc=_pcm_format.__doc__)


_finish_base(CarriesAudio, {
    "incomplete_sample": SLOT_INCOMPLETE_SAMPLE, "audio_format": SLOT_AUDIO_FORMAT, "sample_offset": SLOT_SAMPLE_OFFSET})


# ---- What servers send -----------------------------------------------------------------------------------------------------

SERVER = Catalogue("server")

class RealtimeServerMessage(RealtimeMessage):
    """One message of a Realtime server: the base of all. Read-only.

    A class statement below this class declares a message: `type: Literal["weather.report"] = "weather.report"` is its name on the
    wire, or all of its names, and the other annotations are the fields, `degrees: float | None = None`. A field that is absent or
    null reads None. role: what the message means, a key of realtime_pcm.roles.ROLES, which says what each role does and which
    fields it needs; without it that of the base, which is "audio" below AudioMessage and "audio_end" below AudioEnd.
    If one message may have several meanings, role is a mapping from fields to their roles. If a field says whose the audio is,
    its values have roles: `role={"pcm": "input_audio", "track": {"outbound": "audio"}}`.

    Two messages are equal when they are of one class and hold equal values.

    Raises:
        TypeError: If a wire name is taken, the name of a field is reserved, or the role is unknown.
    """


class AudioMessage(RealtimeServerMessage, CarriesAudio):
    """A message of a server that carries audio: see CarriesAudio.

    Attributes:
        sample_offset: Index of the first sample in the stream of this (response_id, item_id, content_index).
        delta: The base64 text of the payload, a new str at each read.
    """

    delta = PayloadText("delta")


class AudioEnd(RealtimeServerMessage):
    """A message that ends an audio stream, or all audio streams of a response.

    Attributes:
        incomplete_sample: The bytes that made no whole sample, at most one for each stream that ends; b"" if there are
            none.
    """


class UnknownMessage(RealtimeServerMessage):
    """A message whose type no class declares. Everything in it is in `extra`."""


_finish_side(SERVER, RealtimeServerMessage, AudioMessage, AudioEnd, UnknownMessage)


# ---- What clients send ---------------------------------------------------------------------------------------------------------

CLIENT = Catalogue("client")

class RealtimeClientMessage(RealtimeMessage):
    """One message of a Realtime client: the base of all. Read-only.

    A class statement below this class declares a message, as below RealtimeServerMessage. The two sides may use the same wire
    name for different messages. After a message of role="session_update", the client's own audio has the new input format at
    once; the server's audio has the new output format when the server confirms it.
    """


class ClientAudioMessage(RealtimeClientMessage, CarriesAudio):
    """A message of a client that carries audio: see CarriesAudio.

    sample_offset: the index of the first sample since the speech began. audio: the base64 text of the payload, a new str at each
    read.
    """

    audio = PayloadText("audio")


class ClientAudioEnd(RealtimeClientMessage):
    """A message of a client that ends the user's speech.

    Attributes:
        incomplete_sample: The byte of the speech that made no whole sample, or b"".
    """


class UnknownClientMessage(RealtimeClientMessage):
    """A message of a type that no class of the client's side declares. All of it is in `extra`."""


def new_catalogue(pair, str side, str tag, bint keys, str inside, bint url_safe, tuple formats):
    """One side of a sockets.Catalogue. formats: the AudioFormats (input, output) until somebody names them, or None."""
    cdef socket_formats *unnamed
    cdef Catalogue made = Catalogue(side, tag, keys, inside, url_safe, pair)
    if formats is not None:
        # Never freed: sessions may outlive the catalogue.
        unnamed = <socket_formats *>PyMem_Calloc(1, sizeof(socket_formats))
        if unnamed == NULL:
            raise MemoryError
        _value_of_format(formats[0], &unnamed.input)
        _value_of_format(formats[1], &unnamed.output)
        unnamed.input.unnamed = unnamed.output.unnamed = True
        made.formats = formats
        made.unnamed = unnamed
    made.set_unknown((SERVER if side == "server" else CLIENT).unknown.layout)
    return made

cdef Catalogue _catalogue_of(side, pair=None):
    """`pair`: the option catalogue=, a sockets.Catalogue or a module that has one as CATALOGUE; None: the Realtime API's."""
    if side != "server" and side != "client":
        raise ValueError(f"side is 'server' or 'client', not {side!r}")
    if pair is None:
        return SERVER if side == "server" else CLIENT
    found = getattr(getattr(pair, "CATALOGUE", pair), side, None)
    if not isinstance(found, Catalogue):
        raise TypeError(f"catalogue= takes a realtime_pcm.sockets.Catalogue, or the module of one, not {pair!r:.80}")
    return found

def wire_class(side, str name, catalogue=None):
    """The message class of a side that has this wire name, or None. catalogue: as in Decoder."""
    cdef WireType entry = _catalogue_of(side, catalogue).types.get(name)
    return None if entry is None else entry.layout.cls

def class_of(side, str name):
    """wire_class, or ValueError with the nearest name."""
    found = wire_class(side, name)
    if found is None:
        near = did_you_mean(name, list((CLIENT if side == "client" else SERVER).types))
        raise ValueError(f"no message class has the wire type {name!r}{near}")
    return found

_finish_side(CLIENT, RealtimeClientMessage, ClientAudioMessage, ClientAudioEnd, UnknownClientMessage)
_bases_are_made = True
