"""Write down the messages of the providers' Python packages, and say what has changed in them since.

    python tools/upstream_facts.py write [FOLDER]   one file for each package that is installed (tests/support/facts)
    python tools/upstream_facts.py check            compare the installed packages with their newest files

A file of facts holds the names of a package's message types, of their fields and of the fields of nested objects, with
the JSON type of each; it holds no text of the package. The tests compare the catalogue with these files, never with a
package that is installed, so that a new release of a package cannot break them. `check` prints every difference and
exits with status 0: a difference is news, not a failure.

Of pipecat-ai (for xAI and Inworld) and dashscope, only what clients send is read. The extra `test` installs neither of them, nor
google-genai, elevenlabs, azure-ai-projects, together and smallestai.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import json
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

FACTS = Path(__file__).resolve().parent.parent / "tests" / "support" / "facts"
FLAT = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null", Any: "any", object: "any"}
# What describes one model: the name of each field on the wire, its annotation, and whether it must be there.
Fields = dict[str, tuple[Any, bool]]

# The unions of openai's messages. An older or a newer package may lack some of them.
OPENAI_UNIONS = (
    ("server", "ga", "openai.types.realtime", "RealtimeServerEvent"),
    ("server", "translation", "openai.types.realtime", "RealtimeTranslationServerEvent"),
    ("server", "beta", "openai.types.beta.realtime", "RealtimeServerEvent"),
    ("server", "live", "openai.types.live", "ServerEvent"),
    ("server", "live connect", "openai.types.live", "ConnectServerEvent"),
    ("server", "live fork", "openai.types.live", "ForkServerEvent"),
    ("client", "ga", "openai.types.realtime", "RealtimeClientEvent"),
    ("client", "translation", "openai.types.realtime", "RealtimeTranslationClientEvent"),
    ("client", "beta", "openai.types.beta.realtime", "RealtimeClientEvent"),
    ("client", "live", "openai.types.live", "ClientEvent"),
    ("client", "live connect", "openai.types.live", "ConnectClientEvent"),
    ("client", "live fork", "openai.types.live", "ForkClientEvent"),
)
# A client of Live may send any item of the Responses API. These models are named and not described, because they
# belong to another API and there are more of them than of all others.
OTHER_API = ("openai.types.responses.", "openai.types.shared.")


class Models:
    """The models that the messages of one package reach, and what each of them declares."""

    def __init__(self, prefix: str, fields_of: Callable[[type], Fields], variants_of: Callable[[type], list[type]]) -> None:
        self.prefix = prefix
        self.fields_of = fields_of
        # The classes that an annotation stands for: none where it is no model, and all kinds of it where it has kinds.
        self.variants_of = variants_of
        self.described: set[type] = set()
        self.named: set[type] = set()

    def in_annotation(self, annotation: Any) -> Iterator[type]:
        models = self.variants_of(annotation) if isinstance(annotation, type) else []
        yield from models
        for part in () if models else typing.get_args(annotation):
            yield from self.in_annotation(part)

    def add(self, model: type, only_named: Callable[[type], bool] | None = None) -> None:
        """Describe the model and all that its fields reach, except models that are `only_named`."""
        waiting = [model]
        while waiting:
            here = waiting.pop()
            if here in self.described:
                continue
            if only_named is not None and only_named(here):
                self.named.add(here)
                continue
            self.described.add(here)
            for annotation, _ in self.fields_of(here).values():
                waiting.extend(self.in_annotation(annotation))

    def names(self) -> dict[type, str]:
        """API and class name; the module stands between them where two classes would have one name."""
        every = sorted(self.described | self.named, key=lambda model: (model.__module__, model.__qualname__))
        long = [f"{model.__module__}.{model.__qualname__}".removeprefix(self.prefix) for model in every]
        short = [re.sub(r"(?<=\.)\w+\.(\w+)$", r"\1", name) for name in long]
        names = [name if short.count(name) == 1 else whole for name, whole in zip(short, long, strict=True)]
        return dict(zip(every, names, strict=True))

    def kind(self, annotation: Any, names: dict[type, str]) -> str:
        """The JSON type: "string", "[integer]" for an array, "{any}" for an object with any keys, or names of models."""
        models = self.variants_of(annotation) if isinstance(annotation, type) else []
        origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
        if models:
            kinds = [names[model] for model in models]
        elif annotation in FLAT:
            kinds = [FLAT[annotation]]
        elif origin is typing.Literal:
            kinds = ["string" if isinstance(value, str) else FLAT[type(value)] for value in parts]
        elif origin in (types.UnionType, typing.Union):
            kinds = [kind for part in parts for kind in self.kind(part, names).split(" | ")]
        elif origin is typing.Annotated:
            kinds = [self.kind(parts[0], names)]
        elif origin is list:
            kinds = [f"[{self.kind(parts[0], names)}]"]
        elif origin is dict:
            kinds = [f"{{{self.kind(parts[1], names)}}}"]
        elif isinstance(annotation, type) and issubclass(annotation, (str, Enum)):
            kinds = ["string"]
        else:
            kinds = ["any"]
        return " | ".join(dict.fromkeys(kinds))

    def facts(self) -> dict[str, dict[str, str]]:
        """Model -> field -> JSON type; "?" ends the type of a field that may be absent or null."""
        names = self.names()
        facts: dict[str, dict[str, str]] = {}
        for model in self.described:
            fields = facts[names[model]] = {}
            for name, (annotation, required) in sorted(self.fields_of(model).items()):
                kind = self.kind(annotation, names)
                fields[name] = kind if required else kind.replace(" | null", "") + "?"
        return dict(sorted(facts.items()))


def openai_fields(model: type) -> Fields:
    fields = model.model_fields  # type: ignore[attr-defined]
    return {field.alias or name: (field.annotation, field.is_required()) for name, field in fields.items()}


def is_of_another_api(model: type) -> bool:
    return model.__module__.startswith(OTHER_API)


def read_openai() -> dict[str, Any]:
    models = Models("openai.types.", openai_fields, lambda known: [known] if hasattr(known, "model_fields") else [])
    messages: dict[str, dict[str, dict[str, type]]] = {"server": {}, "client": {}}
    for side, api, module, name in OPENAI_UNIONS:
        try:
            union = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            continue
        found = messages[side][api] = {}
        for model in models.in_annotation(union):
            for wire in typing.get_args(model.model_fields["type"].annotation):  # type: ignore[attr-defined]
                found[wire] = model
    # The server's side first: what it reaches of another API is described, and then for both sides.
    for side, apis in messages.items():
        for model in (model for found in apis.values() for model in found.values()):
            models.add(model, is_of_another_api if side == "client" else None)
    return {**named(messages, models.names()), "models": models.facts()}


def read_voice_live() -> dict[str, Any]:
    return read_azure("azure.ai.voicelive", "voice live", "ServerEvent", "ClientEvent", {})


def read_projects() -> dict[str, Any]:
    """Voice agents of Azure Foundry. Two of their messages are classes of their own."""
    alone = {"error": "RealtimeServerEventError", "session.update": "VoiceAgentClientEventSessionUpdate"}
    return read_azure("azure.ai.projects", "foundry", "RealtimeServerEvent", "RealtimeClientEvent", alone)


def read_azure(where: str, api: str, server: str, client: str, alone: dict[str, str]) -> dict[str, Any]:
    """A package whose messages derive from the classes `server` and `client`. alone: wire type -> a class that does not."""
    package = importlib.import_module(f"{where}.models")
    source = importlib.import_module(f"{where}.models._models")
    namespace = vars(source) | {"_models": package, "_unions": importlib.import_module(f"{where}._unions")}

    def fields(model: type) -> Fields:
        hints = typing.get_type_hints(model, namespace)
        declared: Fields = {}
        for cls in reversed(model.__mro__):
            for name, value in vars(cls).items():
                if name[0] != "_" and hasattr(value, "_rest_name_input"):
                    optional = type(None) in typing.get_args(hints[name])
                    declared[value._rest_name_input or name] = (hints[name], not optional)
        return declared

    def variants(known: type) -> list[type]:
        """A model and those that its discriminator chooses among, each with its own fields."""
        if not issubclass(known, source._Model):
            return []
        kinds = {known: None}
        for kind in list(vars(known).get("__mapping__", {}).values()):
            kinds |= dict.fromkeys(variants(kind))
        return list(kinds)

    models = Models(f"{where}.models._models.", fields, variants)
    messages: dict[str, dict[str, dict[str, type | None]]] = {}
    for side, base in (("server", server), ("client", client)):
        # A name that the package knows without a class for it has None.
        found: dict[str, type | None] = {name.value: None for name in getattr(package, f"{base}Type")}
        found |= {wire: getattr(package, name) for wire, name in alone.items() if wire in found}
        found |= {str(getattr(wire, "value", wire)): model for wire, model in getattr(package, base).__mapping__.items()}
        messages[side] = {api: found}
        for model in filter(None, found.values()):
            models.add(model)
    return {**named(messages, models.names()), "models": models.facts()}


def named(messages: Any, names: dict[type, str]) -> dict[str, Any]:
    """Side -> API -> wire type -> name of the model."""
    return {
        side: {api: {wire: model and names[model] for wire, model in sorted(found.items())} for api, found in apis.items()}
        for side, apis in messages.items()
    }


def read_pipecat() -> dict[str, Any]:
    """What clients of xAI and of Inworld send: neither has a package of its own that declares it."""
    models = Models("pipecat.services.", openai_fields, lambda known: [known] if hasattr(known, "model_fields") else [])
    found: dict[str, dict[str, type]] = {"xai": {}, "inworld": {}}
    for provider, types_of in found.items():
        module = importlib.import_module(f"pipecat.services.{provider}.realtime.events")
        for model in module.ClientEvent.__subclasses__():
            models.add(model)
            for wire in typing.get_args(model.model_fields["type"].annotation):
                types_of[wire] = model
    return {**named({"server": {}, "client": found}, models.names()), "models": models.facts()}


def is_pydantic(known: type) -> list[type]:
    return [known] if hasattr(known, "model_fields") else []


def read_together() -> dict[str, Any]:
    """Transcription and speech of Together AI. What clients send is written by functions."""
    source = importlib.import_module("together.lib.realtime._types")
    models = Models("together.lib.realtime.", openai_fields, is_pydantic)
    for model in source._EVENT_TYPES.values():
        models.add(model)
    told = {"server": {"together": source._EVENT_TYPES}}
    update = source.session_update_event({"turn_detection": {"type": "server_vad"}})
    sent = [source.append_event(b""), source.commit_event(), source.clear_event(), update, source.echo_event("id", "payload")]
    facts = models.facts()
    client = {frame["type"]: describe(model_name(f"together {frame['type']}"), [frame], facts) for frame in sent}
    return {**named(told, models.names()), "client": {"together": dict(sorted(client.items()))}, "models": facts}


def read_smallest() -> dict[str, Any]:
    source = importlib.import_module("smallestai.waves.speech_to_speech.socket_client")
    models = Models("smallestai.waves.", openai_fields, is_pydantic)
    sent = ("SessionConfigure", "SessionUpdate", "InputAudioBufferAppend", "ConversationItemCreate", "ResponseCreate")
    unions = {
        "server": typing.get_args(source.SpeechToSpeechSocketClientResponse),
        "client": [getattr(source, name) for name in (*sent, "ResponseCancel")],
    }
    messages: dict[str, dict[str, dict[str, type]]] = {"server": {}, "client": {}}
    for side, union in unions.items():
        messages[side]["smallest"] = {literal_in(model.model_fields["type"].annotation): model for model in union}
        for model in union:
            models.add(model)
    return {**named(messages, models.names()), "models": models.facts()}


def read_genai() -> dict[str, Any]:
    """Gemini Live. A message is named by the key that it has; what is no model of Live's is named and not described."""
    source = importlib.import_module("google.genai.types")
    models = Models("google.genai.", openai_fields, is_pydantic)
    messages: dict[str, dict[str, dict[str, type]]] = {}
    for side, whole in (("server", source.LiveServerMessage), ("client", source.LiveClientMessage)):
        found = {key: next(models.in_annotation(annotation)) for key, (annotation, _) in openai_fields(whole).items()}
        messages[side] = {"gemini live": found}
        for model in found.values():
            models.add(model, lambda known: not known.__name__.startswith(("Live", "VoiceActivity")))
    return {**named(messages, models.names()), "models": models.facts()}


