"""The ask of a request: the newest thing that a human asked.

Routing reads the ask, so it is the same for every request of one tool loop. What the cache compares is the
last user message, whole.
"""

from __future__ import annotations

from dataclasses import dataclass


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
    #: False: the last user message holds more than the ask, or not the ask at all.
    is_plain: bool = True

    #: False: it says nothing of its own ("why?"); its context alone tells its topic.
    has_topic: bool = True

    @property
    def reading(self) -> str:
        """The text that stands for the ask wherever its subject is what counts."""
        if not self.context:
            return self.text
        return "\n".join((*self.context, self.text) if self.has_topic else self.context)
