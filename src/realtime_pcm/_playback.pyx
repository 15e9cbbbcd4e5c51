# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, auto_pickle=False
# cython: freethreading_compatible=True, binding=True, embedsignature=True, embedsignature.format=clinic
"""src/playback as Python sees it: the queue between a writer and a sound card's thread, and the ledger. `playback.py` uses it."""

import math

import numpy as np

cimport cython
cimport numpy as cnp
from cpython.buffer cimport PyBUF_FORMAT, PyBUF_STRIDES, PyBuffer_IsContiguous, PyBuffer_Release, Py_buffer
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memset, strchr

cnp.import_array()

cdef extern from "Python.h":
    int PyObject_CheckBuffer(object)
    int PyObject_GetBuffer(object, Py_buffer *, int) except -1

cdef extern from "playback.h" nogil:
    enum:
        PLAYBACK_NO_ITEM

    ctypedef struct playback_ring:
        pass

    playback_ring *playback_ring_new(uint64_t capacity, uint32_t sample_bytes)
    void playback_ring_free(playback_ring *)
    uint64_t playback_ring_cut(playback_ring *, uint64_t latency)
    void playback_ring_close_item(playback_ring *)
    bint playback_ring_enter(playback_ring *)
    uint64_t playback_ring_read(playback_ring *, void *out, uint64_t count)
    void playback_ring_leave(playback_ring *)
    uint64_t playback_ring_queued(const playback_ring *)
    uint64_t playback_ring_head(const playback_ring *)
    uint64_t playback_ring_underruns(const playback_ring *)
    void playback_ring_set_note(playback_ring *, uint64_t note)
    uint64_t playback_ring_note(const playback_ring *)
    void playback_ring_after_fork(playback_ring *)

    ctypedef struct playback_ledger:
        pass

    ctypedef struct playback_place:
        uint64_t origin, index
        uint32_t item_rate, rate

    ctypedef struct playback_report:
        uint64_t order, received, samples
        bint complete

    playback_ledger *playback_ledger_new(uint32_t most_items, uint32_t most_runs)
    void playback_ledger_free(playback_ledger *)
    uint32_t playback_ledger_begin(playback_ledger *, uint64_t read)
    void playback_ledger_receive(playback_ledger *, uint32_t item, uint64_t end)
    bint playback_ledger_has_room(playback_ledger *, uint64_t read)
    void playback_ledger_append(playback_ledger *, uint32_t item, uint64_t position, uint64_t count, const playback_place *)
    void playback_ledger_refuse(playback_ledger *, uint32_t item)
    void playback_ledger_end(playback_ledger *, uint32_t item)
    bint playback_ledger_is_open(const playback_ledger *)
    void playback_ledger_settle(playback_ledger *, uint64_t heard)
    bint playback_ledger_report(const playback_ledger *, uint32_t item, playback_report *)
    void playback_ledger_clear(playback_ledger *)

    uint64_t playback_put(playback_ring *, playback_ledger *, uint32_t item, const void *samples, uint64_t count,
                          const playback_place *)
    void playback_end(playback_ring *, playback_ledger *, uint32_t item)


# Items that one ledger knows at a time, and runs of their audio.
cdef enum:
    MOST_ITEMS = 1024
    MOST_RUNS = 4096