def read_elevenlabs() -> dict[str, Any]:
    """Speech from text has models. Of agents, the keys that the package asks for, and the frames that it writes."""
    models = Models("elevenlabs.", openai_fields, is_pydantic)
    types_ = importlib.import_module("elevenlabs.types")
    names = {
        "server": ("AudioOutput", "FinalOutput", "WebsocketTtsServerMessageMulti"),
        "client": ("InitializeConnection", "SendText", "CloseConnection", "WebsocketTtsClientMessageMulti"),
    }
    messages: Any = {side: {"tts": {name: getattr(types_, name) for name in of_side}} for side, of_side in names.items()}
    for model in (model for apis in messages.values() for model in apis["tts"].values()):
        models.add(model)
    source = importlib.import_module("elevenlabs.conversational_ai.conversation")
    facts = models.facts()
    made = named(messages, models.names())
    made["server"]["agents"] = {}
    for branch in inspect.getsource(source.BaseConversation._handle_message_core).split('message["type"] == ')[1:]:
        wire, holder = re.findall(r'^"(\w+)"', branch) + re.findall(r'message(?:\[|\.get\()"(\w+)"', branch)[:1]
        name = model_name(f"agents {wire}")
        inner = re.findall(r'(?:event|tool_call)(?:\[|\.get\()"(\w+)"', branch)
        made["server"]["agents"][wire] = name
        facts[name] = {holder: f"{name}.{holder}", "type": "string"}
        facts[f"{name}.{holder}"] = dict.fromkeys(sorted(inner), "any")
    said = source.MultimodalMessageClientToOrchestratorEvent("text", file_id="file").to_dict()
    setup = types.SimpleNamespace(config=source.ConversationInitiationData({}, {}, {}), user_id="user")
    sent = [
        said | {"file": {}, "files": [{}], "text": {}},
        source.UserMessageClientToOrchestratorEvent("text").to_dict(),
        source.UserActivityClientToOrchestratorEvent().to_dict(),
        source.ContextualUpdateClientToOrchestratorEvent("text").to_dict(),
        json.loads(source.BaseConversation._create_initiation_message(setup)),
    ]
    made["client"]["agents"] = {name.value: None for name in source.ClientToOrchestratorEvent}
    for frame in sent:
        wire = str(getattr(frame["type"], "value", frame["type"]))
        name = made["client"]["agents"][wire] = model_name(f"sent {wire}")
        facts[name] = {key: "string" if key == "type" else "any" for key in sorted(frame)}
    return {**made, "models": dict(sorted(facts.items()))}


