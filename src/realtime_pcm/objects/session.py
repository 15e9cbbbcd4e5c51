"""Views of a session: its audio, its tools, its limits."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from ..declare import Nested, NestedList
from ._view import View

# A class stands behind the classes that its fields name.


class SessionAudioFormat(View):
    """An audio format as a session writes it: `audio/pcm` with a rate, `audio/pcmu`, `audio/pcma`."""

    type: Literal["audio/pcm", "audio/pcmu", "audio/pcma"] | str | None = None
    """The encoding: `audio/pcm`, `audio/pcmu` or `audio/pcma`."""
    rate: int | None = None
    """Samples per second."""
    # DashScope writes the rate so
    sample_rate: int | None = None
    """Samples per second."""


class Voice(View):
    """A voice given as an object: a custom voice of OpenAI, any voice of Azure Voice Live."""

    id: str | None = None
    """The id of a custom voice."""
    name: str | None = None
    """The name of the voice."""
    type: str | None = None
    """The kind of voice, such as `azure-standard`."""
    # Azure Voice Live
    model: str | None = None
    """The model that speaks."""
    endpoint_id: str | None = None
    """The deployment of a custom voice."""
    locale: str | None = None
    """The accent to speak with."""
    prefer_locales: list[str] | None = None
    """The accents to prefer, one for each language."""
    style: str | None = None
    """The manner of speaking."""
    temperature: float | None = None
    """How much chance there is in the speech."""
    pitch: str | None = None
    """How high the voice is."""
    rate: str | None = None
    """How fast the voice speaks."""
    volume: str | None = None
    """How loud the voice is."""
    custom_lexicon_url: str | None = None
    """URL of a lexicon of pronunciations."""
    custom_text_normalization_url: str | None = None
    """URL of rules for numbers and the like."""


class NoiseReduction(View):
    """How the server filters noise out of the input audio."""

    type: Literal["near_field", "far_field"] | str | None = None
    """The kind: `near_field` for a headset, `far_field` for a room."""
    strength: float | None = None
    """How strongly noise is filtered out."""


class Transcription(View):
    """Which model transcribes the input audio, and its hints."""

    model: str | None = None
    """The model that transcribes."""
    language: str | None = None
    """The language of the input, such as `en`."""
    languages: list[str] | None = None
    """The languages that the input may have."""
    prompt: str | None = None
    """A hint for the model: words, or a style."""
    keywords: list[str] | None = None
    """Words that are likely."""
    delay: Literal["minimal", "low", "medium", "high", "xhigh"] | str | None = None
    """How long the model may wait for more audio: from `minimal` to `xhigh`."""
    custom_speech: dict[str, str] | None = None
    """Custom models by language."""
    phrase_list: list[str] | None = None
    """Phrases that are likely."""
    # xAI
    language_hint: str | None = None
    """The language that is likely."""
    keyterms: list[str] | None = None
    """Words that are likely."""
    # DashScope
    corpus: dict[str, Any] | None = None
    """Words and names that are likely."""
    # Azure Foundry
    profanity_filter: str | None = None
    """The treatment of swear words."""


class TurnDetection(View):
    """How the server finds the end of the user's turn."""

    type: Literal["server_vad", "semantic_vad"] | str | None = None
    """The kind: `server_vad` listens for silence, `semantic_vad` for the end of what is said."""
    threshold: float | None = None
    """How loud speech must be, from 0 to 1."""
    prefix_padding_ms: int | None = None
    """How many milliseconds before the speech belong to it."""
    silence_duration_ms: int | None = None
    """How many milliseconds of silence end the turn."""
    idle_timeout_ms: int | None = None
    """After how many milliseconds of silence the model speaks again."""
    create_response: bool | None = None
    """Whether the model answers without a request when the turn ends."""
    interrupt_response: bool | None = None
    """Whether the user's speech stops a response."""
    eagerness: Literal["low", "medium", "high", "auto"] | str | None = None
    """How soon `semantic_vad` takes the turn to be over: `low`, `medium`, `high` or `auto`."""
    speech_duration_ms: int | None = None
    """How many milliseconds of speech begin a turn."""
    remove_filler_words: bool | None = None
    """Whether words such as `um` count as no speech."""
    languages: list[str] | None = None
    """The languages that the input may have."""
    auto_truncate: bool | None = None
    """Whether an interrupted item is cut to what was heard."""
    end_of_utterance_detection: dict[str, Any] | None = None
    """A model that finds the end of an utterance."""
    appended_text_after_truncation: str | None = None
    """The text put after an item that was cut."""


