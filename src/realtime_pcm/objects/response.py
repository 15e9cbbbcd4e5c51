"""Views of a response, its usage, and the limits of the account."""

from __future__ import annotations

from typing import Any, Literal

from ..declare import Nested, NestedList
from ._view import View
from .conversation import ConversationItem, RealtimeError
from .session import AudioConfig, Prompt, Reasoning, Tool, ToolChoice, Voice

# A class stands behind the classes that its fields name.


class CachedTokensDetails(View):
    """Cached input tokens by modality."""

    text_tokens: int | None = None
    """Tokens of text."""
    audio_tokens: int | None = None
    """Tokens of audio."""
    image_tokens: int | None = None
    """Tokens of images."""


class InputTokenDetails(View):
    """Input tokens by modality, and how many of them came from the cache."""

    text_tokens: int | None = None
    """Tokens of text."""
    audio_tokens: int | None = None
    """Tokens of audio."""
    image_tokens: int | None = None
    """Tokens of images."""
    cached_tokens: int | None = None
    """Tokens that came from the cache."""
    cached_tokens_details: Nested[CachedTokensDetails] = Nested()
    """Those tokens by modality."""
    cache_write_tokens: int | None = None
    """Tokens that were written to the cache."""
    grok_tokens: int | None = None
    """Tokens as xAI counts them."""


class OutputTokenDetails(View):
    """Output tokens by modality."""

    text_tokens: int | None = None
    """Tokens of text."""
    audio_tokens: int | None = None
    """Tokens of audio."""
    reasoning_tokens: int | None = None
    """Tokens of thoughts."""
    grok_tokens: int | None = None
    """Tokens as xAI counts them."""


class Usage(View):
    """The usage of a response, a transcription or a session: tokens, or seconds."""

    type: Literal["tokens", "duration"] | str | None = None
    """The unit: `tokens` or `duration`."""
    total_tokens: int | None = None
    """Tokens of input and output."""
    input_tokens: int | None = None
    """Tokens of input."""
    output_tokens: int | None = None
    """Tokens of output."""
    input_token_details: Nested[InputTokenDetails] = Nested()
    """Tokens of input by modality."""
    output_token_details: Nested[OutputTokenDetails] = Nested()
    """Tokens of output by modality."""
    seconds: float | None = None
    """Seconds of audio."""
    # GPT-Live
    active_seconds: int | None = None
    """Seconds in which the model was active."""
    paused_seconds: int | None = None
    """Seconds in which the model was paused."""
    # DashScope and GPT-Live write the plural
    input_tokens_details: Nested[InputTokenDetails] = Nested()
    """Tokens of input by modality."""
    output_tokens_details: Nested[OutputTokenDetails] = Nested()
    """Tokens of output by modality."""
    # vLLM
    prompt_tokens: int | None = None
    """Tokens of input."""
    completion_tokens: int | None = None
    """Tokens of output."""
    # xAI
    output_audio_seconds: float | None = None
    """Seconds of the model's audio."""
    billable_audio_seconds: float | None = None
    """Seconds of audio that are paid for."""


class ContextWindow(View):
    """How full the model's context is, from 0 to 1."""

    usage_ratio: float | None = None
    """How full it is, from 0 to 1."""


class StatusDetails(View):
    """Why a response ended as it did."""

    type: Literal["completed", "cancelled", "incomplete", "failed"] | str | None = None
    """The status that is explained: `completed`, `cancelled`, `incomplete` or `failed`."""
    reason: Literal["turn_detected", "client_cancelled", "max_output_tokens", "content_filter"] | str | None = None
    """Why: `turn_detected`, `client_cancelled`, `max_output_tokens` or `content_filter`."""
    error: Nested[RealtimeError] = Nested()
    """The error of a response that failed."""


class RealtimeResponse(View):
    """A response of the model: its status, its output items and, once done, its usage; or what a client asks for as one."""

    id: str | None = None
    """The response's id."""
    object: str | None = None
    """The kind of object: `realtime.response`."""
    status: Literal["in_progress", "completed", "cancelled", "failed", "incomplete"] | str | None = None
    """How far it is: `in_progress`, `completed`, `cancelled`, `failed` or `incomplete`."""
    status_details: Nested[StatusDetails] = Nested()
    """Why it ended so."""
    output: NestedList[ConversationItem] = NestedList()
    """The items of the response."""
    conversation_id: str | None = None
    """The conversation that the items join; None for a response outside of it."""
    output_modalities: list[str] | None = None
    """The kinds of output: `text`, `audio`, or both."""
    max_output_tokens: int | str | None = None
    """The most tokens of one response, or `inf`."""
    audio: Nested[AudioConfig] = Nested()
    """The settings of the audio."""
    usage: Nested[Usage] = Nested()
    """The tokens that were used, once it is done."""
    metadata: dict[str, str] | None = None
    """Values of the client's own, which come back as they were sent."""
    # beta
    modalities: list[str] | None = None
    """The kinds of output: `text`, `audio`, or both."""
    voice: Nested[Voice | str] = Nested()
    """The voice: its name, or an object."""
    output_audio_format: Literal["pcm16", "g711_ulaw", "g711_alaw"] | str | None = None
    """The format of the output: `pcm16`, `g711_ulaw` or `g711_alaw`."""
    temperature: float | None = None
    """How much chance there is in the answers."""
    # what a client asks for
    conversation: Literal["auto", "none"] | str | None = None
    """Where the items go: `auto`, or `none` for a response outside of the conversation."""
    input: NestedList[ConversationItem] = NestedList()
    """The input of the response, in place of the conversation."""
    instructions: str | None = None
    """Instructions for the model."""
    tools: NestedList[Tool] = NestedList()
    """The tools that the model may call."""
    tool_choice: Nested[ToolChoice | str] = Nested()
    """Which tool the model uses: `auto`, `none`, `required`, or one of them."""
    parallel_tool_calls: bool | None = None
    """Whether the model may call several tools at once."""
    prompt: Nested[Prompt] = Nested()
    """A stored prompt."""
    reasoning: Nested[Reasoning] = Nested()
    """How much the model thinks before it answers."""
    # beta
    max_response_output_tokens: int | str | None = None
    """The most tokens of one response, or `inf`."""
    # Azure Voice Live
    input_items: NestedList[ConversationItem] = NestedList()
    """The input of the response, in place of the conversation."""
    append_input_items: NestedList[ConversationItem] = NestedList()
    """Input after the conversation."""
    pre_generated_assistant_message: Nested[ConversationItem] = Nested()
    """A message to speak as it is."""
    cancel_previous: bool | None = None
    """Whether a response under way is cancelled."""
    commit: bool | None = None
    """Whether the items join the conversation."""
    interim_response: dict[str, Any] | None = None
    """The words of the model while a tool runs."""
    invoke_input: dict[str, Any] | None = None
    """The input of an agent."""
    reasoning_effort: str | None = None
    """How much the model thinks before it answers."""


class RateLimit(View):
    """One limit of the account and what is left of it."""

    name: Literal["requests", "tokens"] | str | None = None
    """The limited quantity: `requests` or `tokens`."""
    limit: int | None = None
    """The most that is allowed."""
    remaining: int | None = None
    """The remainder."""
    reset_seconds: float | None = None
    """In how many seconds it is whole again."""