def literal_in(annotation: Any) -> str:
    """The string of the Literal in an annotation."""
    return next(
        part if isinstance(part, str) else literal_in(part) for part in typing.get_args(annotation) if part not in (str, Any)
    )


# ---- A package that declares nothing: its methods are called with all of their arguments, and what they send is looked at


def read_dashscope() -> dict[str, Any]:
    """What clients of DashScope send, by what the package's own sessions put on a socket."""
    from dashscope.audio.qwen_omni import omni_realtime
    from dashscope.audio.qwen_tts_realtime import qwen_tts_realtime
    from dashscope.v2.resources.audio.realtime import RealtimeSession

    sent: dict[str, list[dict[str, Any]]] = {"qwen omni": [], "qwen tts": []}
    modes = list(omni_realtime.MultiModality)
    asr = {"input_audio_transcription_model": "qwen3-asr"}
    vad = {"turn_detection_threshold": 0.5, "prefix_padding_ms": 300, "turn_detection_silence_duration_ms": 800}
    pcm = {"type": "pcm", "sample_rate": 16000}

    omni = omni_realtime.OmniRealtimeConversation("qwen-omni", omni_realtime.OmniRealtimeCallback())
    omni.ws = _Socket(sent["qwen omni"])
    corpus = omni_realtime.TranslationParams.Corpus(phrases={})
    translation = omni_realtime.TranslationParams(language="en", corpus=corpus)
    transcription = omni_realtime.TranscriptionParams(language="zh", corpus_text="text")
    omni.update_session(modes, "Tina", translation_params=translation, transcription_params=transcription, **vad)
    config = omni_realtime.AudioFormatConfig(**pcm)
    configs = {"input_audio_config": config, "output_audio_config": config}
    omni.update_session(modes, "Tina", input_video_representation_compact="low", **configs, **asr, **vad)
    omni.create_item({"type": "message"})
    omni.append_audio("AAA=")
    omni.append_video("AAA=")
    omni.commit()
    omni.clear_appended_audio()
    omni.create_response("Be brief.", modes)
    omni.cancel_response()
    omni.end_session_async()

    # The newer client, with each family of models that it writes sessions of its own for.
    names = types.SimpleNamespace(timeout=None, workspace=None, region=None, api_key="key")
    for model in ("qwen3.8-omni-", "qwen-audio-", "qwen3.8-livetranslate-", "qwen3-livetranslate-", "qwen-omni-"):
        client = types.SimpleNamespace(config=names)
        where = {"model": model, "ws_url": "wss://localhost"}
        with RealtimeSession(client, **where, connector=lambda *_: _Socket(sent["qwen omni"])) as session:
            rows = {"input_audio_config": pcm, "output_audio_config": pcm, "translation_params": {"language": "en"}}
            session.update_session(["text"], voice="Tina", enable_turn_detection=True, **rows, **asr, **vad)
            session.create_item({"type": "message"}, previous_item_id="item")
            session.retrieve_item("item")
            session.delete_item("item")
            session.append_audio("AAA=")
            session.append_video("AAA=")
            session.commit()
            session.clear_appended_audio()
            session.create_response(["text"], "Be brief.")
            session.cancel_response()

    tts = qwen_tts_realtime.QwenTtsRealtime("qwen-tts")
    tts.ws = _Socket(sent["qwen tts"])
    audio = {"sample_rate": 24000, "volume": 50, "speech_rate": 1.5, "audio_format": "pcm", "pitch_rate": 1.5, "bit_rate": 128}
    words = {"enable_tn": True, "instructions": "Be brief.", "optimize_instructions": True, "language_type": "auto"}
    tts.update_session("Tina", qwen_tts_realtime.AudioFormat.PCM_24000HZ_MONO_16BIT, **audio, **words)
    tts.append_text("text")
    tts.commit()
    tts.clear_appended_text()
    tts.cancel_response()
    tts.finish()

    facts: dict[str, dict[str, str]] = {}
    found: dict[str, dict[str, str]] = {}
    for api, frames in sent.items():
        found[api] = {}
        for wire in sorted({frame["type"] for frame in frames}):
            found[api][wire] = describe(model_name(f"{api} {wire}"), [frame for frame in frames if frame["type"] == wire], facts)
    return {"server": {}, "client": found, "models": dict(sorted(facts.items()))}