class AudioInputConfig(View):
    """`session.audio.input`."""

    format: Nested[SessionAudioFormat] = Nested()
    """The format of the user's audio."""
    noise_reduction: Nested[NoiseReduction] = Nested()
    """How noise is filtered out; None for not at all."""
    transcription: Nested[Transcription] = Nested()
    """How the input is transcribed; None for not at all."""
    turn_detection: Nested[TurnDetection] = Nested()
    """How the end of a turn is found; None leaves it to the client."""
    transport: str | None = None
    """How the audio travels."""
    # Azure Foundry
    echo_cancellation: dict[str, Any] | None = None
    """How echo is taken out."""


class AudioOutputConfig(View):
    """`session.audio.output` and `response.audio.output`."""

    format: Nested[SessionAudioFormat] = Nested()
    """The format of the model's audio."""
    voice: Nested[Voice | str] = Nested()
    """The voice: its name, or an object."""
    speed: float | None = None
    """How fast the voice speaks; 1.0 is normal."""
    language: str | None = None
    """The language to speak."""
    model: str | None = None
    """The model that speaks."""
    transport: str | None = None
    """How the audio travels."""
    # Azure Foundry
    voice_type: str | None = None
    """The kind of voice: of OpenAI, of Azure, custom or personal."""
    voice_locale: str | None = None
    """The language that the voice speaks, such as `en-US`."""
    prefer_locales: list[str] | None = None
    """The accents that it prefers."""
    custom_voice_endpoint_id: str | None = None
    """The deployment of a custom voice."""
    personal_voice_model: str | None = None
    """The model of a personal voice."""
    voice_temperature: float | None = None
    """How much the voice varies."""
    style: str | None = None
    """The style of speaking."""
    pitch: str | None = None
    """How high it speaks."""
    volume: str | None = None
    """How loud it speaks."""
    custom_lexicon_url: str | None = None
    """URL of a lexicon of pronunciations."""
    custom_text_normalization_url: str | None = None
    """URL of rules for numbers and the like."""
    output_audio_timestamp_types: list[str] | None = None
    """The times that are sent with the audio, such as `word`."""


class AudioConfig(View):
    """`session.audio` and `response.audio`; GPT-Live has one `format` for both directions."""

    input: Nested[AudioInputConfig] = Nested()
    """The user's audio."""
    output: Nested[AudioOutputConfig] = Nested()
    """The model's audio."""
    format: Nested[SessionAudioFormat] = Nested()
    """The format of both directions."""


class Tool(View):
    """A function the model may call, an MCP server, or one tool such a server lists."""

    _hidden: ClassVar[tuple[str, ...]] = ("authorization", "headers")

    type: Literal["function", "mcp"] | str | None = None
    """The kind of tool: `function` or `mcp`."""
    name: str | None = None
    """The name by which the model calls it."""
    description: str | None = None
    """A description for the model: what the tool does and when to call it."""
    parameters: dict[str, Any] | None = None
    """The JSON schema of its arguments."""
    function: dict[str, Any] | None = None
    """Name, description and parameters in one object, as some servers want them."""
    strict: bool | None = None
    """Whether the arguments follow the schema exactly."""
    server_label: str | None = None
    """The label of the MCP server."""
    server_url: str | None = None
    """The address of the MCP server."""
    server_description: str | None = None
    """A description of the MCP server, for the model."""
    connector_id: str | None = None
    """A connector in place of an address."""
    tunnel_id: str | None = None
    """A tunnel in place of an address."""
    authorization: str | None = None
    """The key for the MCP server. No repr shows it."""
    headers: dict[str, str] | None = None
    """Headers for the MCP server. No repr shows them."""
    allowed_tools: list[str] | dict[str, Any] | None = None
    """The tools of the MCP server that the model may call."""
    allowed_callers: list[str] | None = None
    """Who may call it: `direct`, `programmatic`."""
    require_approval: str | dict[str, Any] | None = None
    """Which calls a client has to approve: `always`, `never`, or a filter."""
    defer_loading: bool | None = None
    """Whether the model learns of the tool only when it searches."""
    input_schema: dict[str, Any] | None = None
    """The JSON schema of the arguments, as an MCP server lists it."""
    annotations: dict[str, Any] | None = None
    """Notes of the MCP server."""
    # xAI
    allowed_x_handles: list[str] | None = None
    """The accounts whose posts are searched."""
    vector_store_ids: list[str] | None = None
    """The collections of files that are searched."""
    max_num_results: int | None = None
    """The most results of a search."""
    # Azure Foundry
    project_connection_id: str | None = None
    """The connection of the project that reaches the MCP server."""
    tool_configs: dict[str, Any] | None = None
    """Settings of single tools of an MCP server, by their names."""
    toolbox_name: str | None = None
    """The toolbox that the tool represents."""
    toolbox_version: str | None = None
    """Its version."""
    response_scheduling: str | None = None
    """When the model speaks of what the tool answered."""


