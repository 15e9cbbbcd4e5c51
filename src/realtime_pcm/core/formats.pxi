# Audio formats of src/session as Python objects, and the other way round.

cdef int _value_of_format(object written, c_format *value) except -1:
    """An AudioFormat as src/session has it."""
    cdef int code = written._code
    cdef bytes name
    value[0] = FORMAT_DEFAULT
    value.unnamed = False
    value.encoding = <uint8_t>(ENCODING_OTHER if code < 0 else code)
    value.rate = written.rate
    value.channels = written.channels
    if code < 0:
        name = written.encoding.encode("utf-8", "backslashreplace")[:FORMAT_NAME_MAX]
        value.name_length = <uint16_t>len(name)
        memcpy(value.name, PyBytes_AS_STRING(name), <size_t>len(name))
    return 0

# Formats of src/session, as bytes -> their AudioFormats: sessions name the same few again and again.
cdef dict _format_objects = {}

cdef object _format_object(const c_format *value):
    """The AudioFormat of a format. May run Python code, so that `value` must not lie in a session."""
    if value.unnamed and format_same(value, &FORMAT_DEFAULT):
        return DEFAULT_FORMAT
    key = PyBytes_FromStringAndSize(<const char *>value, <Py_ssize_t>(value.name - <const char *>value) + value.name_length)
    found = _format_objects.get(key)
    if found is None:
        if value.encoding == ENCODING_OTHER:
            name = value.name[: value.name_length].decode("utf-8", "replace")
        else:
            name = format_encoding_name(<audio_encoding>value.encoding).decode()
        found = AudioFormat(name, value.rate, value.channels)
        if len(_format_objects) >= 256:
            _format_objects.clear()
        _format_objects[key] = found
    return found

def _format_names():
    """name on the wire -> (our name of the encoding, the rate where none is sent)."""
    cdef size_t i = 0
    names = {}
    while format_names[i].name != NULL:
        names[format_names[i].name.decode()] = (format_encoding_name(format_names[i].encoding).decode(), format_names[i].rate)
        i += 1
    return names

def _sample_bytes():
    names = {}
    for i in range(ENCODING_OTHER):
        if format_sample_bytes(<audio_encoding>i):
            names[format_encoding_name(<audio_encoding>i).decode()] = format_sample_bytes(<audio_encoding>i)
    return names

learn_names(_format_names(), _sample_bytes(), FORMAT_NAME_MAX)
