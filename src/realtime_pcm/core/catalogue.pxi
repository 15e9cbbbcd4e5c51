# From a message class to its layout, from a wire name to its class. Each side of a conversation, the server and the client, has a
# catalogue of its own.

cdef extern from "atomics.h" nogil:
    void store_pointer(wire_catalogue **place, wire_catalogue *pointer)

# The roles of roles.py that change the session, and the field that names the formats. The others mean something to what reads
# messages, and nothing to the core.
cdef dict _SESSION_ROLES = {
    "input_audio": (ROLE_INPUT_AUDIO, None),
    "audio_end": (ROLE_AUDIO_END, None),
    "commit": (ROLE_AUDIO_END, None),
    "clear": (ROLE_AUDIO_END, None),
    "session_start": (ROLE_SESSION_START, "session"),
    "session_update": (ROLE_SESSION_UPDATE, "session"),
    "response_start": (ROLE_RESPONSE_START, "response"),
    "response_end": (ROLE_RESPONSE_END, "response"),
    "error": (ROLE_ERROR, "error"),
}

# Keys whose strings repeat from message to message: a decoder remembers the last string of each (Decoder.ids). Of the last key it
# remembers two: the items of the user and of the server take turns in a conversation.
cdef tuple _RECURRING = ("response_id", "call_id", "previous_item_id", "item_id")
assert len(_RECURRING) == RECURRING_KEYS

# Keys whose strings hardly anybody reads: padding against traffic analysis. To make such a str would cost each message 25 ns, so
# it is made at its first read.
cdef frozenset _READ_LATER = frozenset(("obfuscation",))

# Names that the base classes of messages use: no field may have one of them.
cdef frozenset _RESERVED = frozenset((
    "type", "event_id", "frame", "frame_text", "extra", "pcm", "audio_format", "pcm_format", "sample_offset", "incomplete_sample",
    "to_dict", "canonical_type", "_layout"))


@cython.final
cdef class Layout:
    cdef bytes outline_of(self, message *m, uint32_t number):
        """The outline that the walk has made of this field's object; None where it has made none."""
        cdef Py_ssize_t place = self.place(<int>self.wire.field_count)
        if number != self.wire.outlined or place >= m.slot_count:
            return None
        return <bytes>message_slot_at(m, place)[0]

    def wire_keys(self):
        """The declared keys, event_id among them."""
        return list(self.keys)

    # For writing.py.

    @property
    def side_name(self):  # seldom
        return "client" if self.in_session.sent else "server"

    @property
    def payload_name(self):  # seldom
        """The attribute that holds the payload; None where there is none."""
        return self.names[self.wire.payload_first] if self.wire.payload_count else None

    @property
    def payload_keys(self):  # seldom
        return self.keys[self.wire.payload_first:self.wire.payload_first + self.wire.payload_count]

    cdef bint holds_payload(self, size_t number) noexcept:
        return self.wire.payload_first <= number < self.wire.payload_first + self.wire.payload_count

    cdef Py_ssize_t place(self, int number) noexcept:
        """The slot of a field."""
        return self.plan.slot_before_fields + number if number else SLOT_EVENT_ID

    cdef Py_ssize_t payload_place(self) noexcept:
        return self.plan.slot_before_fields + <Py_ssize_t>self.wire.payload_first

    cdef str describe(self, message *m, str name):  # seldom
        """A field for repr, in short; None where the field is absent."""
        cdef int number = self.names.index(name)
        cdef message_span *span = _find_span(m, <uint32_t>number)
        cdef PyObject *slot = message_slot_at(m, self.place(number))[0]
        if span != NULL and not span.payload:
            return self.describe_span(m, span)
        if slot == NULL or slot == <PyObject *>None:
            return None
        value = <object>slot
        if self.is_audio and self.holds_payload(number):
            return _describe_pcm(value, <object>message_slot_at(m, SLOT_AUDIO_FORMAT)[0])
        return _brief(value)

    cdef str describe_span(self, message *m, message_span *span):  # seldom
        cdef wire_value value = _value_of_span(span)
        view = self.views[span.field]
        if view is not None:
            formats = None if m.formats == NULL else <object>m.formats
            built = _nested_value(_frame_of(m), &value, view, self.lists >> span.field & 1, formats)
            if isinstance(built, (list, ViewObject)):
                return view._brief(built)
        return f"<{span.end - span.start} bytes of JSON>"