class _Socket:
    """Keeps the frames that a client sends."""

    def __init__(self, frames: list[dict[str, Any]]) -> None:
        self.frames = frames
        self.sock = types.SimpleNamespace(connected=True)

    def send(self, text: str) -> None:
        self.frames.append(json.loads(text))

    def close(self, *_: Any) -> None:
        pass


def model_name(text: str) -> str:
    """A name for the model of what was only seen."""
    return "".join(map(str.capitalize, re.split(r"\W", text.replace("_", " "))))


def describe(name: str, objects: list[dict[str, Any]], facts: dict[str, dict[str, str]]) -> str:
    """Write down, as a model of this name, the fields that these objects have; its name is given back."""
    fields: dict[str, str] = {}
    for field in sorted({key for known in objects for key in known}):
        values = [known[field] for known in objects if known.get(field) is not None]
        fields[field] = kind_of(f"{name}.{field}", values, facts) + "?" * (len(values) < len(objects))
    facts[name] = fields
    return name


def kind_of(name: str, values: list[Any], facts: dict[str, dict[str, str]]) -> str:
    inner = [value for value in values if isinstance(value, dict)]
    listed = [value for value in values if isinstance(value, list)]
    kinds = [FLAT[type(value)] for value in values if not isinstance(value, (dict, list))]
    if inner:
        kinds.append(describe(name, inner, facts))
    if listed:
        kinds.append(f"[{kind_of(name, [entry for entries in listed for entry in entries], facts)}]")
    return " | ".join(dict.fromkeys(kinds)) or "any"


