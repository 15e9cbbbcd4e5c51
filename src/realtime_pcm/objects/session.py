"""Views of a session: its audio, its tools, its limits."""

from __future__ import annotations

from typing import Any, ClassVar

from ._view import View

# A class stands behind the classes that its fields name.


class SessionAudioFormat(View):
    """An audio format as a session writes it: `audio/pcm` with a rate, `audio/pcmu`, `audio/pcma`."""

    type: str | None
    rate: int | None
    # DashScope writes the rate so
    sample_rate: int | None


class Voice(View):
    """A voice given as an object: a custom voice of OpenAI, any voice of Azure Voice Live."""

    id: str | None
    name: str | None
    type: str | None
    # Azure Voice Live
    model: str | None
    endpoint_id: str | None
    locale: str | None
    prefer_locales: list[str] | None
    style: str | None
    temperature: float | None
    pitch: str | None
    rate: str | None
    volume: str | None
    custom_lexicon_url: str | None
    custom_text_normalization_url: str | None


class NoiseReduction(View):
    """How the server filters noise out of the input audio."""

    type: str | None
    strength: float | None


class Transcription(View):
    """Which model transcribes the input audio, and its hints."""

    model: str | None
    language: str | None
    languages: list[str] | None
    prompt: str | None
    keywords: list[str] | None
    delay: str | None
    custom_speech: dict[str, str] | None
    phrase_list: list[str] | None
    # xAI
    language_hint: str | None
    keyterms: list[str] | None
    # DashScope
    corpus: dict[str, Any] | None


class TurnDetection(View):
    """How the server finds the end of the user's turn."""

    type: str | None
    threshold: float | None
    prefix_padding_ms: int | None
    silence_duration_ms: int | None
    idle_timeout_ms: int | None
    create_response: bool | None
    interrupt_response: bool | None
    eagerness: str | None
    speech_duration_ms: int | None
    remove_filler_words: bool | None
    languages: list[str] | None
    auto_truncate: bool | None
    end_of_utterance_detection: dict[str, Any] | None
    appended_text_after_truncation: str | None


class AudioInputConfig(View):
    """`session.audio.input`."""

    format: SessionAudioFormat | None
    noise_reduction: NoiseReduction | None
    transcription: Transcription | None
    turn_detection: TurnDetection | None
    transport: str | None


class AudioOutputConfig(View):
    """`session.audio.output` and `response.audio.output`."""

    format: SessionAudioFormat | None
    voice: Voice | str | None
    speed: float | None
    language: str | None
    model: str | None
    transport: str | None


class AudioConfig(View):
    """`session.audio` and `response.audio`; GPT-Live has one `format` for both directions."""

    input: AudioInputConfig | None
    output: AudioOutputConfig | None
    format: SessionAudioFormat | None


class Tool(View):
    """A function the model may call, an MCP server, or one tool such a server lists."""

    _hidden: ClassVar[tuple[str, ...]] = ("authorization", "headers")

    type: str | None
    name: str | None
    description: str | None
    parameters: dict[str, Any] | None
    function: dict[str, Any] | None
    strict: bool | None
    server_label: str | None
    server_url: str | None
    server_description: str | None
    connector_id: str | None
    tunnel_id: str | None
    authorization: str | None
    headers: dict[str, str] | None
    allowed_tools: list[str] | dict[str, Any] | None
    allowed_callers: list[str] | None
    require_approval: str | dict[str, Any] | None
    defer_loading: bool | None
    input_schema: dict[str, Any] | None
    annotations: dict[str, Any] | None
    # xAI
    allowed_x_handles: list[str] | None
    vector_store_ids: list[str] | None
    max_num_results: int | None


class ToolChoice(View):
    """Which tool the model must use, where it is not a plain "auto", "none" or "required"."""

    type: str | None
    name: str | None
    server_label: str | None
    mode: str | None
    tools: list[Tool] | None


class Tracing(View):
    """Where the session's trace is filed."""

    workflow_name: str | None
    group_id: str | None
    metadata: dict[str, Any] | None


class TokenLimits(View):
    """How many tokens a truncation leaves."""

    post_instructions: int | None


class Truncation(View):
    """How the conversation is cut when it outgrows the model's context."""

    type: str | None
    retention_ratio: float | None
    token_limits: TokenLimits | None


class Prompt(View):
    """A stored prompt and what fills it."""

    id: str | None
    version: str | None
    variables: dict[str, Any] | None


class Reasoning(View):
    """How much the model thinks before it answers."""

    effort: str | None
    summary: str | None


class Expiry(View):
    """When a key is to end: so many seconds after the anchor."""

    anchor: str | None
    seconds: int | None


class ClientSecret(View):
    """A key for a client's own connection, and when it ends; a client asks for the end as an Expiry (beta)."""

    _hidden: ClassVar[tuple[str, ...]] = ("value",)

    value: str | None
    expires_at: Expiry | int | None
    expires_after: Expiry | None


class SessionConfig(View):
    """The session as the server has it, or a client asks for it: nested `audio` (GA), flat fields (beta), provider additions."""

    type: str | None
    object: str | None
    id: str | None
    model: str | None
    output_modalities: list[str] | None
    instructions: str | None
    tools: list[Tool] | None
    tool_choice: ToolChoice | str | None
    max_output_tokens: int | str | None
    tracing: Tracing | str | None
    truncation: Truncation | str | None
    prompt: Prompt | None
    expires_at: int | None
    audio: AudioConfig | None
    include: list[str] | None
    reasoning: Reasoning | None
    parallel_tool_calls: bool | None
    # beta
    modalities: list[str] | None
    voice: Voice | str | None
    input_audio_format: str | None
    output_audio_format: str | None
    input_audio_noise_reduction: NoiseReduction | None
    input_audio_transcription: Transcription | None
    turn_detection: TurnDetection | None
    temperature: float | None
    max_response_output_tokens: int | str | None
    speed: float | None
    client_secret: ClientSecret | None
    # GPT-Live
    status: str | None
    client: dict[str, Any] | None
    delegation: dict[str, Any] | None
    input: list[dict[str, Any]] | None
    safety_identifier: str | None
    store: bool | None
    triggers: list[dict[str, Any]] | None
    # Azure Voice Live
    input_audio_sampling_rate: int | None
    input_audio_echo_cancellation: dict[str, Any] | None
    output_audio_timestamp_types: list[str] | None
    animation: dict[str, Any] | None
    avatar: dict[str, Any] | None
    agent: dict[str, Any] | None
    truncation_strategy: dict[str, Any] | None
    interim_response: dict[str, Any] | None
    reasoning_effort: str | None
    metadata: dict[str, str] | None
    # xAI
    enable_noise_suppression: bool | None
    enable_phonetic_spelling: bool | None
    keep_context: bool | None
    replace: dict[str, str] | None
    resumption: dict[str, Any] | None
    # Inworld
    providerData: dict[str, Any] | None  # noqa: N815 - as it stands on the wire
    # DashScope: the rate of the input
    sample_rate: int | None
    translation: dict[str, Any] | None
    video: dict[str, Any] | None
    # DashScope's Qwen TTS
    mode: str | None
    language_type: str | None
    response_format: str | None
    bit_rate: int | None
    volume: int | None
    speech_rate: float | None
    pitch_rate: float | None
    enable_tn: bool | None
    optimize_instructions: bool | None
    # GLM
    beta_fields: dict[str, Any] | None
