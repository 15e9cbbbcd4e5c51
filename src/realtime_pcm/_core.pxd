# The map of the core: what each of its parts holds. Each part uses names of the parts above it only.
#
#   _wire.pxd            src/wire, as the core sees it
#   values.h             values of a frame as Python objects
#   message.h            how a message lies in memory, and how it is filled from a frame
#   arrays.h             NumPy arrays that own a block of src/blocks
#   core/tier.pxi        the tier of the kernels, and the calls into src/wire: long work lets go of the GIL there
#   core/blocks.pxi      the memory of arrays (blocks of src/blocks, arrays.h)
#   core/values.pxi      spans of a frame as Python objects; DecodeErrors
#   core/lines.pxi       a line of a recording: where its frame stands
#   core/samples.pxi     dtype and format -> conversion; a base64 span -> samples
#   core/views.pxi       objects written as JSON; views of nested objects
#   core/message.pxi     the slots of a message
#   core/catalogue.pxi   class -> layout and descriptors, wire name -> class
#   core/bases.pxi       RealtimeMessage, and the base classes of what servers and clients send
#   core/session.pxi     Session: formats, streams (their table is src/session/streams.h)
#   core/decoder.pxi     Decoder and decode(): the road of a frame
#   core/encoder.pxi     AudioEncoder: samples -> the text of a frame
#   core/writing.pxi     messages written by keyword: the JSON is made and decoded
#   core/batch.pxi       many lines of a recording in one call, into the columns of arrow/ (src/batch)
#   core/pickling.pxi    messages in pickles
from cpython.object cimport PyObject
from cpython.pythread cimport PyThread_type_lock
from libc.stdint cimport int8_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from ._wire cimport wire_catalogue, wire_frame, wire_layout, wire_samples, wire_sink, wire_status, wire_type


cdef extern from "message.h":
    ctypedef struct message:
        void *layout
        PyObject *formats
        Py_ssize_t slot_count
        PyObject *slots[1]

    ctypedef struct message_span:
        size_t start
        size_t end
        uint32_t field
        uint8_t kind
        bint payload
        bint escaped
        bint non_ascii

    enum:
        RECURRING_KEYS
    ctypedef struct message_plan:
        Py_ssize_t slot_before_fields
        uint32_t later
        int8_t id_place[32]

cdef extern from "streams.h":
    ctypedef struct stream_fields:
        uint8_t response_id
        uint8_t item_id
        uint8_t content_index
        uint8_t speaker
    ctypedef struct audio_stream:
        int64_t offset
        const void *format
        uint32_t generation
        uint8_t carry
        uint8_t carry_count
    ctypedef struct stream_table:
        audio_stream *newest
        size_t count
        size_t carries
        uint64_t evicted_bytes
        uint32_t generation
    ctypedef struct stream_key:
        uint16_t length
        uint8_t *bytes

cdef class Layout:
    """What the core knows of one message class."""
    cdef wire_layout wire
    cdef readonly type cls
    # fields
    cdef dict fields                    # name -> (annotation, keys of the payload or None, module), as declared
    cdef readonly tuple names           # attribute by field number
    cdef tuple keys                     # wire key by field number
    cdef readonly tuple wire_names
    cdef readonly frozenset flat_names  # all names but that of the payload
    cdef message_plan plan
    # roles
    cdef str role_name                  # a key of roles.ROLES, or None
    cdef int role                       # what it does to the session
    cdef int holder                     # number of the field `session` or `response`, in which the role finds formats
    cdef int side                       # SIDE_SERVER or SIDE_CLIENT
    cdef bint ends_audio, bytes_payload
    cdef readonly bint is_audio, is_unknown
    cdef stream_fields ids
    cdef int format_name, format_rate, format_channels
    cdef uint32_t format_fields         # these three, one bit each
    # descriptors
    cdef tuple views                    # by field number: the view class that an object becomes, or None
    cdef uint32_t lists                 # fields that are declared as lists, one bit each
    cdef tuple definitions              # the _Definitions, whose memory the member descriptors point to
    cdef uint32_t expected_containers   # fields for which _expect_containers was called, one bit each

    cdef bint holds_payload(self, size_t number) noexcept
    cdef Py_ssize_t place(self, int number) noexcept
    cdef Py_ssize_t payload_place(self) noexcept
    cdef bytes outline_of(self, message *m, uint32_t number)
    cdef str describe(self, message *m, str name)
    cdef str describe_span(self, message *m, message_span *span)

