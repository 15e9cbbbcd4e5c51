# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# cython: freethreading_compatible=True, auto_pickle=False, binding=True, embedsignature=True, embedsignature.format=clinic
"""src/lines as Python sees it: lines of a recording, one by one for `recording`, and many in one call for `arrow`."""

cimport cython
from cpython.buffer cimport Py_buffer, PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Calloc, PyMem_RawFree, PyMem_RawMalloc
from libc.math cimport NAN
from libc.stdint cimport INT32_MAX, SIZE_MAX, int32_t, uint8_t, uint32_t, uintptr_t
from libc.string cimport memcmp

from ._core cimport CLIENT, LINES, SERVER, TIER, Catalogue, Layout, Session, WireType
from ._lines cimport *
from ._session cimport ROLE_AUDIO_END, SAMPLES_AS_SENT, SAMPLES_INT16

from . import roles

cdef lines_functions calls = LINES[0]


# ---- One line --------------------------------------------------------------------------------------------------------------

cdef inline line_span _span_of(bytes text):
    """The bytes of a text; the caller keeps the text alive."""
    cdef const uint8_t *start = <const uint8_t *>PyBytes_AS_STRING(text)
    return line_span(start, start + PyBytes_GET_SIZE(text))

cdef bint _line_keys(tuple before, tuple behind, size_t time_at, size_t direction_at, size_t call_at, line_keys *keys) except -1:
    """Fills `keys` from keys in their quotes, which the caller keeps alive. False if there are too many, or if one of the three
    places is not that of a key."""
    cdef Py_ssize_t i
    if not 0 < len(before) <= LINE_MEMBERS + 1 or len(behind) > LINE_MEMBERS:
        return False
    for i in range(len(before)):
        keys.before[i] = _span_of(<bytes?>before[i])
    for i in range(len(behind)):
        keys.behind[i] = _span_of(<bytes?>behind[i])
    keys.before_count = len(before)
    keys.behind_count = len(behind)
    return max(time_at, direction_at, call_at) < keys.before_count + keys.behind_count

@cython.final
cdef class LineSplitter:
    """LineSplitter(before, behind, time_at, direction_at, quoted, call_at, words, scale, origin)\n--\n
    Splits lines that are JSON objects with the same members, and reads the values next to the frames.

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
        self.kept = before, behind
        self.fits = _line_keys(before, behind, time_at, direction_at, call_at, &self.keys)
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

        frame: its bytes. time: seconds; its bytes if somebody else must read it; None without one. direction: None for a
        word that is not known. call: the bytes of the id, None if it is that of the line before. None if the line has other
        members, or another value that is not a plain scalar. The frame is not looked at: if it is JSON, the whole line
        is, and the text of a JSON object can be read in one way only.
        """
        cdef line_span[2 * LINE_MEMBERS + 1] found
        cdef line_span whole = _span_of(line)
        cdef double seconds
        if not self.fits or not calls.split(whole.start, whole.end, &self.keys, found):
            return None
        frame = _unquoted(found[0]) if self.quoted else _bytes_of(found[0])
        if frame is None:
            return None
        time = direction = call = None
        if self.time_at:
            if calls.time(found[self.time_at].start, found[self.time_at].end, self.scale, self.origin, &seconds):
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
    cdef size_t length = calls.unquote(span.start, span.end, <uint8_t *>PyBytes_AS_STRING(text))
    return None if length == SIZE_MAX else text[:length]

def unquote(bytes value not None):
    """The text of a JSON string whose escapes are `\\"`, `\\\\` and `\\/`; None for one with others, and for what is no such
    string. Bytes beyond ASCII stay as they are: whoever reads the text validates them."""
    return _unquoted(_span_of(value))


# ---- What a message has for the columns ------------------------------------------------------------------------------------

# Fields that columns are read from; realtime_pcm/arrow/rows.py says what for.
COLUMN_TEXTS = (*roles.TEXT_FIELDS, "arguments")
assert len(COLUMN_TEXTS) <= 4    # batch_plan.texts
COLUMN_PLACES = ("audio_start_ms", "audio_end_ms")
COLUMN_OBJECTS = ("item", "response", "part", "error")  # _make_plan and put_nested of batch.c have them one by one

