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