@cython.final
cdef class Ledger:
    """Which item stands at which position. One call at a time: the caller sees to that.

    An item's number is below 1,024. Where all are taken, `begin` forgets the oldest item that stands before `read`.
    """

    cdef playback_ledger *ledger

    def __cinit__(self):
        self.ledger = playback_ledger_new(MOST_ITEMS, MOST_RUNS)
        if self.ledger == NULL:
            raise MemoryError

    def __dealloc__(self):
        playback_ledger_free(self.ledger)

    cdef int check_item(self, uint32_t item) except -1:
        cdef playback_report report
        if item >= MOST_ITEMS or not playback_ledger_report(self.ledger, item, &report):
            raise IndexError(f"no item has the number {item}")
        return 0

    def begin(self, uint64_t read):
        """A new item's number; -1 where 1,024 items are known and none of them stands before position `read`."""
        cdef uint32_t item = playback_ledger_begin(self.ledger, read)
        return -1 if item == PLAYBACK_NO_ITEM else item

    def receive(self, uint32_t item, uint64_t end):
        """The item's samples before `end` have come."""
        self.check_item(item)
        playback_ledger_receive(self.ledger, item, end)

    def append(self, uint32_t item, uint64_t position, uint64_t count, uint64_t origin, uint64_t index,
               uint32_t item_rate, uint32_t rate, uint64_t read):
        """Samples of the item stand at a position; False where 4,096 runs are known and the oldest is not before `read`."""
        cdef playback_place place = playback_place(origin, index, item_rate, rate)
        self.check_item(item)
        if item_rate == 0 or rate == 0:
            raise ValueError("a rate is positive")
        if not playback_ledger_has_room(self.ledger, read):
            playback_ledger_refuse(self.ledger, item)
            return False
        playback_ledger_append(self.ledger, item, position, count, &place)
        return True

    def end(self, uint32_t item):
        """No more audio of the item comes."""
        self.check_item(item)
        playback_ledger_end(self.ledger, item)

    def settle(self, uint64_t heard):
        """Takes what stands before `heard` as heard and forgets all items.

        A list of (item, samples received, samples heard, whether it was heard to its end), in the order of their begin.
        """
        cdef playback_report report
        cdef uint32_t item
        playback_ledger_settle(self.ledger, heard)
        reports = []
        for item in range(MOST_ITEMS):
            if playback_ledger_report(self.ledger, item, &report):
                reports.append((report.order, item, report.received, report.samples, report.complete))
        playback_ledger_clear(self.ledger)
        reports.sort()
        return [report_[1:] for report_ in reports]


# ---- The layout of a reader's memory -----------------------------------------------------------------------

cdef enum:
    LAYOUT_OK
    LAYOUT_NO_BUFFER
    LAYOUT_READ_ONLY
    LAYOUT_NOT_CONTIGUOUS
    LAYOUT_DTYPE
    LAYOUT_SHAPE
    TWO_READERS

# The fault of the memory that a reader was given, by the numbers above.
_FAULTS = (
    None,
    "expected an array or another object with a writable buffer",
    "expected memory that can be written, and this is read-only",
    "expected C-contiguous memory",
    "expected samples of the player's dtype, or bytes",
    "expected (n,) or (n, channels) samples, whole ones on all channels",
    "two threads read at once: a player has one reader",
)

# The memory that a reader was given. An exporter may leave `shape` and `strides` of a Py_buffer NULL, as ctypes does.
cdef struct Memory:
    void *data
    Py_ssize_t length           # in bytes
    int ndim
    Py_ssize_t columns          # of two dimensions; -1: unknown
    bint writable
    bint contiguous             # in the order of C
    bint numeric                # zero bytes are the number zero
    bint samples                # the elements are of the player's dtype
    bint is_bytes

cdef bint is_format(const char *format, char letter) noexcept nogil:
    """Whether a buffer's format is this one letter, in this machine's byte order."""
    if format == NULL:
        return letter == b"B"
    if format[0] == b"@" or format[0] == b"=" or format[0] == NATIVE_ORDER:
        format += 1
    return format[0] == letter and format[1] == 0

cdef bint is_numeric(const char *format) noexcept nogil:
    """Whether the elements of a buffer are plain numbers: no pointers, characters, structures or Python objects."""
    if format == NULL:
        return True
    if format[0] != 0 and strchr(b"@=<>!", format[0]) != NULL:
        format += 1
    return format[0] != 0 and strchr(b"?cbBhHiIlLqQnNefdg", format[0]) != NULL and format[1] == 0

cdef extern from *:
    """
    #include "compiler.h"
    #define NATIVE_ORDER (PORTABLE_BIG_ENDIAN ? '>' : '<')
    """
    char NATIVE_ORDER