cdef batch_plan *_make_plan(Layout layout) except NULL:
    """The plan of a layout. It is never freed, as its class is not."""
    cdef batch_plan *plan = <batch_plan *>PyMem_Calloc(1, sizeof(batch_plan))
    cdef int number, count = 0
    if plan == NULL:
        raise MemoryError
    plan.session = &layout.in_session
    plan.response_id = layout.in_session.ids.response_id
    plan.item_id = layout.in_session.ids.item_id
    plan.content_index = layout.in_session.ids.content_index
    plan.output_index = <uint8_t>layout.number("output_index")
    for name in COLUMN_PLACES:
        number = layout.number(name)
        if number:
            plan.audio_ms[count] = <uint8_t>number
            count += 1
    count = 0
    for name in COLUMN_TEXTS:
        number = layout.number(name)
        if number and not layout.holds_payload(number):
            plan.texts[count] = <uint8_t>number
            count += 1
    plan.stash = <uint8_t>layout.number("stash")
    plan.item = <uint8_t>layout.number("item")
    plan.response = <uint8_t>layout.number("response")
    plan.part = <uint8_t>layout.number("part")
    plan.error = <uint8_t>layout.number("error")
    plan.nested = (<uint32_t>1 << plan.item | <uint32_t>1 << plan.response | <uint32_t>1 << plan.part
                   | <uint32_t>1 << plan.error) & ~<uint32_t>1
    if layout.role_name in roles.OF_CALLS:
        plan.told = <uint8_t>(1 + roles.OF_CALLS.index(layout.role_name))
        plan.told_object = layout.in_session.holder
        plan.told_field = plan.response_id if plan.told_object and plan.told_object == plan.response else plan.item_id
    if layout.bytes_payload or layout.field_roles:
        plan.kind = BATCH_SLOW
    elif layout.is_unknown:
        plan.kind = BATCH_UNKNOWN
    elif layout.is_audio:
        plan.kind = BATCH_AUDIO
    elif layout.in_session.role >= ROLE_AUDIO_END:
        plan.kind = BATCH_CHANGE
    elif layout.ends_audio:
        plan.kind = BATCH_SLOW
    else:
        plan.kind = BATCH_PLAIN
    return plan

cdef int _make_plans(Catalogue catalogue) except -1:
    """Gives a plan to each layout that has none: most have got theirs when the first LineBatch was made."""
    cdef WireType entry
    for entry in [*catalogue.types.values(), catalogue.unknown]:
        if entry.layout.wire.row_plan == NULL:
            calls.set_plan(&entry.layout.wire, _make_plan(entry.layout))
    return 0


# ---- The batch -----------------------------------------------------------------------------------------------------------

