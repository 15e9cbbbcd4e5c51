"""The steps of a script or a recording, one per response of the loopback server."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .audio import AnyAudio, samples_of, spoken
from .recorded import Frame, Recorded, Recording

if TYPE_CHECKING:
    from .._resample import Samples

__all__ = ["Called", "Failure", "Said", "Script", "Step"]

MAX_STEPS = 10_000
_INCOMPLETE = ("max_output_tokens", "content_filter")  # the reasons for which a response ends as incomplete


@dataclass(frozen=True, slots=True)
class Said:
    """Words of the model. samples: its speech, int16 at 24,000 Hz; None: made from the text when it is spoken."""

    text: str
    samples: Samples | None = None

    @property
    def seconds(self) -> float:
        """How long it speaks."""
        return self.speech.size / 24_000

    @property
    def speech(self) -> Samples:
        """Its speech."""
        return spoken(self.text) if self.samples is None else self.samples


@dataclass(frozen=True, slots=True)
class Called:
    """A tool call. arguments: JSON. call_id: None: the server makes one."""

    name: str
    arguments: str
    call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """How a response fails."""

    code: str
    message: str

    @property
    def status(self) -> str:
        """The status of the response."""
        return "incomplete" if self.code in _INCOMPLETE else "failed"

    @property
    def details(self) -> dict[str, Any]:
        """The `status_details` of the response."""
        if self.status == "incomplete":
            return {"type": "incomplete", "reason": self.code}
        kind = "invalid_request_error" if self.code == "rate_limit_exceeded" else "server_error"
        return {"type": "failed", "error": {"type": kind, "code": self.code, "message": self.message}}


@dataclass(frozen=True, slots=True)
class Step:
    """One response, and the user's words before it.

    user: the words, if the script or the recording has any. interrupts: after how many seconds of the previous answer the user
    speaks; None: when the client sends speech. places: indexes of the response's frames in the recording. asked: when the
    recorded user was done.
    """

    output: tuple[Said | Called, ...] = ()
    user: str | None = None
    interrupts: float | None = None
    failure: Failure | None = None
    places: tuple[int, ...] = ()
    asked: float | None = None

    @property
    def seconds(self) -> float:
        """How long it speaks."""
        return sum(said.seconds for said in self.output if isinstance(said, Said))

    @property
    def calls(self) -> bool:
        """Whether it calls a tool."""
        return any(isinstance(part, Called) for part in self.output)


@dataclass(slots=True)
class Script:
    """The steps of a server, one per response. Every connection starts at the first.

    recording: the recording to replay, greeting and session included. unanswered: the user's words after the last step.
    """

    recording: Recording
    steps: list[Step] = field(default_factory=list)
    unanswered: Step | None = None
    scripted: bool = False

    @classmethod
    def of(cls, frames: Iterable[Frame]) -> Script:
        """Makes a script from the responses of a recording."""
        recording = Recording(frames)
        steps = []
        for turn in recording.turns:
            output = tuple(Said(part) if isinstance(part, str) else Called(*part) for part in turn.output)
            steps.append(Step(output, turn.user, turn.interrupts, None, tuple(turn.places), turn.asked))
        return cls(recording, steps)

    def __getitem__(self, number: int) -> Step | None:
        """The step with this number; None after the last."""
        return self.steps[number] if number < len(self.steps) else None

    def user_before(self, number: int) -> Step | None:
        """The step with the user's next words: this one, or `unanswered` after the last."""
        return self.steps[number] if number < len(self.steps) else self.unanswered if number == len(self.steps) else None

    # ---- writing a script

    def begin(self, replace_steps: bool) -> None:
        """Begins a script of the owner. replace_steps: whether it replaces the steps of the recording."""
        if replace_steps and not self.scripted:
            self.steps.clear()
        self.scripted = True

    def says(self, text: str, audio: AnyAudio | None, rate: int | None, together: bool) -> None:
        """The model says something."""
        if not isinstance(text, str):
            raise TypeError(f"what the model says is a str, not {type(text).__name__}")
        self._add(Said(text, None if audio is None else samples_of(audio, rate)), together)

    def calls(self, name: str, arguments: object, call_id: str | None, together: bool) -> None:
        """The model calls a tool."""
        text = arguments if isinstance(arguments, str) else json.dumps(arguments or {}, allow_nan=False)
        try:
            given = json.loads(text)
        except ValueError:
            given = None
        if not isinstance(given, dict):
            raise ValueError(f"the arguments of {name} are a JSON object, not {text[:80]}")
        if call_id is not None and any(
            call_id == part.call_id for step in self.steps for part in step.output if isinstance(part, Called)
        ):
            raise ValueError(f"two calls have the call_id {call_id!r}; an output could answer either")
        self._add(Called(name, text, call_id), together)

    def fails(self, code: str, message: str | None) -> None:
        """A response fails, or is incomplete."""
        said = message or f"The response ended: {code}."
        self._append(Step(failure=Failure(code, said)))

    def user_says(self, text: str, after: float | None) -> None:
        """The user speaks."""
        if self.unanswered is not None:
            raise ValueError(
                f"the user says two things in a row, {self.unanswered.user!r} and {text!r}: put an answer between them"
            )
        if after is not None:
            before = self.steps[-1] if self.steps else None
            if before is None:
                raise ValueError(f"the user interrupts after {after:g} s, but nothing was said before")
            if not 0 <= after < before.seconds:
                raise ValueError(
                    f"the answer before lasts {before.seconds:.2f} s: the user cannot interrupt it after {after:g} s"
                )
        self.unanswered = Step(user=text, interrupts=after)

    def _add(self, part: Said | Called, together: bool) -> None:
        if not together:
            self._append(Step((part,)))
            return
        if not self.steps or self.unanswered is not None or self.steps[-1].failure is not None or self.steps[-1].places:
            raise ValueError("together=True joins the answer of the line before, and that is no answer of the script")
        self.steps[-1] = replace(self.steps[-1], output=(*self.steps[-1].output, part))

    def _append(self, step: Step) -> None:
        if len(self.steps) >= MAX_STEPS:
            raise ValueError(f"a script has at most {MAX_STEPS:,} answers")
        if self.unanswered is not None:
            step = replace(step, user=self.unanswered.user, interrupts=self.unanswered.interrupts)
        self.unanswered = None
        self.steps.append(step)

    def read(self, text: str) -> None:
        """Takes the lines of a script: `user: ...`, `says: ...`, `calls: NAME {...}`, `fails: CODE`.

        `user@1.2: ...` interrupts the previous answer. Empty lines and lines beginning with # are skipped. Raises ValueError with
        the number of a bad line.
        """
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            verb, colon, rest = (part.strip() for part in line.partition(":"))
            verb, _, after = verb.partition("@")
            try:
                if not colon or verb not in ("user", "says", "calls", "fails") or (after and verb != "user"):
                    raise ValueError("begins with none of user:, says:, calls:, fails:")
                if verb == "user":
                    self.user_says(rest, float(after) if after else None)
                elif verb == "says":
                    self.says(rest, None, None, False)
                elif verb == "calls":
                    name, _, arguments = rest.partition(" ")
                    self.calls(name, arguments.strip() or "{}", None, False)
                else:
                    code, _, message = rest.partition(" ")
                    self.fails(code, message.strip() or None)
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from None


def frames_of(places: Iterable[int], turn: list[Recorded]) -> list[Recorded]:
    """The recorded frames at these indexes."""
    return [turn[place] for place in places]
