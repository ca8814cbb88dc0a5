"""Warnings of decisions that are never taken: their rule cannot hold, or others always come first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from router_extproc.config.model import Config
from router_extproc.config.warnings.base import ConfigWarning, Subject
from router_extproc.config.warnings.worlds import Worlds
from router_extproc.errors import ConfigError
from router_extproc.routing.rules import Rule, read_rule


@dataclass(frozen=True, slots=True)
class _Asked:
    """A decision with its rule, in the order in which the policy asks."""

    index: int
    name: str
    rule: Rule
    #: Also of requests that name a model.
    takes_pinned: bool


def warn_of_rules(subject: Subject) -> Iterator[ConfigWarning]:
    """Decisions that no request can be given to."""
    worlds = Worlds(subject.config)
    earlier: list[_Asked] = []
    for asked in _in_order(subject.config):
        path = f"decisions[{asked.index}]"
        if not worlds.can_hold(asked.rule):
            yield ConfigWarning(f"{path}.when", "can never hold: no request matches all of it")
            continue
        hiding = _hiding(asked, earlier, worlds)
        if hiding:
            names = ", ".join(f"'{other.name}'" for other in hiding)
            yield ConfigWarning(path, _hidden(asked, names, earlier, worlds))
        if not hiding or asked.takes_pinned:
            earlier.append(asked)


def _hidden(asked: _Asked, names: str, earlier: Sequence[_Asked], worlds: Worlds) -> str:
    """Requests that name a model pass by what comes first, unless that takes them, too."""
    taking = [other for other in earlier if other.takes_pinned]
    if asked.takes_pinned and not _hiding(asked, taking, worlds):
        return f"takes only requests that name a model: {names} comes first and takes all others"
    return f"is never taken: {names} comes first and takes all of its requests"


def _in_order(config: Config) -> list[_Asked]:
    """As routing.policy asks: by priority, among equals as written."""
    order = sorted(enumerate(config.decisions), key=lambda item: -item[1].priority)
    found = []
    for index, decision in order:
        try:
            found.append(_Asked(index, decision.name, read_rule(decision.when), decision.takes_pinned))
        except ConfigError:
            continue
    known = config.signals.keys()
    return [asked for asked in found if all(test.signal in known for test in asked.rule.tests())]


def _hiding(asked: _Asked, earlier: Sequence[_Asked], worlds: Worlds) -> Sequence[_Asked]:
    """One earlier decision that hides this one, or all of them together; none: it can be reached."""
    for other in earlier:
        if worlds.implies(asked.rule, [other.rule]):
            return [other]
    together = [other for other in earlier if _shares_a_signal(other.rule, asked.rule, earlier)]
    if len(together) > 1 and worlds.implies(asked.rule, [other.rule for other in together]):
        return together
    return ()


def _shares_a_signal(rule: Rule, asked: Rule, earlier: Sequence[_Asked]) -> bool:
    """True when the rule asks what this one or another of the earlier ones asks."""
    own = {test.signal for test in rule.tests()}
    others = [asked, *(other.rule for other in earlier if other.rule is not rule)]
    return any(test.signal in own for other in others for test in other.tests())
