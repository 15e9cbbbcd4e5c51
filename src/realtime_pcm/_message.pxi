# The slots of a message and the descriptors that read them.

cdef extern from "message.h":
    ctypedef struct PyMemberDef:
        pass
    ctypedef struct PyType_Spec:
        pass
    PyType_Spec message_spec
    object PyType_FromSpec(PyType_Spec *spec)
    message *message_new(PyTypeObject *type, void *layout, Py_ssize_t slot_count, Py_ssize_t span_count) except NULL
    void message_seal(PyTypeObject *type)
    void message_uncounted(object it)
    message_span *message_spans(message *self)
    Py_ssize_t message_span_count(message *self)
    object message_slot(PyTypeObject *type, PyMemberDef *definition, const char *name, Py_ssize_t place)

# Slots that every message has, then those of audio. Declared fields lie behind them.
cdef extern from "fill.h":
    enum:
        SLOT_TYPE
        SLOT_FRAME
        SLOT_EVENT_ID
    message *message_from_frame(PyTypeObject *type, void *layout, const message_plan *plan, const wire_frame *f,
                                object type_name, object frame, PyObject **ids) except NULL

cdef enum:
    SLOT_INCOMPLETE_SAMPLE = 3
    SLOT_AUDIO_FORMAT = 4
    SLOT_SAMPLE_OFFSET = 5

_RESERVED = frozenset((
    "type", "event_id", "frame", "extra", "pcm", "audio_format", "sample_offset", "incomplete_sample", "to_dict"))

@cython.final
cdef class _Definition:
    """Memory of a member descriptor: the class that has it keeps this."""
    cdef PyMemberDef member
    cdef bytes name

cdef object _slot_descriptor(object cls, str name, Py_ssize_t place, list kept):
    cdef _Definition definition = _Definition()
    definition.name = name.encode()
    kept.append(definition)
    return message_slot(<PyTypeObject *>cls, &definition.member, definition.name, place)

def _set_on_class(cls, str name, value):
    type.__setattr__(cls, name, value)


class Payload:
    """What `payload()` leaves in a class body until the class is made."""
    __slots__ = ("keys",)

    def __init__(self, keys):
        self.keys = keys


def payload(*keys):
    """Marks the field that holds the message's base64 payload, and the wire keys it may stand under.

    On an AudioMessage the field is `pcm`; on any other message it is `bytes` of any name.
    """
    if not keys or not all(isinstance(key, str) for key in keys):
        raise TypeError("payload() takes the wire keys of the payload")
    return Payload(keys)


@cython.final
cdef class LazyField:
    """Reads a field whose value is made when it is first asked for: an object or array is parsed then."""
    cdef readonly str __name__
    cdef Py_ssize_t place
    cdef size_t number
    cdef type owner
    cdef object view
    cdef bint many

    def __get__(self, instance, owner):
        if instance is None:
            return self
        if not isinstance(instance, self.owner):
            raise TypeError(f"{self.__name__} is a field of {self.owner.__name__}, not of {type(instance).__name__}")
        cdef message *m = <message *><PyObject *>instance
        with cython.critical_section(instance):
            return self.read(m)

    def __set__(self, instance, value):
        raise AttributeError(f"{type(instance).__name__} is read-only: {self.__name__}")

    cdef object read(self, message *m):
        if m.slots[self.place] == NULL:
            value = self.build(m)
            # Parsing may have run other code, which may have read this field.
            if m.slots[self.place] == NULL:
                Py_INCREF(value)
                m.slots[self.place] = <PyObject *>value
        return <object>m.slots[self.place]

    cdef object build(self, message *m):
        cdef message_span *span = _find_span(m, self.number)
        if span == NULL:
            return None
        frame = <object>m.slots[SLOT_FRAME]
        cdef Py_ssize_t size
        cdef const uint8_t *data = _frame_data(frame, &size)
        # A string's span begins behind its quote, a container's with its bracket.
        if data[span.start - 1] == b'"':
            return _span_text(data, span)
        cdef wire_value value = wire_value(
            span.start, span.end, WIRE_OBJECT if data[span.start] == b'{' else WIRE_ARRAY, False, False)
        return _nested_value(frame, &value, self.view, self.many, None if m.formats == NULL else <object>m.formats)


cdef message *_message_of(instance) except NULL:
    """For methods, which may be called on anything."""
    if not isinstance(instance, MessageObject):
        raise TypeError(f"a message is needed, not {type(instance).__name__}")
    return <message *><PyObject *>instance

cdef message_span *_find_span(message *m, size_t number) noexcept:
    cdef message_span *spans = message_spans(m)
    cdef Py_ssize_t i
    for i in range(message_span_count(m)):
        if spans[i].number == number:
            return &spans[i]
    return NULL


cdef object _span_text(const uint8_t *data, message_span *span):
    # What the walk knew of the string is not kept: measured again, it may be anything.
    cdef wire_value value = wire_value(span.start, span.end, WIRE_STRING, True, True)
    return _text(data, &value)


@cython.final
cdef class PayloadText:
    """Reads the payload as the base64 text it was sent as; made on demand, None where it was absent or null."""

    def __set__(self, instance, value):
        raise AttributeError(f"{type(instance).__name__} is read-only: delta")

    def __get__(self, instance, owner):
        if instance is None:
            return self
        cdef message *m = _message_of(instance)
        cdef Layout layout = <Layout>m.layout
        cdef message_span *span
        cdef Py_ssize_t size
        cdef uint32_t i
        for i in range(layout.wire.payload_count):
            span = _find_span(m, layout.wire.payload_first + i)
            if span != NULL:
                return _span_text(_frame_data(<object>m.slots[SLOT_FRAME], &size), span)
        return None


def _same_json(one, other):
    from .objects import same_json
    return same_json(one, other)


cdef str _short(value):
    if isinstance(value, str) and len(value) > 60:
        return f"{value[:56]!r}... {len(value)} characters"
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    return repr(value)


cdef object _clone(object original, bint deep):
    """The same message once more; where `deep`, with audio of its own and nothing parsed yet."""
    cdef message *source = _message_of(original)
    cdef Layout layout = <Layout>source.layout
    cdef Py_ssize_t span_count = message_span_count(source)
    cdef object cls = type(original)
    cdef message *m = message_new(<PyTypeObject *>cls, source.layout, source.slot_count, span_count)
    clone = <object><PyObject *>m
    Py_DECREF(clone)
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
        Py_INCREF(value)
        m.slots[i] = <PyObject *>value
    return clone

cdef bint _is_parsed(Layout layout, message *m, Py_ssize_t place) noexcept:
    cdef Py_ssize_t number = place - layout.plan.first_slot
    if place == SLOT_EVENT_ID:
        return _find_span(m, 0) != NULL
    return number > 0 and _find_span(m, number) != NULL and not layout.holds_payload(number)
