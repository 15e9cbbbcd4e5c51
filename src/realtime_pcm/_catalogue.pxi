# class -> layout, wire name -> class.

cdef enum:
    ROLE_NONE
    ROLE_INPUT_AUDIO
    # From here on: what changes what the decoder knows.
    ROLE_SESSION_START
    ROLE_SESSION_UPDATE
    ROLE_RESPONSE_START
    ROLE_RESPONSE_END
    ROLE_AUDIO_END

# What a wire type does to the session's state (PROTOCOL: formats are named by these, streams ended by these).
cdef dict _ROLES = {
    "session.input_audio.append": ROLE_INPUT_AUDIO,
    "session.created": ROLE_SESSION_START,
    "session.started": ROLE_SESSION_START,
    "session.updated": ROLE_SESSION_UPDATE,
    "session.resumed": ROLE_SESSION_UPDATE,
    "transcription_session.created": ROLE_SESSION_START,
    "transcription_session.updated": ROLE_SESSION_UPDATE,
    "response.created": ROLE_RESPONSE_START,
    "response.done": ROLE_RESPONSE_END,
    "response.output_audio.done": ROLE_AUDIO_END,
    "response.audio.done": ROLE_AUDIO_END,
}

# Ids that come again from message to message: a decoder remembers the last of each.
cdef tuple _RECURRING = ("response_id", "item_id", "call_id", "previous_item_id")

# Strings that nobody reads: padding against traffic analysis, 25 ns a message if it were made.
cdef frozenset _READ_LATER = frozenset(("obfuscation",))


@cython.final
cdef class Layout:
    def wire_keys(self):
        """The declared keys, event_id among them."""
        cdef uint32_t i
        return [self.key(i) for i in range(self.wire.field_count)]

    cdef str key(self, uint32_t number):
        return self.keys_of_fields[number]

    cdef bint holds_payload(self, size_t number) noexcept:
        return self.wire.payload_first <= number < self.wire.payload_first + self.wire.payload_count

    cdef str describe(self, message *m, str name):
        """A field for repr, or None where it is absent; what was not parsed stays so."""
        cdef int number = self.names.index(name)
        cdef message_span *span = _find_span(m, number)
        if span != NULL and not self.holds_payload(number):
            return f"<{span.end - span.start} bytes of JSON>"
        value = <object>m.slots[self.plan.first_slot + number if number else SLOT_EVENT_ID]
        if value is None:
            return None
        if isinstance(value, cnp.ndarray):
            return _describe_pcm(value, <object>m.slots[SLOT_AUDIO_FORMAT])
        return _short(value)


cdef str _describe_pcm(pcm, audio_format):
    text = f"{pcm.dtype.name}[{pcm.size}]"
    per_second = audio_format.rate * audio_format.channels
    if pcm.dtype == "uint8" and audio_format.encoding == "pcm16":
        per_second *= 2
    if audio_format.encoding in ("pcm16", "g711_ulaw", "g711_alaw"):
        text += f" {1000 * pcm.size / per_second:.0f} ms"
    return text


@cython.final
cdef class WireName:
    pass


@cython.final
cdef class Catalogue:
    def __dealloc__(self):
        PyMem_Free(<void *>self.wire.slots)


cdef Catalogue _catalogue = None        # None: classes were declared since it was made
cdef dict _wire_names = {}              # str -> WireName; never changed: a new class makes a new one
cdef WireName _unknown = None
cdef list _catalogues = []              # all tables and dicts there were: a decode under way may still read an older one
# Held for a comparison and an assignment only: nothing is allocated, called or collected under it.
cdef PyThread_type_lock _registering = PyThread_allocate_lock()

cdef WireName _wire_name(str name, Layout layout):
    cdef WireName entry = WireName()
    entry.name = sys.intern(name)
    entry.encoded = name.encode("utf-8", "surrogatepass")
    entry.layout = layout
    entry.role = _ROLES.get(name, ROLE_NONE)
    entry.plain = (entry.role == ROLE_NONE and not layout.is_audio and not layout.ends_audio
                   and not layout.bytes_payload)
    entry.wire.name = entry.encoded
    entry.wire.length = len(entry.encoded)
    entry.wire.layout = &layout.wire
    entry.wire.owner = <void *>entry
    entry.wire.literal = bool(entry.encoded) and all(0x20 <= byte < 0x7F and byte not in b'"\\' for byte in entry.encoded)
    return entry

