# The tier of the kernels, and the calls into src/wire, except those that make a str, which needs the GIL (values.h). Long work
# releases the GIL here.

cdef enum:
    # Bytes. A shorter span is walked and decoded with the GIL held: releasing the GIL and taking it back costs about as much
    # as decoding 2 kB, and even the slowest JSON of this length (5 ns a byte: escaped keys, and a second "type" after them) is
    # walked in 0.7 ms.
    GIL_BOUND = 128 * 1024

def _available_tiers():
    """The tiers that this build holds and this machine runs, the best first."""
    names = []
    cdef int i = 0
    while wire_tiers[i] != NULL:
        if wire_tiers[i].supported():
            names.append(wire_tiers[i].name.decode())
        i += 1
    return names

cdef const wire_tier *_choose_tier() except NULL:
    forced = os.environ.get("REALTIME_PCM_SIMD") or None
    cdef bytes name = None if forced is None else forced.encode("utf-8", "replace")
    cdef const wire_tier *tier = wire_choose_tier(NULL if name is None else <const char *>name)
    if tier == NULL:
        raise ImportError(
            f"REALTIME_PCM_SIMD={forced!r} is not a tier of this machine; its tiers are: {', '.join(_available_tiers())}")
    return tier

TIER = _choose_tier()

def simd_tier():
    """The kernel tier in use: "avx512vbmi", "avx2", "ssse3", "neon" or "scalar".

    It is the best tier that this machine runs, or the one that the environment variable REALTIME_PCM_SIMD named at import.
    """
    return TIER.name.decode()

def _use_tier(str name):
    """For tests: from now on frames are decoded by the tier of this name. ValueError if this machine does not run it."""
    global TIER
    cdef bytes encoded = name.encode()
    cdef const wire_tier *tier = wire_choose_tier(encoded)
    if tier == NULL:
        raise ValueError(f"{name!r} is not one of {', '.join(_available_tiers())}")
    TIER = tier


# ---- The GIL -------------------------------------------------------------------------------------------------

ctypedef wire_status (*wire_work)(void *arguments) noexcept nogil

cdef inline wire_status _run(size_t length, wire_work work, void *arguments) noexcept:
    """Calls `work`, which goes over `length` bytes of a frame: without the GIL if these are GIL_BOUND or more."""
    cdef wire_status status
    if length < GIL_BOUND:
        return work(arguments)
    with nogil:
        status = work(arguments)
    return status

cdef inline wire_status _walk(wire_frame *f) noexcept:
    return _run(f.length, <wire_work>TIER.walk, f)

cdef struct members_work:
    const uint8_t *data
    const wire_value *parent
    const wire_key *keys
    size_t count
    wire_value *found

cdef wire_status _do_members(void *arguments) noexcept nogil:
    cdef members_work *work = <members_work *>arguments
    TIER.members(work.data, work.parent, work.keys, work.count, work.found)
    return WIRE_OK

cdef void _members(const uint8_t *data, const wire_value *parent, const wire_key *keys, size_t count,
                   wire_value *found) noexcept:
    """Finds members of the object `parent` in a frame that the walk has accepted. All are ABSENT if `parent` is no object."""
    cdef members_work work = members_work(data, parent, keys, count, found)
    _run(parent.end - parent.start if parent.kind == WIRE_OBJECT else 0, _do_members, &work)

cdef struct element_work:
    const uint8_t *data
    const wire_value *array
    size_t *at
    wire_value *element
    bint found

cdef wire_status _do_element(void *arguments) noexcept nogil:
    cdef element_work *work = <element_work *>arguments
    work.found = TIER.element(work.data, work.array, work.at, work.element)
    return WIRE_OK

cdef bint _element(const uint8_t *data, const wire_value *array, size_t *at, wire_value *element) noexcept:
    """Finds the next element of an array in a frame that the walk has accepted; False after the last element."""
    cdef element_work work = element_work(data, array, at, element, False)
    _run(array.end - at[0], _do_element, &work)
    return work.found

cdef struct payload_work:
    const uint8_t *data
    const wire_value *value
    size_t *payload_bytes
    wire_sink *sink
    size_t *position
    size_t samples
    wire_wav *wav
    const char *wrong

cdef wire_status _do_payload_size(void *arguments) noexcept nogil:
    cdef payload_work *work = <payload_work *>arguments
    return wire_payload_size(TIER, work.data, work.value, work.payload_bytes, work.position)

cdef wire_status _do_payload_decode(void *arguments) noexcept nogil:
    cdef payload_work *work = <payload_work *>arguments
    return wire_payload_decode(TIER, work.data, work.value, work.sink, work.position)