cdef str _describe_pcm(pcm, audio_format):  # seldom
    is_bytes = type(pcm) is bytes
    size = len(pcm) if is_bytes else pcm.size
    text = f"{'bytes' if is_bytes else pcm.dtype.name}[{size}]"
    per_second = audio_format.rate * audio_format.channels
    if is_bytes:
        per_second *= 2
    elif pcm.dtype == "uint8":
        per_second *= {"pcm16": 2, "float32": 4}.get(audio_format.encoding, 1)
    if audio_format._code >= 0:
        text += f" {1000 * size / per_second:.0f} ms"
    return text


@cython.final
cdef class WireType:
    pass

cdef bint _is_literal(bytes encoded):  # seldom
    """Whether JSON may write these bytes as they are: printable ASCII without quotes and backslashes, and at least one of it."""
    # No generator expression, as in payload().
    cdef const uint8_t *at = <const uint8_t *>PyBytes_AS_STRING(encoded)
    cdef Py_ssize_t i
    for i in range(PyBytes_GET_SIZE(encoded)):
        if not 0x20 <= at[i] < 0x7F or at[i] == 0x22 or at[i] == 0x5C:
            return False
    return PyBytes_GET_SIZE(encoded) > 0


cdef WireType _wire_type(str name, Layout layout):  # seldom
    cdef WireType made = WireType()
    made.name = sys.intern(name)
    made.encoded = name.encode("utf-8", "surrogatepass")
    made.layout = layout
    made.plain = (layout.in_session.role == ROLE_NONE and not layout.is_audio and not layout.ends_audio
                  and not layout.bytes_payload)
    made.wire.name = made.encoded
    made.wire.length = len(made.encoded)
    made.wire.layout = &layout.wire
    made.wire.owner = <void *>made
    made.wire.literal = _is_literal(made.encoded)
    return made


# ---- A field whose value is made at its first read -----------------------------------------------------------------------

@cython.final
cdef class LazyField:
    # Reads such a field: an object or array becomes a view or is parsed at the first read.
    #
    # Everything but the field's number is taken from the layout of the message that is read. The owner's may be another: in a
    # derived class other slots and another outline come behind the same fields, and it may declare the field with another view.
    # This is no docstring, because help() would show it as the text of every such field.
    cdef readonly str __name__
    cdef uint32_t field
    cdef type owner

    def __get__(self, instance, owner):
        if instance is None:
            return self
        if not PyObject_TypeCheck(instance, <PyTypeObject *>self.owner):
            raise TypeError(f"{self.__name__} is a field of {self.owner.__name__}, not of {type(instance).__name__}")
        with cython.critical_section(instance):
            return self.read(<message *><PyObject *>instance)

    def __set__(self, instance, value):  # seldom
        raise AttributeError(f"{type(instance).__name__} is read-only: {self.__name__}")

    cdef object read(self, message *m):
        cdef Layout layout = <Layout>m.layout
        cdef PyObject **slot = message_slot_at(m, layout.place(<int>self.field))
        if slot[0] == NULL:
            value = self.build(m, layout)
            # Making the value may have let other code run, which may have read this field.
            if slot[0] == NULL:
                Py_INCREF(value)
                slot[0] = <PyObject *>value
        return <object>slot[0]

    cdef object build(self, message *m, Layout layout):
        cdef message_span *span = _find_span(m, self.field)
        if span == NULL:
            return None
        cdef wire_value value = _value_of_span(span)
        formats = None if m.formats == NULL else <object>m.formats
        return _nested_value(_frame_of(m), &value, layout.views[self.field], layout.lists >> self.field & 1, formats,
                             layout.outline_of(m, self.field), 0, 1)


cdef object _taken(cls, str name, owner):  # seldom
    if (cls.__module__, cls.__qualname__) == (owner.__module__, owner.__qualname__):
        return TypeError(f"{cls.__name__}: {name!r} is declared already, by the class of the same name. A module that declares "
                         "messages runs once in a process")
    return TypeError(f"{cls.__name__}: {name!r} is {owner.__name__}'s")

# ---- The catalogue of a side -----------------------------------------------------------------------------------------

