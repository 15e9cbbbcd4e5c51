# Pickles. A pickle of a message holds its frame, its audio and its formats; to load it is to decode the frame once more.

cdef tuple _AUDIO_STATE = ("pcm", "audio_format", "sample_offset", "incomplete_sample")

def _reduced(instance):
    cdef message *m = _message_of(instance)
    cdef Layout layout = <Layout>m.layout
    names = _AUDIO_STATE if layout.is_audio else _AUDIO_STATE[3:] if layout.ends_audio else ()
    formats = None if m.formats == NULL else <object>m.formats
    state = {name: getattr(instance, name) for name in names}
    if layout.catalogue.pair is not None:
        return _restore, (_frame_of(m), formats, state, layout.side_name, layout.cls)
    if layout.in_session.sent:
        return _restore, (_frame_of(m), formats, state, "client")
    return _restore, (_frame_of(m), formats, state)

_reduce = _reduced

def _restore(frame, formats, dict state, side="server", cls=None):
    """The message of a pickle.

    cls: None for a message of the Realtime API. The class that had this `type` where the pickle was made may have other slots
    here, or may not be declared at all. Values that have no slot here are left out.
    """
    cdef Layout named = None if cls is None else _layout_of(cls)
    cdef Decoder decoder = _without_session("uint8", None, side, None if named is None else named.catalogue.pair)
    result = decoder.decode_any(frame, None)
    cdef message *m = _message_of(result)
    cdef Layout layout = <Layout>m.layout
    if layout.is_audio and state.keys() == set(_AUDIO_STATE):
        if not isinstance(state["pcm"], (cnp.ndarray, bytes)) or not isinstance(state["audio_format"], AudioFormat):
            raise TypeError("this is no pickle of an audio message")
        _replace(m, layout.payload_place(), state["pcm"])
        _replace(m, SLOT_AUDIO_FORMAT, state["audio_format"])
        _replace(m, SLOT_SAMPLE_OFFSET, state["sample_offset"])
    if (layout.is_audio or layout.ends_audio) and "incomplete_sample" in state:
        _replace(m, SLOT_INCOMPLETE_SAMPLE, state["incomplete_sample"])
    if type(formats) is tuple and len(formats) == 2 and m.formats == NULL:
        Py_INCREF(formats)
        m.formats = <PyObject *>formats
    return result