cdef wire_status _do_payload_measure(void *arguments) noexcept nogil:
    cdef payload_work *work = <payload_work *>arguments
    return wire_payload_measure(TIER, work.data, work.value, work.sink, &work.samples, work.position)

cdef wire_status _do_wav_read(void *arguments) noexcept nogil:
    cdef payload_work *work = <payload_work *>arguments
    work.wrong = wire_wav_read(work.data, work.value, work.payload_bytes[0], work.wav)
    return WIRE_OK

cdef wire_status _do_wav_decode(void *arguments) noexcept nogil:
    cdef payload_work *work = <payload_work *>arguments
    return wire_wav_decode(TIER, work.data, work.value, work.wav, work.sink, work.position)

# keep_gil: however long the payload is.

cdef wire_status _payload_size(const uint8_t *data, const wire_value *value, size_t *payload_bytes, size_t *position,
                               bint keep_gil) noexcept:
    cdef payload_work work = payload_work(data, value, payload_bytes, NULL, position, 0, NULL, NULL)
    return _run(0 if keep_gil else value.end - value.start, _do_payload_size, &work)

cdef wire_status _payload_decode(const uint8_t *data, const wire_value *value, wire_sink *sink, size_t *position,
                                 bint keep_gil) noexcept:
    cdef payload_work work = payload_work(data, value, NULL, sink, position, 0, NULL, NULL)
    return _run(0 if keep_gil else value.end - value.start, _do_payload_decode, &work)

cdef wire_status _payload_measure(const uint8_t *data, const wire_value *value, wire_sink *sink, size_t *samples,
                                  bint keep_gil) noexcept:
    cdef size_t position = 0
    cdef payload_work work = payload_work(data, value, NULL, sink, &position, 0, NULL, NULL)
    cdef wire_status status = _run(0 if keep_gil else value.end - value.start, _do_payload_measure, &work)
    samples[0] = work.samples
    return status

cdef str _wav_read(const uint8_t *data, const wire_value *value, size_t payload_bytes, wire_wav *wav, bint keep_gil):
    """Reads the header of a WAV file. None, or what is wrong with it."""
    cdef payload_work work = payload_work(data, value, &payload_bytes, NULL, NULL, 0, wav, NULL)
    _run(0 if keep_gil else value.end - value.start, _do_wav_read, &work)
    return None if work.wrong == NULL else work.wrong.decode()

cdef wire_status _wav_decode(const uint8_t *data, const wire_value *value, wire_wav *wav, wire_sink *sink,
                             size_t *position, bint keep_gil) noexcept:
    cdef payload_work work = payload_work(data, value, NULL, sink, position, 0, wav, NULL)
    return _run(0 if keep_gil else value.end - value.start, _do_wav_decode, &work)

cdef struct facts_work:
    session_facts *facts
    const wire_frame *f
    const session_plan *plan

cdef wire_status _do_read_facts(void *arguments) noexcept nogil:
    cdef facts_work *work = <facts_work *>arguments
    session_read(work.facts, TIER, work.f, work.plan)
    return WIRE_OK

cdef void _read_facts(session_facts *facts, const wire_frame *f, const session_plan *plan) noexcept:
    """What a message says of the session or of a response."""
    cdef facts_work work = facts_work(facts, f, plan)
    _run(f.length, _do_read_facts, &work)

cdef enum:
    PAUSE_US = 50       # microseconds

# This lock is taken at import and never released, so that a timed wait for it is a pause without the GIL.
cdef PyThread_type_lock _never = PyThread_allocate_lock()
if _never == NULL:
    raise MemoryError
PyThread_acquire_lock(_never, 1)

cdef int _breathe(double *last) except -1:
    """Runs the handlers of signals, and gives other threads the GIL about each millisecond. A loop that builds no message calls
    it after each GIL_BOUND bytes of frames. `last`: when the loop last paused.

    If this thread released the GIL and took it back at once, a waiting thread would starve: the waiting thread wakes up too late
    each time, and asks for the GIL only after 5 ms of waiting. So where there are other threads, this one pauses.
    """
    cdef PyThreadState *threads = PyInterpreterState_ThreadHead(PyInterpreterState_Get())
    cdef double now
    if threads != NULL and PyThreadState_Next(threads) != NULL:
        now = monotonic()
        if now - last[0] > 0.0005:
            with nogil:
                PyThread_acquire_lock_timed(_never, PAUSE_US, 0)
            last[0] = monotonic()
    return PyErr_CheckSignals()
