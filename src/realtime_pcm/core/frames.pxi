# The messages of an iterable of frames, and of one frame without a session.

# ---- An iterable of frames -------------------------------------------------------------------------------------------------

cdef enum:
    PASSED_OVER = 64        # passing over a frame costs as much as walking its bytes and this many more

cdef class DecodedFrames:
    """The messages of an iterable of frames; a message that `only` leaves out is passed over.

    Args:
        decoder: The Decoder. An exception from decoding a frame leaves __next__, and the next call goes on with the next
            frame.
    """
    cdef object frames
    cdef readonly object _source    # what the frames come from, for repr
    cdef readonly Decoder decoder
    cdef Py_ssize_t passed          # bytes passed over since the handlers of signals last had their turn
    cdef double breathed            # when other threads last had their turn

    def __init__(self, frames, Decoder decoder not None, source=""):
        self.frames = iter(frames)
        self._source = source
        self.decoder = decoder

    def __iter__(self):
        return self

    def __next__(self):
        cdef Decoder decoder = self.decoder
        if decoder is None:
            raise TypeError(f"__init__ of this {type(self).__name__} was not called")
        while True:
            frame = next(self.frames)
            message = decoder.decode_any(frame, None)
            if message is not None:
                return message
            self.passed += PASSED_OVER + (PyBytes_GET_SIZE(frame) if PyBytes_CheckExact(frame) else len(frame))
            if self.passed >= GIL_BOUND:
                self.passed = 0
                _breathe(&self.breathed)


# ---- Without a session -----------------------------------------------------------------------------------------------------

cdef Decoder _without_session(dtype, audio_format, side, catalogue=None):
    cdef Decoder decoder = Decoder(dtype=dtype, audio_format=audio_format, side=side, catalogue=catalogue)
    decoder.session = None
    return decoder

cdef Decoder _plain = _without_session("int16", None, "server")
cdef Decoder _plain_client = _without_session("int16", None, "client")

cdef inline object _decode_plain(frame, Catalogue catalogue):
    if FREE_THREADED or catalogue.pair is not None:
        return _without_session("int16", None, catalogue.side, catalogue.pair).decode_any(frame, None)
    return (_plain if catalogue is SERVER else _plain_client).decode_any(frame, None)

def decode(frame, *, dtype="int16", audio_format=None, side="server", catalogue=None):
    """Decodes one frame into its message, without a session.

    Args:
        frame: bytes, str, bytearray or memoryview.
        dtype: Type of the samples: "int16"; "float32", scaled by 1/32768 into [-1, 1); "uint8", the payload's bytes as
            sent; or "bytes": then `pcm` is bytes of little-endian int16 samples, not an array.
        audio_format: An AudioFormat, or the name of one, to force. None: the format that the message names, else pcm16 at
            24,000 Hz, mono.
        side: The side that sent the frame, "server" or "client".
        catalogue: The messages of another socket, a module such as realtime_pcm.sockets.twilio. None: the Realtime API.

    Returns:
        The message.

    Raises:
        DecodeError: The frame is bad.
        TypeError: The frame or an option has the wrong type.
        ValueError: A dtype, format or side is unknown.

    Examples:
        >>> rp.decode('{"type":"response.output_audio.delta","delta":"AAABAAIA"}').pcm
        array([0, 1, 2], dtype=int16)
    """
    if dtype == "int16" and audio_format is None:
        return _decode_plain(frame, _catalogue_of(side, catalogue))
    return _without_session(dtype, audio_format, side, catalogue).decode_any(frame, None)
