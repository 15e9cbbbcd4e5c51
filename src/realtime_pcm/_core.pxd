# The map of the core: what each of its parts holds. Each part uses only names of the parts above it. Other modules cimport what
# they use of the core; only the core is linked with the C libraries.
#
#   _wire.pxd            src/wire, as the core sees it
#   _session.pxd         src/session, likewise
#   _lines.pxd           src/lines, as _bulk.pyx sees it
#   values.h             values of a frame as Python objects
#   writer.h             JSON text in the making; calls of classes by keyword without a dict of the keywords
#   message.h            how a message lies in memory, and how it is filled from a frame
#   arrays.h             NumPy arrays that own a block of src/blocks
#   core/tier.pxi        the tier of the kernels, and the calls into src/wire: long work lets go of the GIL there
#   core/blocks.pxi      the memory of arrays (blocks of src/blocks, arrays.h)
#   core/values.pxi      spans of a frame as Python objects; DecodeErrors
#   core/formats.pxi     audio formats of src/session as AudioFormats
#   core/samples.pxi     dtype and format -> conversion; a base64 span -> samples
#   core/views.pxi       objects written as JSON; views of nested objects
#   core/message.pxi     the slots of a message
#   core/catalogue.pxi   class -> layout and descriptors, wire name -> class
#   core/bases.pxi       RealtimeMessage, and the base classes of what servers and clients send
#   core/session.pxi     Session: what src/session knows of a connection
#   core/payloads.pxi    payloads that are several strings, in the other alphabet of base64, or no audio
#   core/decoder.pxi     Decoder: the road of a frame
#   core/frames.pxi      the messages of an iterable of frames; decode()
#   core/encoder.pxi     AudioEncoder: samples -> the text of a frame
#   core/call.pxi        what a call of realtime_pcm.client does for each message
#   core/writing.pxi     messages written by keyword: the JSON is made and decoded
#   core/pickling.pxi    messages in pickles
from cpython.object cimport PyObject
from libc.stdint cimport int8_t, uint8_t, uint32_t, uint64_t

from ._lines cimport lines_functions
from ._session cimport audio_step, c_format, c_session, session_answer, session_plan, session_reader, socket_formats
from ._wire cimport wire_catalogue, wire_frame, wire_layout, wire_samples, wire_sink, wire_status, wire_tier, wire_type


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

cdef class Catalogue

cdef class Layout:
    """What the core knows of one message class."""
    cdef wire_layout wire
    cdef readonly type cls
    cdef readonly Catalogue catalogue
    # fields
    cdef readonly dict fields           # name -> declare.Said
    cdef readonly tuple names           # attribute by field number
    cdef tuple keys                     # wire key by field number; of a field at a path, the path in words
    cdef readonly tuple places          # wire key or path by field number; None: it is no field of the message
    cdef readonly list order            # how fields were numbered: see declare.Shape
    cdef readonly tuple wire_names
    cdef readonly frozenset flat_names  # all names but that of the payload
    cdef message_plan plan
    # roles
    cdef str role_name                  # a key of roles.ROLES, or None
    cdef readonly tuple field_roles     # (field, role), of fields that have one
    cdef readonly tuple audio_roles     # (field, value, role): what the audio means if the field has this value
    cdef readonly dict reads            # what a role reads -> the field that holds it, if their names differ
    cdef bint ends_audio, bytes_payload
    cdef readonly bint is_audio, is_unknown
    cdef session_plan in_session        # what the message means in a session
    # descriptors
    cdef tuple views                    # by field number: the view class that an object becomes, or None
    cdef uint32_t lists                 # fields that are declared as lists, one bit each
    cdef uint32_t read_lazily           # fields that a LazyField reads, one bit each
    cdef bytes opening                  # of the JSON of a written message: `{"type":"..."`
    cdef dict heads                     # name -> _Head; None until a message is written
    cdef tuple definitions              # the _Definitions, whose memory the member descriptors point to
    cdef uint32_t expected_containers   # fields for which _expect_containers was called, one bit each

    cdef int remove_paths(self, dict found) except -1
    cdef int number(self, str name) except -1
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
    cdef readonly Py_ssize_t number     # in its catalogue
    cdef bint plain                     # no payload, and the message changes nothing in the session

