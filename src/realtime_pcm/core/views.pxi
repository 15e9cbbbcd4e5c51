# Views of nested objects. A view that has an outline, which the walk has made, finds each field in the outline. Any other view
# finds the first READS_BEFORE_PARSING fields that are read in the frame; the next read has orjson parse the whole object, and all
# further reads look into the result.

cdef enum:
    # Measured: to find one field of a session of 1 kB in the frame takes 0.35 us, to parse the session 2.5 us. Of an item of
    # 250 B, it takes 0.1 us and 0.9 us. To find six fields costs about what parsing costs. Whoever reads a seventh pays for both,
    # which is less than twice the price of parsing at once.
    READS_BEFORE_PARSING = 6

# ---- Written by keyword ----------------------------------------------------------------------------------------------------

cdef extern from "writer.h":
    ctypedef struct writer:
        uint8_t *bytes
        size_t length
        bint non_ascii
    void writer_begin(writer *self)
    void writer_end(writer *self)
    int writer_put(writer *self, const void *text, size_t length) except -1
    int writer_put_ascii(writer *self, const void *text, size_t count) except -1
    int writer_put_number(writer *self, long long number) except -1
    object writer_str(const writer *self)
    bint nulls_are_none(object value, size_t nulls) noexcept
    bint is_made_alike(PyTypeObject *cls, PyTypeObject *base) noexcept
    object call_by_tuple(object cls, PyObject **args, Py_ssize_t count, PyObject *names)
    void allow_vectorcall(object metaclass)
    void call_by_vector(PyTypeObject *cls, void *function)
    PyObject *own_attribute(object cls, object name) noexcept
    PyObject **tuple_items(tuple items) noexcept
    Py_ssize_t PyVectorcall_NARGS(size_t nargsf) noexcept

# The functions of json_values: its first use of orjson puts others there.
cdef dict _json = json_values.__dict__

def json_text(value, str name):
    """A JSON value as bytes. Raises what json_values.refuse raises; `name` begins the path in the error."""
    cdef bytes text
    try:
        text = json_values.write(value, _plain_value, json_values.write_options)
    except TypeError:
        json_values.refuse(value, _plain_value, name)
        raise
    # orjson writes null for a number that is not finite.
    if not nulls_are_none(value, wire_json_nulls(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))):
        json_values.refuse(value, _plain_value, name)
    return text

cdef int _put_value(writer *to, value) except -1:
    """Writes the value of one field. 0 if the caller is to ask json_text, for the value or for the error."""
    cdef object kind = type(value)
    cdef int overflow = 0
    cdef long long number
    if kind is str:
        if PyUnicode_IS_COMPACT_ASCII(value):
            writer_put_ascii(to, PyUnicode_DATA(value), <size_t>PyUnicode_GET_LENGTH(value))
            return 1
    elif value is None:
        writer_put(to, b"null", 4)
        return 1
    elif value is True:
        writer_put(to, b"true", 4)
        return 1
    elif value is False:
        writer_put(to, b"false", 5)
        return 1
    elif kind is int:
        number = PyLong_AsLongLongAndOverflow(value, &overflow)
        if not overflow:
            writer_put_number(to, number)
            return 1
    elif isinstance(value, ViewObject):
        if _put_view(to, <ViewObject>value):
            return 1
    elif kind is list and value and isinstance((<list>value)[0], ViewObject):
        return _put_list(to, <list>value)
    return _put_any(to, value)

cdef int _put_any(writer *to, value) except -1:
    cdef bytes text
    cdef unsigned holds
    try:
        text = _json["write"](value, _plain_value, _json["write_options"])
    except TypeError:
        return 0
    holds = wire_json_holds(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
    # orjson writes null for a number that is not finite.
    if holds & WIRE_MAYBE_NULL and not nulls_are_none(value, wire_json_nulls(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))):
        return 0
    to.non_ascii |= holds & WIRE_NON_ASCII
    writer_put(to, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
    return 1

cdef int _put_list(writer *to, list views) except -1:
    begun = False
    for inner in views:
        writer_put(to, b"," if begun else b"[", 1)
        begun = True
        if not _put_value(to, inner):
            return 0
    writer_put(to, b"]", 1)
    return 1

cdef int _put_view(writer *to, ViewObject view) except -1:
    """0 if the view is parsed, because a caller may have changed what it was parsed to."""
    cdef Py_ssize_t size
    cdef const uint8_t *text
    with cython.critical_section(view):
        frame = view.frame if view.parsed is None else None
        start, end = view.start, view.end
    if frame is None:
        return 0
    text = _frame_data(frame, &size) + <size_t>start
    to.non_ascii |= wire_json_holds(text, <size_t>end - <size_t>start) & WIRE_NON_ASCII
    writer_put(to, text, <size_t>end - <size_t>start)
    return 1

def _plain_value(value):
    """What JSON is written of a value that is no str, number, bool, list, tuple or dict."""
    if isinstance(value, ViewObject):
        text = view_text(<ViewObject>value)
        return value.raw if text is None else json_values.fragment(text)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, Enum):
        return value.value
    raise TypeError(f"JSON has no {type(value).__name__}")


