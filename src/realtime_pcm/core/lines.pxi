# A line of a recording: where its frame stands between the other members of an object.

cdef inline const uint8_t *_past_spaces(const uint8_t *at, const uint8_t *end) noexcept:
    while at < end and (at[0] == b" " or at[0] == b"\t"):
        at += 1
    return at

cdef inline const uint8_t *_before_spaces(const uint8_t *start, const uint8_t *at) noexcept:
    while at > start and (at[-1] == b" " or at[-1] == b"\t" or at[-1] == b"\r" or at[-1] == b"\n"):
        at -= 1
    return at

cdef inline const uint8_t *_past_digits(const uint8_t *at, const uint8_t *end) noexcept:
    while at < end and b"0" <= at[0] <= b"9":
        at += 1
    return at

cdef const uint8_t *_past_scalar(const uint8_t *at, const uint8_t *end) noexcept:
    """Behind the scalar that begins at `at`: a number, true, false, null, or a string of printable ASCII without escapes. NULL
    where there is none."""
    cdef const uint8_t *digits
    if at == end:
        return NULL
    if at[0] == b'"':
        at += 1
        while at < end and 0x20 <= at[0] < 0x7F and at[0] != b'"' and at[0] != b"\\":
            at += 1
        return at + 1 if at < end and at[0] == b'"' else NULL
    if at[0] == b"t":
        return at + 4 if end - at >= 4 and memcmp(at, b"true", 4) == 0 else NULL
    if at[0] == b"f":
        return at + 5 if end - at >= 5 and memcmp(at, b"false", 5) == 0 else NULL
    if at[0] == b"n":
        return at + 4 if end - at >= 4 and memcmp(at, b"null", 4) == 0 else NULL
    if at[0] == b"-":
        at += 1
    digits = at
    at = _past_digits(at, end)
    if at == digits or (digits[0] == b"0" and at - digits > 1):
        return NULL
    if at < end and at[0] == b".":
        digits = at + 1
        at = _past_digits(digits, end)
        if at == digits:
            return NULL
    if at < end and (at[0] == b"e" or at[0] == b"E"):
        at += 1
        if at < end and (at[0] == b"+" or at[0] == b"-"):
            at += 1
        digits = at
        at = _past_digits(at, end)
        if at == digits:
            return NULL
    return at

def _split_line(bytes line not None, tuple before not None, tuple behind not None):
    """The parts of a line that is a JSON object: its frame and the scalars beside it, as JSON text.

    before: the keys that stand before the frame, each in its quotes, and last the frame's own. behind: those that follow it.
    Gives a list: the bytes of the frame's value, then those of the other values in their order. None where the line has other
    members than these, or a value beside the frame that is no plain scalar. The frame's value is not looked at: if it is JSON,
    the whole line is, and the text of a JSON object can be read in one way only.
    """
    cdef const uint8_t *start = <const uint8_t *>PyBytes_AS_STRING(line)
    cdef const uint8_t *end = start + PyBytes_GET_SIZE(line)
    cdef const uint8_t *at = _past_spaces(start, end)
    cdef const uint8_t *tail
    cdef const uint8_t *value
    cdef const uint8_t *value_end
    cdef Py_ssize_t index, size, count = len(before)
    cdef bytes key
    cdef list found = [None]
    if at == end or at[0] != b"{":
        return None
    at += 1
    for index in range(count):
        at = _past_spaces(at, end)
        key = <bytes?>before[index]
        size = PyBytes_GET_SIZE(key)
        if end - at < size or memcmp(at, PyBytes_AS_STRING(key), size) != 0:
            return None
        at = _past_spaces(at + size, end)
        if at == end or at[0] != b":":
            return None
        at = _past_spaces(at + 1, end)
        if index + 1 == count:
            break
        value = at
        at = _past_scalar(at, end)
        if at == NULL:
            return None
        found.append(value[: at - value])
        at = _past_spaces(at, end)
        if at == end or at[0] != b",":
            return None
        at += 1
    tail = _before_spaces(at, end)
    if tail == at or tail[-1] != b"}":
        return None
    tail -= 1
    for index in range(len(behind) - 1, -1, -1):
        value_end = tail = _before_spaces(at, tail)
        if tail > at and tail[-1] == b'"':
            tail -= 1
            while tail > at and tail[-1] != b'"':
                tail -= 1
            tail -= 1
        else:
            while tail > at and (b"0" <= tail[-1] <= b"9" or b"a" <= tail[-1] <= b"z"
                                 or tail[-1] == b"." or tail[-1] == b"-" or tail[-1] == b"+" or tail[-1] == b"E"):
                tail -= 1
        if tail <= at or _past_scalar(tail, value_end) != value_end:
            return None
        found.insert(count, tail[: value_end - tail])
        tail = _before_spaces(at, tail)
        if tail == at or tail[-1] != b":":
            return None
        tail = _before_spaces(at, tail - 1)
        key = <bytes?>behind[index]
        size = PyBytes_GET_SIZE(key)
        if tail - at < size or memcmp(tail - size, PyBytes_AS_STRING(key), size) != 0:
            return None
        tail = _before_spaces(at, tail - size)
        if tail == at or tail[-1] != b",":
            return None
        tail -= 1
    found[0] = at[: tail - at]
    return found

def _unquote(bytes value not None):
    """The text of a JSON string whose escapes are `\\"`, `\\\\` and `\\/`; None for one with others, and for what is no such
    string. Bytes beyond ASCII stay as they are: whoever reads the text validates them."""
    cdef const uint8_t *at = <const uint8_t *>PyBytes_AS_STRING(value)
    cdef const uint8_t *end = _before_spaces(at, at + PyBytes_GET_SIZE(value)) - 1
    cdef const uint8_t *stop
    cdef uint8_t *out
    cdef bytes text
    if end <= at or at[0] != b'"' or end[0] != b'"':
        return None
    at += 1
    text = PyBytes_FromStringAndSize(NULL, end - at)
    out = <uint8_t *>PyBytes_AS_STRING(text)
    while True:
        stop = <const uint8_t *>memchr(at, b"\\", end - at)
        if stop == NULL:
            stop = end
        if memchr(at, b'"', stop - at) != NULL:
            return None
        memcpy(out, at, stop - at)
        out += stop - at
        if stop == end:
            break
        at = stop + 1
        if at == end or (at[0] != b'"' and at[0] != b"\\" and at[0] != b"/"):
            return None
        out[0] = at[0]
        out += 1
        at += 1
    return text[: out - <uint8_t *>PyBytes_AS_STRING(text)]