cdef class SampleQueue:
    """Audio between a writer's thread and a reader's thread, with a ledger. `PlaybackBuffer` is the public class.

    The writer's methods begin with an underscore and are for one call at a time: the caller sees to that.
    """

    cdef playback_ring *ring
    cdef Ledger ledger
    cdef readonly int rate
    cdef readonly int channels
    cdef readonly str dtype
    cdef int type_number
    cdef Py_ssize_t itemsize
    cdef char letter
    cdef object last_count              # what `read` returned, the same number next time

    def __cinit__(self, rate=None, *more, dtype="int16", channels=1, seconds=120, **unknown):
        cdef uint64_t capacity
        if rate is None or more or unknown:
            # The interpreter would name __cinit__, which nobody has called.
            name = type(self).__name__
            raise TypeError(f"{name} has no argument {next(iter(unknown))!r}" if unknown
                            else f"{name} takes one argument without its name, the rate" if more
                            else f"{name} needs the rate of what plays, in samples per second: {name}(24_000)")
        for name, value, most in (("rate", rate, 0x7FFFFFFF), ("channels", channels, 64)):
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"{name} is an int, not {type(value).__name__}")
            if not 0 < value <= most:
                raise ValueError(f"{name} is between 1 and {most:,}, not {value}")
        if not isinstance(seconds, (int, float)) or isinstance(seconds, bool):
            raise TypeError(f"seconds is a number, not {type(seconds).__name__}")
        if not (seconds > 0 and seconds * rate < 2**48):
            raise ValueError(f"seconds is positive and finite, not {seconds}")
        self.dtype = np.dtype(dtype).name
        if self.dtype == "int16":
            self.type_number, self.itemsize, self.letter = cnp.NPY_INT16, 2, b"h"
        elif self.dtype == "float32":
            self.type_number, self.itemsize, self.letter = cnp.NPY_FLOAT32, 4, b"f"
        else:
            raise ValueError(f"dtype is int16 or float32, not {self.dtype}")
        self.rate = rate
        self.channels = channels
        self.ledger = Ledger()
        self.last_count = 0
        capacity = math.ceil(rate * seconds)
        self.ring = playback_ring_new(capacity, <uint32_t>(self.itemsize * self.channels))
        if self.ring == NULL:
            raise MemoryError(f"no memory for {seconds} s of audio")

    def __dealloc__(self):
        playback_ring_free(self.ring)

    def __reduce__(self):
        raise TypeError(f"a {type(self).__name__} cannot be pickled or copied: a running conversation goes through it")

    # ---- any thread

    @property
    def queued(self):
        """How many samples per channel are queued and not yet read. Any thread may ask."""
        return playback_ring_queued(self.ring)

    @property
    def underruns(self):
        """How often audio ran out inside an item, after its first sample and before its end.

        One gap counts once, however many reads it lasts. Silence before an item, after its end or after an interruption is no
        underrun. Any thread may ask.
        """
        return playback_ring_underruns(self.ring)

    @property
    def error(self):
        """What was wrong with the last memory that `read` could not fill; None if nothing was."""
        return _FAULTS[playback_ring_note(self.ring)]

    # ---- the reader

    cdef int look_at(self, const Memory *memory) noexcept nogil:
        """What is wrong with this memory, or LAYOUT_OK."""
        if not memory.writable:
            return LAYOUT_READ_ONLY
        if not memory.contiguous:
            return LAYOUT_NOT_CONTIGUOUS
        if not memory.samples and not memory.is_bytes:
            return LAYOUT_DTYPE
        if memory.ndim == 1:
            return LAYOUT_OK if memory.length % (self.channels * self.itemsize) == 0 else LAYOUT_SHAPE
        if memory.ndim == 2 and not memory.is_bytes and memory.columns == self.channels:
            return LAYOUT_OK
        return LAYOUT_SHAPE

    cdef int fill(self, object out, uint64_t *audio, bint only_look) noexcept:
        """Reads into `out`, or only looks at its layout. Returns what is wrong with it; then `out` is silence if it is contiguous
        memory for numbers, and else stays as it was."""
        cdef Memory memory
        cdef Py_buffer view
        cdef bint is_array = cnp.PyArray_Check(out)
        cdef int fault
        cdef cnp.ndarray array
        if is_array:
            # NumPy's own buffer interface allocates.
            array = <cnp.ndarray>out
            memory.data = cnp.PyArray_DATA(array)
            memory.length = cnp.PyArray_NBYTES(array)
            memory.ndim = cnp.PyArray_NDIM(array)
            memory.columns = cnp.PyArray_DIM(array, 1) if memory.ndim == 2 else -1
            memory.writable = cnp.PyArray_ISWRITEABLE(array)
            memory.contiguous = cnp.PyArray_IS_C_CONTIGUOUS(array)
            memory.numeric = cnp.PyArray_ISNUMBER(array)
            memory.samples = cnp.PyArray_TYPE(array) == self.type_number and not cnp.PyArray_ISBYTESWAPPED(array)
            memory.is_bytes = False
        else:
            if not PyObject_CheckBuffer(out):
                return LAYOUT_NO_BUFFER
            try:
                PyObject_GetBuffer(out, &view, PyBUF_STRIDES | PyBUF_FORMAT)
            except BaseException:
                return LAYOUT_NO_BUFFER
            memory.data = view.buf
            memory.length = view.len
            memory.ndim = view.ndim
            memory.columns = view.shape[1] if view.ndim == 2 and view.shape != NULL else -1
            memory.writable = not view.readonly
            memory.contiguous = PyBuffer_IsContiguous(&view, b"C")
            memory.numeric = is_numeric(view.format)
            memory.samples = view.itemsize == self.itemsize and is_format(view.format, self.letter)
            memory.is_bytes = view.itemsize == 1 and (
                is_format(view.format, b"B") or is_format(view.format, b"b") or is_format(view.format, b"c"))
        fault = self.look_at(&memory)
        if not only_look:
            if fault == LAYOUT_OK:
                audio[0] = playback_ring_read(
                    self.ring, memory.data, <uint64_t>(memory.length // (self.channels * self.itemsize)))
            elif memory.writable and memory.contiguous and memory.numeric:
                memset(memory.data, 0, <size_t>memory.length)
        if not is_array:
            PyBuffer_Release(&view)
        return fault

    def read(self, out, /):
        """Fills `out` with queued audio, then with silence.

        For one thread, the sound card's. It never waits, locks, allocates or raises. If `out` has a layout that it cannot fill,
        it returns 0 and sets `error`; contiguous memory for numbers becomes silence, any other stays as it was. `check` raises
        instead.

        Args:
            out: A C-contiguous NumPy array of the player's dtype with shape (n,) or (n, channels), as sounddevice.OutputStream
                gives it; or a writable buffer of bytes or samples, as sounddevice.RawOutputStream gives it. (n,) and bytes hold
                the channels interleaved.

        Returns:
            How many samples were audio. A sample is one instant on all channels.
        """
        cdef uint64_t audio = 0
        cdef int fault
        if not playback_ring_enter(self.ring):
            playback_ring_set_note(self.ring, TWO_READERS)
            return 0
        fault = self.fill(out, &audio, False)
        if fault != LAYOUT_OK:
            playback_ring_set_note(self.ring, fault)
        # If the number is the same, the int of the last read is returned again: a new one would take memory from the heap.
        if audio != <uint64_t>self.last_count:
            self.last_count = audio
        count = self.last_count
        playback_ring_leave(self.ring)
        return count

    def check(self, out, /):
        """Raises if `read` could not use `out`, and changes nothing. Call it once before the stream starts.

        Args:
            out: The array or buffer that `read` will be given.

        Raises:
            TypeError: `out` has no buffer.
            ValueError: It is read-only, not C-contiguous, or has another dtype or shape.
        """
        cdef uint64_t audio = 0
        cdef int fault = self.fill(out, &audio, True)
        if fault == LAYOUT_OK:
            return
        if fault == LAYOUT_NO_BUFFER:
            raise TypeError(f"{_FAULTS[fault]}, not {type(out).__name__}")
        view = out if isinstance(out, np.ndarray) else memoryview(out)
        if isinstance(view, np.ndarray):
            given = f"{view.dtype}{list(view.shape)}"
        else:
            given = f"format {view.format!r}, shape {view.shape}"
        raise ValueError(f"{_FAULTS[fault]} (the player: {self.dtype}, channels={self.channels}; given: {given})")

    # ---- the writer: one call at a time

    def _begin(self):
        item = self.ledger.begin(playback_ring_head(self.ring))
        if not playback_ledger_is_open(self.ledger.ledger):
            playback_ring_close_item(self.ring)     # the item that was forgotten for the new one may have been open
        return item

    def _receive(self, uint32_t item, uint64_t end):
        self.ledger.receive(item, end)

    def _put(self, uint32_t item, cnp.ndarray samples not None, uint64_t origin, uint64_t index, uint32_t item_rate):
        """Queues the array's samples and enters them; how many there was room for."""
        cdef playback_place place = playback_place(origin, index, item_rate, <uint32_t>self.rate)
        self.ledger.check_item(item)
        if (cnp.PyArray_TYPE(samples) != self.type_number or cnp.PyArray_ISBYTESWAPPED(samples)
                or not cnp.PyArray_IS_C_CONTIGUOUS(samples) or samples.size % self.channels or item_rate == 0):
            raise ValueError(f"expected contiguous {self.dtype}, whole samples on {self.channels} channels")
        return playback_put(self.ring, self.ledger.ledger, item, cnp.PyArray_DATA(samples),
                            <uint64_t>(samples.size // self.channels), &place)

    def _end(self, uint32_t item):
        self.ledger.check_item(item)
        playback_end(self.ring, self.ledger.ledger, item)

    def _cut(self, uint64_t latency):
        """Drops what is queued, and forgets all items: what Ledger.settle returns."""
        return self.ledger.settle(playback_ring_cut(self.ring, latency))

    def _after_fork(self):
        playback_ring_after_fork(self.ring)
