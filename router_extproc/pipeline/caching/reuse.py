"""Whether a request may be answered from the cache at all, known before any lookup and any inference.

Answers that are true only now are not reused, or for some seconds only; the operator's `bypass_when` rule
names other requests that want an answer of their own. Neither has a say in routing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from router_extproc.llm.request import AloneReason
from router_extproc.routing.rules import Rule
from router_extproc.signals.base import Signal, Subject
from router_extproc.signals.volatile import volatile_label

#: Why the cache is neither asked nor filled; a metric label of a bounded set.
BypassReason: TypeAlias = Literal["volatile", "bypass-when"] | AloneReason
BYPASS_REASONS: Final[tuple[BypassReason, ...]] = ("volatile", "bypass-when", *get_args(AloneReason))


@dataclass(frozen=True, slots=True)
class Bypass:
    """The answer is for this request alone."""

    reason: BypassReason


@dataclass(frozen=True, slots=True)
class ReuseFor:
    """An answer is reused until it is this old, in seconds; none: until it expires."""

    age_max_s: float | None = None

    def age_limit_s(self, asked_s: int | None) -> int | None:
        """The `max-age` that counts for the lookup; `asked_s`: the client's own."""
        if self.age_max_s is None:
            return asked_s
        # An age is whole seconds, rounded down: one less, so that no answer is older than the limit.
        own = max(0, math.ceil(self.age_max_s) - 1)
        return own if asked_s is None else min(own, asked_s)

    def ttl_s(self, ttl_s: float) -> float:
        """For how long the coming answer is stored, where its decision says `ttl_s`."""
        return ttl_s if self.age_max_s is None else min(ttl_s, self.age_max_s)


Reuse: TypeAlias = Bypass | ReuseFor
UNTIL_EXPIRY: Final = ReuseFor()


@dataclass(frozen=True, slots=True)
class ReuseSettings:
    """What the configuration says about reuse."""

    #: For how long an answer that is true only now is reused; 0: not at all; None: as any other.
    volatile_ttl_s: float | None = None
    #: Requests that bypass the cache; None: no others.
    bypass_when: Rule | None = None
    #: Also answers that a pool may keep for their client: no pool does.
    reuses_kept: bool = False

    @property
    def signals(self) -> frozenset[str]:
        """The names of the signals that the rule looks at; none of them needs inference."""
        rule = self.bypass_when
        return frozenset() if rule is None else frozenset(test.signal for test in rule.tests())


#: Every answer is reused.
REUSE_ALL: Final = ReuseSettings()


class ReuseRules:
    """Applies the settings to requests."""

    def __init__(self, settings: ReuseSettings = REUSE_ALL, signals: Iterable[Signal] = ()) -> None:
        """`signals`: opened; those that the rule does not name are left aside."""
        self._settings: Final = settings
        self._signals: Final = tuple(signal for signal in signals if signal.name in settings.signals)

    def of(self, subject: Subject) -> Reuse:
        """Whether this request's answer may be an older one, and may become another's."""
        rule, ttl_s, alone = self._settings.bypass_when, self._settings.volatile_ttl_s, subject.request.alone
        if alone is not None and not (alone == "kept-answer" and self._settings.reuses_kept):
            return Bypass(alone)
        if rule is not None and rule.holds({each.name: each.read(subject) for each in self._signals}):
            return Bypass("bypass-when")
        if ttl_s is None or volatile_label(subject.ask.reading) is None:
            return UNTIL_EXPIRY
        return ReuseFor(ttl_s) if ttl_s > 0 else Bypass("volatile")