@cython.final
cdef class Catalogue:
    """All wire types of one side. Types are added and never removed, so that a decode under way may go on with any of them."""

    def __cinit__(self, str side):  # seldom
        self.side = side
        self.types = {}
        self.classes = {}
        self.table = NULL
        self.grow(0)

    cdef bint has_room(self, size_t count) noexcept:  # seldom
        """Whether so many types take at most half of the table."""
        return self.table != NULL and 2 * count <= self.table.mask + 1

    cdef int grow(self, size_t count) except -1:  # seldom
        """Makes room for so many types.

        The smaller table is not freed, because a decode under way may read it. All of these together are smaller than the last.
        """
        cdef size_t size = 64
        cdef wire_catalogue *larger
        cdef WireType entry
        while 2 * count > size:
            size *= 2
        larger = <wire_catalogue *>PyMem_Calloc(1, sizeof(wire_catalogue) + size * sizeof(wire_type *))
        if larger == NULL:
            raise MemoryError
        larger.slots = <const wire_type **>(larger + 1)
        larger.mask = size - 1
        for entry in self.types.values():
            wire_catalogue_add(larger, &entry.wire)
        if self.unknown is not None:
            larger.unknown = &self.unknown.wire
        # Without the GIL, a walk may read the table from now on: it has to see all that was written above.
        store_pointer(&self.table, larger)
        return 0

    cdef int set_unknown(self, Layout layout) except -1:  # seldom
        self.unknown = _wire_type("", layout)
        self.table.unknown = &self.unknown.wire
        message_uncounted(self.unknown)
        return 0

    cdef int add(self, cls, list entries) except -1:  # seldom
        """Adds all of the entries; or none of them, where a name is taken (TypeError) or memory runs out (MemoryError)."""
        cdef WireType entry
        with cython.critical_section(self):
            # Growing may run the collector, the collector any code, and that code may declare a class.
            while not self.has_room(len(self.types) + len(entries)):
                self.grow(len(self.types) + len(entries))
            # From here to the last addition no Python code runs: no other class can be declared in between.
            for entry in entries:
                taken = self.types.get(entry.name)
                if taken is not None:
                    raise _taken(cls, entry.name, (<WireType>taken).layout.cls)
            done = 0
            try:
                for entry in entries:
                    self.types[entry.name] = entry
                    done += 1
            except MemoryError:
                for entry in entries[:done]:
                    del self.types[entry.name]
                raise
            for entry in entries:
                entry.number = self.count
                self.count += 1
                wire_catalogue_add(self.table, &entry.wire)
        message_uncounted(cls)
        for entry in entries:
            message_uncounted(entry.layout)
            message_uncounted(entry)
        return 0

    cdef list types_of(self, cls):  # seldom
        """The wire types of a message class and of those derived from it."""
        cdef WireType entry
        found = []
        for entry in list(self.types.values()):
            if issubclass(entry.layout.cls, cls):
                found.append(entry)
        return found


# The classes below which messages are declared: class -> (its catalogue, the KIND of the messages below it).
cdef dict _bases = {}

cdef enum:
    KIND_PLAIN
    KIND_AUDIO
    KIND_AUDIO_END

cdef tuple _base_of(cls):  # seldom
    """The catalogue and the kind of a message class."""
    for base in type.__dict__["__mro__"].__get__(cls):
        found = _bases.get(base)
        if found is not None:
            return found
    raise TypeError(f"{cls.__name__}: a message class is declared below RealtimeServerMessage or another message class")


# ---- From a class statement to a layout ---------------------------------------------------------------------------------

cdef Layout _layout_of(cls):
    """The layout of a message class; None where the class has none of its own."""
    found = cls.__dict__.get("_layout") if isinstance(cls, type) else None
    return found if isinstance(found, Layout) and (<Layout>found).cls is cls else None