class ToolChoice(View):
    """The tool that the model must use, if it is not a plain "auto", "none" or "required"."""

    type: Literal["function", "mcp"] | str | None = None
    """The kind of tool: `function` or `mcp`."""
    name: str | None = None
    """The name of the tool."""
    server_label: str | None = None
    """The label of the MCP server."""
    mode: Literal["none", "auto", "required"] | str | None = None
    """Whether one of the tools must be called: `none`, `auto` or `required`."""
    tools: NestedList[Tool] = NestedList()
    """The tools to choose from."""


class Tracing(View):
    """The trace of the session: its workflow and group."""

    workflow_name: str | None = None
    """The name of the workflow."""
    group_id: str | None = None
    """The group of traces that it belongs to."""
    metadata: dict[str, Any] | None = None
    """Values to file with the trace."""


class TokenLimits(View):
    """How many tokens a truncation leaves."""

    post_instructions: int | None = None
    """The most tokens after the instructions."""


class Truncation(View):
    """How the conversation is cut when it outgrows the model's context."""

    type: str | None = None
    """The kind: `retention_ratio`."""
    retention_ratio: float | None = None
    """How much of the conversation is kept, from 0 to 1."""
    token_limits: Nested[TokenLimits] = Nested()
    """How many tokens are kept."""


class Prompt(View):
    """A stored prompt and what fills it."""

    id: str | None = None
    """The prompt's id."""
    version: str | None = None
    """Its version; by default the newest."""
    variables: dict[str, Any] | None = None
    """Values for its variables."""


class Reasoning(View):
    """How much the model thinks before it answers."""

    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | str | None = None
    """How much: from `none` and `minimal` to `xhigh`."""
    summary: Literal["concise", "detailed", "auto"] | str | None = None
    """Whether a summary of the thoughts is sent: `concise`, `detailed` or `auto`."""


class Expiry(View):
    """When a key is to end: so many seconds after the anchor."""

    anchor: str | None = None
    """The start of the time: `created_at`."""
    seconds: int | None = None
    """How many seconds after it."""


class ClientSecret(View):
    """A key for a client's own connection, and when it ends; a client asks for the end as an Expiry (beta)."""

    _hidden: ClassVar[tuple[str, ...]] = ("value",)

    value: str | None = None
    """The key. No repr shows it."""
    expires_at: Nested[Expiry | int] = Nested()
    """When the key ends, in seconds since 1970."""
    expires_after: Nested[Expiry] = Nested()
    """When the key is to end."""