@cython.final
cdef class LineBatch:
    """LineBatch(session, slow, tell, source, *, own, wrapped, as_sent, words, rows, size, most_empty, expected=0, \
catalogue=None)\n--\n
    The lines of one recording, as batches of rows. For realtime_pcm.arrow.

    session: the Session of the recording. slow: called with each unusual line (bytes) and its number; gives the row of rows.py,
    or None for a line without one. tell: called with what frames tell about their calls, a role of roles.OF_CALLS and an id or
    None, before the next unusual line. source: the name of the recording. own: whether it is one of ours. wrapped: whether
    frames are inside objects. as_sent: payloads, not samples. words: the words for directions, each in its quotes -> whether it
    means "sent". rows, size: how many rows, and bytes of text and audio, make a batch. expected: how long the file may be, as a
    hint; 0: unknown. most_empty: how many empty lines in a row are passed; `slow` gets the next one, and any after it are passed
    too. catalogue: a sockets.Catalogue, or None for the Realtime API.
    slow_lines: those so far for which `slow` was called, which takes the GIL.
    """
    cdef batch b
    cdef Session own                    # knows what `session` knows, while lines are read without the GIL
    cdef Session session
    cdef Catalogue server, client
    cdef object slow, tell, late
    cdef bytes source
    cdef tuple keys
    cdef list words
    cdef batch_word *word_table
    cdef bint running                   # feed() is
    cdef bint is_free                   # the GIL is, while feed() reads

    def __cinit__(self):
        self.word_table = NULL
        self.own = Session()

    def __dealloc__(self):
        calls.end(&self.b)
        PyMem_RawFree(self.word_table)

    def __init__(self, Session session not None, slow, tell, str source not None, *, bint own, bint wrapped,
                 bint as_sent, dict words not None, size_t rows, size_t size, size_t most_empty, size_t expected=0,
                 catalogue=None):
        cdef Py_ssize_t i = 0
        cdef bytes word
        if self.session is not None:
            raise TypeError("LineBatch.__init__ was called twice")
        self.server = SERVER if catalogue is None else <Catalogue?>catalogue.server
        self.client = CLIENT if catalogue is None else <Catalogue?>catalogue.client
        _make_plans(self.server)
        _make_plans(self.client)
        self.word_table = <batch_word *>PyMem_RawMalloc((len(words) + 1) * sizeof(batch_word))
        if self.word_table == NULL:
            raise MemoryError
        self.words = list(words)
        for word, sent in words.items():
            self.word_table[i] = batch_word(<const uint8_t *>PyBytes_AS_STRING(word), <size_t>len(word), bool(sent))
            i += 1
        self.slow = slow
        self.tell = tell
        self.source = source.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").encode()
        self.b.session = &self.own.state
        self.b.reader.samples = SAMPLES_AS_SENT if as_sent else SAMPLES_INT16
        self.b.assumed[0] = self.b.assumed[1] = self.own.state.output
        self.b.own = own
        self.b.wrapped = wrapped
        self.b.as_sent = as_sent
        self.b.words = self.word_table
        self.b.word_count = <size_t>i
        # Offsets in columns of strings have 32 bits, and each row has the source.
        self.b.max_rows = min(rows, <size_t>1 << 20, max(<size_t>INT32_MAX // <size_t>(len(self.source) + 1) - 1, 1))
        self.b.max_bytes = min(size, <size_t>1 << 30)
        self.b.most_empty = most_empty
        self.b.audio.room = min(self.b.max_bytes, expected // 4 * 3) + 65536
        self.b.source = <const uint8_t *>PyBytes_AS_STRING(self.source)
        self.b.source_length = <size_t>PyBytes_GET_SIZE(self.source)
        self.b.scale = NAN
        if not calls.begin(&self.b):
            raise MemoryError
        self.session = session

    @property
    def rows(self):
        """Rows in the batch so far."""
        return self.b.rows

    @property
    def full(self):
        """Whether the batch has no room for a further row."""
        return self.b.rows == self.b.max_rows

    @property
    def line(self):
        """The last line that was read."""
        return self.b.line

    @line.setter
    def line(self, size_t number):
        with cython.critical_section(self):
            self.check_at_rest()
            self.b.line = number

    @property
    def slow_lines(self):
        return self.b.slow_lines

    def set_template(self, tuple before not None, tuple behind not None, size_t time_at, size_t direction_at,
                     bint quoted, size_t call_at, double scale, double origin, late):
        """How lines are split from now on: see Template and Wrapper.numbers of recording/template.py. late: reads the text of a
        time that is neither a plain number nor a date of ISO 8601."""
        with cython.critical_section(self):
            self.check_at_rest()
            self.b.has_keys = False     # if what follows fails, no key of before is left
            self.keys = (before, behind)
            self.b.has_keys = _line_keys(before, behind, time_at, direction_at, call_at, &self.b.keys)
            self.b.time_at = time_at
            self.b.direction_at = direction_at
            self.b.call_at = call_at
            self.b.quoted = quoted
            self.b.scale = scale
            self.b.origin = origin
            self.late = late

    def feed(self, data, Py_ssize_t start, Py_ssize_t end, bint last):
        """Reads lines from data[start:end]. Gives (where it stopped, whether the batch is full). last: the data end the file."""
        cdef Py_buffer view
        cdef size_t at
        cdef bint full
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            if not 0 <= start <= end <= view.len:
                raise ValueError("start and end are not in the data")
            self.begin_to_run()
            try:
                at = <size_t>start
                full = self.run(<const uint8_t *>view.buf, <size_t>end, last, &at)
                return at, full
            finally:
                self.running = False
        finally:
            PyBuffer_Release(&view)

    cdef int begin_to_run(self) except -1:
        with cython.critical_section(self):
            if self.session is None or self.running:
                raise RuntimeError("LineBatch: __init__ was not called, or feed() is running")
            self.running = True
        return 0

    cdef int check_at_rest(self) except -1:
        """What changes the batch comes between reads: from `slow`, or while feed() does not run. In a critical section, in which
        no read begins."""
        if self.session is None or self.is_free:
            raise RuntimeError("LineBatch: __init__ was not called, or feed() is reading")
        return 0

    cdef bint run(self, const uint8_t *data, size_t length, bint last, size_t *at) except -1:
        cdef batch_stop stop
        cdef size_t line_end = 0
        while True:
            self.b.tier = TIER
            self.b.catalogues[0] = self.server.table
            self.b.catalogues[1] = self.client.table
            # Nobody else can reach the session while the GIL is free: a decoder that shares it finds a fresh one, and what it
            # does to that one is forgotten.
            self.session.move_to(self.own)
            with cython.critical_section(self):     # without a GIL, another thread may be putting in a row
                self.is_free = True
            with nogil:
                stop = calls.run(&self.b, data, length, last, at, &line_end)
            self.is_free = False
            self.own.move_to(self.session)
            if self.b.late_count:
                self.read_late()
            if self.b.told_count:
                self.read_told()
            if stop == BATCH_NO_MEMORY:
                raise MemoryError
            if self.session.state.has_doubt:
                self.session.tell_doubt()
            if stop != BATCH_NEED_CALLER:
                return stop == BATCH_FULL
            line = PyBytes_FromStringAndSize(<const char *>data + at[0], <Py_ssize_t>(line_end - at[0]))
            row = self.slow(line, self.b.line + 1)
            if row is not None:
                self.put_row(row)
            at[0] = line_end
            self.b.line += 1

    cdef int read_late(self) except -1:
        """The times that are no plain numbers, in the order of their lines."""
        cdef size_t i, start = 0
        for i in range(self.b.late_count):
            time = self.late(self.b.late[start : self.b.late_ends[i]])
            start = self.b.late_ends[i]
            if time is not None:
                self.b.time[self.b.late_rows[i]] = time
                self.b.time_valid[self.b.late_rows[i]] = 1
        self.b.late_count = self.b.late_length = 0
        return 0

    cdef int read_told(self) except -1:
        """What frames have told of their calls, in the order of their lines."""
        cdef size_t i, start = 0, end, count = self.b.told_count
        cdef const char *ids = <const char *>self.b.ids
        self.b.told_count = 0
        for i in range(count):
            end = self.b.tellings[i].id_end
            id = ids[start:end].decode() if self.b.tellings[i].named else None
            start = end
            self.tell(roles.OF_CALLS[self.b.tellings[i].told - 1], id)
        return 0

    def put_row(self, tuple row not None):
        """Puts in a row of rows.py."""
        with cython.critical_section(self):
            self.put(row)

    cdef int put(self, tuple row) except -1:
        (line, time, direction, kind, event_id, response_id, item_id, output_index, content_index, audio_ms, text, pcm, encoding,
         rate, channels, sample_offset, role, error) = row
        self.check_at_rest()
        if self.b.rows == self.b.max_rows:
            raise RuntimeError("LineBatch: no room for a row")
        cdef bint fits
        calls.row(&self.b, line, direction == "sent")
        if time is not None:
            calls.put_time(&self.b, time)
        fits = (self.put_text(TEXT_TYPE, kind) and self.put_text(TEXT_EVENT_ID, event_id)
                and self.put_text(TEXT_RESPONSE_ID, response_id) and self.put_text(TEXT_ITEM_ID, item_id)
                and self.put_text(TEXT_TEXT, text) and self.put_text(TEXT_ENCODING, encoding)
                and self.put_text(TEXT_ROLE, role) and self.put_text(TEXT_ERROR, error))
        for column, number in ((NUMBER_OUTPUT_INDEX, output_index), (NUMBER_CONTENT_INDEX, content_index),
                               (NUMBER_AUDIO_MS, audio_ms), (NUMBER_SAMPLE_OFFSET, sample_offset)):
            if number is not None:
                calls.put_number(&self.b, column, number)
        if pcm is not None:
            fits = self.put_pcm(pcm, 0 if rate is None else rate, 0 if channels is None else channels) and fits
        if not fits:
            raise MemoryError
        calls.row_done(&self.b)
        return 0

    cdef bint put_pcm(self, pcm, int32_t rate, int32_t channels) except -1:
        cdef Py_buffer view
        cdef bint fits
        PyObject_GetBuffer(pcm, &view, PyBUF_SIMPLE)
        fits = calls.put_pcm(&self.b, view.buf, <size_t>view.len, rate, channels)
        PyBuffer_Release(&view)
        return fits

    cdef bint put_text(self, batch_text column, text) except -1:
        cdef bytes encoded
        if text is None:
            return True
        encoded = text.encode("utf-8", "backslashreplace")
        return calls.put_text(&self.b, column, <const uint8_t *>PyBytes_AS_STRING(encoded), <size_t>len(encoded))

    def export(self, uintptr_t address):
        """Moves the batch into the ArrowArray at this address, and begins the next one."""
        with cython.critical_section(self):
            if self.session is None or self.running:
                raise RuntimeError("LineBatch: __init__ was not called, or feed() is running")
            if not calls.hand_over(&self.b, <ArrowArray *>address):
                raise MemoryError
            if not calls.begin(&self.b):
                self.session = None     # without columns nothing can follow
                raise MemoryError
