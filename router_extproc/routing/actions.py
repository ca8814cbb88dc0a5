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


#: No pool is asked.
LocalAction: TypeAlias = Block | AnswerText
