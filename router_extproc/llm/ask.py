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
    #: Of an ask that leans: its words without thanks and the like around them ("Thank you! Go on.").
    gist: str = ""
    #: User messages behind it that no human wrote; the tool loop goes on in them.
    skipped: int = 0

    @property
    def reading(self) -> str:
        """Every word that counts: the ask behind what it leans on."""
        return "\n".join((*self.context, self.gist or self.text)) if self.context else self.text

    @property
    def topic(self) -> str:
        """What it is about, for an encoder: the beginning of `reading`, or all of it."""
        return "\n".join(self.context) if self.context and not self.has_topic else self.reading