@cython.final
cdef class _Head:
    """What stands before a field's value in an object: a comma, the name and a colon. number: of the field of a message."""
    cdef bytes text
    cdef uint32_t number

cdef _Head _head_of(str name, uint32_t number=0):
    cdef _Head head = _Head()
    head.text = b"," + _json_text(name, "key") + b":"
    head.number = number
    return head

cdef bytes _object_text(dict heads, tuple names, PyObject **values):
    """The JSON of an object of declared fields; None if json_text is to be asked."""
    cdef writer to
    writer_begin(&to)
    try:
        for i in range(len(names)):
            found = heads.get(names[i])
            if found is None:
                return None
            writer_put(&to, PyBytes_AS_STRING((<_Head>found).text), PyBytes_GET_SIZE((<_Head>found).text))
            if not _put_value(&to, <object>values[i]):
                return None
        if not to.length:
            return b"{}"
        to.bytes[0] = b"{"      # in place of the comma
        writer_put(&to, b"}", 1)
        return PyBytes_FromStringAndSize(<char *>to.bytes, <Py_ssize_t>to.length)
    finally:
        writer_end(&to)


# ---- Views -----------------------------------------------------------------------------------------------------------------

cdef class ViewObject:
    """The memory of a view; use View."""
    cdef object frame               # None if the view was made of a dict, and once it is parsed
    cdef size_t start, end          # of the object in the frame
    cdef object parsed              # None as long as the object was not parsed
    cdef readonly object _formats
    cdef int reads
    cdef bytes outline              # a wire_entry for each member of the outline that the message holds, or None
    cdef size_t first               # the entry of the outline with which the members of this object begin
    cdef unsigned level             # the level of these members

    def __init__(self, raw=None, formats=None, /, **fields):
        if raw is None:
            values = tuple(fields.values())
            self.write(tuple(fields), tuple_items(values))
        elif fields:
            raise TypeError(f"{type(self).__name__} takes a dict or keywords, not both")
        else:
            self.parsed = raw
            self._formats = formats

    cdef int write(self, tuple names, PyObject **values) except -1:
        """Makes the JSON of the object of its fields: the view then reads this JSON, as if it had been decoded."""
        cdef PyObject *heads = own_attribute(type(self), "_heads")
        cdef bytes text = None if heads == NULL else _object_text(<dict>heads, names, values)
        if text is None:
            fields = {}
            for i in range(len(names)):
                fields[names[i]] = <object>values[i]
            text = self.write_in_full(fields)
        with cython.critical_section(self):
            self.frame = text
            self.start = 0
            self.end = <size_t>PyBytes_GET_SIZE(text)
            self.parsed = self.outline = None
            self.reads = 0
        return 0

    cdef bytes write_in_full(self, dict fields):
        cls = type(self)
        known = cls.__match_args__
        extra = fields.pop("extra", None)
        for name in fields:
            if name not in known:
                raise no_field(cls, name, (*known, "extra"))
        if extra is not None:
            cls._check_extra(extra)
            fields.update(extra)
        return json_text(fields, cls.__name__)

    @property
    def raw(self):
        """The whole object as a dict, parsed by orjson when it is first asked for."""
        with cython.critical_section(self):
            return self.parse()

    cdef object parse(self):
        if self.parsed is None:
            value = _load_span(self.frame, self.start, self.end)
            # Parsing may have let other code run, which may have parsed this view.
            if self.parsed is None:
                self.parsed = value
                self.frame = self.outline = None
        return self.parsed

    cdef bint begin_scan(self) noexcept:
        """True if the next read is to look for its field in the frame, and counts that read; False if the object is to be
        parsed, or was parsed already."""
        if self.parsed is not None:
            return False
        if self.outline is None:
            if self.reads >= READS_BEFORE_PARSING:
                return False
            self.reads += 1
        return True

    cdef wire_outline members(self, bytes outline) noexcept:
        """The part of the outline that begins with the members of this object."""
        cdef const wire_entry *entries = <const wire_entry *>PyBytes_AS_STRING(outline)
        return wire_outline(entries + self.first, <size_t>PyBytes_GET_SIZE(outline) / sizeof(wire_entry) - self.first, self.level)


