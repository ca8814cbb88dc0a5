"""`bandit` follows outcomes, tries a bounded share, and never chooses below `quality_min`."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.routing.outcomes.seen import DecisionOutcomes, ModelOutcomes, OutcomeSums
from router_extproc.routing.selection.bandit import (
    REDRAW_OUTCOMES,
    BanditSelection,
    BanditSettings,
    beliefs_of,
)
from router_extproc.routing.selection.base import Choice, Circumstances
from router_extproc.routing.selection.expected import COMPLEXITY, UNREAD, Expected
from router_extproc.routing.session import Session
from router_extproc.routing.session_moves import keep_session
from router_extproc.signals.base import Reading
from router_extproc.testing.check_selection import CANDIDATES

SIGNAL = "quality:mine"


def selection(quality_min: float = 0.9, explore_share: float = 0.0) -> BanditSelection:
    return BanditSelection(SIGNAL, quality_min, explore_share, 20.0)


def circumstances(
    outcomes: DecisionOutcomes | None = None, conversation: bytes = b"", **scores: float
) -> Circumstances:
    """Three candidates of these expected qualities, 0.8 each otherwise."""
    read = {"small": 0.8, "medium": 0.8, "large": 0.8} | scores
    known = Circumstances({SIGNAL: Reading(SIGNAL, None, 0.0, read)}, conversation=conversation)
    return known if outcomes is None else replace(known, outcomes=outcomes)


def of(good: float, bad: float, expected: float = 0.8) -> OutcomeSums:
    return OutcomeSums(good, bad, expected * (good + bad))


def judged(version: int = 0, **sums: OutcomeSums) -> DecisionOutcomes:
    return DecisionOutcomes({model: ModelOutcomes(judged=each) for model, each in sums.items()}, version)


def chosen(choice: Choice) -> str:
    return choice.candidate.target.model


def test_without_outcomes_it_chooses_as_the_cheapest_does() -> None:
    assert chosen(selection().choose(CANDIDATES, circumstances())) == "small"
    assert chosen(selection().choose(CANDIDATES, circumstances(small=0.5))) == "medium"


def test_outcomes_move_the_choice_away_from_a_model_that_disappoints() -> None:
    known = circumstances(judged(small=of(10, 30)))
    choice = selection().choose(CANDIDATES, known)
    assert chosen(choice) == "medium"
    assert choice.barred == {"small"}
    assert choice.numbers["small"]["good"] == 10.0
    assert choice.numbers["small"]["bad"] == 30.0
    assert choice.numbers["small"]["quality"] == pytest.approx((20 * 0.8 + 10) / 60)
    assert "drawn" not in choice.numbers["small"]


def test_outcomes_bring_back_a_model_of_which_too_little_was_expected() -> None:
    known = circumstances(judged(small=of(100, 5, 0.5)), small=0.5)
    assert chosen(selection().choose(CANDIDATES, known)) == "small"


def test_one_client_alone_moves_nobody_with_the_defaults() -> None:
    """It may tell so many in each half-life, which comes to twice as many in the end."""
    settings = BanditSettings(by="bandit", model="mine", explore_share=0.0)
    flood = 2 * settings.outcomes_per_client
    for claims in (of(0, flood), of(flood, 0)):
        for told in (DecisionOutcomes({"small": ModelOutcomes(claims)}), judged(small=claims)):
            assert chosen(settings.open().choose(CANDIDATES, circumstances(told))) == "small"
            known = circumstances(told, small=0.6)
            assert chosen(settings.open().choose(CANDIDATES, known)) == "medium"


def test_few_outcomes_weigh_little_beside_what_is_expected() -> None:
    known = circumstances(judged(small=of(0, 1)))
    assert chosen(selection().choose(CANDIDATES, known)) == "small"


def test_what_is_learned_of_a_model_leaves_prompts_apart() -> None:
    """It did as expected on easy prompts, so it is still expected to fail on hard ones."""
    seen = judged(small=of(900, 100, 0.9))
    easy, hard = circumstances(seen, small=0.9), circumstances(seen, small=0.3)
    assert chosen(selection().choose(CANDIDATES, easy)) == "small"
    assert chosen(selection().choose(CANDIDATES, hard)) == "medium"


def test_that_people_rarely_complain_favours_no_model() -> None:
    """Only the dear model was tried; what was heard of it is expected of the others, too."""
    seen = DecisionOutcomes({"large": ModelOutcomes(heard=of(95, 5, 0.6))})
    expected = [Expected(each, 0.6, 1.0) for each in CANDIDATES]
    small, _, large = beliefs_of(expected, seen, 20.0)
    assert small.quality == pytest.approx(0.6 * 115 / 80)
    assert large.quality == pytest.approx(0.95, abs=0.02)


def test_a_bounded_share_of_conversations_tries() -> None:
    by = selection(0.5, 0.25)
    choices = [by.choose(CANDIDATES, circumstances(conversation=each.to_bytes(16))) for each in range(2000)]
    tries = [choice for choice in choices if "explore_share" in choice.reason]
    assert 400 < len(tries) < 600
    assert all("drawn" in choice.numbers["small"] for choice in tries)
    assert {chosen(choice) for choice in choices if choice not in tries} == {"small"}


def test_what_is_little_known_is_tried_more_than_what_is_surely_worse() -> None:
    by = selection(0.85, 0.5)

    def tried(outcomes: DecisionOutcomes) -> Counter[str]:
        known = (circumstances(outcomes, each.to_bytes(16)) for each in range(1000))
        return Counter(chosen(by.choose(CANDIDATES, each)) for each in known)

    little = tried(judged(small=of(0, 2)))
    much = tried(judged(small=of(720, 200)))
    assert 0 < little["medium"] > 3 * much["medium"]


def test_a_conversation_draws_the_same_until_more_is_known() -> None:
    by = selection(0.5, 0.5)
    changed = 0
    for number in range(200):
        first, same, later = (
            by.choose(CANDIDATES, circumstances(judged(version), number.to_bytes(16)))
            for version in (0, REDRAW_OUTCOMES - 1, REDRAW_OUTCOMES)
        )
        assert first == same
        changed += first.numbers != later.numbers
    assert changed > 50


def test_it_does_not_try_where_nothing_tells_a_conversation() -> None:
    choice = selection(0.5, 0.5).choose(CANDIDATES, circumstances())
    assert "explore_share" not in choice.reason


def test_without_a_reading_the_first_is_chosen() -> None:
    assert selection().choose(CANDIDATES, Circumstances()).reason == UNREAD


def test_complexity_tells_where_there_is_no_table() -> None:
    by = BanditSettings(by="bandit", explore_share=0.0).open()
    reading = Reading(COMPLEXITY, "hard", 0.9, {"fails": 0.9, "copes": 0.1})
    assert chosen(by.choose(CANDIDATES, Circumstances({COMPLEXITY: reading}))) == "large"


def test_a_session_in_trouble_does_not_move_to_a_model_that_is_not_good_enough() -> None:
    known = replace(
        circumstances(judged(medium=of(0, 60))),
        session=Session("small", trouble="complaint"),
    )
    choice = selection().choose(CANDIDATES, known)
    kept = keep_session(choice, CANDIDATES, known, by_need=True)
    assert chosen(kept) == "large"


counts = st.floats(0, 1e6)
shares = st.floats(0, 1)


@st.composite
def sums(draw: st.DrawFn) -> OutcomeSums:
    good, bad, share = draw(counts), draw(counts), draw(shares)
    return OutcomeSums(good, bad, share * (good + bad))


@given(
    st.dictionaries(st.sampled_from(["small", "medium", "large"]), st.builds(ModelOutcomes, sums(), sums())),
    st.fixed_dictionaries(dict.fromkeys(["small", "medium", "large"], shares)),
    shares,
    st.binary(min_size=16, max_size=16),
    st.integers(0, 2**40),
)
def test_nothing_below_quality_min_is_ever_chosen(
    models: dict[str, ModelOutcomes],
    scores: dict[str, float],
    quality_min: float,
    conversation: bytes,
    version: int,
) -> None:
    known = circumstances(DecisionOutcomes(models, version), conversation, **scores)
    choice = selection(quality_min, 0.5).choose(CANDIDATES, known)
    qualities = {model: numbers["quality"] for model, numbers in choice.numbers.items()}
    assert qualities[chosen(choice)] >= quality_min * max(qualities.values()) - 1e-9
    assert chosen(choice) not in choice.barred