cdef Catalogue _current_catalogue():
    """All that is declared. Made whole and never changed or freed: a decode under way goes on with the one before."""
    global _catalogue
    cdef Catalogue made = _catalogue
    cdef WireName entry
    cdef size_t size
    cdef bint current = made is not None
    while not current:
        made = Catalogue()
        made.wire_names = _wire_names
        made.unknown = _unknown
        made.wire.unknown = made.unknown.wire
        size = 64
        while size < 2 * len(made.wire_names):
            size *= 2
        made.wire.slots = <const wire_type **>PyMem_Calloc(size, sizeof(wire_type *))
        if made.wire.slots == NULL:
            raise MemoryError
        made.wire.mask = size - 1
        for entry in made.wire_names.values():
            wire_catalogue_add(&made.wire, &entry.wire)
        _catalogues.append(made)
        message_uncounted(made)
        # A class that was declared meanwhile, by another thread or the collector, is not in it.
        PyThread_acquire_lock(_registering, 1)
        current = made.wire_names is _wire_names
        if current:
            _catalogue = made
        PyThread_release_lock(_registering)
    return made


def _declare(cls, tuple wire):
    """Makes a layout of a class statement's annotations, and the class the one of its wire names."""
    global _catalogue, _unknown, _wire_names
    cdef Layout layout = _make_layout(cls)
    cdef dict entries = {}
    cdef dict before = None, after
    cdef bint current = False
    if wire and layout.is_audio and not layout.wire.payload_count:
        raise TypeError(f"{cls.__name__}: an AudioMessage has a `pcm: Samples = payload(...)`")
    for name in wire:
        if not isinstance(name, str) or not 0 < len(name.encode("utf-8", "surrogatepass")) <= WIRE_MAX_TYPE:
            raise TypeError(f"{cls.__name__}: a wire name is a str of 1 to {WIRE_MAX_TYPE} bytes")
        if name in entries:
            raise TypeError(f"{cls.__name__}: {name!r} stands there twice")
        entries[name] = _wire_name(name, layout)
    if _unknown is None and cls.__name__ == "UnknownMessage":
        _unknown = _wire_name("", layout)
    while not current:
        before = _wire_names
        for name in entries:
            taken = before.get(name)
            if taken is not None:
                raise TypeError(f"{cls.__name__}: {name!r} is {taken.layout.cls.__name__}'s")
        after = {**before, **entries}
        _catalogues.append(after)
        PyThread_acquire_lock(_registering, 1)
        current = before is _wire_names
        if current:
            _wire_names = after
            _catalogue = None
        PyThread_release_lock(_registering)
    if entries:
        message_uncounted(cls)
        message_uncounted(layout)
        for entry in entries.values():
            message_uncounted(entry)


