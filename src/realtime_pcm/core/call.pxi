# What a call of realtime_pcm.client does for each message. The rest of it is Python: client/call.py.

cdef extern from "Python.h":
    void PyErr_SetObject(object kind, object value)
    int PyErr_WarnEx(object category, const char *message, Py_ssize_t level) except -1

cdef enum:
    OF_MESSAGE = 1024       # bytes that a message in the queue takes beside its frame, about
    AT_ONCE = 16_384        # samples; more of them go through a coroutine, which cuts what is too long for one frame

@cython.final
@cython.binding(False)
@cython.freelist(8)
cdef class _Awaited:
    """The next message, or audio that is sent. asyncio takes it for a coroutine: it has send, throw and close.

    Nothing is done before it is awaited. A message leaves the queue then, so that a wait that is cancelled or never begins loses
    none. Audio goes at once in one frame, or by a coroutine of Call.
    """
    cdef CallObject call
    cdef bint speaks
    cdef object pcm, rate
    cdef object waits       # the coroutine that sends; or the future that the call completes when its queue has something

    def __await__(self):
        return self

    def __aiter__(self):
        return self

    def __anext__(self):
        return _awaited(self.call)

    def __next__(self):
        cdef CallObject call = self.call
        if call is None:
            raise RuntimeError("this was awaited before, or is of no call")
        if self.speaks:
            if self.waits is None:
                self.call = None
                if self.rate is None and call.say(self.pcm):
                    raise StopIteration
                self.call = call
                self.waits = call._send_audio(self.pcm, self.rate)
            return self.waits.send(None)
        if call.reader is self:
            call.reader = self.waits = None
        if call.queue:
            self.call = None
            PyErr_SetObject(StopIteration, call.take())
            raise StopIteration  # the one that is set: to Cython this is `return NULL`
        if call.end is not None:
            call._raise_end(call.end)
        if call.reader is not None:
            raise RuntimeError("another task is already waiting for a message of this call")
        future = call.new_future()
        future._asyncio_future_blocking = True  # as `await` tells a task to wait
        call.reader, self.waits = self, future
        return future

    def send(self, value):
        return next(self)

    def throw(self, *raised):
        if self.speaks and self.waits is not None:
            return self.waits.throw(*raised)
        self.close()
        raise raised[0] if len(raised) < 2 or raised[1] is None else raised[1]

    def __dealloc__(self):
        if self.speaks and self.call is not None and self.waits is None:
            PyErr_WarnEx(RuntimeWarning, b"send_audio() was never awaited: nothing was sent", 1)

    def close(self):
        if self.speaks:
            if self.waits is not None:
                self.waits.close()
            self.call = None
        elif self.call is not None and self.call.reader is self:
            self.call.reader = self.waits = None

cdef inline _Awaited _awaited(CallObject call):
    cdef _Awaited it = _Awaited.__new__(_Awaited)
    it.call = call
    return it


@cython.binding(False)
cdef class CallObject:
    """What a Call does for each message; use Call."""
    # Of a queue `most` bytes may be waiting; each message counts as its frame and OF_MESSAGE. All of it runs in one event loop.
    # What is rare is done by methods of Call. _refused(frame, error) gives what the reader gets in place of a message, or None; a
    # DecodeError is raised. _follow(frame, message) sees each message until it sets _settled; one that `only` leaves out is None.
    # _pause(paused) stops the network or lets it go on. _raise_end(end) raises what the reader gets when nothing is left.
    # _send_audio(pcm, rate) is the coroutine of send_audio, for what does not go at once in one frame.
    # text, binary: what picows calls the types of frames that hold a message; all others go to _other_frame(transport, frame).
    cdef readonly Decoder _decoder
    cdef readonly Py_ssize_t _queued    # bytes in the queue
    cdef object queue, append, popleft  # a deque, and two of its methods
    cdef Py_ssize_t most
    cdef bint paused
    cdef _Awaited reader                   # the one that waits
    cdef object new_future, end, text, binary
    cdef public object _record          # called with each frame that has come, if the call is recorded
    cdef public object _other_frame
    cdef public bint _settled
    # for what is sent
    cdef public AudioEncoder _encoder
    cdef public object _write           # picows' WSTransport.send; None while the network takes no more

    def __init__(self, Decoder decoder not None, new_future, Py_ssize_t most, text, binary):
        self._decoder = decoder
        self.new_future = new_future
        self.most = most
        self.text, self.binary = text, binary
        self.queue = deque()
        self.append, self.popleft = self.queue.append, self.queue.popleft

    def __aiter__(self):
        return _awaited(self)  # not self: the interpreter would look for __anext__ of Call once per message

    def __anext__(self):
        return _awaited(self)

    cdef object take(self):
        item = self.popleft()
        self._queued -= self.size_of(item)
        if self.paused and self._queued <= self.most // 2:
            self.paused = False
            self._pause(False)
        if type(item) is DecodeError:
            raise item
        return item

    cdef Py_ssize_t size_of(self, item) except -1:
        frame = _frame_of(<message *><PyObject *>item) if PyObject_TypeCheck(item, <PyTypeObject *>MessageObject) else item.frame
        return OF_MESSAGE + <Py_ssize_t>len(frame)

    def _on_ws_frame(self, transport, frame):
        """WSListener.on_ws_frame, except while a message comes in fragments or the call is being closed."""
        kind = frame.msg_type
        if (kind is self.text or kind is self.binary) and frame.fin and not transport.is_close_frame_sent:
            self.receive(frame.get_payload_as_bytes())
        else:
            self._other_frame(transport, frame)

    def _receive(self, bytes frame not None):
        """Takes in a whole message."""
        self.receive(frame)

    cdef int receive(self, bytes frame) except -1:
        if self._decoder is None:
            raise TypeError("__init__ of this Call was not called")
        if self._record is not None:
            self._record(frame)
        try:
            item = self._decoder.decode_any(frame, None)
        except DecodeError as error:
            item = self._refused(frame, error)
        else:
            if not self._settled:
                self._follow(frame, item)
        if item is None:
            return 0
        self.append(item)
        self._queued += self.size_of(item)
        if self._queued > self.most and not self.paused:
            self.paused = True
            self._pause(True)
        return self.wake()

    cdef int wake(self) except -1:
        cdef _Awaited reader = self.reader
        if reader is None or reader.waits is None:
            return 0
        future, reader.waits = reader.waits, None
        if not future.done():
            future.set_result(None)
        return 0

    def _over(self, end not None):
        """Nothing comes any more; `_raise_end` will get `end`."""
        self.end = end
        self.wake()

    def _say(self, pcm, rate):
        cdef _Awaited it = _awaited(self)
        it.speaks, it.pcm, it.rate = True, pcm, rate
        return it

    cdef bint say(self, pcm) except -1:
        """Sends samples in one frame, if nothing speaks against it. Whether it did."""
        if self._encoder is None or self._write is None or self._record is not None or not self._settled or len(pcm) > AT_ONCE:
            return False
        self._write(self.text, self._encoder.encode_any(pcm, None, None, True))
        return True
