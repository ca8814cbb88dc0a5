"""What follows from the form of two rules alone, for rules that read too many signals to try them all.

Sound, and incomplete: what is claimed is so; of most pairs nothing is claimed. Rules are compared with every
`not` moved inwards, so that only tests are negated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

from router_extproc.routing.rules import AllOf, AnyOf, Not, Rule, Test

#: Whether what fits one test, or its negation, must fit another of the same signal.
Follows: TypeAlias = Callable[[Rule, Rule], bool]


@dataclass(frozen=True, slots=True)
class Implication:
    """Compares rules part by part."""

    follows: Follows

    def implies(self, rule: Rule, other: Rule) -> bool:
        """True when whatever fits `rule` fits `other`."""
        return self._implies(_inwards(rule), _inwards(other))

    def is_impossible(self, rule: Rule) -> bool:
        """True when nothing fits."""
        return self._is_impossible(_inwards(rule))

    def _implies(self, rule: Rule, other: Rule) -> bool:
        if rule == other:
            return True
        match rule, other:
            case _, AllOf(parts):
                return all(self._implies(rule, part) for part in parts)
            case AnyOf(parts), _:
                return all(self._implies(part, other) for part in parts)
        # One part that must hold is enough, and one part that may hold is enough.
        if isinstance(rule, AllOf) and any(self._implies(part, other) for part in rule.parts):
            return True
        if isinstance(other, AnyOf):
            return any(self._implies(rule, part) for part in other.parts)
        signal = _signal_of(rule)
        return signal is not None and signal == _signal_of(other) and self.follows(rule, other)

    def _is_impossible(self, rule: Rule) -> bool:
        match rule:
            case AnyOf(parts):
                return all(map(self._is_impossible, parts))
            case AllOf(parts):
                apart = [(one, _inwards(Not(other))) for one, other in combinations(parts, 2)]
                return any(map(self._is_impossible, parts)) or any(self._implies(*pair) for pair in apart)
        return False


def _signal_of(rule: Rule) -> str | None:
    """Of a test or its negation; None: it is no such rule."""
    test = rule.part if isinstance(rule, Not) else rule
    return test.signal if isinstance(test, Test) else None


def _inwards(rule: Rule, *, negated: bool = False) -> Rule:
    """An equal rule in which only tests are negated."""
    match rule:
        case Not(part):
            return _inwards(part, negated=not negated)
        case AllOf(parts) | AnyOf(parts):
            inner = tuple(_inwards(part, negated=negated) for part in parts)
            return AllOf(inner) if isinstance(rule, AllOf) is not negated else AnyOf(inner)
    return Not(rule) if negated else rule
