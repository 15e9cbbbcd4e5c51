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

# What repeats from message to message, by the names of `reads`: a decoder remembers the last string of each (Decoder.ids). Of the
# last one it remembers two: the items of the user and of the server take turns in a conversation.
cdef tuple _RECURRING = ("response_id", "call_id", "previous_item_id", "format", "item_id")
assert len(_RECURRING) == RECURRING_KEYS

# Keys whose strings hardly anybody reads: padding against traffic analysis. To make such a str would cost each message 25 ns, so
# it is made at its first read.
cdef frozenset _READ_LATER = frozenset(("obfuscation",))

cdef object _LIMITS = declare.Limits(WIRE_MAX_TYPE, WIRE_MAX_NAME, WIRE_MAX_NODES)


@cython.final
cdef class Layout:
    cdef bytes outline_of(self, message *m, uint32_t number):
        """The outline that the walk has made of this field's object, or None."""
        cdef Py_ssize_t place = self.place(<int>self.wire.field_count)
        if number != self.wire.outlined or place >= m.slot_count:
            return None
        return <bytes>message_slot_at(m, place)[0]

    def event_of(self, str type_name, dict fields, bint with_payload=False):
        """What a frame of the message holds: its type and these fields, each under its key or at the first of its paths.
        with_payload: and, at the end, an empty payload."""
        cdef Catalogue catalogue = self.catalogue
        event = {}
        holder = () if catalogue.inside is None else (catalogue.inside,)
        if catalogue.by_key and type_name and (catalogue.tag is None or type_name in self.places):
            # The key of a payload or a field is written with it.
            paths.put(event, (*holder, type_name), None if type_name in self.payload_keys else {})
        elif catalogue.tag is not None and type_name:
            paths.put(event, (*holder, catalogue.tag), type_name)
        for name, value in fields.items():
            place = self.places[self.names.index(name)]
            paths.put(event, (place,) if isinstance(place, str) else place, value)
        if with_payload:
            paths.put(event, self.payload_path, "")
        return event

    @property
    def payload_path(self):
        place = self.places[self.wire.payload_first]
        return (place,) if isinstance(place, str) else place

    cdef int remove_paths(self, dict found) except -1:
        """Takes the fields at a path out of what a frame holds."""
        for number, place in enumerate(self.places):
            if isinstance(place, tuple):
                for path in (place,) if self.holds_payload(number) else self.fields[self.names[number]][3]:
                    paths.remove(found, path)
        return 0

    def wire_keys(self):
        """The declared keys, event_id among them."""
        keys = []
        for place in self.places:
            if isinstance(place, str):
                keys.append(place)
        return keys

    # For writing.py.

    @property
    def side_name(self):
        return "client" if self.in_session.sent else "server"

    @property
    def payload_name(self):
        """The attribute that holds the payload; None if there is none."""
        return self.names[self.wire.payload_first] if self.wire.payload_count else None

    @property
    def payload_keys(self):
        return self.keys[self.wire.payload_first:self.wire.payload_first + self.wire.payload_count]

    @property
    def payload_places(self):
        return self.places[self.wire.payload_first:self.wire.payload_first + self.wire.payload_count]

    cdef int number(self, str name) except -1:
        """The number of a field, 0 if there is none of this name."""
        return self.names.index(name) if name in self.names else 0

    cdef bint holds_payload(self, size_t number) noexcept:
        return self.wire.payload_first <= number < self.wire.payload_first + self.wire.payload_count

    cdef Py_ssize_t place(self, int number) noexcept:
        """The slot of a field."""
        return self.plan.slot_before_fields + number if number else SLOT_EVENT_ID

    cdef Py_ssize_t payload_place(self) noexcept:
        return self.plan.slot_before_fields + <Py_ssize_t>self.wire.payload_first

    cdef str describe(self, message *m, str name):
        """A field for repr, in short; None if the field is absent."""
        cdef int number = self.names.index(name)
        cdef message_span *span = _find_span(m, <uint32_t>number)
        cdef PyObject *slot = message_slot_at(m, self.place(number))[0]
        if span != NULL and not span.payload:
            return self.describe_span(m, span)
        if slot == NULL or slot == <PyObject *>None:
            return None
        value = <object>slot
        if self.is_audio and self.holds_payload(number):
            return reprs.samples(value, <object>message_slot_at(m, SLOT_AUDIO_FORMAT)[0])
        return reprs.brief(value)

    cdef str describe_span(self, message *m, message_span *span):
        cdef wire_value value = _value_of_span(span)
        view = self.views[span.field]
        if view is not None:
            formats = None if m.formats == NULL else <object>m.formats
            built = _nested_value(_frame_of(m), &value, view, self.lists >> span.field & 1, formats)
            if isinstance(built, (list, ViewObject)):
                return view._brief(built)
        return f"<{span.end - span.start} bytes of JSON>"


