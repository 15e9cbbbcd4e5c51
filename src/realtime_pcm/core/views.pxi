# Views of nested objects. A view that has an outline, which the walk has made, finds each field in the outline. Any other view
# finds the first READS_BEFORE_PARSING fields that are read in the frame; the next read has orjson parse the whole object, and all
# further reads look into the result.

cdef enum:
    # Measured: to find one field of a session of 1 kB in the frame takes 0.35 us, to parse the session 2.5 us. Of an item of
    # 250 B, it takes 0.1 us and 0.9 us. To find six fields costs about what parsing costs. Whoever reads a seventh pays for both,
    # which is less than twice the price of parsing at once.
    READS_BEFORE_PARSING = 6

# ---- Written by keyword ----------------------------------------------------------------------------------------------------

cdef bint _has_null(bytes text) noexcept:
    """Whether "null" stands anywhere in a text."""
    cdef const uint8_t *at = <const uint8_t *>PyBytes_AS_STRING(text)
    cdef uint8_t found = 0
    cdef Py_ssize_t i
    # No exit from the middle of this loop: so compilers make vector code of it.
    for i in range(PyBytes_GET_SIZE(text) - 3):
        found |= (at[i] == 0x6E) & (at[i + 1] == 0x75) & (at[i + 2] == 0x6C) & (at[i + 3] == 0x6C)
    return found

cdef bint _is_finite(value):
    """Whether a value that was written holds no number that is not finite. False too where it holds a type of somebody's own."""
    cdef object kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return True
    if kind is float:
        return isfinite(<double>value)
    if kind is dict:
        for inner in (<dict>value).values():
            if not _is_finite(inner):
                return False
        return True
    if kind is list or kind is tuple:
        for inner in value:
            if not _is_finite(inner):
                return False
        return True
    return False

def json_text(value, str name):
    """A JSON value as bytes. Raises what json_values.refuse raises; `name` begins the path in the error."""
    cdef bytes text
    try:
        text = json_values.write(value, _plain_value, json_values.write_options)
    except TypeError:
        json_values.refuse(value, _plain_value, name)
        raise
    # orjson writes null for a number that is not finite.
    if _has_null(text) and not _is_finite(value):
        json_values.refuse(value, _plain_value, name)
    return text

cdef bytes _value_text(value):
    """The JSON of the value of one field; None where the caller is to ask json_text, for the value or for the error."""
    cdef object kind = type(value)
    cdef bytes text
    if kind is str and PyUnicode_IS_COMPACT_ASCII(value):
        return _json_text(<str>value, "")
    if value is None:
        return b"null"
    if kind is bool:
        return b"true" if value else b"false"
    if kind is int:
        return _json_int(value)
    if isinstance(value, ViewObject):
        text = view_text(<ViewObject>value)
        if text is not None:
            return text
    if kind is list and value and isinstance((<list>value)[0], ViewObject):
        pieces = []
        for inner in <list>value:
            text = _value_text(inner)
            if text is None:
                return None
            pieces.append(text)
        return b"[" + b",".join(pieces) + b"]"
    try:
        text = json_values.write(value, _plain_value, json_values.write_options)
    except TypeError:
        return None
    return text if not _has_null(text) or _is_finite(value) else None

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


def json_heads(names):
    """name -> what stands before its value in an object: a comma, the name and a colon."""
    heads = {}
    for name in names:
        heads[name] = b"," + _json_text(name, "key") + b":"
    return heads

cdef bytes _object_text(dict heads, dict fields):
    """The JSON of an object of declared fields; None where json_text is to be asked."""
    cdef bytes text
    cdef list pieces = []
    for name, value in fields.items():
        head = heads.get(name)
        text = None if head is None else _value_text(value)
        if text is None:
            return None
        pieces.append(head)
        pieces.append(text)
    if not pieces:
        return b"{}"
    pieces.append(b"}")
    text = b"".join(pieces)             # of three pieces at least: new bytes, which nobody else has seen
    PyBytes_AS_STRING(text)[0] = b"{"   # in place of the comma
    return text


# ---- Views -----------------------------------------------------------------------------------------------------------------

cdef class ViewObject:
    """The memory of a view; use View."""
    cdef object frame               # None where the view was made of a dict, and once it is parsed
    cdef size_t start, end          # of the object in the frame
    cdef object parsed              # None as long as the object was not parsed
    cdef readonly object _formats
    cdef int reads
    cdef bytes outline              # a wire_entry for each member of the outline that the message holds, or None
    cdef size_t first               # the entry of the outline with which the members of this object begin
    cdef unsigned level             # the level of these members

    def __init__(self, raw=None, formats=None, /, **fields):
        if raw is None:
            self.write(fields)
        elif fields:
            raise TypeError(f"{type(self).__name__} takes a dict or keywords, not both")
        else:
            self.parsed = raw
            self._formats = formats

    cdef int write(self, dict fields) except -1:
        """Makes the JSON of the object of its fields: the view then reads this JSON, as if it had been decoded."""
        cdef bytes text = _object_text(type(self)._heads, fields)
        if text is None:
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
        """True where the next read is to look for its field in the frame, and counts that read; False where the object is to be
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
    /* Whether no class below `base` brings an __init__ or a __new__ of its own. */
    static int is_made_alike(PyObject *cls, PyObject *base) {
        return ((PyTypeObject *)cls)->tp_init == ((PyTypeObject *)base)->tp_init &&
               ((PyTypeObject *)cls)->tp_new == ((PyTypeObject *)base)->tp_new;
    }
    """
    object bare_instance(object cls, tuple no_arguments)
    bint is_made_alike(object cls, object base) noexcept

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
    if not is_made_alike(cls, ViewObject):
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
    """Decodes base64 into an int16 array. None where that fails: `status` is the fault, or WIRE_OK where the format is neither
    PCM nor G.711."""
    cdef wire_sink sink
    cdef int conversion = _conversion(DTYPE_INT16, audio_format)
    status[0] = WIRE_OK
    if conversion < 0:
        return None
    sink.conversion = <wire_conversion>conversion
    sink.carry_count = 0
    return _decode_payload(data, value, DTYPE_INT16, &sink, None, status, position, False)
