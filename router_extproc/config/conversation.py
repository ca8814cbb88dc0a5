"""`conversation`: what is read of a conversation to route a request."""

from __future__ import annotations

from pydantic import Field

from router_extproc.conversation.ask import EARLIER_TURNS_MAX
from router_extproc.conversation.entry import ENTRIES_MAX, HarnessEntry
from router_extproc.section import Section


class Conversation(Section):
    """How the ask of a request is found: the newest thing that a human asked."""

    #: User turns before a question that leans on them ("why?"), at most, that are read with it; 0: none.
    earlier_turns_max: int = Field(default=EARLIER_TURNS_MAX, ge=0, le=EARLIER_TURNS_MAX)
    #: What your own clients wrap around a question, beside what known clients do.
    harness: tuple[HarnessEntry, ...] = Field(default=(), max_length=ENTRIES_MAX)
