# Payloads as samples: which conversion leads from a format to a dtype, and the arrays or bytes that samples lie in.

cdef enum:
    DTYPE_INT16
    DTYPE_FLOAT32
    DTYPE_UINT8
    DTYPE_BYTES         # no array: bytes that hold int16 samples, little-endian

cdef dict _DTYPES = {"int16": DTYPE_INT16, "float32": DTYPE_FLOAT32, "uint8": DTYPE_UINT8, "bytes": DTYPE_BYTES}
# Of the arrays, by the number of the dtype.
cdef int[3] _TYPE_NUMBERS
_TYPE_NUMBERS[:] = [cnp.NPY_INT16, cnp.NPY_FLOAT32, cnp.NPY_UINT8]
cdef size_t[3] _ITEM_BYTES
_ITEM_BYTES[:] = [2, 4, 1]
cdef tuple _DESCRS = (cnp.PyArray_DescrFromType(cnp.NPY_INT16), cnp.PyArray_DescrFromType(cnp.NPY_FLOAT32),
                      cnp.PyArray_DescrFromType(cnp.NPY_UINT8))

cdef str _dtype_name(dtype):
    """"int16", "float32" or "uint8", for whatever NumPy takes as one of these dtypes, or "bytes". ValueError for all else."""
    if isinstance(dtype, str) and dtype in _DTYPES:
        return dtype
    import numpy
    try:
        name = numpy.dtype(dtype).name
    except TypeError:
        name = None
    if name not in _DTYPES:
        raise ValueError(f"dtype {dtype!r} is none of {', '.join(_DTYPES)}")
    return name

cdef sample_kind _sample_kind(int dtype_code) noexcept:
    if dtype_code == DTYPE_UINT8:
        return SAMPLES_AS_SENT
    return SAMPLES_FLOAT32 if dtype_code == DTYPE_FLOAT32 else SAMPLES_INT16

cdef int _conversion(int dtype_code, object written) except -3:
    """What format_conversion gives for an AudioFormat and a dtype."""
    cdef int code = written._code
    return format_conversion(<audio_encoding>(ENCODING_OTHER if code < 0 else code), _sample_kind(dtype_code))


# ---- The destination of samples: a fresh array, fresh bytes, or the caller's array ----------------------------------------

cdef bint _BIG_ENDIAN = sys.byteorder == "big"

cdef inline Py_ssize_t _count_samples(pcm, int dtype_code) noexcept:
    if dtype_code == DTYPE_BYTES:
        return PyBytes_GET_SIZE(pcm) // 2
    return cnp.PyArray_SIZE(<cnp.ndarray>pcm)

cdef object _little_endian(bytes samples):
    """int16 samples in this machine's byte order as little-endian ones."""
    import numpy
    return numpy.frombuffer(samples, "=i2").astype("<i2").tobytes()

cdef int _check_out(out, int dtype_code) except -1:
    if dtype_code == DTYPE_BYTES:
        raise TypeError('dtype="bytes" makes new bytes for each message, so that there is nothing to write into an `out`')
    if not isinstance(out, cnp.ndarray):
        raise ValueError(f"out is a NumPy array, not {type(out).__name__}")
    cdef cnp.ndarray array = out
    if cnp.PyArray_TYPE(array) != _TYPE_NUMBERS[dtype_code] or cnp.PyArray_ISBYTESWAPPED(array):
        raise ValueError(f"out has dtype {array.dtype}, the decoder {_DESCRS[dtype_code]}")
    if not cnp.PyArray_ISCARRAY(array):
        raise ValueError("out is not C-contiguous, aligned and writeable")
    return 0

cdef object _part_of(cnp.ndarray out, cnp.npy_intp count):
    """The first `count` samples of `out`, as a 1-D array over the memory of `out`."""
    if cnp.PyArray_SIZE(out) < count:
        raise ValueError(f"out holds {cnp.PyArray_SIZE(out)} samples, the message has {count}")
    part = cnp.PyArray_SimpleNewFromData(1, &count, cnp.PyArray_TYPE(out), cnp.PyArray_DATA(out))
    cnp.set_array_base(part, out)
    return part

cdef inline object _room_for(wire_sink *sink, size_t payload_bytes, int dtype_code, out):
    """The array or bytes for the samples that sink.conversion makes of the carry and of the payload: a new one, or a part of
    `out`. Its memory becomes sink.out."""
    cdef cnp.npy_intp count = <cnp.npy_intp>((payload_bytes + sink.carry_count) // wire_sample_bytes(sink.conversion))
    if dtype_code == DTYPE_BYTES:
        pcm = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>count * 2)
        sink.out = PyBytes_AS_STRING(pcm)
        return pcm
    if out is None:
        pcm = _new_array(<object>PyTuple_GET_ITEM(_DESCRS, dtype_code), count, _ITEM_BYTES[dtype_code])
    else:
        pcm = _part_of(out, count)
    sink.out = cnp.PyArray_DATA(<cnp.ndarray>pcm)
    return pcm

cdef object _bytes_for(wire_sink *sink, size_t payload_bytes):
    """The bytes object for a payload that is no audio. Its memory becomes sink.out."""
    data = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>payload_bytes)
    sink.out = PyBytes_AS_STRING(data)
    sink.conversion = WIRE_COPY
    return data


# ---- From a span to samples ----------------------------------------------------------------------------------------

cdef enum:
    AS_BYTES = -1       # instead of a dtype

cdef object _decode_payload(const uint8_t *data, const wire_value *value, int dtype_code, wire_sink *sink, out,
                            wire_status *status, size_t *position, bint keep_gil):
    """Decodes the base64 of a string in a frame into an array, by the conversion and the carry that `sink` has, or, with
    AS_BYTES, into bytes. keep_gil: however long the string is.

    None if the string is not canonical base64: then `status` says why, and `position` where.
    """
    cdef size_t payload_bytes = 0
    status[0] = _payload_size(data, value, &payload_bytes, position, keep_gil)
    if status[0] != WIRE_OK:
        return None
    decoded = _bytes_for(sink, payload_bytes) if dtype_code == AS_BYTES else _room_for(sink, payload_bytes, dtype_code, out)
    status[0] = _payload_decode(data, value, sink, position, keep_gil)
    return decoded if status[0] == WIRE_OK else None


# ---- Back again

cdef wire_status _do_encode(void *arguments) noexcept nogil:
    cdef encode_work *work = <encode_work *>arguments
    wire_encode(TIER, &work.samples, work.out)
    return WIRE_OK
