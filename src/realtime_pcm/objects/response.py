"""Views of a response, its usage, and the limits of the account."""

from __future__ import annotations

from typing import Any

from ._view import View
from .conversation import ConversationItem, RealtimeError
from .session import AudioConfig, Prompt, Reasoning, Tool, ToolChoice, Voice

# A class stands behind the classes that its fields name.


class CachedTokensDetails(View):
    """Cached input tokens by modality."""

    text_tokens: int | None
    audio_tokens: int | None
    image_tokens: int | None


class InputTokenDetails(View):
    """Input tokens by modality, and how many of them came from the cache."""

    text_tokens: int | None
    audio_tokens: int | None
    image_tokens: int | None
    cached_tokens: int | None
    cached_tokens_details: CachedTokensDetails | None
    cache_write_tokens: int | None
    grok_tokens: int | None


class OutputTokenDetails(View):
    """Output tokens by modality."""

    text_tokens: int | None
    audio_tokens: int | None
    reasoning_tokens: int | None
    grok_tokens: int | None


class Usage(View):
    """What a response, a transcription or a session has used: tokens, or seconds."""

    type: str | None
    total_tokens: int | None
    input_tokens: int | None
    output_tokens: int | None
    input_token_details: InputTokenDetails | None
    output_token_details: OutputTokenDetails | None
    seconds: float | None
    # GPT-Live
    active_seconds: int | None
    paused_seconds: int | None
    # DashScope and GPT-Live write the plural
    input_tokens_details: InputTokenDetails | None
    output_tokens_details: OutputTokenDetails | None
    # vLLM
    prompt_tokens: int | None
    completion_tokens: int | None
    # xAI
    output_audio_seconds: float | None
    billable_audio_seconds: float | None


class ContextWindow(View):
    """How full the model's context is, from 0 to 1."""

    usage_ratio: float | None


class StatusDetails(View):
    """Why a response ended as it did."""

    type: str | None
    reason: str | None
    error: RealtimeError | None


class RealtimeResponse(View):
    """A response of the model: its status, its output items and, once done, its usage; or what a client asks for as one."""

    id: str | None
    object: str | None
    status: str | None
    status_details: StatusDetails | None
    output: list[ConversationItem] | None
    conversation_id: str | None
    output_modalities: list[str] | None
    max_output_tokens: int | str | None
    audio: AudioConfig | None
    usage: Usage | None
    metadata: dict[str, str] | None
    # beta
    modalities: list[str] | None
    voice: Voice | str | None
    output_audio_format: str | None
    temperature: float | None
    # what a client asks for
    conversation: str | None
    input: list[ConversationItem] | None
    instructions: str | None
    tools: list[Tool] | None
    tool_choice: ToolChoice | str | None
    parallel_tool_calls: bool | None
    prompt: Prompt | None
    reasoning: Reasoning | None
    # beta
    max_response_output_tokens: int | str | None
    # Azure Voice Live
    input_items: list[ConversationItem] | None
    append_input_items: list[ConversationItem] | None
    pre_generated_assistant_message: ConversationItem | None
    cancel_previous: bool | None
    commit: bool | None
    interim_response: dict[str, Any] | None
    invoke_input: dict[str, Any] | None
    reasoning_effort: str | None


class RateLimit(View):
    """One limit of the account and what is left of it."""

    name: str | None
    limit: int | None
    remaining: int | None
    reset_seconds: float | None
