"""Decisions of the v0.1 to v0.4 forms: rules, model references, plugins, and the order they are tried in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from router_extproc.llm.answer import JsonValue
from router_extproc.migration.old_file import OldSection
from router_extproc.migration.vllm_sr.candidates import Candidate, candidate_keys, read_candidates
from router_extproc.migration.vllm_sr.conditions import all_of, read_conditions
from router_extproc.migration.vllm_sr.draft import Decision, Entry, Models, When
from router_extproc.migration.vllm_sr.names import Names
from router_extproc.migration.vllm_sr.plugins import read_plugins

#: How sure the old router is of a condition: fully of what is found by form, less of what a model finds.
_LEARNED: Final = 0.9
_LEARNED_KINDS: Final = frozenset({"domain", "embedding", "complexity", "jailbreak", "pii", "language"})
REFUSED: Final = "This request was refused."


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What decisions need to know of the rest of the file."""

    tests: Mapping[tuple[str, str], When]
    models: Models
    default_model: str
    #: The cache is on.
    cached: bool
    #: Every attack is refused before any decision.
    guarded: bool = False
    #: Of decisions; our reserved ones are taken.
    names: Names = field(default_factory=lambda: Names("default", "pinned"))


@dataclass(frozen=True, slots=True)
class Decisions:
    """The decisions in the order in which they are tried, and the signals that plugins brought."""

    decisions: tuple[Decision, ...]
    signals: Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class _Group:
    """A decision, and before it what is refused of its requests."""

    decisions: tuple[Decision, ...]
    tier: int
    signals: Mapping[str, Entry]

    @property
    def rank(self) -> tuple[int, float, float, str]:
        """The highest priority first; equal ones by how sure the old router is, then by name."""
        last = self.decisions[-1]
        return self.tier, -last.priority, -last.certainty, last.name


def read_decisions(sections: Sequence[OldSection], around: Surroundings) -> Decisions:
    """All decisions of the old file."""
    groups = [group for section in sections for group in _read(section, around)]
    ordered = sorted(groups, key=lambda group: group.rank)
    if any(group.tier for group in groups):
        ordered = list(_without_tiers(ordered))
    signals = {name: entry for group in groups for name, entry in group.signals.items()}
    return Decisions(tuple(decision for group in ordered for decision in group.decisions), signals)


def _read(section: OldSection, around: Surroundings) -> Iterator[_Group]:
    """The decision; none, where its rule can never hold."""
    old = section.required("name")
    rules = section.section("rules")
    when, certainty = read_conditions(rules, around.tests), _certainty(rules)
    candidates = read_candidates(section)
    plugins = read_plugins(section, cached=around.cached, guarded=around.guarded)
    tier = section.integer("tier") or 0
    priority = section.integer("priority") or 0
    comment = section.text("description") or ""
    if tier:
        section.lose(
            "tier", "decisions have priorities only; within a tier the surer one came first", "priority"
        )
    if when is False:
        nearest = "write the decision anew with signals of this router"
        section.lose("rules", "no request can match what is left of this rule", nearest)
        return
    keys = {**candidate_keys(section, candidates, around.models, around.default_model), **plugins.keys}
    if "action" in keys:
        keys = {"action": keys["action"]}
    decision = Decision(
        around.names.new(old), priority, when, keys, section.path, comment, certainty=certainty
    )
    refusals, signals = _refusals(decision, plugins.refused)
    yield _Group((*refusals, decision), tier, signals)


def _refusals(
    decision: Decision, refused: Mapping[str, Entry]
) -> tuple[tuple[Decision, ...], Mapping[str, Entry]]:
    """Decisions before this one that refuse its requests where a signal finds something."""
    signals = {f"{kind}-{decision.name}": entry for kind, entry in refused.items()}
    made = tuple(refusal(decision, name) for name in signals)
    return made, signals


def refusal(decision: Decision, signal: str) -> Decision:
    """The decision that refuses what this one would take, where the signal finds something."""
    return replace(
        decision,
        name=f"{decision.name}.{signal.partition('-')[0]}",
        when=all_of([decision.when, {signal: True}]),
        keys=blocked(),
        comment=f"Before {decision.name}: the old router refused these of its requests.",
    )


def blocked() -> dict[str, JsonValue]:
    """The keys of a decision that refuses; the old router answered 200 with a text that says so."""
    return {"action": {"block": {"message": REFUSED}}}


def _certainty(node: OldSection) -> float:
    """How sure the old router would be of a match."""
    if "type" in node:
        kind = (node.text("type") or "").lower()
        return _LEARNED if kind in _LEARNED_KINDS else 1.0
    parts = [_certainty(part) for part in node.sections("conditions")]
    match (node.text("operator") or "").strip().upper():
        case "NOT":
            return 1.0
        case "AND":
            return sum(parts) / len(parts) if parts else 0.0
        case _:
            return max(parts, default=0.0)


def _without_tiers(groups: Sequence[_Group]) -> Iterator[_Group]:
    """The same order by priorities alone."""
    count = len(groups)
    for number, group in enumerate(groups):
        made = tuple(replace(decision, priority=10 * (count - number)) for decision in group.decisions)
        yield replace(group, decisions=made)


def used_models(sections: Sequence[OldSection]) -> list[Candidate]:
    """Every model that some decision refers to."""
    return [candidate for section in sections for candidate in read_candidates(section)]
