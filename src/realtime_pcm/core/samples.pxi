# Payloads as samples: which conversion leads from a format to a dtype, and the arrays or bytes that samples lie in.

# The annotation of `pcm` in a class statement. The array has the dtype of the decoder.
Samples = cnp.ndarray

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

cdef str _dtype_name(dtype):  # seldom
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

cdef int _conversion(int dtype_code, object audio_format) except -2:
    """The wire_conversion from a format to a dtype; -1 where there is none, because the format is neither PCM nor G.711."""
    cdef int code = audio_format._code
    if dtype_code == DTYPE_UINT8:
        return WIRE_COPY
    if code < 0:
        return -1
    if dtype_code != DTYPE_FLOAT32:
        return (<int>WIRE_PCM16_TO_INT16 if code == 0 else <int>WIRE_ULAW_TO_INT16 if code == 1
                else <int>WIRE_ALAW_TO_INT16)
    return (<int>WIRE_PCM16_TO_FLOAT32 if code == 0 else <int>WIRE_ULAW_TO_FLOAT32 if code == 1
            else <int>WIRE_ALAW_TO_FLOAT32)

cdef inline size_t _sample_bytes(int conversion) noexcept:
    """Bytes of payload that make one sample; 1 for the conversion -1."""
    return 1 if conversion < 0 else wire_sample_bytes(<wire_conversion>conversion)

# The first 42 bits of an Ogg page, in base64: "OggS", version 0, and two bits of its flags, which are always 0.
cdef const char *_OGG = b"T2dnUwA"

cdef inline bint _is_ogg(const uint8_t *data, const wire_value *value) noexcept:
    return value.end - value.start > 8 and memcmp(data + value.start, _OGG, 7) == 0


# ---- Where samples go: a fresh array, fresh bytes, or the caller's array ----------------------------------------

cdef bint _BIG_ENDIAN = sys.byteorder == "big"

cdef inline Py_ssize_t _count_samples(pcm, int dtype_code) noexcept:
    if dtype_code == DTYPE_BYTES:
        return PyBytes_GET_SIZE(pcm) // 2
    return cnp.PyArray_SIZE(<cnp.ndarray>pcm)

cdef object _little_endian(bytes samples):  # seldom
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
    """The array or bytes for the samples that sink.conversion makes of the carry and of so many bytes of payload: a new one, or a
    part of `out`. Its memory becomes sink.out."""
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
                            wire_status *status, size_t *position):
    """Decodes the base64 of a string in a frame into an array, by the conversion and the carry that `sink` has, or, with
    AS_BYTES, into bytes.

    None where the string is not canonical base64: then `status` says why, and `position` where.
    """
    cdef size_t payload_bytes = 0
    status[0] = _payload_size(data, value, &payload_bytes, position)
    if status[0] != WIRE_OK:
        return None
    decoded = _bytes_for(sink, payload_bytes) if dtype_code == AS_BYTES else _room_for(sink, payload_bytes, dtype_code, out)
    status[0] = _payload_decode(data, value, sink, position)
    return decoded if status[0] == WIRE_OK else None
