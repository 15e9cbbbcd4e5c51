# The map of the core: what each of its parts holds.
#
#   _core.pyx        values of a frame as Python objects; the tier
#   _view.pxi        views of nested objects
#   _message.pxi     the slots of a message and the descriptors that read them
#   _catalogue.pxi   class -> layout, wire name -> class
#   _bases.pxi       RealtimeServerMessage, AudioMessage, AudioEnd, UnknownMessage
#   _decoder.pxi     Decoder and decode(): frame -> message
#   _session.pxi     what a decoder knows of its session: formats, streams
#   message.h        how a message lies in memory; values.h, fill.h: what the walk found, into it
#   _wire.pxd        src/wire as the core sees it
from cpython.object cimport PyObject, PyTypeObject
from cpython.pythread cimport PyThread_type_lock
from libc.stdint cimport uint8_t, uint32_t

from ._wire cimport wire_catalogue, wire_frame, wire_layout, wire_sink, wire_status, wire_type, wire_value


cdef extern from "message.h":
    ctypedef struct message:
        void *layout
        PyObject *formats
        Py_ssize_t slot_count
        PyObject *slots[1]

    ctypedef struct message_span:
        size_t number
        size_t start
        size_t end

cdef extern from "fill.h":
    ctypedef struct message_plan:
        Py_ssize_t first_slot
        uint32_t later
        signed char id_place[32]

cdef class Layout:
    """What the core knows of one message class."""
    cdef wire_layout wire
    cdef readonly type cls
    cdef readonly tuple names           # attribute by field number
    cdef tuple keys_of_fields           # wire key by field number
    cdef tuple definitions              # keeps the PyMemberDefs of the descriptors alive
    cdef message_plan plan
    cdef bint is_audio, ends_audio, bytes_payload
    cdef int response_id, item_id, content_index    # field numbers, 0 where there is none
    cdef int session, response                      # likewise
    cdef int format_name, format_rate, format_channels
    cdef uint32_t format_fields                     # these three, one bit each

    cdef str key(self, uint32_t number)
    cdef bint holds_payload(self, size_t number) noexcept
    cdef str describe(self, message *m, str name)

cdef class WireName:
    """One wire type: its string, its layout, and what it does to a session."""
    cdef wire_type wire
    cdef readonly str name
    cdef bytes encoded
    cdef readonly Layout layout
    cdef int role
    cdef bint plain                     # flat fields alone, nothing to follow

cdef class Catalogue:
    """All wire types at one time. Never changed: a new class makes a new one."""
    cdef wire_catalogue wire
    cdef readonly dict wire_names       # str -> WireName
    cdef WireName unknown

cdef class Stream:
    """Where one audio stream stands."""
    cdef object response_id, item_id, content_index
    cdef tuple key                      # of these three, made before anything changes
    cdef Py_ssize_t offset              # index of the next sample
    cdef uint8_t carry, carry_count

cdef class Decoder:
    cdef readonly str dtype
    cdef int dtype_code, type_number
    cdef object descr                   # of NumPy, for arrays of it
    cdef object forced                  # AudioFormat or None
    cdef frozenset only                 # of WireName.name, or None
    cdef bint stateless
    # the session
    cdef object output_format, input_format
    cdef tuple formats                  # (input, output), made anew when either changes
    cdef dict response_formats          # response_id -> AudioFormat, the oldest first
    cdef object streams                 # OrderedDict: (response_id, item_id, content_index) -> Stream, last spoken last
    cdef Stream last_stream
    cdef Py_ssize_t carries             # streams that hold a byte
    cdef readonly Py_ssize_t evicted_bytes
    # what the message before was, and the audio message before, which the next one probably is
    cdef const wire_type *last_type
    cdef object last_format
    cdef int last_conversion
    cdef tuple last_own                 # of the last message with a format of its own: the session's, what it said, what that made
    cdef bint steady                    # last_format is that of the next delta of last_stream too, if that says nothing else
    # ids of the messages before
    cdef PyObject *ids[8]
    # threads
    cdef PyThread_type_lock lock
    cdef unsigned long owner
    cdef int held

    cdef int set_up(self, str dtype, forced, frozenset only) except -1
    cdef bint take(self) except -1
    cdef void give_back(self) noexcept
    cdef object decode_any(self, frame, out)
    cdef object decode_frame(self, frame, out)
    cdef object build(self, frame, const uint8_t *data, Py_ssize_t size, out)
    cdef object build_next_delta(self, frame, wire_frame *f)
    cdef object build_in_full(self, frame, wire_frame *f, wire_status status, out)
    cdef object finish_alone(self, frame, wire_frame *f, wire_status status, pcm, out)
    cdef object finish(self, frame, wire_frame *f, wire_status status, pcm, out)
    cdef message *fill(self, frame, wire_frame *f, WireName name) except NULL
    cdef object likely_format(self)
    cdef object format_of(self, wire_frame *f, WireName name, response_id)
    cdef int conversion_to(self, audio_format) except -2
    cdef object allocate(self, wire_sink *sink, size_t payload_bytes, audio_format, out)
    cdef Stream fill_audio(self, frame, wire_frame *f, message *m, WireName name, pcm, out)
    cdef int move(self, Stream stream, Py_ssize_t samples, wire_sink *sink) except -1
    cdef bint wants(self, WireName name, wire_frame *f) except -1
    cdef int pass_over(self, wire_frame *f, WireName name) except -1