PACKAGES = {
    "openai": read_openai,
    "azure-ai-voicelive": read_voice_live,
    "pipecat-ai": read_pipecat,
    "dashscope": read_dashscope,
    "azure-ai-projects": read_projects,
    "together": read_together,
    "smallestai": read_smallest,
    "google-genai": read_genai,
    "elevenlabs": read_elevenlabs,
}


def read(package: str) -> dict[str, Any]:
    """The facts of an installed package; PackageNotFoundError where it is not installed."""
    version = importlib.metadata.version(package)
    return {"package": package, "version": version, **PACKAGES[package]()}


def text_of(facts: dict[str, Any]) -> str:
    """JSON with one line for each message type and each field, so that a diff shows what has changed."""
    return json.dumps(facts, indent=1, ensure_ascii=True) + "\n"


def version_key(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def recorded(package: str) -> list[dict[str, Any]]:
    """What the files say of a package, the newest version last."""
    files = [json.loads(path.read_text(encoding="utf-8")) for path in FACTS.glob("*.json")]
    ours = [facts for facts in files if facts["package"] == package]
    return sorted(ours, key=lambda facts: version_key(facts["version"]))


# ---- What has changed


# Dotted path of a field, in a message or in an object nested in it -> the JSON types that it may have.
Paths = dict[str, set[str]]


def paths(facts: dict[str, Any], side: str) -> dict[str, Paths]:
    """Wire type -> every field that a message of it may have."""
    models: dict[str, dict[str, str]] = facts["models"]
    found: dict[str, Paths] = {}

    def walk(name: str, path: tuple[str, ...], above: frozenset[str], into: Paths) -> None:
        for field, kind in models[name].items():
            # Every model is an object here: a new name for one changes nothing on the wire.
            flat = re.sub(r"[\w.]*[A-Z][\w.]*", "object", kind.rstrip("?"))
            into.setdefault(".".join((*path, field)), set()).add(re.sub(r"object( \| object)+", "object", flat))
            for inner in re.findall(r"[\w.]+", kind):
                # A model inside itself has been walked already.
                if inner in models and inner not in above:
                    walk(inner, (*path, field), above | {inner}, into)

    for messages in facts[side].values():
        for wire, model in messages.items():
            into = found.setdefault(wire, {})
            if model is not None:
                walk(model, (), frozenset({model}), into)
    return found


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """One line for each type and each field that differs; what several types have in common shares a line."""
    lines = []
    for side in ("server", "client"):
        before, after = paths(old, side), paths(new, side)
        for sign, these, others in (("+", after, before), ("-", before, after)):
            for wire in sorted(these.keys() - others.keys()):
                top = sorted(path for path in these[wire] if "." not in path and path != "type")
                lines.append(f"{sign} {side} type {wire} {{{', '.join(top)}}}")
        fields: dict[str, list[str]] = {}
        for wire in sorted(before.keys() & after.keys()):
            old_fields, new_fields = before[wire].keys(), after[wire].keys()
            for sign, only in (("+", new_fields - old_fields), ("-", old_fields - new_fields)):
                for path in only:
                    # Only the outermost of what is new: its own fields are new with it.
                    if path.rpartition(".")[0] not in only:
                        fields.setdefault(f"{sign} {side} {what(path)}", []).append(wire)
            for path in old_fields & new_fields:
                if before[wire][path] != after[wire][path]:
                    change = " -> ".join(" or ".join(sorted(kinds[wire][path])) for kinds in (before, after))
                    fields.setdefault(f"~ {side} {what(path)} ({change})", []).append(wire)
        lines += [f"{line} of {', '.join(wires)}" for line, wires in sorted(fields.items())]
    return lines


def what(path: str) -> str:
    return f"{'nested field' if '.' in path else 'field'} {path}"


def check() -> None:
    for package in PACKAGES:
        known = recorded(package)
        try:
            installed = read(package)
        except importlib.metadata.PackageNotFoundError:
            print(f"{package}: not installed")
            continue
        except Exception as error:  # a package may be built otherwise one day, and that is news like the rest
            print(f"{package}: this tool cannot read it: {type(error).__name__}: {error}")
            continue
        if not known:
            print(f"{package} {installed['version']}: no facts are recorded")
            continue
        lines = differences(known[-1], installed)
        print(f"{package} {installed['version']} against the facts of {known[-1]['version']}: {len(lines)} differences")
        for line in lines:
            print(f"  {line}")


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        try:
            facts = read(package)
        except importlib.metadata.PackageNotFoundError:
            print(f"{package}: not installed")
            continue
        path = folder / f"{package}-{facts['version']}.json"
        path.write_text(text_of(facts), encoding="utf-8")
        print(f"{path}: {len(facts['models'])} models")


def main(arguments: list[str]) -> int:
    match arguments:
        case ["check"]:
            check()
        case ["write"]:
            write(FACTS)
        case ["write", folder]:
            write(Path(folder))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
