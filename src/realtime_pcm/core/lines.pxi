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
    bint line_time(const uint8_t *start, const uint8_t *end, double scale, double origin, double *time)

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

@cython.final
cdef class LineSplitter:
    """LineSplitter(before, behind, time_at, direction_at, quoted, call_at, words, scale, origin)\n--\n
    Splits lines that are JSON objects with the same members, and reads what stands beside the frames.

    before: the keys up to the frame's own, each in its quotes. behind: those that follow it. time_at, direction_at, call_at:
    which of the values, the frame first, are the time, the direction and the id of the call; 0: none. quoted: the frame is a
    string of JSON. words: the words for directions, in their quotes -> direction. scale, origin: as in line_time of lines.h.
    """
    cdef line_keys keys
    cdef size_t time_at, direction_at, call_at
    cdef double scale, origin
    cdef bint fits, quoted
    cdef dict words
    cdef bytes word, call
    cdef object direction
    cdef tuple kept

    def __init__(self, tuple before not None, tuple behind not None, size_t time_at, size_t direction_at, bint quoted,
                 size_t call_at, dict words not None, double scale, double origin):
        cdef size_t count
        self.kept = before, behind
        self.fits = _line_keys(before, behind, &self.keys)
        count = self.keys.before_count + self.keys.behind_count
        self.fits = self.fits and time_at < count and direction_at < count and call_at < count
        self.time_at = time_at
        self.direction_at = direction_at
        self.call_at = call_at
        self.quoted = quoted
        self.words = words
        self.word = self.call = b""
        self.scale = scale
        self.origin = origin

    def split(self, bytes line not None):
        """(frame, time, direction, call) of a line.

        frame: its bytes. time: seconds; its bytes if it is to be read by somebody else, None without one. direction: None for a
        word that is not known. call: the bytes of the id, None if it is that of the line before. None where the line has other
        members, or a value beside the frame that is no plain scalar. The frame is not looked at: if it is JSON, the whole line
        is, and the text of a JSON object can be read in one way only.
        """
        cdef line_span[2 * LINE_MEMBERS + 1] found
        cdef line_span whole = _span_of(line)
        cdef double seconds
        if not self.fits or not line_split(whole.start, whole.end, &self.keys, found):
            return None
        frame = _unquoted(found[0]) if self.quoted else _bytes_of(found[0])
        if frame is None:
            return None
        time = direction = call = None
        if self.time_at:
            if line_time(found[self.time_at].start, found[self.time_at].end, self.scale, self.origin, &seconds):
                time = seconds
            else:
                time = _bytes_of(found[self.time_at])
        if self.direction_at:
            if not _is_same(found[self.direction_at], self.word):
                self.word = _bytes_of(found[self.direction_at])
                self.direction = self.words.get(self.word) or self.words.get(self.word.lower())
            direction = self.direction
        if self.call_at and not _is_same(found[self.call_at], self.call):
            call = self.call = _bytes_of(found[self.call_at])
        return frame, time, direction, call

cdef inline bint _is_same(line_span span, bytes text) noexcept:
    cdef Py_ssize_t length = span.end - span.start
    return length == PyBytes_GET_SIZE(text) and memcmp(span.start, PyBytes_AS_STRING(text), <size_t>length) == 0

cdef inline bytes _bytes_of(line_span span):
    return PyBytes_FromStringAndSize(<const char *>span.start, span.end - span.start)

cdef bytes _unquoted(line_span span):
    cdef bytes text = PyBytes_FromStringAndSize(NULL, span.end - span.start)
    cdef size_t length = line_unquote(span.start, span.end, <uint8_t *>PyBytes_AS_STRING(text))
    return None if length == SIZE_MAX else text[:length]

def _unquote(bytes value not None):
    """The text of a JSON string whose escapes are `\\"`, `\\\\` and `\\/`; None for one with others, and for what is no such
    string. Bytes beyond ASCII stay as they are: whoever reads the text validates them."""
    return _unquoted(_span_of(value))
