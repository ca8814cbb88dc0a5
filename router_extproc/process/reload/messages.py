"""What the supervisor and a worker say to each other about a reload, as JSON.

The supervisor's first message is the version in force. Then, for each reload:

    prepare VERSION  ->                   read, check and open what is new; change nothing
                     <-  prepared NUMBER  with what is in the way, if anything is
    commit NUMBER    ->                   work by it from now on
    abandon NUMBER   ->                   or forget it
    adopt VERSION    ->                   prepare and commit in one, for a worker that has started meanwhile

and at any time, from the worker with the admin port, `ask NUMBER` with an answer of the same number.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from router_extproc.config.handover import handed_over, received
from router_extproc.errors import ConfigError, Mark
from router_extproc.llm.answer import JsonValue
from router_extproc.process.reload.versions import PolicyVersion

#: What operators ask for over the admin port.
Wish: TypeAlias = Literal["state", "reload", "rollback"]


@dataclass(frozen=True, slots=True)
class Prepare:
    """Get ready to work by this version."""

    version: PolicyVersion


@dataclass(frozen=True, slots=True)
class Adopt:
    """Work by this version as soon as possible."""

    version: PolicyVersion


@dataclass(frozen=True, slots=True)
class Prepared:
    """The worker is ready for the version, unless there are problems."""

    number: int
    problems: tuple[ConfigError, ...] = ()


@dataclass(frozen=True, slots=True)
class Commit:
    """Work by the prepared version from now on."""

    number: int


@dataclass(frozen=True, slots=True)
class Abandon:
    """Forget the prepared version."""

    number: int


@dataclass(frozen=True, slots=True)
class Ask:
    """An operator's wish."""

    number: int
    wish: Wish
    #: Of a rollback: the version to go back to.
    to: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of the wish with this number."""

    number: int
    document: JsonValue


Message: TypeAlias = Prepare | Adopt | Prepared | Commit | Abandon | Ask | Answer


def write_version(version: PolicyVersion) -> bytes:
    """A version as the document of a worker that starts; it holds secrets."""
    return json.dumps(_version(version)).encode()


def read_version(document: bytes) -> PolicyVersion:
    """The version that was handed over.

    Raises:
        ConfigError: it was written by another version of this program.
    """
    return _read_version(json.loads(document))


def write(message: Message) -> bytes:
    """The message as JSON."""
    match message:
        case Prepare(version):
            members: dict[str, Any] = {"kind": "prepare", "version": _version(version)}
        case Adopt(version):
            members = {"kind": "adopt", "version": _version(version)}
        case Prepared(number, problems):
            members = {"kind": "prepared", "number": number, "problems": write_problems(problems)}
        case Commit(number):
            members = {"kind": "commit", "number": number}
        case Abandon(number):
            members = {"kind": "abandon", "number": number}
        case Ask(number, wish, to):
            members = {"kind": "ask", "number": number, "wish": wish, "to": to}
        case Answer(number, document):
            members = {"kind": "answer", "number": number, "document": document}
    # JSON of Python's own: a configuration may hold an endless number.
    return json.dumps(members).encode()


def read(text: bytes) -> Message:
    """The message.

    Raises:
        ValueError, TypeError: it is none of these.
        ConfigError: its version was written by another version of this program.
    """
    members = json.loads(text)
    kind = members.pop("kind", None) if isinstance(members, dict) else None
    reader = _READERS.get(kind)
    if reader is None:
        raise ValueError("no message about a reload")
    return reader(**members)


def understood(text: bytes) -> Message | None:
    """The message; None: it is none, or of another version of this program."""
    try:
        return read(text)
    except (ValueError, KeyError, TypeError, ConfigError):
        return None


def write_problems(problems: Sequence[ConfigError]) -> list[JsonValue]:
    """Problems as JSON, for another process or for an operator."""
    return [_problem(problem) for problem in problems]


def _problem(problem: ConfigError) -> JsonValue:
    members: dict[str, JsonValue] = {"path": problem.path, "problem": problem.problem}
    if problem.mark is not None:
        members |= {"file": problem.mark.file, "line": problem.mark.line, "column": problem.mark.column}
    return members


def _read_problem(members: Mapping[str, Any]) -> ConfigError:
    mark = Mark(members["file"], members["line"], members["column"]) if "file" in members else None
    return ConfigError(members["path"], members["problem"], mark=mark)


def _version(version: PolicyVersion) -> dict[str, Any]:
    return {
        "number": version.number,
        "cause": version.cause,
        "loaded_s": version.loaded_s,
        "content_of": version.content_of,
        "config": handed_over(version.config).decode(),
        "heads": version.heads,
        "shadow": None if version.shadow is None else handed_over(version.shadow).decode(),
    }


def _read_version(members: Mapping[str, Any]) -> PolicyVersion:
    shadow = members["shadow"]
    return PolicyVersion(
        members["number"],
        received(members["config"].encode()),
        members["cause"],
        members["loaded_s"],
        members["content_of"],
        None if shadow is None else received(shadow.encode()),
        members["heads"],
    )


def _read_prepared(number: int, problems: Sequence[Mapping[str, Any]]) -> Prepared:
    return Prepared(number, tuple(_read_problem(problem) for problem in problems))


_READERS: Final[Mapping[object, Callable[..., Message]]] = {
    "prepare": lambda version: Prepare(_read_version(version)),
    "adopt": lambda version: Adopt(_read_version(version)),
    "prepared": _read_prepared,
    "commit": Commit,
    "abandon": Abandon,
    "ask": Ask,
    "answer": Answer,
}