@cython.final
cdef class WireType:
    pass

cdef bint _is_literal(bytes encoded):
    """Whether JSON may write these bytes as they are: printable ASCII without quotes and backslashes, and at least one of it."""
    # No generator expression, as in payload().
    cdef const uint8_t *at = <const uint8_t *>PyBytes_AS_STRING(encoded)
    cdef Py_ssize_t i
    for i in range(PyBytes_GET_SIZE(encoded)):
        if not 0x20 <= at[i] < 0x7F or at[i] == 0x22 or at[i] == 0x5C:
            return False
    return PyBytes_GET_SIZE(encoded) > 0


cdef WireType _wire_type(str name, Layout layout):
    cdef WireType made = WireType()
    made.name = sys.intern(name)
    made.encoded = name.encode("utf-8", "surrogatepass")
    made.layout = layout
    made.plain = (layout.in_session.role == ROLE_NONE and not layout.is_audio and not layout.ends_audio
                  and not layout.bytes_payload)
    made.wire.name = made.encoded
    made.wire.length = len(made.encoded)
    made.wire.layout = &layout.wire
    made.wire.user_data = <void *>made
    made.wire.literal = _is_literal(made.encoded)
    return made


# ---- A field whose value is made at its first read -----------------------------------------------------------------------

@cython.final
cdef class LazyField:
    # Reads such a field: an object or array becomes a view or is parsed at the first read.
    #
    # Everything but the field's number is taken from the layout of the message that is read. The owner's may be another: in a
    # derived class other slots and another outline follow the same fields, and it may declare the field with another view.
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

    def __set__(self, instance, value):
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


cdef object _taken(cls, str name, owner):
    if (cls.__module__, cls.__qualname__) == (owner.__module__, owner.__qualname__):
        return TypeError(f"{cls.__name__}: {name!r} is declared already, by the class of the same name. A module that declares "
                         "messages runs once in a process")
    return TypeError(f"{cls.__name__}: {name!r} is {owner.__name__}'s")

# ---- The catalogue of a side -----------------------------------------------------------------------------------------

cdef int _pattern(wire_pattern *pattern, str key) except -1:
    cdef bytes encoded
    if key is None:
        wire_pattern_init(pattern, NULL, 0)
        return 0
    encoded = key.encode()
    if not 0 < len(encoded) <= WIRE_MAX_NAME:
        raise ValueError(f"a key is a str of 1 to {WIRE_MAX_NAME} bytes, not {key!r:.80}")
    wire_pattern_init(pattern, encoded, <size_t>len(encoded))
    return 0