cdef class Catalogue:
    """All wire types of one side."""
    cdef readonly str side
    cdef readonly object pair           # the catalogue of both sides that this is a part of; None: that of the Realtime API
    cdef readonly str tag               # the key of the tag, or None
    cdef readonly str inside            # the key of the object that holds the tag or the keys, or None
    cdef readonly bint by_key
    cdef readonly bint url_safe         # payloads may have the other alphabet of base64
    cdef readonly tuple formats         # (input, output) until somebody names them
    cdef const socket_formats *unnamed  # the same; NULL: those of the Realtime API
    cdef wire_catalogue *table
    cdef readonly dict types            # str -> WireType
    cdef dict classes
    cdef readonly WireType unknown
    cdef Py_ssize_t count

    cdef bint has_one_type(self) noexcept
    cdef bint has_room(self, size_t count) noexcept
    cdef int grow(self, size_t count) except -1
    cdef int set_unknown(self, Layout layout) except -1
    cdef int add(self, cls, list entries) except -1

cdef class Session:
    """What is known of one connection."""
    # (input, output) as AudioFormats, made anew when either has changed: formats_at is state.format_changes as it was then. They
    # come first because each message with nested objects reads them.
    cdef tuple formats
    cdef uint64_t formats_at
    cdef c_session state
    cdef bint told_doubt

    cdef tuple format_objects(self)
    cdef void use_formats(self, Catalogue catalogue) noexcept
    cdef void move_to(self, Session other) noexcept
    cdef int tell_doubt(self) except -1

cdef class _Only:
    """The types to build that `only=` names."""
    cdef bytes numbers                  # at each type's number: 1 to build it. Types that are declared later are not in it
    cdef bint unknown                   # whether to build messages of types that no class declares
    cdef object said                    # the names that only= was given, for repr

    cdef bint wants(self, WireType wire_type) noexcept

cdef class Decoder:
    # The fields that every decode() reads come first: a server has thousands of decoders, and finds none of them in its caches.
    # the session that it follows; None for decode(), which follows none
    cdef readonly Session session
    cdef Catalogue catalogue
    cdef _Only only                     # option; None: all
    # guesses: the next message is probably like the one before
    cdef const wire_type *last_type     # the type of the last message
    cdef PyObject *ids[RECURRING_KEYS + 1]  # the last str of each in _RECURRING, and of the last one the str before
    cdef uint64_t filled_at             # _filled as it was after the last message that this decoder made
    # the format of the last delta, and the conversion from it
    cdef int conversion
    cdef int dtype_code
    cdef bint is_made                   # __init__ or decode() was called
    cdef object assumed_object          # the AudioFormat of `assumed`
    cdef c_format assumed
    # options
    cdef session_reader reader
    cdef readonly str dtype
    cdef bint replaces_surrogates       # option lone_surrogates

    cdef void prefetch(self, frame) noexcept
    cdef object decode_any(self, frame, out)
    cdef object decode_other(self, frame, out)
    cdef object decode_frame(self, frame, const uint8_t *data, Py_ssize_t size, out)
    cdef object begin_payload(self, wire_frame *f, out)
    cdef bint continues_last_stream(self, const wire_frame *f, Layout layout) noexcept
    cdef object finish_audio(self, frame, wire_frame *f, WireType wire_type, bint wanted, pcm, out)
    cdef object settle_audio(self, frame, wire_frame *f, Layout layout, message *m, result, pcm, out)
    cdef int assume(self, const c_format *found) except -1
    cdef object no_samples(self, frame, const wire_frame *f, Layout layout, session_answer answer, const audio_step *step)
    cdef object samples_of(self, frame, wire_frame *f, Layout layout, out, bint keep_gil)
    cdef tuple wav_samples(self, frame, wire_frame *f, Layout layout, bint wanted, out, size_t *samples, bint keep_gil)
    cdef object finish_other(self, frame, wire_frame *f, WireType wire_type, bint wanted, payload)
    cdef tuple session_formats(self)
    cdef message *fill(self, frame, const wire_frame *f, WireType wire_type) except NULL

cdef struct encode_work:
    wire_samples samples
    uint8_t *out

cdef class AudioEncoder:
    """Makes the frames of one message class from samples."""
    cdef Layout layout                  # of the message whose frames are made
    cdef Session session                # samples are converted to the format of this session; None: to fixed_format
    cdef object fixed_format
    cdef bint names_format              # whether fields of a frame may name its format: neither format nor session was given
    cdef dict fields                    # the fields that are the same in every frame
    cdef bytes head                     # the text of a frame with these fields, up to the payload
    cdef bytes tail                     # and that after it
    cdef object coded_format            # the format of the call before, and its code
    cdef int code

    cdef object format_now(self)
    cdef int code_of(self, audio_format) except -2
    cdef bytes head_of(self, Layout layout, dict fields)
    cdef object encode_any(self, pcm, rate, dict fields, bint as_bytes)

# For the modules that are not linked with the C libraries.
cdef const wire_tier *TIER
cdef Catalogue SERVER, CLIENT
cdef const lines_functions *LINES
