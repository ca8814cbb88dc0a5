"""What a decision does with a request beside naming its models: the router answers it itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Block:
    """Refuse the request with the dialect's error object."""

    #: What the client reads.
    message: str
    #: HTTP status.
    status: int = 403


@dataclass(frozen=True, slots=True)
class AnswerText:
    """Answer with a fixed text, as a model would."""

    text: str


@dataclass(frozen=True, slots=True)
class Unaccepted:
    """Refuse a request that has what none of the models for it accepts."""

    #: Short words, as in `models.NAME.accepts`.
    contents: frozenset[str]

    @property
    def message(self) -> str:
        """What the client reads."""
        return f"No model for this request accepts {', '.join(sorted(self.contents))}."


#: No pool is asked.
LocalAction: TypeAlias = Block | AnswerText | Unaccepted


@dataclass(frozen=True, slots=True)
class Redaction:
    """What a pool, or a client, must not read of each other."""

    #: Kinds of personal facts that become placeholders before the request leaves.
    kinds: tuple[str, ...] = ()
    #: Kinds of secrets that are masked in answers, unless the request has them, too.
    mask: tuple[str, ...] = ()
    #: Placeholders in the answer become what they stand for.
    restore: bool = True

    @property
    def changes_answers(self) -> bool:
        """Whether the answer must be held and changed on its way to the client."""
        return bool(self.mask or (self.kinds and self.restore))
