"""The conversation signal: what a request is made of beside the words of its question.

Turns, tools, images, audio, files, the form of the answer, and how a tool loop goes. One signal may name
several facts; it matches when all of them hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Final, Literal, TypeAlias

from pydantic import Field

from router_extproc.errors import ConfigError
from router_extproc.llm.request import Turn
from router_extproc.models.base import Classifiers
from router_extproc.section import Section
from router_extproc.signals.base import Reading, SignalSettings, Subject

#: The label of a request of which every named fact holds.
MATCHES: Final = "matches"
#: Characters of a tool result in which an error is looked for: tools say it first.
RESULT_CHARS_MAX: Final = 200
#: How tools begin to say that they failed, where their dialect has no mark for it.
_FAILED: Final = re.compile(
    r"\W{0,8}(?:[A-Za-z_.]{0,48}(?:error|exception)\b|traceback \(most recent|fatal:|failed\b|failure\b|"
    r"(?:process )?exit(?:ed with)? (?:code|status)[: ]{1,2}[1-9]|command failed|permission denied|"
    r"command not found|no such file|timed out|tool_use_error)",
    re.IGNORECASE,
)


class Count(Section):
    """How many there must be, inclusive."""

    #: None: any number from none on.
    min: int | None = Field(default=None, ge=0)
    #: None: any number.
    max: int | None = Field(default=None, ge=0)

    def holds(self, count: int) -> bool:
        """Whether so many are inside the bounds."""
        above = self.min is None or count >= self.min
        return above and (self.max is None or count <= self.max)


#: true: at least one; false: none; or bounds.
Amount: TypeAlias = bool | Count


class ConversationSettings(SignalSettings):
    """Matches when every fact that is named here holds."""

    type: Literal["conversation"]
    #: User messages, the last one included.
    turns: Count | None = None
    #: Tools that the request offers to the model.
    tools_offered: Amount | None = None
    #: Calls that the model made in the whole conversation.
    tools_called: Amount | None = None
    #: How often the newest call since a human asked was made before in that time, with the same arguments.
    call_repeated: Amount | None = None
    #: The newest result of the tool loop is an error.
    last_result_failed: bool | None = None
    #: Pictures in any message.
    images: Amount | None = None
    #: Recordings in any message.
    audio: Amount | None = None
    #: Documents and other attachments in any message.
    files: Amount | None = None
    #: The answer shall be JSON.
    json_asked: bool | None = None
    #: The answer shall be streamed.
    streamed: bool | None = None

    @property
    def in_key(self) -> bool:
        """See SignalSettings; of all facts, only that of streaming is in no key."""
        return self.streamed is not None

    def problems(self, path: str) -> Iterator[ConfigError]:
        """See SignalSettings."""
        named = {fact: wanted for fact in FACTS if (wanted := getattr(self, fact)) is not None}
        if not named:
            yield ConfigError(path, f"names no fact: write at least one of {', '.join(FACTS)}")
        for fact, wanted in named.items():
            if isinstance(wanted, Count):
                yield from _count_problems(wanted, f"{path}.{fact}")

    def labels(self) -> Sequence[str]:
        """See SignalSettings."""
        return (MATCHES,)

    @property
    def reads_texts(self) -> bool:
        """See SignalSettings."""
        return False

    def open(self, name: str, classifiers: Classifiers) -> ConversationSignal:  # noqa: ARG002 - needs none
        """See SignalSettings."""
        return ConversationSignal(
            name, {fact: wanted for fact in FACTS if (wanted := getattr(self, fact)) is not None}
        )


class ConversationSignal:
    """Tells whether every named fact of a request holds. Fits signals.base.Signal."""

    needs_encoding = False
    needs_tasks = False

    def __init__(self, name: str, facts: Mapping[str, Amount]) -> None:
        """`facts`: what is asked of them by their names in FACTS."""
        self.name = name
        self._facts = tuple((FACTS[fact], wanted) for fact, wanted in facts.items())

    def read(self, subject: Subject) -> Reading:
        """See signals.base.Signal."""
        matches = all(_holds(count(subject), wanted) for count, wanted in self._facts)
        return Reading(self.name, MATCHES, 1.0) if matches else Reading(self.name, None, 0.0)


def _holds(count: int, wanted: Amount) -> bool:
    return wanted.holds(count) if isinstance(wanted, Count) else (count > 0) is wanted


def _count_problems(count: Count, path: str) -> Iterator[ConfigError]:
    if count.min is None and count.max is None:
        yield ConfigError(path, "write min, max or both")
    elif count.min is not None and count.max is not None and count.max < count.min:
        yield ConfigError(f"{path}.max", f"must be >= min ({count.min}), got {count.max}")


# ── facts ─────────────────────────────────────────────────────────────────────────────────────


def _turns(subject: Subject) -> int:
    return 1 + sum(turn.role == "user" for turn in subject.request.history)


def _tools_called(subject: Subject) -> int:
    turns = (*subject.request.history, *subject.request.later)
    return sum(len(turn.tool_calls) for turn in turns)


def _call_repeated(subject: Subject) -> int:
    calls = [(call.name, call.arguments) for turn in _loop(subject) for call in turn.tool_calls]
    return calls.count(calls[-1]) - 1 if calls else 0


def _last_result_failed(subject: Subject) -> int:
    newest = takewhile(lambda turn: turn.role == "tool", reversed(_loop(subject)))
    return any(map(has_failed, newest))


def _loop(subject: Subject) -> Sequence[Turn]:
    """The turns since a human asked: clients write reminders and results as user messages, too."""
    history, skipped = subject.request.history, subject.ask.skipped
    users = [place for place, turn in enumerate(history) if turn.role == "user"] if skipped else []
    since = history[users[-skipped] + 1 :] if len(users) >= skipped > 0 else ()
    return (*since, *subject.request.later)


def has_failed(turn: Turn) -> bool:
    """Whether a tool's result is an error, by the mark of its dialect or by how it begins."""
    return turn.failed or _FAILED.match(turn.text[:RESULT_CHARS_MAX]) is not None


#: Each fact by its key, as a number: of a fact that is true or not, one or none.
FACTS: Final[Mapping[str, Callable[[Subject], int]]] = {
    "turns": _turns,
    "tools_offered": lambda subject: subject.request.contents.tools_offered,
    "tools_called": _tools_called,
    "call_repeated": _call_repeated,
    "last_result_failed": _last_result_failed,
    "images": lambda subject: subject.request.contents.images,
    "audio": lambda subject: subject.request.contents.audio,
    "files": lambda subject: subject.request.contents.files,
    "json_asked": lambda subject: subject.request.contents.json_asked,
    "streamed": lambda subject: subject.request.stream,
}