cdef class WireType:
    """The Python face of one wire_type: its string and its layout."""
    cdef wire_type wire
    cdef readonly str name
    cdef bytes encoded
    cdef readonly Layout layout
    cdef Py_ssize_t number              # in its catalogue
    cdef bint plain                     # no payload, and the message changes nothing in the session
    cdef bint ends_stream               # no payload, and the message ends one stream, whose `incomplete_sample` it has

cdef class Catalogue:
    """All wire types of one side."""
    cdef readonly str side
    cdef wire_catalogue *table
    cdef dict types                     # str -> WireType
    cdef dict classes
    cdef WireType unknown
    cdef Py_ssize_t count

    cdef bint has_room(self, size_t count) noexcept
    cdef int grow(self, size_t count) except -1
    cdef int set_unknown(self, Layout layout) except -1
    cdef int add(self, cls, list entries) except -1
    cdef list types_of(self, cls)

cdef class Session:
    """What is known of one connection."""
    # What each decode() reads stands first, as in a Decoder.
    cdef bint held                      # some thread has the lock; read without the lock, under the GIL
    # The server has sent a message about the session or a response, whether or not that message named a format: from then on a
    # client's session.update does not change the output format, and the server's answer to it does.
    cdef bint server_spoke
    cdef tuple formats                  # (input, output), made anew when either changes
    cdef stream_table streams
    # formats
    cdef object output_format, input_format
    # The formats that responses name. That of the last response stands here, unless the key of the response is longer; the others
    # stand in a dict: key -> AudioFormat, the oldest first; None: there are none.
    cdef uint8_t last_response[46]
    cdef uint16_t last_response_length  # 0: there is none
    cdef object last_response_format
    cdef dict response_formats
    cdef object beside_rate             # the rate that stood beside the input format (DashScope, Voice Live); None: none did
    # The formats before the client's updates that the server has not answered; None: no update.
    cdef tuple before_update
    cdef object update_id               # event_id of the last of these updates, or None
    # threads
    cdef uint64_t owner                 # the thread that has the lock; 0: none, or one that waited and has not had the GIL since
    cdef unsigned long forks            # _forks as it was when the lock was taken
    cdef PyThread_type_lock lock_       # under the GIL, NULL until a thread has to wait, in this process
    cdef int waiting                    # so many threads wait

    cdef int make_lock(self) except -1
    cdef bint lock(self) except -1
    cdef int lock_free_threaded(self) except -1
    cdef void forget_threads(self) noexcept
    cdef bint wait(self) except -1
    cdef void unlock(self) noexcept
    cdef audio_stream *same_as_last(self, const wire_frame *f, Layout layout) noexcept
    cdef void forget_stream_formats(self) noexcept
    cdef int advance(self, audio_stream *stream, const stream_key *key, audio_format, Py_ssize_t samples,
                     const wire_sink *sink) except -1
    cdef object format_of_stream(self, const wire_frame *f, Layout layout)
    cdef bint is_last_response(self, const stream_key *key) noexcept
    cdef _Change read_change(self, const wire_frame *f, Layout layout)
    cdef audio_stream *next_ended(self, _Change change, audio_stream *after) noexcept
    cdef bytes leftovers(self, _Change change)
    cdef int apply(self, _Change change) except -1
    cdef int take_back(self, _Change change) except -1

cdef class _Change:
    """What a message will change in the session, once nothing of the message can be refused any more."""
    cdef int role
    cdef bint proposed                  # the client asks for it; the server has not said so yet
    cdef object output_format, input_format, response_format
    cdef object beside_rate
    cdef object update_id               # of a client's session update, or of the message that an error is about
    cdef bint names_response            # the message has an id of its response
    cdef stream_key key                 # of the stream (ROLE_AUDIO_END) or the response (roles of a response); else not set

