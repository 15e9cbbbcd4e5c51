# Many lines of a recording in one call, into the columns of one batch of realtime_pcm.arrow. src/lines does it without the GIL.
# What is out of the ordinary there comes back line by line: `slow` of LineBatch decodes it with the Decoder, and gives its row.

cdef extern from "arrow.h":
    struct ArrowArray:
        pass

cdef extern from "batch.h" nogil:
    ctypedef enum batch_kind:
        BATCH_SLOW
        BATCH_PLAIN
        BATCH_AUDIO
        BATCH_CHANGE
        BATCH_UNKNOWN
    ctypedef struct batch_plan:
        uint8_t kind
        uint8_t response_id
        uint8_t item_id
        uint8_t output_index
        uint8_t content_index
        uint8_t audio_ms[2]
        uint8_t texts[4]
        uint8_t stash
        uint8_t item
        uint8_t response
        uint8_t part
        uint8_t error
        uint32_t nested
        uint8_t told
        uint8_t told_object
        uint8_t told_field
        const session_plan *session
    ctypedef enum batch_text:
        TEXT_TYPE
        TEXT_EVENT_ID
        TEXT_RESPONSE_ID
        TEXT_ITEM_ID
        TEXT_TEXT
        TEXT_ENCODING
        TEXT_ROLE
        TEXT_ERROR
    ctypedef enum batch_number:
        NUMBER_OUTPUT_INDEX
        NUMBER_CONTENT_INDEX
        NUMBER_AUDIO_MS
        NUMBER_SAMPLE_OFFSET
    ctypedef struct batch_word:
        const uint8_t *bytes
        size_t length
        bint sent
    ctypedef struct batch_told:
        uint8_t told
        bint named
        size_t id_end
    ctypedef struct audio_columns:
        size_t room
    ctypedef struct batch:
        const wire_tier *tier
        const wire_catalogue *catalogues[2]
        c_session *session
        session_reader reader
        bint as_sent
        bint own
        bint wrapped
        bint has_keys
        bint quoted
        line_keys keys
        size_t time_at
        size_t direction_at
        size_t call_at
        double scale
        double origin
        const batch_word *words
        size_t word_count
        size_t max_rows
        size_t max_bytes
        size_t most_empty
        const uint8_t *source
        size_t source_length
        c_format assumed[2]
        size_t rows
        size_t line
        size_t slow_lines
        audio_columns audio
        double *time
        uint8_t *time_valid
        size_t late_count
        size_t late_length
        uint32_t *late_rows
        size_t *late_ends
        uint8_t *late
        size_t told_count
        batch_told *tellings
        uint8_t *ids
    ctypedef enum batch_stop:
        BATCH_NEED_DATA
        BATCH_FULL
        BATCH_NEED_CALLER
        BATCH_NO_MEMORY
    void batch_set_plan(wire_layout *layout, const batch_plan *plan)
    bint batch_begin(batch *b)
    void batch_end(batch *b)
    batch_stop batch_run(batch *b, const uint8_t *data, size_t length, bint last, size_t *at, size_t *line_end)
    void batch_row(batch *b, size_t line, bint sent)
    bint batch_put_text(batch *b, batch_text column, const uint8_t *text, size_t length)
    void batch_put_number(batch *b, batch_number column, int64_t number)
    void batch_put_time(batch *b, double time)
    bint batch_put_pcm(batch *b, const void *pcm, size_t bytes, int32_t rate, int32_t channels)
    void batch_row_done(batch *b)
    bint batch_export(batch *b, ArrowArray *array)


# ---- What a message has for the columns ------------------------------------------------------------------------------------

