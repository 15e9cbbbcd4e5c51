# Session: what is known of one connection. src/session does the work.

# The formats of most sessions: the views of all their messages refer to this one tuple.
cdef tuple _DEFAULT_FORMATS = (DEFAULT_FORMAT, DEFAULT_FORMAT)
message_uncounted(DEFAULT_FORMAT)
message_uncounted(_DEFAULT_FORMATS)

@cython.final
cdef class Session:
    """Session()\n--\n
    The state of one connection: the formats of its audio, and the position of each audio stream.

    Every Decoder has a session; several may share one with `Decoder(session=other.session)`. Any thread may use it: each
    decode() sees the session as it was before or after any other.

    Attributes:
        audio_format: The current format of the output audio.
        input_audio_format: The current format of the input audio.
        evicted_bytes: How many bytes of split samples were lost.
    """

    def __init__(self):
        pass    # without it, any argument would be taken in silence

    def __cinit__(self):
        session_init(&self.state, PyMem_RawMalloc, PyMem_RawFree)
        self.formats = _DEFAULT_FORMATS

    def __dealloc__(self):
        session_clear(&self.state)

    @property
    def audio_format(self):
        """The current AudioFormat of the output audio."""
        return self.format_objects()[1]

    @property
    def input_audio_format(self):
        """The current AudioFormat of the input audio."""
        return self.format_objects()[0]

    @property
    def evicted_bytes(self):
        """How many bytes of split samples were lost: their stream was evicted, another session began, the format of the stream
        changed before the other half came, or a message without `incomplete_sample` ended the stream."""
        return self.state.streams.evicted_bytes

    def __repr__(self):
        return (f"Session(audio_format={self.audio_format!r}, input_audio_format={self.input_audio_format!r}, "
                f"streams={self.state.streams.count})")

    cdef tuple format_objects(self):
        """(input, output) as they stand."""
        cdef c_format input, output
        cdef uint64_t changes
        with cython.critical_section(self):
            if self.formats_at == self.state.format_changes:
                return self.formats
            changes = self.state.format_changes
            input = self.state.input
            output = self.state.output
        formats = (_format_object(&input), _format_object(&output))
        with cython.critical_section(self):
            self.formats = formats
            self.formats_at = changes
        return formats

    cdef void use_formats(self, Catalogue catalogue) noexcept:
        """Takes the formats that a catalogue says as those that nobody has named."""
        if catalogue.unnamed == NULL:
            return
        with cython.critical_section(self):
            session_assume(&self.state, catalogue.unnamed)

    cdef void move_to(self, Session other) noexcept:
        """Makes the other session know what this one knows; this one is then as a new one."""
        with cython.critical_section(self, other):
            session_clear(&other.state)
            session_move(&other.state, &self.state)

    cdef int tell_doubt(self) except -1:
        """Says in the log what of a format was not understood, once for each session.

        The session has followed the message by now, so a fault of the log must not keep the message from its caller."""
        cdef const wire_type *type_
        with cython.critical_section(self):
            if self.told_doubt or not self.state.has_doubt:     # the bulk reader may have taken the state
                return 0
            self.told_doubt = True
            doubt = self.state.doubt[: self.state.doubt_length]
            type_ = self.state.doubt_type
        try:
            _warn_of_doubt(doubt, <WireType>type_.user_data)
        except Exception:
            pass
        return 0

cdef object _warn_of_doubt(bytes doubt, WireType wire_type):
    import logging
    logging.getLogger("realtime_pcm").warning(
        "%s names an audio format that is not understood: %r; audio_format= forces one", wire_type.name,
        doubt.decode("utf-8", "replace"))