def _declare(cls, wire, role):  # seldom
    """Makes the layout of a class from the annotations of its class statement, and adds its wire names to the catalogue."""
    cdef Catalogue catalogue
    cdef Layout layout
    cdef Layout base
    if isinstance(cls.__dict__.get("_layout"), Layout):
        raise TypeError(f"{cls.__name__} is declared already")
    if type(cls) is not type:
        raise TypeError(f"{cls.__name__}: a message class has no metaclass of its own, and {type(cls).__name__} is one")
    if len(cls.__bases__) != 1:
        # One class alone lays out the slots. A second base would lay them out differently, or bring a dict.
        raise TypeError(f"{cls.__name__}: a message class has one base")
    base = _layout_of(cls.__base__)
    if base is None and cls.__base__ not in _bases:
        # The fields of the base would have no slots in this class, and its descriptors would read those of other fields.
        raise TypeError(f"{cls.__name__}: its base {cls.__base__.__name__} was never declared: "
                        "__init_subclass__ must call super().__init_subclass__(**kwargs) for every class")
    names = _wire_names(cls, wire)
    catalogue, kind = _base_of(cls)
    layout = Layout()
    layout.cls = cls
    layout.in_session.sent = catalogue.side == "client"
    layout.is_audio = kind == KIND_AUDIO
    layout.ends_audio = kind == KIND_AUDIO_END
    layout.wire_names = names
    fields = _read_fields(cls, layout, base)
    _lay_out(layout, fields)
    _give_role(layout, role, base)
    if names and layout.is_audio and not layout.wire.payload_count:
        raise TypeError(f"{cls.__name__}: an audio message has a `pcm: Samples = payload(...)`")
    _add_descriptors(layout, fields)
    _set_on_class(cls, "_layout", layout)
    _set_on_class(cls, "__match_args__", tuple(fields))
    _set_on_class(cls, "canonical_type", names[0] if names else None)
    message_freeze(<PyTypeObject *>cls)
    entries = []
    for name in names:
        entries.append(_wire_type(name, layout))
    if entries:
        catalogue.add(cls, entries)
    return layout


cdef tuple _wire_names(cls, wire):  # seldom
    """The names of `wire=`, as plain strings."""
    names = []
    for name in (wire,) if isinstance(wire, str) else tuple(wire):
        if not isinstance(name, str) or not 0 < len(name.encode("utf-8", "surrogatepass")) <= WIRE_MAX_TYPE:
            raise TypeError(f"{cls.__name__}: a wire name is a str of 1 to {WIRE_MAX_TYPE} bytes, not {name!r:.80}")
        name = str.__str__(name)    # for a member of a str Enum: its value
        if name in names:
            raise TypeError(f"{cls.__name__}: {name!r} stands in wire= twice")
        names.append(name)
    return tuple(names)


cdef dict _read_fields(cls, Layout layout, Layout base):  # seldom
    """name -> (annotation, keys of the payload or None): the fields of the base and then the class's own."""
    cdef dict fields = {} if base is None else dict(base.fields)
    own = annotations.annotations_of(cls)
    for name, annotation in own.items():
        default = cls.__dict__.get(name)
        keys = default.keys if isinstance(default, Payload) else None
        if keys is None and str(annotation).startswith(("ClassVar", "typing.ClassVar")):
            continue
        if name.startswith("__") and name.endswith("__"):
            raise TypeError(f"{cls.__name__}.{name}: the name is Python's own")
        if keys is None and name in cls.__dict__:
            continue
        _check_name(cls, layout, name, keys)
        # The descriptors of the base read the same slots: the base's fields keep their places.
        if name in fields and _key_count(fields[name][1]) != _key_count(keys):
            raise TypeError(
                f"{cls.__name__}.{name}: {cls.__base__.__name__} declares it with another number of wire keys; a class that "
                "declares a field of its base again gives it as many")
        fields[name] = (annotation, keys, cls.__module__)
    for name in fields:
        if name in cls.__dict__ and name not in own:
            raise TypeError(f"{cls.__name__}.{name}: it is a field of its base")
    return fields


cdef Py_ssize_t _key_count(keys):  # seldom
    return 1 if keys is None else len(keys)

cdef _check_name(cls, Layout layout, str name, keys):  # seldom
    if keys and layout.is_audio and name != "pcm":
        raise TypeError(f"{cls.__name__}.{name}: an audio payload is `pcm`")
    if name in _RESERVED and not (name == "pcm" and keys and layout.is_audio):
        raise TypeError(f"{cls.__name__}.{name}: the name is reserved")
    for key in keys or ():
        if key in _RESERVED and key != name:
            raise TypeError(f"{cls.__name__}.{name}: the key {key!r} is reserved")