@cython.final
cdef class Catalogue:
    """All wire types of one side. Types are added and never removed, so that a decode under way may go on with any of them.

    tag, keys, inside: see sockets.Catalogue. pair: that Catalogue, of which this is one side.
    """

    def __cinit__(self, str side, str tag="type", bint keys=False, str inside=None, bint url_safe=False, pair=None):
        self.side = side
        self.pair = pair
        self.tag = tag
        self.by_key = keys
        self.inside = inside
        self.url_safe = url_safe
        self.formats = (DEFAULT_FORMAT, DEFAULT_FORMAT)
        self.types = {}
        self.classes = {}
        self.table = NULL
        self.grow(0)

    cdef bint has_one_type(self) noexcept:
        return self.tag is None and not self.by_key

    cdef bint has_room(self, size_t count) noexcept:
        """Whether `count` types take at most half of the table."""
        return self.table != NULL and 2 * count <= self.table.mask + 1

    cdef int grow(self, size_t count) except -1:
        """Makes room for `count` types.

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
        larger.strict = self.pair is None
        larger.by_key = self.by_key
        _pattern(&larger.tag, self.tag if self.inside is None else None)
        _pattern(&larger.inside, self.inside)
        _pattern(&larger.inner_tag, None if self.inside is None else self.tag)
        for entry in self.types.values():
            wire_catalogue_add(larger, &entry.wire)
            if self.has_one_type():
                larger.other = &entry.wire
        if self.unknown is not None:
            larger.unknown = &self.unknown.wire
        # Without the GIL, a walk may read the table from now on, and must see all that was written above.
        store_pointer(&self.table, larger)
        return 0

    cdef int set_unknown(self, Layout layout) except -1:
        if self.unknown is not None:
            Py_INCREF(self.unknown)     # a decode under way may go on with it
        self.unknown = _wire_type("", layout)
        self.table.unknown = &self.unknown.wire
        message_uncounted(self.unknown)
        return 0

    cdef int add(self, cls, list entries) except -1:
        """Adds all of the entries; or none of them, if a name is taken (TypeError) or memory runs out (MemoryError)."""
        cdef WireType entry
        with cython.critical_section(self):
            # Growing may run the collector, the collector any code, and that code may declare a class.
            while not self.has_room(len(self.types) + len(entries)):
                self.grow(len(self.types) + len(entries))
            # From here to the last addition no Python code runs: no other class can be declared in between.
            if self.has_one_type() and len(self.types) + len(entries) > 1:
                raise TypeError(f"{cls.__name__}: this catalogue has no tag and no keys, so that it has one class, of one name")
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
                entry.wire.rank = <uint32_t>self.count
                self.count += 1
                wire_catalogue_add(self.table, &entry.wire)
                if self.has_one_type():
                    self.table.other = &entry.wire
        message_uncounted(cls)
        for entry in entries:
            message_uncounted(entry.layout)
            message_uncounted(entry)
        return 0

    def wire_names(self):
        """The names of its types, in the order of their classes."""
        return tuple(self.types)

    def may_have(self, cls):
        """Whether one of its messages may be of the class."""
        cdef Layout layout = _layout_of(cls)
        if layout is not None:
            return layout.catalogue is self or issubclass(self.unknown.layout.cls, cls)
        for base, (catalogue, _) in _bases.items():
            if catalogue.side == self.side and (issubclass(base, cls) or issubclass(cls, base)):
                return True
        return False


# The classes below which messages are declared: class -> (its catalogue, the KIND of the messages below it).
cdef dict _bases = {}

cdef enum:
    KIND_PLAIN
    KIND_AUDIO
    KIND_AUDIO_END

cdef tuple _base_of(cls):
    """The catalogue and the kind of a message class."""
    for base in type.__dict__["__mro__"].__get__(cls):
        found = _bases.get(base)
        if found is not None:
            return found
    raise TypeError(f"{cls.__name__}: a message class is declared below RealtimeServerMessage or another message class")


# ---- From a class statement to a layout ---------------------------------------------------------------------------------

cdef Layout _layout_of(cls):
    """The layout of a message class; None if the class has none of its own."""
    found = cls.__dict__.get("_layout") if isinstance(cls, type) else None
    return found if isinstance(found, Layout) and (<Layout>found).cls is cls else None

cdef Catalogue _catalogue_for(cls, pair, Catalogue found, Layout base):
    """The catalogue of a class statement: the side `found` of the one that it names, else of that of its base."""
    if pair is None:
        return found if base is None else base.catalogue
    side = getattr(pair, found.side, None)
    if not isinstance(side, Catalogue):
        raise TypeError(f"{cls.__name__}: catalogue= takes a realtime_pcm.sockets.Catalogue, not {type(pair).__name__}")
    if base is not None and base.catalogue is not side and (base.wire_names or base.catalogue.pair is not None):
        raise TypeError(f"{cls.__name__}: its base {base.cls.__name__} is of another catalogue")
    return side

def _declare(cls, role, catalogue_pair=None, reads=None):
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
    catalogue, kind = _base_of(cls)
    catalogue = _catalogue_for(cls, catalogue_pair, catalogue, base)
    layout = Layout()
    layout.cls = cls
    layout.catalogue = catalogue
    layout.in_session.sent = catalogue.side == "client"
    layout.is_audio = kind == KIND_AUDIO
    layout.ends_audio = kind == KIND_AUDIO_END
    said = declare.read(cls, base, layout.is_audio, role, reads, _LIMITS)
    layout.wire_names = names = said.wire_names
    layout.is_unknown = base is not None and base.is_unknown and not names and catalogue.pair is not None
    _lay_out(layout, said)
    _make_nodes(layout, said.nodes)
    _plan_session(layout, said.role, base)
    if names and layout.is_audio and not layout.wire.payload_count:
        raise TypeError(f"{cls.__name__}: an audio message has a `pcm: Samples = payload(...)`")
    _add_descriptors(layout)
    _set_on_class(cls, "_layout", layout)
    _set_on_class(cls, "__match_args__", tuple(layout.fields))
    _set_on_class(cls, "canonical_type", names[0] if names else None)
    message_freeze(<PyTypeObject *>cls)
    entries = []
    for name in names:
        entries.append(_wire_type(name, layout))
    if entries:
        catalogue.add(cls, entries)
    elif layout.is_unknown:
        catalogue.set_unknown(layout)
    return layout


cdef _lay_out(Layout layout, said):
    """Gives each field its number, in the order in which the walk expects the keys."""
    cdef uint32_t number
    cdef bytes encoded
    wire_layout_init(&layout.wire)
    wire_layout_add(&layout.wire, b"event_id", 8)
    memset(layout.plan.id_place, -1, sizeof(layout.plan.id_place))
    layout.plan.slot_before_fields = (SLOT_SAMPLE_OFFSET if layout.is_audio
                                      else SLOT_INCOMPLETE_SAMPLE if layout.ends_audio else SLOT_EVENT_ID)
    layout.fields, layout.order, layout.reads = said.fields, said.order, said.reads
    layout.field_roles, layout.audio_roles = said.field_roles, said.audio_roles
    layout.names, layout.keys, layout.places = said.names, said.keys, said.places
    if said.payload[1]:
        layout.bytes_payload = not layout.is_audio
        layout.wire.payload_first, layout.wire.payload_count = said.payload
    layout.flat_names = frozenset(said.names) - {None, layout.payload_name}
    for name, i in said.order:
        place = i if name is None else said.fields[name].places[i]
        if isinstance(place, str):
            encoded = place.encode("utf-8", "surrogatepass")
            number = wire_layout_add(&layout.wire, encoded, len(encoded))
        else:
            number = wire_layout_add_at_path(&layout.wire)
        if number == <uint32_t>WIRE_NO_FIELD:
            raise TypeError(
                f"{layout.cls.__name__}.{name or place}: {place!r} is declared twice, is longer than {WIRE_MAX_NAME} bytes, or "
                f"one of more than {WIRE_MAX_FIELDS - 1} fields")
        if name is None:
            layout.wire.hidden |= <uint32_t>1 << number
        if name in _READ_LATER:
            layout.plan.later |= <uint32_t>1 << number
    for i, name in enumerate(_RECURRING):
        number = _read_number(layout, name)
        if number:
            layout.plan.id_place[number] = i


cdef _make_nodes(Layout layout, list tree):
    """Makes the tree of the paths, whose memory is never freed, as that of the class is not."""
    cdef wire_node *nodes
    cdef bytes encoded
    if len(tree) == 1:
        return
    nodes = <wire_node *>PyMem_Calloc(len(tree), sizeof(wire_node))
    if nodes == NULL:
        raise MemoryError
    for i, (key, number, inner) in enumerate(tree):
        if isinstance(key, str):
            encoded = key.encode("utf-8", "surrogatepass")
            wire_pattern_init(&nodes[<int>i].key, encoded, len(encoded))
        else:
            wire_pattern_init(&nodes[<int>i].key, NULL, 0)
            nodes[<int>i].element = True
        nodes[<int>i].field = number
        before = 0
        for place in inner:
            if before:
                nodes[<int>before].next = place
            else:
                nodes[<int>i].child = place
            before = place
        if key is not None and i in tree[0].inside:
            layout.wire.roots |= <uint32_t>1 << <int>number
    layout.wire.nodes = nodes


cdef int _read_number(Layout layout, str wanted):
    """The number of the field that holds what is read under this name, 0 if there is none."""
    return layout.number(layout.reads.get(wanted, wanted))

cdef _plan_session(Layout layout, role, Layout base):
    """Sets what the message does to the session, and which of its fields hold its ids and its audio format."""
    cdef session_plan *plan = &layout.in_session
    plan.ids.response_id = _read_number(layout, "response_id")
    plan.ids.item_id = _read_number(layout, "item_id")
    plan.ids.content_index = _read_number(layout, "content_index")
    plan.format_name = _read_number(layout, "format")
    plan.format_rate = _read_number(layout, "sample_rate") or layout.number("sample_rate_hz")
    plan.format_channels = _read_number(layout, "channels")
    plan.input_name = _read_number(layout, "input_format")
    plan.input_rate = _read_number(layout, "input_sample_rate")
    for number in (plan.format_name, plan.format_rate, plan.format_channels):
        if number:
            plan.format_fields |= <uint32_t>1 << number
    for number in (plan.input_name, plan.input_rate):
        if number:
            plan.input_fields |= <uint32_t>1 << number
    plan.client_event_id = _read_number(layout, "client_event_id")
    for number in (plan.format_name, plan.format_rate, plan.format_channels):
        if number and not isinstance(layout.places[number], str):
            layout.wire.uniform |= <uint32_t>1 << number
    plan.own_format = layout.reads.get("session", "") is None
    plan.keys = SESSION_KEYS
    plan.unnamed = layout.catalogue.unnamed
    plan.hands_out_carry = layout.ends_audio
    for name, field_role in layout.field_roles if layout.is_audio else ():
        if field_role in ("audio_end", "response_end", "interrupted"):
            plan.end_fields |= <uint32_t>1 << layout.number(name)
    if role is None:
        plan.role = (base.in_session.role if base is not None and base.in_session.role
                     else ROLE_AUDIO_END if layout.ends_audio else ROLE_NONE)
        plan.holder = base.in_session.holder if base is not None else 0
        layout.role_name = (base.role_name if base is not None and base.role_name is not None
                            else "audio" if layout.is_audio else "audio_end" if layout.ends_audio else None)
    else:
        layout.role_name = role
        plan.role, holder = _SESSION_ROLES.get(role, (ROLE_NONE, None))
        if role == "interrupted" and not plan.sent:
            plan.role = ROLE_AUDIO_END     # what comes next is another stream
        plan.holder = 0 if holder is None else _read_number(layout, holder)
    plan.ids.speaker = <uint8_t>_speaker(plan)

def roles_at(cls):
    """What fields of a message of this class mean: (field, role) of each that has a role of its own, in order."""
    layout = getattr(cls, "_layout", None)
    return (<Layout>layout).field_roles if isinstance(layout, Layout) else ()

def audio_roles(cls):
    """What the audio of a message of this class means if a field has a value: (field, value, role) of each."""
    layout = getattr(cls, "_layout", None)
    return (<Layout>layout).audio_roles if isinstance(layout, Layout) else ()

def role_of(cls):
    """What a message of this class means: a key of roles.ROLES; None if it means nothing."""
    layout = getattr(cls, "_layout", None)
    return (<Layout>layout).role_name if isinstance(layout, Layout) else None

def role_of_message(message):
    """What a message means: the role that the value of a field gives to its audio, else that of its class."""
    layout = getattr(type(message), "_layout", None)
    if not isinstance(layout, Layout):
        return None
    for name, value, role in (<Layout>layout).audio_roles:
        if getattr(message, name) == value:
            return role
    return (<Layout>layout).role_name

cdef int _speaker(const session_plan *plan) noexcept:
    """The stream_speaker of the stream to which the message belongs."""
    if plan.sent:
        return STREAM_INPUT if plan.role == ROLE_INPUT_AUDIO or plan.role == ROLE_AUDIO_END else STREAM_PLAYED
    return STREAM_HEARD if plan.role == ROLE_INPUT_AUDIO else STREAM_OUTPUT


cdef _add_descriptors(Layout layout):
    """Gives the class its descriptors. Fields of the base get new ones too: this class may declare them with another type."""
    cls = layout.cls
    cdef dict fields = layout.fields
    kept = []
    if layout.in_session.holder:
        layout.wire.outlined = layout.in_session.holder
    views = [None] * layout.wire.field_count
    for wanted, held in layout.reads.items():
        if held is not None and wanted not in fields and wanted not in declare.RESERVED:
            _set_on_class(cls, wanted, property(operator.attrgetter(held)))
    if layout.wire_names:
        # In place of the default, which the class statement has left there.
        _set_on_class(cls, "type", _slot_descriptor(cls, "type", SLOT_TYPE, kept))
    _set_on_class(cls, "event_id", _slot_descriptor(cls, "event_id", SLOT_EVENT_ID, kept))
    for name, (annotation, payload_keys, module, _) in fields.items():
        number = layout.number(name)
        view, many = declare.view_in(annotation, module, ViewObject)
        views[number] = view
        layout.lists |= <uint32_t>many << number
        if view is None and (payload_keys or not (declare.is_nested(annotation) or name in _READ_LATER)):
            descriptor = _slot_descriptor(cls, name, layout.place(number), kept)
        else:
            # The walk makes an outline of the object that the role reads, else of the first object that becomes a view.
            if view is not None and not many and layout.wire.outlined == <uint32_t>WIRE_NO_FIELD:
                layout.wire.outlined = <uint32_t>number
            descriptor = _lazy(name, number, cls)
            layout.read_lazily |= <uint32_t>1 << number
        _set_on_class(cls, name, descriptor)
        if (payload_keys and layout.is_audio and isinstance(payload_keys[0], str) and payload_keys[0] not in fields
                and not isinstance(getattr(cls, payload_keys[0], None), PayloadText)):
            _set_on_class(cls, payload_keys[0], PayloadText(payload_keys[0]))
        if payload_keys and layout.is_audio and not isinstance(payload_keys[0], str) and "delta" not in fields:
            _set_on_class(cls, "delta", PayloadText("delta"))
    layout.views = tuple(views)
    layout.definitions = tuple(kept)

cdef object _lazy(str name, uint32_t number, owner):
    cdef LazyField field = LazyField()
    field.__name__ = name
    field.field = number
    field.owner = owner
    return field

cdef int _expect_containers(Layout layout, const wire_frame *f) except -1:
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