# Fields that columns are read from; realtime_pcm/arrow/rows.py says what for.
COLUMN_TEXTS = (*roles.TEXT_FIELDS, "arguments")
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
    plan.output_index = <uint8_t>_number(layout, "output_index")
    for name in COLUMN_PLACES:
        number = _number(layout, name)
        if number:
            plan.audio_ms[count] = <uint8_t>number
            count += 1
    count = 0
    for name in COLUMN_TEXTS:
        number = _number(layout, name)
        if number and not layout.holds_payload(number):
            plan.texts[count] = <uint8_t>number
            count += 1
    plan.stash = <uint8_t>_number(layout, "stash")
    plan.item = <uint8_t>_number(layout, "item")
    plan.response = <uint8_t>_number(layout, "response")
    plan.part = <uint8_t>_number(layout, "part")
    plan.error = <uint8_t>_number(layout, "error")
    plan.nested = (<uint32_t>1 << plan.item | <uint32_t>1 << plan.response | <uint32_t>1 << plan.part
                   | <uint32_t>1 << plan.error) & ~<uint32_t>1
    if layout.role_name in roles.OF_CALLS:
        plan.told = <uint8_t>(1 + roles.OF_CALLS.index(layout.role_name))
        plan.told_object = layout.in_session.holder
        plan.told_field = plan.response_id if plan.told_object == plan.response else plan.item_id
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
            batch_set_plan(&entry.layout.wire, _make_plan(entry.layout))
    return 0


# ---- The batch -----------------------------------------------------------------------------------------------------------