cdef Layout _make_layout(cls):
    from .objects import annotations_of, view_in

    cdef Layout layout = Layout()
    cdef int number
    cdef bytes encoded
    # Fields lie where one class says; a second base would say otherwise, or bring a dict.
    if len(cls.__bases__) != 1:
        raise TypeError(f"{cls.__name__}: a message class has one base")
    layout.cls = cls
    memset(layout.plan.id_place, -1, sizeof(layout.plan.id_place))
    wire_layout_init(&layout.wire)
    fields = dict(getattr(cls, "_inherited_fields", {}))
    own = annotations_of(cls)
    for name, annotation in own.items():
        default = cls.__dict__.get(name)
        if isinstance(default, Payload):
            fields[name] = (annotation, default.keys)
        elif name in cls.__dict__ or str(annotation).startswith(("ClassVar", "typing.ClassVar")):
            continue
        else:
            fields[name] = (annotation, None)
    bases = [base.__name__ for base in cls.__mro__ if base.__module__ == __name__]
    layout.is_audio = is_audio = "AudioMessage" in bases
    layout.ends_audio = ends_audio = "AudioEnd" in bases
    layout.plan.first_slot = SLOT_SAMPLE_OFFSET if is_audio else SLOT_INCOMPLETE_SAMPLE if ends_audio else SLOT_EVENT_ID

    names = ["event_id"]
    keys = ["event_id"]
    kept = []
    wire_layout_add(&layout.wire, b"event_id", 8)
    for name, (annotation, payload_keys) in fields.items():
        if name in _RESERVED and not (name == "pcm" and payload_keys and is_audio):
            raise TypeError(f"{cls.__name__}.{name}: the name is reserved")
        if payload_keys:
            if layout.wire.payload_count:
                raise TypeError(f"{cls.__name__}.{name}: a message has one payload")
            if is_audio and name != "pcm":
                raise TypeError(f"{cls.__name__}.{name}: an audio payload is `pcm`")
            layout.bytes_payload = not is_audio
            layout.wire.payload_first = layout.wire.field_count
            layout.wire.payload_count = len(payload_keys)
        for key in payload_keys or (name,):
            if key in _RESERVED and key != name:
                raise TypeError(f"{cls.__name__}.{name}: the key {key!r} is reserved")
            encoded = key.encode("utf-8", "surrogatepass")
            number = layout.wire.field_count
            if wire_layout_add(&layout.wire, encoded, len(encoded)) == <uint32_t>WIRE_NO_FIELD:
                raise TypeError(
                    f"{cls.__name__}.{name}: {key!r} is declared twice, is longer than {WIRE_MAX_NAME} bytes, or one of more "
                    f"than {WIRE_MAX_FIELDS - 1} fields")
            names.append(name if key == (payload_keys or (name,))[0] else None)
            keys.append(key)
            if key in _RECURRING:
                layout.plan.id_place[number] = _RECURRING.index(key)
        number = names.index(name)
        view, many = view_in(annotation, cls.__module__)
        if name in _READ_LATER:
            layout.plan.later |= <uint32_t>1 << number
        if view is None and (payload_keys or not (_is_nested(annotation) or name in _READ_LATER)):
            descriptor = _slot_descriptor(cls, name, layout.plan.first_slot + number, kept)
        else:
            descriptor = _lazy(name, number, layout, view, many)
        if name in cls.__dict__ and name not in own:
            raise TypeError(f"{cls.__name__}.{name}: it is a field of its base")
        _set_on_class(cls, name, descriptor)
        if payload_keys and is_audio and payload_keys[0] != "delta" and payload_keys[0] not in fields:
            _set_on_class(cls, payload_keys[0], PayloadText())
    layout.names = tuple(names)
    layout.keys_of_fields = tuple(keys)
    layout.definitions = tuple(kept)
    layout.response_id = _number(names, "response_id")
    layout.item_id = _number(names, "item_id")
    layout.content_index = _number(names, "content_index")
    layout.session = _number(names, "session")
    layout.response = _number(names, "response")
    layout.format_name = _number(names, "format")
    layout.format_rate = _number(names, "sample_rate") or _number(names, "sample_rate_hz")
    layout.format_channels = _number(names, "channels")
    for number in (layout.format_name, layout.format_rate, layout.format_channels):
        if number:
            layout.format_fields |= <uint32_t>1 << number
    _set_on_class(cls, "_inherited_fields", fields)
    _set_on_class(cls, "_layout", layout)
    _set_on_class(cls, "__match_args__", tuple(fields))
    return layout

cdef int _number(list names, str name):
    return names.index(name) if name in names else 0

cdef bint _is_nested(annotation):
    text = annotation if isinstance(annotation, str) else repr(annotation)
    return any(word in text for word in ("list", "List", "dict", "Dict", "tuple", "Mapping", "Sequence"))

cdef object _lazy(str name, size_t number, Layout layout, view, bint many):
    cdef LazyField field = LazyField()
    field.__name__ = name
    field.number = number
    field.place = layout.plan.first_slot + number if number else SLOT_EVENT_ID
    field.view = view
    field.many = many
    field.owner = layout.cls
    return field

cdef _expect_containers(Layout layout, wire_frame *f):
    """A container came where a field is declared flat: from now on the class reads that field as one that may be
    parsed later. Slower by some 20 ns a read, once and for all; a flat field that is one stays a single load."""
    cdef uint32_t i
    for i in range(layout.wire.field_count):
        if f.values[i].kind < WIRE_OBJECT or layout.holds_payload(i):
            continue
        name = layout.names[i]
        if not isinstance(layout.cls.__dict__.get(name), LazyField):
            _set_on_class(layout.cls, name, _lazy(name, i, layout, None, False))
