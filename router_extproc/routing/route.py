"""What routing says of a request: where it goes or what it gets, and how the rules went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from router_extproc.llm.changes import RequestChanges
from router_extproc.routing.actions import LocalAction, Redaction
from router_extproc.routing.catalogue import Target
from router_extproc.routing.selection.base import Choice

#: What a route is called that no decision took: no rule matched, or the client named a real model.
DEFAULT: Final = "default"
PINNED: Final = "pinned"


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """One decision that was looked at, for `explain`."""

    decision: str
    matched: bool
    #: Each test of its rule as written, and whether it held.
    tests: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes, and why."""

    #: A decision's name, "default" (no rule matched) or "pinned" (the client named a real model, and no
    #: decision that takes such requests matched).
    decision: str
    target: Target
    #: None: the request reaches the pool as the client wrote it, but for the model's name.
    changes: RequestChanges | None
    tags: tuple[str, ...] = ()
    trace: Sequence[RuleTrace] = ()
    #: Answers in the target's place, whose pool is down; None: the target itself is asked.
    fallback: Target | None = None
    #: The model in whose place `target` answers; None: in its own.
    fallback_of: str | None = None
    #: What is replaced in the request and masked in its answer; None: nothing.
    redaction: Redaction | None = None
    #: Had every signal been read, the router might have refused, answered or redacted the request.
    may_act: bool = False
    #: How the target was chosen among the candidates; None: there was nothing to choose.
    choice: Choice | None = None

    def to_fallback(self) -> Route:
        """The same route with the fallback as its target; the route itself where there is none."""
        if self.fallback is None:
            return self
        return self.instead(self.fallback)

    def instead(self, target: Target) -> Route:
        """The same route with another model in the place of its own."""
        meant = self.fallback_of or self.target.model
        fallback_of = None if target.model == meant else meant
        return replace(self, target=target, fallback=None, fallback_of=fallback_of)


@dataclass(frozen=True, slots=True)
class LocalReply:
    """What a request gets that no pool is asked for, and why."""

    #: The decision's name.
    decision: str
    action: LocalAction
    tags: tuple[str, ...] = ()
    trace: Sequence[RuleTrace] = ()
