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


@dataclass(frozen=True, slots=True)
class OverLong:
    """Refuse a request that is too long for all of the models for it."""

    #: Of the request, as they are known.
    tokens: int
    #: That it asks for at most.
    answer_tokens: int
    #: Of the model that reads most.
    context_tokens: int

    @property
    def message(self) -> str:
        """What the client reads, in words by which clients know that they must shorten a conversation."""
        answer = f" and up to {self.answer_tokens} for the answer" if self.answer_tokens else ""
        return (
            f"prompt is too long: {self.tokens} tokens{answer} > {self.context_tokens} maximum"
            " (context_tokens) of the models for this request"
        )


#: No pool is asked.
LocalAction: TypeAlias = Block | AnswerText | Unaccepted | OverLong


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