cdef _lay_out(Layout layout, dict fields):  # seldom
    """Gives each field its number, in the order in which the walk expects the keys."""
    cdef uint32_t number
    cdef bytes encoded
    wire_layout_init(&layout.wire)
    wire_layout_add(&layout.wire, b"event_id", 8)
    memset(layout.plan.id_place, -1, sizeof(layout.plan.id_place))
    layout.plan.slot_before_fields = (SLOT_SAMPLE_OFFSET if layout.is_audio
                                      else SLOT_INCOMPLETE_SAMPLE if layout.ends_audio else SLOT_EVENT_ID)
    names = ["event_id"]
    all_keys = ["event_id"]
    for name, (_, payload_keys, _) in fields.items():
        if payload_keys:
            if layout.wire.payload_count:
                raise TypeError(f"{layout.cls.__name__}.{name}: a message has one payload")
            layout.bytes_payload = not layout.is_audio
            layout.wire.payload_first = layout.wire.field_count
            layout.wire.payload_count = len(payload_keys)
        for key in payload_keys or (name,):
            encoded = key.encode("utf-8", "surrogatepass")
            number = wire_layout_add(&layout.wire, encoded, len(encoded))
            if number == <uint32_t>WIRE_NO_FIELD:
                raise TypeError(
                    f"{layout.cls.__name__}.{name}: {key!r} is declared twice, is longer than {WIRE_MAX_NAME} bytes, or one of "
                    f"more than {WIRE_MAX_FIELDS - 1} fields")
            names.append(name if number == layout.wire.payload_first or not payload_keys else None)
            all_keys.append(key)
            if key in _RECURRING:
                layout.plan.id_place[number] = _RECURRING.index(key)
        if name in _READ_LATER:
            layout.plan.later |= <uint32_t>1 << names.index(name)
    layout.fields = fields
    layout.names = tuple(names)
    layout.flat_names = frozenset(names) - {None, layout.payload_name}
    layout.keys = tuple(all_keys)


cdef int _number(Layout layout, str name):  # seldom
    """The number of a field, 0 where there is none of this name."""
    return layout.names.index(name) if name in layout.names else 0

cdef _give_role(Layout layout, role, Layout base):  # seldom
    """Sets what the message does to the session, and which of its fields hold its ids and its audio format."""
    cdef session_plan *plan = &layout.in_session
    cls = layout.cls
    plan.ids.response_id = _number(layout, "response_id")
    plan.ids.item_id = _number(layout, "item_id")
    plan.ids.content_index = _number(layout, "content_index")
    plan.format_name = _number(layout, "format")
    plan.format_rate = _number(layout, "sample_rate") or _number(layout, "sample_rate_hz")
    plan.format_channels = _number(layout, "channels")
    for number in (plan.format_name, plan.format_rate, plan.format_channels):
        if number:
            plan.format_fields |= <uint32_t>1 << number
    plan.client_event_id = _number(layout, "client_event_id")
    plan.keys = SESSION_KEYS
    plan.hands_out_carry = layout.ends_audio
    layout.field_roles = () if base is None else base.field_roles
    if role is not None and not isinstance(role, str):
        role = _give_field_roles(layout, dict(role))
    if role is None:
        plan.role = (base.in_session.role if base is not None and base.in_session.role
                     else ROLE_AUDIO_END if layout.ends_audio else ROLE_NONE)
        plan.holder = base.in_session.holder if base is not None else 0
        layout.role_name = (base.role_name if base is not None and base.role_name is not None
                            else "audio" if layout.is_audio else "audio_end" if layout.ends_audio else None)
    else:
        if role not in roles.ROLES:
            raise TypeError(f"{cls.__name__}: role={role!r} is none of {', '.join(roles.ROLES)}")
        missing = roles.missing_of(role, layout.names)
        if missing:
            raise TypeError(f"{cls.__name__}: role={role!r} needs a field `{'` or `'.join(missing)}`")
        if layout.is_audio != (role == "audio" or role == "input_audio"):
            raise TypeError(f"{cls.__name__}: 'audio' and 'input_audio' are the roles of audio messages, and {role!r} is not"
                            if layout.is_audio else f"{cls.__name__}: role={role!r} is an audio message's")
        layout.role_name = role
        plan.role, holder = _SESSION_ROLES.get(role, (ROLE_NONE, None))
        plan.holder = 0 if holder is None else _number(layout, holder)
    plan.ids.speaker = <uint8_t>_speaker(plan)