def view_text(ViewObject view):
    """The JSON of the view's object as bytes; None once it is parsed, because a caller may have changed what it was parsed to."""
    cdef Py_ssize_t size
    with cython.critical_section(view):
        frame = view.frame if view.parsed is None else None
        start, end = view.start, view.end
    if frame is None:
        return None
    return PyBytes_FromStringAndSize(<char *>_frame_data(frame, &size) + <size_t>start, <Py_ssize_t>(<size_t>end - <size_t>start))


cdef extern from *:
    """
    /* An instance without a call of __init__, which takes a dict. */
    static PyObject *bare_instance(PyObject *cls, PyObject *no_arguments) {
        return ((PyTypeObject *)cls)->tp_new((PyTypeObject *)cls, no_arguments, NULL);
    }
    """
    object bare_instance(object cls, tuple no_arguments)

cdef object _call_view(cls, PyObject **args, size_t nargsf, PyObject *names):
    """A call of a view class."""
    cdef Py_ssize_t count = PyVectorcall_NARGS(nargsf)
    cdef ViewObject view
    cdef bint alike = is_made_alike(<PyTypeObject *>cls, <PyTypeObject *>ViewObject)
    if alike and names == NULL and 0 < count <= 2 and <object>args[0] is not None:
        view = bare_instance(cls, ())
        view.parsed = <object>args[0]
        view._formats = <object>args[1] if count == 2 else None
        return view
    if alike and names != NULL and count == 0:
        view = bare_instance(cls, ())
        view.write(<tuple>names, args)
        return view
    return call_by_tuple(cls, args, count, names)

def declare_view(cls, names):
    """Gives a view class what writing its fields takes: `_heads`, and calls without a dict of keywords."""
    heads = {}
    for name in names:
        heads[name] = _head_of(name)
    type.__setattr__(cls, "_heads", heads)
    allow_vectorcall(type(cls))
    call_by_vector(<PyTypeObject *>cls, <void *>_call_view)

cdef const uint8_t *_find_in_view(frame, ViewObject view, const wire_key *keys, size_t count, wire_value *found) except NULL:
    """Finds members of the view's object in `frame`, the frame of the view. Returns the bytes of the frame."""
    cdef Py_ssize_t size
    cdef const uint8_t *data = _frame_data(frame, &size)
    cdef wire_value whole = wire_value(view.start, view.end, WIRE_OBJECT, False, False)
    cdef bytes outline = view.outline
    if outline is not None:
        wire_outline_members(data, view.members(outline), keys, count, found)
    else:
        _members(data, &whole, keys, count, found)
    return data

cdef object _view_of_span(cls, frame, size_t start, size_t end, formats, bytes outline, size_t first, unsigned level):
    if not is_made_alike(<PyTypeObject *>cls, <PyTypeObject *>ViewObject):
        return cls(_load_span(frame, start, end), formats)
    cdef ViewObject view = bare_instance(cls, ())
    view.frame = frame
    view.start = start
    view.end = end
    view._formats = formats
    view.outline = outline if level <= WIRE_OUTLINE_LEVELS else None
    view.first = first
    view.level = level
    return view

cdef object _nested_value(frame, const wire_value *value, view, bint many, formats, bytes outline=None, size_t first=0,
                          unsigned level=0):
    """A value of a frame as a Python object. `view`: the class that an object becomes, or None for a dict. `many`: the field is
    declared as a list, so that the objects inside an array become views, and an object by itself a dict. `outline`: has the
    members of an object, which have this `level`, from the entry `first` on; None: there is no outline."""
    cdef Py_ssize_t size
    cdef const uint8_t *data
    cdef wire_value element
    cdef size_t at
    if value.kind == WIRE_OBJECT and view is not None and not many:
        return _view_of_span(view, frame, value.start, value.end, formats, outline, first, level)
    if value.kind == WIRE_OBJECT or (value.kind == WIRE_ARRAY and (view is None or not many)):
        return _load_span(frame, value.start, value.end)
    data = _frame_data(frame, &size)
    if value.kind != WIRE_ARRAY:
        return _flat(data, value)
    elements = []
    at = value.start + 1
    while _element(data, value, &at, &element):
        elements.append(_nested_value(frame, &element, view, False, formats))
    return elements