cdef class _Only:
    """The types to build that `only=` names."""
    cdef bytes numbers                  # at each type's number: 1 to build it. Types that are declared later are not in it
    cdef bint unknown                   # whether to build messages of types that no class declares
    cdef object said                    # the names that only= was given, for repr

    cdef bint wants(self, WireType wire_type) noexcept

cdef class Decoder:
    # What each decode() reads stands first: a server has thousands of decoders, and finds none of them in its caches.
    # the session that it follows; None for decode(), which follows none
    cdef readonly Session session
    cdef Catalogue catalogue
    cdef _Only only                     # option; None: all
    # guesses: the next message is probably like the one before
    cdef const wire_type *last_type     # the type of the last message
    cdef PyObject *ids[RECURRING_KEYS + 1]  # the last str of each key in _RECURRING, and of the last key the one before
    cdef uint64_t filled_at             # _filled as it was after the last message that this decoder made
    cdef object last_format             # the last format that conversion_to was asked for, maybe for a frame that was refused
    cdef int last_conversion            # from last_format to the dtype
    # options
    cdef int dtype_code
    cdef object forced                  # AudioFormat or None
    cdef readonly str dtype
    cdef bint is_made                   # __init__ was called
    cdef bint replaces_surrogates       # option lone_surrogates
    # Of the last message that named a format: (format of its stream, (name, rate, channels) as sent, what format_with made of
    # both)
    cdef tuple last_own

    cdef void prefetch(self, frame) noexcept
    cdef Session lock_session(self)
    cdef object decode_any(self, frame, out)
    cdef object decode_guarded(self, frame, out)
    cdef object begin(self, frame, const uint8_t *data, Py_ssize_t size, out)
    cdef object begin_payload(self, wire_frame *f, out)
    cdef bint is_next(self, const wire_frame *f, Layout layout) noexcept
    cdef audio_stream *last_stream(self, const wire_frame *f, Layout layout) noexcept
    cdef audio_stream *next_stream(self, const wire_frame *f, Layout layout) noexcept
    cdef object continue_delta(self, frame, const wire_frame *f, WireType wire_type, audio_stream *stream, pcm)
    cdef object end_stream(self, frame, const wire_frame *f, WireType wire_type, audio_stream *stream)
    cdef bint pass_over(self, wire_frame *f, audio_stream *stream) except -1
    cdef object complete_alone(self, frame, wire_frame *f, wire_status status, pcm, out)
    cdef object complete(self, frame, wire_frame *f, wire_status status, pcm, out)
    cdef object complete_audio(self, frame, wire_frame *f, WireType wire_type, pcm, out, bint wanted)
    cdef object payload_fault(self, frame, const wire_frame *f, Layout layout, audio_format, int conversion)
    cdef object samples_of(self, frame, wire_frame *f, Layout layout, out)
    cdef tuple session_formats(self)
    cdef object format_of_message(self, const wire_frame *f, Layout layout, stream_format)
    cdef int conversion_to(self, audio_format) except -2
    cdef message *fill(self, frame, const wire_frame *f, WireType wire_type) except NULL

cdef struct encode_work:
    wire_samples samples
    uint8_t *out

cdef class AudioEncoder:
    """Makes the frames of one message class from samples."""
    cdef Layout layout                  # of the message whose frames are made
    cdef Session session                # samples are converted to the format of this session; None: to fixed_format
    cdef object fixed_format
    cdef dict fields                    # the fields that are the same in every frame
    cdef bytes head                     # the text of a frame with these fields, up to the payload
    cdef object coded_format            # the format of the call before, and its code
    cdef int code

    cdef object format_now(self)
    cdef int code_of(self, audio_format) except -2
    cdef bytes head_of(self, Layout layout, dict fields)
    cdef object encode_any(self, pcm, rate, dict fields, bint as_bytes)