cdef _give_field_roles(Layout layout, dict given):  # seldom
    """Sets the roles of fields, and gives that of the audio; None where it is not among them."""
    name = layout.cls.__name__
    spoken = given.pop("pcm", None) if layout.is_audio else None
    for field, role in given.items():
        if role not in roles.ROLES:
            raise TypeError(f"{name}: role {role!r} of the field {field!r} is none of {', '.join(roles.ROLES)}")
        if role in roles.OF_CLASSES:
            raise TypeError(f"{name}: {role!r} is the role of a class, not of the field {field!r}")
        if not _number(layout, field) or layout.holds_payload(_number(layout, field)):
            raise TypeError(f"{name}: {field!r}, which has the role {role!r}, is no field without audio")
    layout.field_roles += tuple(given.items())
    return spoken

def roles_at(cls):  # seldom
    """What fields of a message of this class mean: (field, role) of each that has a role of its own, in order."""
    layout = getattr(cls, "_layout", None)
    return (<Layout>layout).field_roles if isinstance(layout, Layout) else ()

def role_of(cls):  # seldom
    """What a message of this class means: a key of roles.ROLES; None where it means nothing."""
    layout = getattr(cls, "_layout", None)
    return (<Layout>layout).role_name if isinstance(layout, Layout) else None

cdef int _speaker(const session_plan *plan) noexcept:  # seldom
    """The stream_speaker of the stream to which the message belongs."""
    if plan.sent:
        return STREAM_INPUT if plan.role == ROLE_INPUT_AUDIO or plan.role == ROLE_AUDIO_END else STREAM_PLAYED
    return STREAM_HEARD if plan.role == ROLE_INPUT_AUDIO else STREAM_OUTPUT


cdef _add_descriptors(Layout layout, dict fields):  # seldom
    """Gives the class its descriptors. Fields of the base get new ones too: this class may declare them with another type."""
    cls = layout.cls
    kept = []
    if layout.in_session.holder:
        layout.wire.outlined = layout.in_session.holder
    views = [None] * layout.wire.field_count
    _set_on_class(cls, "event_id", _slot_descriptor(cls, "event_id", SLOT_EVENT_ID, kept))
    for name, (annotation, payload_keys, module) in fields.items():
        number = _number(layout, name)
        view, many = annotations.view_in(annotation, module, ViewObject)
        views[number] = view
        layout.lists |= <uint32_t>many << number
        if view is None and (payload_keys or not (annotations.is_nested(annotation) or name in _READ_LATER)):
            descriptor = _slot_descriptor(cls, name, layout.place(number), kept)
        else:
            # The walk makes an outline of the object that the role reads, else of the first object that becomes a view.
            if view is not None and not many and layout.wire.outlined == <uint32_t>WIRE_NO_FIELD:
                layout.wire.outlined = <uint32_t>number
            descriptor = _lazy(name, number, cls)
        _set_on_class(cls, name, descriptor)
        if payload_keys and layout.is_audio and payload_keys[0] != "delta" and payload_keys[0] not in fields:
            _set_on_class(cls, payload_keys[0], PayloadText(payload_keys[0]))
    layout.views = tuple(views)
    layout.definitions = tuple(kept)

cdef object _lazy(str name, uint32_t number, owner):  # seldom
    cdef LazyField field = LazyField()
    field.__name__ = name
    field.field = number
    field.owner = owner
    return field

cdef int _expect_containers(Layout layout, const wire_frame *f) except -1:  # seldom
    """An object or array came in a field that is declared flat: from now on a LazyField reads that field.

    Each read of that field then costs some 20 ns more, in all messages of the class. As long as no object or array comes, a read
    of a flat field is a single load.
    """
    cdef uint32_t i
    for i in range(layout.wire.field_count):
        if f.values[i].kind < WIRE_OBJECT:
            continue
        if not layout.holds_payload(i):
            # The base classes of this class read the same slot by descriptors of their own.
            name = layout.names[i]
            for cls in layout.cls.__mro__:
                if type(cls.__dict__.get(name)) is MemberDescriptorType:
                    _set_on_class(cls, name, _lazy(name, i, cls))
        layout.expected_containers |= <uint32_t>1 << i
    return 0
