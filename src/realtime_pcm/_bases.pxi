# The base classes of all messages.

MessageObject = PyType_FromSpec(&message_spec)

class RealtimeServerMessage(MessageObject):
    """One message of a Realtime server: the base of all. Built by decoding a frame only; read-only.

    A class statement declares a message: annotated fields, and `wire=` the name or names its `type` has. Fields that
    are absent or null read None. Two messages are equal when they are of one class and hold equal values. TypeError where a
    wire name is taken or a field's name reserved.
    """

    __match_args__ = ()
    __hash__ = None

    def __init_subclass__(cls, wire=(), **kwargs):
        super().__init_subclass__(**kwargs)
        message_seal(<PyTypeObject *>cls)
        _declare(cls, (wire,) if isinstance(wire, str) else tuple(wire))

    @property
    def extra(self):
        """The undeclared fields: a fresh dict, parsed from the frame each time."""
        cdef Layout layout = <Layout>_message_of(self).layout
        found = self.to_dict()
        found.pop("type", None)
        for name in layout.wire_keys():
            found.pop(name, None)
        return found

    def to_dict(self):
        """All of the frame as fresh Python objects, as orjson reads it."""
        cdef Py_ssize_t size
        frame = self.frame
        _frame_data(frame, &size)
        return _load_span(frame, 0, size)

    def __repr__(self):
        cdef message *m = _message_of(self)
        cdef Layout layout = <Layout>m.layout
        parts = []
        if layout.cls is UnknownMessage:
            parts.append(f"type={self.type!r}")
        part = layout.describe(m, "event_id")
        if part is not None:
            parts.append(f"event_id={part}")
        for name in type(self).__match_args__:
            part = layout.describe(m, name)
            if part is not None:
                parts.append(f"{name}={part}")
        return f"{type(self).__name__}({', '.join(parts)})"

    def __eq__(self, other):
        if type(other) is not type(self):
            return NotImplemented
        if self is other:
            return True
        if isinstance(self, AudioMessage):
            if (self.audio_format, self.sample_offset) != (other.audio_format, other.sample_offset):
                return False
            if self.pcm.dtype != other.pcm.dtype or self.pcm.shape != other.pcm.shape or (self.pcm != other.pcm).any():
                return False
        if self.frame == other.frame:
            return True
        return _same_json(self.to_dict(), other.to_dict())

    def __reduce__(self):
        return _restore, (self.frame, *_state_of(self))

    def __copy__(self):
        return _clone(self, False)

    def __deepcopy__(self, memo):
        return _clone(self, True)


cdef list _instance_slots = []

cdef _make_slots(cls, dict places):
    for name, place in places.items():
        _set_on_class(cls, name, _slot_descriptor(cls, name, place, _instance_slots))

message_seal(<PyTypeObject *>RealtimeServerMessage)
_make_slots(RealtimeServerMessage, {"type": SLOT_TYPE, "frame": SLOT_FRAME, "event_id": SLOT_EVENT_ID})


class AudioMessage(RealtimeServerMessage):
    """A message that carries audio.

    pcm: the samples, a fresh 1-D array that is the caller's (dtype of the decoder, channels interleaved).
    audio_format: what the payload was. sample_offset: index of the first sample within its (response_id, item_id,
    content_index), in bytes for dtype="uint8"; None from decode(). incomplete_sample: the byte at the end that makes no
    whole sample and is in no later message either, or b"". delta: the payload's base64 text, made on demand.
    """

    delta = PayloadText()

_make_slots(AudioMessage, {
    "incomplete_sample": SLOT_INCOMPLETE_SAMPLE, "audio_format": SLOT_AUDIO_FORMAT, "sample_offset": SLOT_SAMPLE_OFFSET})


class AudioEnd(RealtimeServerMessage):
    """A message after which an audio stream is over.

    incomplete_sample: the byte of it that made no whole sample, or b"".
    """

_make_slots(AudioEnd, {"incomplete_sample": SLOT_INCOMPLETE_SAMPLE})


class UnknownMessage(RealtimeServerMessage):
    """A message of a type that no class declares. All of it is in `extra`."""