@cython.final
cdef class LineBatch:
    """LineBatch(session, slow, tell, source, *, own, wrapped, as_sent, words, rows, size, most_empty, expected=0)\n--\n
    The lines of one recording, as batches of rows. For realtime_pcm.arrow.

    session: the Session of the recording. slow: called with each line (bytes) that is out of the ordinary, and its number;
    gives the row of rows.py, or None for a line without one. tell: called with what frames tell of their calls, a role of
    roles.OF_CALLS and an id or None, before the next line that is out of the ordinary. source: the name of the recording.
    own: whether it is one of ours.
    wrapped: whether frames stand in objects. as_sent: payloads, not samples. words: the words for directions, each in its
    quotes -> whether it means "sent". rows, size: how many rows, and bytes of text and audio, make a batch. expected: how long
    the file may be, as a hint; 0: unknown. most_empty: how many empty lines in a row are passed; `slow` gets
    the one behind them, and the others are passed too.
    slow_lines: those so far for which `slow` was called, which takes the GIL.
    """
    cdef batch b
    cdef c_session own                  # what `session` knows, while lines are read without the GIL
    cdef Session session
    cdef object slow, tell, late
    cdef bytes source
    cdef tuple keys
    cdef list words
    cdef batch_word *word_table
    cdef bint running

    def __cinit__(self):
        self.word_table = NULL
        session_init(&self.own, PyMem_RawMalloc, PyMem_RawFree)

    def __dealloc__(self):
        batch_end(&self.b)
        session_clear(&self.own)
        PyMem_RawFree(self.word_table)

    def __init__(self, Session session not None, slow, tell, str source not None, *, bint own, bint wrapped,
                 bint as_sent, dict words not None, size_t rows, size_t size, size_t most_empty, size_t expected=0):
        cdef Py_ssize_t i = 0
        cdef bytes word
        if self.session is not None:
            raise TypeError("LineBatch.__init__ was called twice")
        _make_plans(SERVER)
        _make_plans(CLIENT)
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
        self.b.session = &self.own
        self.b.reader.samples = SAMPLES_AS_SENT if as_sent else SAMPLES_INT16
        self.b.assumed[0] = self.b.assumed[1] = FORMAT_DEFAULT
        self.b.own = own
        self.b.wrapped = wrapped
        self.b.as_sent = as_sent
        self.b.words = self.word_table
        self.b.word_count = <size_t>i
        self.b.max_rows = min(rows, <size_t>1 << 20)
        self.b.max_bytes = min(size, <size_t>1 << 30)    # offsets in columns of strings have 32 bits
        self.b.most_empty = most_empty
        self.b.audio.room = min(self.b.max_bytes, expected // 4 * 3) + 65536
        self.b.source = <const uint8_t *>PyBytes_AS_STRING(self.source)
        self.b.source_length = <size_t>PyBytes_GET_SIZE(self.source)
        self.b.scale = NAN
        if not batch_begin(&self.b):
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
        self.b.line = number

    @property
    def slow_lines(self):
        return self.b.slow_lines

    def set_template(self, tuple before not None, tuple behind not None, size_t time_at, size_t direction_at,
                     bint quoted, size_t call_at, double scale, double origin, late):
        """How lines are split from now on: see Template and Wrapper.numbers of recording/template.py. late: reads the text of a
        time that is neither a plain number nor a date of ISO 8601."""
        cdef size_t count
        self.keys = (before, behind)
        self.b.has_keys = _line_keys(before, behind, &self.b.keys)
        count = self.b.keys.before_count + self.b.keys.behind_count
        self.b.has_keys = self.b.has_keys and time_at < count and direction_at < count and call_at < count
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
        if self.session is None or self.running:
            raise RuntimeError("LineBatch: __init__ was not called, or feed() is running")
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        if self.session is None or self.running:    # getting the buffer may have run Python code, which called feed()
            PyBuffer_Release(&view)
            raise RuntimeError("LineBatch: feed() is running")
        try:
            if not 0 <= start <= end <= view.len:
                raise ValueError("start and end are not in the data")
            self.running = True
            at = <size_t>start
            full = self.run(<const uint8_t *>view.buf, <size_t>end, last, &at)
            return at, full
        finally:
            self.running = False
            PyBuffer_Release(&view)

    cdef bint run(self, const uint8_t *data, size_t length, bint last, size_t *at) except -1:
        cdef batch_stop stop
        cdef size_t line_end = 0
        while True:
            self.b.tier = TIER
            self.b.catalogues[0] = SERVER.table
            self.b.catalogues[1] = CLIENT.table
            # Nobody else can reach the session while the GIL is free: a decoder that shares it finds a fresh one, and what it
            # does to that one is forgotten.
            with cython.critical_section(self.session):
                session_move(&self.own, &self.session.state)
            with nogil:
                stop = batch_run(&self.b, data, length, last, at, &line_end)
            with cython.critical_section(self.session):
                session_clear(&self.session.state)
                session_move(&self.session.state, &self.own)
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
        (line, time, direction, kind, event_id, response_id, item_id, output_index, content_index, audio_ms, text, pcm, encoding,
         rate, channels, sample_offset, role, error) = row
        if self.session is None or self.b.rows == self.b.max_rows:
            raise RuntimeError("LineBatch: no room for a row")
        cdef bint fits
        batch_row(&self.b, line, direction == "sent")
        if time is not None:
            batch_put_time(&self.b, time)
        fits = (self.put_text(TEXT_TYPE, kind) and self.put_text(TEXT_EVENT_ID, event_id)
                and self.put_text(TEXT_RESPONSE_ID, response_id) and self.put_text(TEXT_ITEM_ID, item_id)
                and self.put_text(TEXT_TEXT, text) and self.put_text(TEXT_ENCODING, encoding)
                and self.put_text(TEXT_ROLE, role) and self.put_text(TEXT_ERROR, error))
        for column, number in ((NUMBER_OUTPUT_INDEX, output_index), (NUMBER_CONTENT_INDEX, content_index),
                               (NUMBER_AUDIO_MS, audio_ms), (NUMBER_SAMPLE_OFFSET, sample_offset)):
            if number is not None:
                batch_put_number(&self.b, column, number)
        if pcm is not None:
            fits = fits and batch_put_pcm(&self.b, cnp.PyArray_DATA(<cnp.ndarray?>pcm), <size_t>pcm.nbytes,
                                          0 if rate is None else rate, 0 if channels is None else channels)
        if not fits:
            raise MemoryError
        batch_row_done(&self.b)

    cdef bint put_text(self, batch_text column, text) except -1:
        cdef bytes encoded
        if text is None:
            return True
        encoded = text.encode("utf-8", "backslashreplace")
        return batch_put_text(&self.b, column, <const uint8_t *>PyBytes_AS_STRING(encoded), <size_t>len(encoded))

    def export(self, uintptr_t address):
        """Moves the batch into the ArrowArray at this address, and begins the next one."""
        if self.session is None or self.running:
            raise RuntimeError("LineBatch: __init__ was not called, or feed() is running")
        if not batch_export(&self.b, <ArrowArray *>address):
            raise MemoryError
        if not batch_begin(&self.b):
            self.session = None     # without columns nothing can follow
            raise MemoryError

cdef int32_t _fitting(number) except -1:
    """A number that a column of int32 holds, 0 for any other."""
    return number if 0 < number < 1 << 31 else 0