@cython.final
cdef class ViewField:
    """Reads a declared field of a view."""
    cdef readonly str __name__
    cdef bytes encoded
    cdef wire_key key
    cdef object view
    cdef bint many
    cdef bint findable

    def __init__(self, str name, view, bint many):
        self.__name__ = name
        self.encoded = name.encode("utf-8", "surrogatepass")
        self.key = wire_key(PyBytes_AS_STRING(self.encoded), <size_t>PyBytes_GET_SIZE(self.encoded), NULL, 0, 0)
        self.findable = PyBytes_GET_SIZE(self.encoded) <= WIRE_MAX_NAME
        self.view = view
        self.many = many

    def __get__(self, instance, owner):
        if instance is None:
            return self
        if not isinstance(instance, ViewObject):
            raise TypeError(f"{self.__name__} is a field of a view, not of {type(instance).__name__}")
        with cython.critical_section(instance):
            return self.read(<ViewObject>instance)

    def __set__(self, instance, value):
        raise AttributeError(f"{type(instance).__name__} is read-only: {self.__name__}")

    cdef size_t find_in_outline(self, frame, wire_outline members, wire_value *found) except? 0:
        """Finds the field among the members of an object, and returns its number there."""
        cdef Py_ssize_t size
        cdef const uint8_t *data = _frame_data(frame, &size)
        found.kind = WIRE_ABSENT
        return wire_outline_find(data, members, self.key.bytes, self.key.length, found)

    cdef object read(self, ViewObject instance):
        cdef wire_value found
        cdef size_t first = 0
        cdef bytes outline
        if self.findable and instance.begin_scan():
            # Held here: a long search lets go of the GIL, and another thread that parses the view drops its frame.
            frame = instance.frame
            outline = instance.outline
            if outline is None:
                _find_in_view(frame, instance, &self.key, 1, &found)
            else:
                first = instance.first + self.find_in_outline(frame, instance.members(outline), &found) + 1
            # A list or dict is taken out of `raw` below, so that each read gives the same object.
            if found.kind < WIRE_OBJECT or (self.view is not None and self.many == (found.kind == WIRE_ARRAY)):
                return _nested_value(frame, &found, self.view, self.many, instance._formats, outline, first, instance.level + 1)
        value = instance.parse().get(self.__name__)
        view = self.view
        if view is None:
            return value
        if self.many:
            if type(value) is not list:
                return value
            views = []
            for entry in value:
                views.append(view(entry, instance._formats) if type(entry) is dict else entry)
            return views
        return view(value, instance._formats) if type(value) is dict else value


# ---- The audio inside an item ------------------------------------------------------------------------------------------

cdef wire_key[2] _AUDIO_PART_KEYS
_AUDIO_PART_KEYS[:] = [_key(b"audio"), _key(b"type")]

def part_pcm(ViewObject part, tuple formats):
    """The samples of a content part, int16 in a new 1-D array; None if the part has no audio.

    A byte at the end that makes no whole sample is left out.

    Args:
        part: The content part.
        formats: The session's input and output formats.

    Raises:
        DecodeError: `audio` is not a string, is not canonical base64 (`position` is then an offset into that string), or
            has a format that is neither PCM nor G.711.
    """
    cdef wire_value[2] found
    cdef Py_ssize_t size
    cdef const uint8_t *data
    cdef size_t position
    cdef wire_status status
    with cython.critical_section(part):
        frame = part.frame if part.begin_scan() else None
        if frame is not None:
            data = _find_in_view(frame, part, _AUDIO_PART_KEYS, 2, found)
    if frame is not None:
        if found[0].kind == WIRE_STRING:
            pcm = _part_samples(data, &found[0], formats[_flat(data, &found[1]) != "input_audio"], &status, &position)
            if pcm is not None:
                return pcm
    raw = part.raw
    text = raw.get("audio")
    if text is None:
        return None
    if type(text) is not str:
        raise DecodeError("the audio is not a string", 0, None, "audio", "")
    audio_format = formats[raw.get("type") != "input_audio"]
    data = _frame_data(text, &size)
    # The text is parsed, so a backslash in it begins no escape: it is one more character that base64 does not have.
    cdef wire_value value = wire_value(0, <size_t>size, WIRE_STRING, False, False)
    pcm = _part_samples(data, &value, audio_format, &status, &position)
    if pcm is None and status == WIRE_OK:
        raise DecodeError(f"audio format {audio_format.encoding!r} is neither PCM nor G.711", 0, None, "audio", text)
    if pcm is None:
        raise DecodeError(_reason(status), <Py_ssize_t>position, None, "audio", text)
    return pcm

cdef object _part_samples(const uint8_t *data, const wire_value *value, audio_format, wire_status *status, size_t *position):
    """Decodes base64 into an int16 array. None if that fails: `status` is the fault, or WIRE_OK if the format is neither
    PCM nor G.711."""
    cdef wire_sink sink
    cdef int conversion = _conversion(DTYPE_INT16, audio_format)
    status[0] = WIRE_OK
    if conversion < 0:
        return None
    sink.conversion = <wire_conversion>conversion
    sink.carry_count = 0
    return _decode_payload(data, value, DTYPE_INT16, &sink, None, status, position, False)