class SessionConfig(View):
    """The session as the server has it, or a client asks for it: nested `audio` (GA), flat fields (beta), provider additions."""

    type: Literal["realtime", "transcription", "translation"] | str | None = None
    """The kind of session: `realtime`, `transcription` or `translation`."""
    object: str | None = None
    """The kind of object: `realtime.session`."""
    id: str | None = None
    """The session's id."""
    model: str | None = None
    """The model."""
    output_modalities: list[str] | None = None
    """The kinds of output: `text`, `audio`, or both."""
    instructions: str | None = None
    """Instructions for the model."""
    tools: NestedList[Tool] = NestedList()
    """The tools that the model may call."""
    tool_choice: Nested[ToolChoice | str] = Nested()
    """Which tool the model uses: `auto`, `none`, `required`, or one of them."""
    max_output_tokens: int | str | None = None
    """The most tokens of one response, or `inf`."""
    tracing: Nested[Tracing | str] = Nested()
    """The settings of the session's trace: `auto`, or an object."""
    truncation: Nested[Truncation | str] = Nested()
    """How a long conversation is cut: `auto`, `disabled`, or an object."""
    prompt: Nested[Prompt] = Nested()
    """A stored prompt."""
    expires_at: int | None = None
    """When the session ends, in seconds since 1970."""
    audio: Nested[AudioConfig] = Nested()
    """The audio of both directions."""
    include: list[str] | None = None
    """Additional data that the server sends, such as `item.input_audio_transcription.logprobs`."""
    reasoning: Nested[Reasoning] = Nested()
    """How much the model thinks before it answers."""
    parallel_tool_calls: bool | None = None
    """Whether the model may call several tools at once."""
    # beta
    modalities: list[str] | None = None
    """The kinds of output: `text`, `audio`, or both."""
    voice: Nested[Voice | str] = Nested()
    """The voice: its name, or an object."""
    input_audio_format: Literal["pcm16", "g711_ulaw", "g711_alaw"] | str | None = None
    """The format of the input: `pcm16`, `g711_ulaw` or `g711_alaw`."""
    output_audio_format: Literal["pcm16", "g711_ulaw", "g711_alaw"] | str | None = None
    """The format of the output: `pcm16`, `g711_ulaw` or `g711_alaw`."""
    input_audio_noise_reduction: Nested[NoiseReduction] = Nested()
    """How noise is filtered out of the input."""
    input_audio_transcription: Nested[Transcription] = Nested()
    """How the input is transcribed; None for not at all."""
    turn_detection: Nested[TurnDetection] = Nested()
    """How the end of a turn is found; None leaves it to the client."""
    temperature: float | None = None
    """How much chance there is in the answers."""
    max_response_output_tokens: int | str | None = None
    """The most tokens of one response, or `inf`."""
    speed: float | None = None
    """How fast the voice speaks; 1.0 is normal."""
    client_secret: Nested[ClientSecret] = Nested()
    """A key for a client's own connection."""
    # GPT-Live
    status: str | None = None
    """The state of the session."""
    client: dict[str, Any] | None = None
    """The facts that the server knows about the client."""
    delegation: dict[str, Any] | None = None
    """Who runs the tasks that the model hands on."""
    input: list[dict[str, Any]] | None = None
    """Items that the session begins with."""
    safety_identifier: str | None = None
    """An id of the user for the provider's safety checks."""
    store: bool | None = None
    """Whether the session is kept."""
    triggers: list[dict[str, Any]] | None = None
    """When questions are asked of the conversation."""
    # Azure Voice Live
    input_audio_sampling_rate: int | None = None
    """The rate of the input, in samples per second."""
    input_audio_echo_cancellation: dict[str, Any] | None = None
    """How the model's own voice is filtered out of the input."""
    output_audio_timestamp_types: list[str] | None = None
    """The times that the server sends: `word`."""
    animation: dict[str, Any] | None = None
    """Data for a face: blend shapes, visemes."""
    avatar: dict[str, Any] | None = None
    """The avatar and its video."""
    agent: dict[str, Any] | None = None
    """The agent that answers."""
    truncation_strategy: dict[str, Any] | None = None
    """How a long conversation is cut."""
    interim_response: dict[str, Any] | None = None
    """The words of the model while a tool runs."""
    reasoning_effort: str | None = None
    """How much the model thinks before it answers."""
    metadata: dict[str, str] | None = None
    """Values of the client's own."""
    # xAI
    enable_noise_suppression: bool | None = None
    """Whether noise is filtered out of the input."""
    enable_phonetic_spelling: bool | None = None
    """Whether names are spelled by sound."""
    keep_context: bool | None = None
    """Whether the conversation so far is kept."""
    replace: dict[str, str] | None = None
    """Words to be spoken in another way."""
    resumption: dict[str, Any] | None = None
    """How the session can be resumed."""
    # Inworld
    providerData: dict[str, Any] | None = None  # noqa: N815 - as it stands on the wire
    """Settings of Inworld's own."""
    # DashScope: the rate of the input
    sample_rate: int | None = None
    """The rate of the input, in samples per second."""
    translation: dict[str, Any] | None = None
    """The language to translate to."""
    video: dict[str, Any] | None = None
    """The settings of the video."""
    # DashScope's Qwen TTS
    mode: str | None = None
    """When text is spoken: `server_commit` or `commit`."""
    language_type: str | None = None
    """The language of the text."""
    response_format: str | None = None
    """The format of the output, such as `pcm`."""
    bit_rate: int | None = None
    """The bit rate of the output."""
    volume: int | None = None
    """How loud the voice is, from 0 to 100."""
    speech_rate: float | None = None
    """How fast the voice speaks; 1.0 is normal."""
    pitch_rate: float | None = None
    """How high the voice is; 1.0 is normal."""
    enable_tn: bool | None = None
    """Whether numbers and the like are read as words."""
    optimize_instructions: bool | None = None
    """Whether the server improves the instructions."""
    # GLM
    beta_fields: dict[str, Any] | None = None
    """Settings of GLM's own, such as the mode of the chat."""
    # Azure Voice Live and Foundry
    greeting: dict[str, Any] | None = None
    """The first words of the agent."""
    handoff: dict[str, Any] | None = None
    """To whom the agent may pass the call on."""
    # Smallest AI
    generate_initial_response: bool | None = None
    """Whether the model speaks first."""
