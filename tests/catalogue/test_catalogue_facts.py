"""The catalogues and the views declare what the providers' packages do, according to the facts in tests/support/facts.

`tools/upstream_facts.py` writes these files from the packages. Nothing here reads a package that is installed: what a
newer one declares is told by `python tools/upstream.py`, and fails no test.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from realtime_pcm import objects
from realtime_pcm.declare import annotations_of
from realtime_pcm.objects import View
from support.paths import FACTS as FOLDER
from support.provider_messages import BY_TYPE, SIDES, decode, payload_keys, wire_fields

# Those of other sockets are tests/sockets/test_socket_facts.py's.
FACTS = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in FOLDER.glob("*.json")
    if not path.stem.startswith(("elevenlabs-", "google-genai-"))
}
# Of pipecat-ai and dashscope, only what their clients send is written down.
every_package = pytest.mark.parametrize(
    ("name", "side"), [(name, side) for name in sorted(FACTS) for side in SIDES if FACTS[name][side]]
)

# ---- What is known to differ, and why. An entry that no package needs any more is a failure too.

# (view, field): a field that a package declares and the view does not.
UNDECLARED = {
    ("LogProb", name): "Together's logprobs are one object in place of a list, which is handed on as it is"
    for name in ("avg_logprob", "token_logprobs", "token_texts")
}

# (class, field): an object or array that the field hands on as parsed JSON, so that its own fields have no attributes.
WITHOUT_VIEW = {
    ("AudioInputConfig", "echo_cancellation"): "a setting that is sent back as it was given",
    ("ContentPart", "format"): "the format of audio in a text request, whose kinds have fields of their own",
    ("ConversationItem", "output"): "the output of a function: text, but for Live's decisions",
    ("ConversationItemInputAudioTranscriptionCompleted", "tokens"): "there are many: each would become an object of its own",
    ("ConversationItemInputAudioTranscriptionDelta", "tokens"): "there are many: each would become an object of its own",
    ("ConversationItem", "results"): "hits of Voice Live's file search, read whole or not at all",
    ("DecisionEvent", "event"): "Live wraps the event of another API in it",
    ("Prompt", "variables"): "an object with keys of the user's own",
    ("SessionConfig", "agent"): "a setting that is sent back as it was given",
    ("SessionConfig", "animation"): "a setting that is sent back as it was given",
    ("SessionConfig", "avatar"): "a setting that is sent back as it was given",
    ("SessionConfig", "client"): "a setting that is sent back as it was given",
    ("SessionConfig", "delegation"): "a setting of another API: its tools are those of the Responses API",
    ("SessionConfig", "greeting"): "a setting that is sent back as it was given",
    ("SessionConfig", "input"): "items of another API, sent back as they were given",
    ("SessionConfig", "input_audio_echo_cancellation"): "a setting that is sent back as it was given",
    ("RealtimeResponse", "metadata"): "an object with keys of the user's own",
    ("RealtimeResponse", "interim_response"): "a setting that is sent back as it was given",
    ("SessionConfig", "interim_response"): "a setting that is sent back as it was given",
    ("SessionConfig", "resumption"): "a setting that is sent back as it was given",
    ("SessionConfig", "translation"): "a setting that is sent back as it was given",
    ("SessionConfig", "triggers"): "a setting that is sent back as it was given",
    ("SessionConfig", "video"): "a setting that is sent back as it was given",
    ("Tool", "allowed_tools"): "a filter that is sent back as it was given",
    ("Tool", "annotations"): "hints of an MCP server, with keys of its own",
    ("Tool", "input_schema"): "a JSON schema",
    ("Tool", "parameters"): "a JSON schema",
    ("Tool", "require_approval"): "a filter that is sent back as it was given",
    ("Tool", "tool_configs"): "settings by the names of tools",
    ("Transcription", "corpus"): "a setting that is sent back as it was given",
    ("TranscriptionPhrase", "words"): "there are many: each would become an object of its own",
    ("TurnDetection", "end_of_utterance_detection"): "a setting that is sent back as it was given",
}

# (class, field): a JSON type that a package declares beside those of our annotation. The value is handed on as it is.
OTHER_KINDS = {
    ("ContentPart", "format"): "Foundry may have an object; everybody else sends a name",
    ("ConversationItemInputAudioTranscriptionCompleted", "logprobs"): "Together has one object; everybody else sends an array",
    ("ConversationItemInputAudioTranscriptionDelta", "logprobs"): "Together has one object; everybody else sends an array",
    ("ConversationItem", "content"): "Live's decisions may have a string; everybody else sends an array of parts",
    ("ConversationItem", "output"): "Live's decisions may have an array; everybody else sends a string",
}

PYTHON = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}


@dataclass
class Findings:
    """What the facts of one package have and our classes have not."""

    unknown: set[str] = field(default_factory=set)
    undeclared: set[tuple[str, str]] = field(default_factory=set)
    without_view: set[tuple[str, str]] = field(default_factory=set)
    other_kinds: set[tuple[str, str]] = field(default_factory=set)
    compared: int = 0


def alternatives(text: str) -> list[str]:
    """`a | [b | c]` or `a | list[b | c]` in its outermost parts."""
    parts = [""]
    depth = 0
    for letter in text.removesuffix("?"):
        depth += (letter in "[{") - (letter in "]}")
        if letter == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def annotation(cls: type, name: str) -> str | None:
    for ancestor in cls.__mro__:
        if "__annotations__" in vars(ancestor) and name in annotations_of(ancestor):
            said = re.sub(r"Literal\[[^]]*\]", "str", str(annotations_of(ancestor)[name]))
            return re.sub(r"Nested(List)?\[(.*)\]", lambda found: f"list[{found[2]}]" if found[1] else found[2], said)
    return None


def allows(annotation: str, kind: str) -> bool:
    """Whether a value of this JSON type is one of the annotation."""
    words = alternatives(annotation)
    if kind in ("any", "null") or "Any" in words:
        return True
    if kind in PYTHON:
        return PYTHON[kind] in words
    if kind[0] == "[":
        element = PYTHON.get(kind[1:-1])
        return any(word.startswith("list[") and element in (None, word[5:-1]) for word in words)
    # An object, by its keys or by its model.
    return any(word.startswith("dict[") or (word[0].isupper() and word != "None") for word in words)


Read = Callable[[str, Any], Any]


def read_message(wire: str, side: str, name: str, value: Any) -> Any:
    return getattr(decode({"type": wire, name: value}, side), name)


def read_view(view: type[View], name: str, value: Any) -> Any:
    return getattr(view({name: value}), name)


def view_of(read: Read, name: str) -> type[View] | None:
    """The view that a field makes of an object, or of the objects in an array: what it does, not what it declares."""
    for value in (read(name, {}), *read(name, [{}])):
        if isinstance(value, View):
            return type(value)
    return None


def declared_by(cls: Any) -> set[str]:
    """The keys of the wire that a class has a field for."""
    names = {*cls.__match_args__, *payload_keys(cls.__name__)}
    return names if issubclass(cls, View) else names | {"type", "event_id"}


def compare(facts: dict[str, Any], side: str) -> Findings:
    """All that a message of one side may hold, at any depth, against the classes that decode makes of it."""
    models: dict[str, dict[str, str]] = facts["models"]
    found = Findings()
    done: set[tuple[str, type]] = set()

    def walk(model: str | None, cls: type, read: Read) -> None:
        if model is None or (model, cls) in done:
            return
        done.add((model, cls))
        for name, kind in models[model].items():
            here = (cls.__name__, name)
            found.compared += 1
            if name not in declared_by(cls):
                found.undeclared.add(here)
                continue
            annotated = annotation(cls, name)
            if annotated is not None and not all(allows(annotated, part) for part in alternatives(kind)):
                found.other_kinds.add(here)
            nested = [word for word in re.findall(r"[\w.]+", kind) if word in models]
            view = view_of(read, name) if nested else None
            if nested and view is None:
                found.without_view.add(here)
            for inner in nested if view else ():
                walk(inner, view, partial(read_view, view))

    for wire, model in messages_of(facts, side):
        message = decode({"type": wire}, side)
        if isinstance(message, SIDES[side].unknown):
            found.unknown.add(wire)
        else:
            walk(model, type(message), partial(read_message, wire, side))
    return found


def messages_of(facts: dict[str, Any], side: str) -> list[tuple[str, str | None]]:
    """Wire type and model; a type that several APIs have comes once for each. A name without a class has None."""
    return list(itertools.chain(*(found.items() for found in facts[side].values())))


# How many types each package has, and about how many fields, those of nested objects among them.
SIZES = {
    ("openai-3.57.0", "server"): (81, 900),
    ("openai-3.57.0", "client"): (27, 480),
    ("azure-ai-voicelive-1.3.1", "server"): (56, 400),
    ("azure-ai-voicelive-1.3.1", "client"): (20, 250),
    ("pipecat-ai-1.14.0", "client"): (9, 140),
    ("dashscope-2.0.2", "client"): (14, 90),
    ("azure-ai-projects-2.10.0", "server"): (62, 600),
    ("azure-ai-projects-2.10.0", "client"): (13, 300),
    ("together-3.1.1", "server"): (10, 50),
    ("together-3.1.1", "client"): (5, 8),
    ("smallestai-5.14.0", "server"): (14, 90),
    ("smallestai-5.14.0", "client"): (6, 30),
}


# Names that a package has without a class.
NAMES_ALONE = {
    "azure-ai-voicelive-1.3.1": {"mcp_approval_response"},
    "azure-ai-projects-2.10.0": {
        "conversation.created",
        "input_audio_buffer.dtmf_event_received",
        "output_audio_buffer.started",
        "output_audio_buffer.stopped",
    },
}


@every_package
def test_every_message(name: str, side: str) -> None:
    """Each type is in the catalogue, and in the list of what each provider sends, with all fields of its own."""
    facts = FACTS[name]
    listed = SIDES[side].by_type
    for wire, model in messages_of(facts, side):
        fields = facts["models"][model] if model else {}
        assert set(fields) - {"type", "event_id"} <= set(wire_fields(listed[wire])), wire
        assert (model is None) == (wire in NAMES_ALONE.get(name, ()))
    assert len(dict(messages_of(facts, side))) == SIZES[name, side][0]


@every_package
def test_every_field_at_every_depth(name: str, side: str) -> None:
    found = compare(FACTS[name], side)
    assert found.unknown == set()
    assert found.undeclared - UNDECLARED.keys() == set(), "declare it, or say in UNDECLARED why not"
    assert found.without_view - WITHOUT_VIEW.keys() == set(), "give it a view, or say in WITHOUT_VIEW why not"
    assert found.other_kinds - OTHER_KINDS.keys() == set(), "annotate it, or say in OTHER_KINDS why not"
    assert found.compared > SIZES[name, side][1]


def test_every_exception_is_needed() -> None:
    every = [compare(facts, side) for facts in FACTS.values() for side in SIDES]
    assert UNDECLARED.keys() == set().union(*(found.undeclared for found in every))
    assert WITHOUT_VIEW.keys() == set().union(*(found.without_view for found in every))
    assert OTHER_KINDS.keys() == set().union(*(found.other_kinds for found in every))


def test_what_is_missing_is_found() -> None:
    """A type, a field, a field three objects deep, an object without a view, and another JSON type."""
    models = {
        "Heard": {"type": "string", "response": "Response?", "again": "integer"},
        "Response": {"usage": "Usage", "metadata": "Tokens", "status": "integer"},
        "Usage": {"input_token_details": "Tokens", "seconds": "number"},
        "Tokens": {"audio_tokens": "integer", "smell_tokens": "integer", "cached_tokens_details": "Tokens"},
    }
    facts = {"models": models, "server": {"new": {"response.done": "Heard", "response.smelled": "Heard"}}}
    found = compare(facts, "server")
    assert found.unknown == {"response.smelled"}
    assert found.undeclared == {
        ("ResponseDone", "again"), ("InputTokenDetails", "smell_tokens"), ("CachedTokensDetails", "smell_tokens"),
        ("CachedTokensDetails", "cached_tokens_details")}  # fmt: skip
    assert found.without_view == {("RealtimeResponse", "metadata")}
    assert found.other_kinds == {("RealtimeResponse", "status")}


def test_what_is_missing_of_the_client_s_side_is_found() -> None:
    models = {"Say": {"type": "string", "response": "Asked", "loudly": "boolean"}, "Asked": {"smell": "string"}}
    found = compare({"models": models, "client": {"new": {"response.create": "Say", "response.done": "Say"}}}, "client")
    assert found.unknown == {"response.done"}
    assert found.undeclared == {("ResponseCreate", "loudly"), ("RealtimeResponse", "smell")}


# ---- Against the facts that other projects share


def test_against_the_shared_messages(protocol: Path) -> None:
    events = json.loads((protocol / "events.json").read_text(encoding="utf-8"))
    assert len(events) >= 79
    for event in events:
        for shape in ("fields", "beta_fields", "translation_fields", "live_fields"):
            fields = {field["name"] for field in event.get(shape, ())} - {"type", "event_id"}
            assert fields <= set(wire_fields(BY_TYPE[event["type"]])), event["type"]
            assert fields <= declared_by(type(decode({"type": event["type"]}))), event["type"]


# The nested types that each view stands for, by their names there.
NESTED = {
    "SessionConfig": (
        "RealtimeSessionCreateRequest",
        "RealtimeTranscriptionSessionCreateRequest",
        "Session",
        "TranscriptionSession",
        "SessionResource",
        "RealtimeTranslationSession",
    ),
    "AudioInputConfig": ("RealtimeAudioConfigInput", "RealtimeTranscriptionSessionAudioInput", "AudioInput"),
    "AudioOutputConfig": ("RealtimeAudioConfigOutput", "AudioOutput", "realtime_translation_session.AudioOutput"),
    "AudioConfig": ("RealtimeAudioConfig", "Audio", "session_resource.Audio"),
    "SessionAudioFormat": ("AudioPCM", "AudioPCMU", "AudioPCMA", "audio_format.AudioPCM"),
    "NoiseReduction": ("NoiseReduction", "InputAudioNoiseReduction"),
    "Transcription": ("AudioTranscription", "InputAudioTranscription"),
    "TurnDetection": ("ServerVad", "SemanticVad", "TurnDetection"),
    "Tool": ("Tool", "session.Tool", "RealtimeFunctionTool", "Mcp", "FunctionTool"),
    "ToolChoice": ("ToolChoiceFunction", "ToolChoiceMcp"),
    "Tracing": ("TracingConfiguration", "TracingTracingConfiguration"),
    "Truncation": ("RealtimeTruncationRetentionRatio",),
    "TokenLimits": ("TokenLimits",),
    "Prompt": ("ResponsePrompt",),
    "Reasoning": ("RealtimeReasoning", "Reasoning"),
    "ClientSecret": ("ClientSecret",),
    "Conversation": ("Conversation",),
    "ConversationItem": (
        "ConversationItem",
        "RealtimeConversationItemSystemMessage",
        "RealtimeConversationItemUserMessage",
        "RealtimeConversationItemAssistantMessage",
        "RealtimeConversationItemFunctionCall",
        "RealtimeConversationItemFunctionCallOutput",
        "RealtimeMcpApprovalResponse",
        "RealtimeMcpApprovalRequest",
        "RealtimeMcpListTools",
        "RealtimeMcpToolCall",
        "DecisionStoredAssistantMessage",
        "ItemFunctionCall",
        "ItemCustomToolCall",
    ),
    "ContentPart": (
        "Content",
        "ConversationItemContent",
        "realtime_conversation_item_user_message.Content",
        "realtime_conversation_item_assistant_message.Content",
        "response_content_part_added_event.Part",
        "response_content_part_done_event.Part",
        "ContentPartRefusal",
        "ContentPartInputJSON",
    ),
    "RealtimeResponse": ("RealtimeResponse", "realtime_response.RealtimeResponse"),
    "StatusDetails": ("RealtimeResponseStatus",),
    "Usage": (
        "RealtimeResponseUsage",
        "UsageTranscriptTextUsageTokens",
        "UsageTranscriptTextUsageDuration",
        "SessionUsage",
        "decision.Usage",
    ),
    "InputTokenDetails": (
        "InputTokenDetails",
        "RealtimeResponseUsageInputTokenDetails",
        "UsageTranscriptTextUsageTokensInputTokenDetails",
        "UsageInputTokensDetails",
    ),
    "OutputTokenDetails": ("OutputTokenDetails", "RealtimeResponseUsageOutputTokenDetails", "UsageOutputTokensDetails"),
    "CachedTokensDetails": ("CachedTokensDetails",),
    "ContextWindow": ("ContextWindow",),
    "RealtimeError": (
        "RealtimeError",
        "error_event.Error",
        "error.Error",
        "realtime_response_status.Error",
        "conversation_item_input_audio_transcription_failed_event.Error",
        "RealtimeMcpProtocolError",
        "TransportFailedError",
    ),
    "RateLimit": ("RateLimit",),
    "LogProb": ("LogProbProperties", "Logprob"),
    "TranscriptionLanguage": ("TranscriptionLanguage",),
    "Delegation": ("Delegation",),
    "Voice": ("VoiceID", "CustomVoice"),
}


def test_against_the_shared_nested_objects(protocol: Path) -> None:
    facts = json.loads((protocol / "nested_types.json").read_text(encoding="utf-8"))
    compared = 0
    for name, types in NESTED.items():
        declared = set(getattr(objects, name).__match_args__)
        for part, known in facts.items():
            if not part.endswith("_nested"):
                continue
            for type_name in types:
                fields = {field["name"] for field in known.get(type_name, ())}
                assert fields <= declared, (part, type_name, fields - declared)
                compared += bool(fields)
    assert compared > 80
