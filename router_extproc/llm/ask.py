"""The ask of a request: the newest thing that a human asked.

Routing reads the ask, so it is the same for every request of one tool loop. What the cache compares is the
last user message, whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from router_extproc.llm.request import InferenceRequest


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A piece of the conversation that no human wrote as a question."""

    #: What it is: a short word of a bounded set.
    kind: str
    chars: int


@dataclass(frozen=True, slots=True)
class Ask:
    """What a human asked last, and what it leans on."""

    text: str
    #: Earlier user turns that the ask cannot be understood without, the oldest first.
    context: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    @property
    def reading(self) -> str:
        """The text that stands for the ask wherever its subject is what counts."""
        return "\n".join((*self.context, self.text)) if self.context else self.text


def read_ask(request: InferenceRequest) -> Ask:
    """The ask of a request."""
    return Ask(request.prompt)
