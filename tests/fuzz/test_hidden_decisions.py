"""What `check` claims of rules, against readings that it did not try: nothing reachable is called hidden."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from router_extproc.config.model import Config
from router_extproc.config.warnings.worlds import Worlds
from router_extproc.routing.rules import AllOf, AnyOf, Not, read_rule
from router_extproc.signals.base import Reading, SignalSettings
from router_extproc.signals.guard import GuardSettings
from router_extproc.signals.header import HeaderSettings
from router_extproc.signals.intent import IntentSettings
from router_extproc.signals.language import LanguageSettings

SIGNALS: dict[str, SignalSettings] = {
    "guard": GuardSettings(type="guard", min_score=0.5),
    "lang": LanguageSettings(type="language", min_score=0.25),
    "tier": HeaderSettings(type="header", header="x-tier"),
    "topic": IntentSettings(
        type="intent", examples={"math": ("a",), "law": ("b",), "art": ("c",)}, min_score=0.25, several=True
    ),
}
CONFIG = Config.model_construct(signals=SIGNALS)
#: Labels that rules name, and one that they do not.
LABELS = {
    "guard": ["jailbreak", "injection"],
    "lang": ["de", "fr", "en"],
    "tier": ["gold", "silver", "else"],
    "topic": ["math", "law", "art"],
}
SCORES = st.sampled_from([0.0, 0.2, 0.25, 0.3, 0.5, 0.51, 0.7, 0.9, 1.0])


@st.composite
def a_test(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(SIGNALS)))
    labels = st.lists(st.sampled_from(LABELS[name][:2]), min_size=1, max_size=2, unique=True)
    low, high = sorted([draw(SCORES), draw(SCORES)])
    bounds = draw(st.sampled_from([{"min": low}, {"max": high}, {"min": low, "max": high}]))
    kind = draw(st.sampled_from(["bool", "labels", "bounds", "both"]))
    match kind:
        case "bool":
            return {name: draw(st.booleans())}
        case "labels":
            return {name: draw(labels)}
        case "bounds":
            return {name: bounds}
    return {name: {**bounds, "any": draw(labels)}}


def wrapped(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    parts = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        parts.map(lambda rules: {"all": rules}),
        parts.map(lambda rules: {"any": rules}),
        inner.map(lambda rule: {"not": rule}),
    )


RULES = st.recursive(a_test(), wrapped, max_leaves=5).map(read_rule)


@st.composite
def readings(draw: st.DrawFn) -> dict[str, Reading]:
    """What the signals can give: a label only from its lowest score on, or nothing at all."""
    found = {}
    for name, lowest in {"guard": 0.5, "lang": 0.25, "tier": 0.0, "topic": 0.25}.items():
        label = draw(st.sampled_from([None, *LABELS[name]]))
        score = draw(SCORES if label is None else SCORES.filter(lambda score, lowest=lowest: score >= lowest))
        if draw(st.integers(0, 9)):
            scores = {each: draw(SCORES) for each in LABELS[name]} if name in ("guard", "topic") else {}
            several = name == "topic" and label is not None
            also = [each for each in scores if each != label and scores[each] >= lowest] if several else []
            found[name] = Reading(name, label, score, scores, also=tuple(also))
    return found


@given(rule=RULES, others=st.lists(RULES, min_size=1, max_size=3), drawn=st.lists(readings(), max_size=30))
def test_a_hidden_decision_is_never_the_first_that_fits(
    rule: Any, others: list[Any], drawn: list[dict[str, Reading]]
) -> None:
    if Worlds(CONFIG).implies(rule, others):
        reached = [world for world in drawn if rule.holds(world) and not any(o.holds(world) for o in others)]
        assert not reached


@given(rule=RULES, drawn=st.lists(readings(), max_size=30))
def test_a_rule_that_cannot_hold_never_does(rule: Any, drawn: list[dict[str, Reading]]) -> None:
    if not Worlds(CONFIG).can_hold(rule):
        assert not any(rule.holds(world) for world in drawn)


class ByForm(Worlds):
    """As if there were too many worlds of all but two tests."""

    def _worlds(self, rules: Any) -> Any:
        signals = {test.signal for rule in rules for test in rule.tests()}
        return super()._worlds(rules) if len(signals) == 1 and not any(map(is_tree, rules)) else None


def is_tree(rule: Any) -> bool:
    return isinstance(rule, AllOf | AnyOf) or (isinstance(rule, Not) and is_tree(rule.part))


@given(rule=RULES, other=RULES, drawn=st.lists(readings(), max_size=30))
def test_what_is_claimed_by_the_form_of_rules_is_so(
    rule: Any, other: Any, drawn: list[dict[str, Reading]]
) -> None:
    holding = [world for world in drawn if rule.holds(world)]
    if ByForm(CONFIG).implies(rule, [other]):
        assert all(other.holds(world) for world in holding)
    if not ByForm(CONFIG).can_hold(rule):
        assert not holding


@given(rule=RULES)
def test_a_rule_hides_itself_by_its_form(rule: Any) -> None:
    assert ByForm(CONFIG).implies(rule, [rule])


@given(rule=RULES)
def test_a_rule_hides_itself(rule: Any) -> None:
    assert Worlds(CONFIG).implies(rule, [rule])
