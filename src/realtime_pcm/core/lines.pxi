# A line of a recording: where its frame stands between the other members of an object. src/lines/lines.h does it.

cdef extern from "lines.h" nogil:
    enum:
        LINE_MEMBERS
    ctypedef struct line_span:
        const uint8_t *start
        const uint8_t *end
    ctypedef struct line_keys:
        line_span *before
        line_span *behind
        size_t before_count
        size_t behind_count
    bint line_split(const uint8_t *start, const uint8_t *end, const line_keys *keys, line_span *found)
    size_t line_unquote(const uint8_t *start, const uint8_t *end, uint8_t *out)

cdef inline line_span _span_of(bytes text):
    """The bytes of a text; the caller keeps the text alive."""
    cdef const uint8_t *start = <const uint8_t *>PyBytes_AS_STRING(text)
    return line_span(start, start + PyBytes_GET_SIZE(text))

cdef bint _line_keys(tuple before, tuple behind, line_keys *keys) except -1:
    """Fills `keys` from keys in their quotes, which the caller keeps alive. False where there are too many."""
    cdef Py_ssize_t i
    if not 0 < len(before) <= LINE_MEMBERS + 1 or len(behind) > LINE_MEMBERS:
        return False
    for i in range(len(before)):
        keys.before[i] = _span_of(<bytes?>before[i])
    for i in range(len(behind)):
        keys.behind[i] = _span_of(<bytes?>behind[i])
    keys.before_count = len(before)
    keys.behind_count = len(behind)
    return True

def _split_line(bytes line not None, tuple before not None, tuple behind not None):
    """The parts of a line that is a JSON object: its frame and the scalars beside it, as JSON text.

    before: the keys that stand before the frame, each in its quotes, and last the frame's own. behind: those that follow it.
    Gives a list: the bytes of the frame's value, then those of the other values in their order. None where the line has other
    members than these, or a value beside the frame that is no plain scalar. The frame's value is not looked at: if it is JSON,
    the whole line is, and the text of a JSON object can be read in one way only.
    """
    cdef line_keys keys
    cdef line_span[2 * LINE_MEMBERS + 1] found
    cdef line_span whole = _span_of(line)
    cdef size_t i
    if not _line_keys(before, behind, &keys) or not line_split(whole.start, whole.end, &keys, found):
        return None
    parts = []
    for i in range(keys.before_count + keys.behind_count):
        parts.append(found[i].start[: found[i].end - found[i].start])
    return parts

def _unquote(bytes value not None):
    """The text of a JSON string whose escapes are `\\"`, `\\\\` and `\\/`; None for one with others, and for what is no such
    string. Bytes beyond ASCII stay as they are: whoever reads the text validates them."""
    cdef line_span span = _span_of(value)
    cdef bytes text = PyBytes_FromStringAndSize(NULL, PyBytes_GET_SIZE(value))
    cdef size_t length = line_unquote(span.start, span.end, <uint8_t *>PyBytes_AS_STRING(text))
    return None if length == SIZE_MAX else text[:length]
