"""A replay on a small encoder: no look-ahead, hits judged by labels, figures that add up."""

from __future__ import annotations

import pytest

from router_extproc.bench.replay import CosineVerifier, Judgement, Lookup, Rule, read_question, replay
from router_extproc.bench.replay_figures import judge_replay
from router_extproc.bench.stream import LabelledPair, Labels, Truth
from router_extproc.testing.fake_encoder import FakeEncoder

NIGHT = "big {} bark at the old moon every single winter night"
DOGS, HOUNDS, CATS, SEALS = (NIGHT.format(animal) for animal in ("dogs", "hounds", "cats", "seals"))
PAIRS = [LabelledPair(DOGS, HOUNDS, label=True), LabelledPair(DOGS, CATS, label=False)]
ENCODER = FakeEncoder()
SIMILAR = Rule("similar", CosineVerifier(0.8))


async def ask(rule: Rule, *questions: str) -> list[Judgement | None]:
    stream = [read_question(text, ENCODER) for text in questions]
    lookups = await replay(stream, rule, Labels(PAIRS), ENCODER.identity, on_question=lambda: None)
    assert all(each.seconds > 0 for each in lookups)
    return [each.hit for each in lookups]


async def test_a_question_is_looked_up_before_it_is_stored() -> None:
    first, again = await ask(SIMILAR, DOGS, DOGS)
    assert (first, again) == (None, Judgement("exact", "right"))


@pytest.mark.parametrize(("asked", "truth"), [(HOUNDS, "right"), (CATS, "wrong"), (SEALS, "unlabelled")])
async def test_a_semantic_hit_is_judged_by_the_labels(asked: str, truth: Truth) -> None:
    assert await ask(SIMILAR, DOGS, asked) == [None, Judgement("semantic", truth)]


async def test_words_that_were_noted_are_judged_by_the_question_that_they_were_noted_for() -> None:
    """Found by fingerprint the second time, and no more right than the first."""
    wrong = Judgement("semantic", "wrong")
    assert await ask(SIMILAR, DOGS, CATS, CATS) == [None, wrong, wrong]


async def test_a_hit_stores_nothing() -> None:
    """The third question is like the second one only."""
    rule = Rule("words", CosineVerifier(0.85))
    second = "one two three four five six seven eight nine"
    third = "two three four five six seven eight nine ten"
    kept = await ask(rule, "one two three four five six seven eight", second, third)
    assert [hit is not None for hit in kept] == [False, True, False]


async def test_without_a_verifier_only_the_same_text_is_a_hit() -> None:
    hits = await ask(Rule("exact", None), DOGS, HOUNDS, DOGS)
    assert [hit is not None for hit in hits] == [False, False, True]


def looked_up(*hits: Judgement | None) -> list[Lookup]:
    return [Lookup(0.001 * number, hit) for number, hit in enumerate(hits, start=1)]


def test_what_nobody_labelled_is_counted_both_ways() -> None:
    semantic = [Judgement("semantic", truth) for truth in ("right", "wrong", "unlabelled")]
    figures = judge_replay("default", looked_up(None, Judgement("exact", "right"), *semantic))
    assert (figures.exact_hits, figures.right, figures.wrong, figures.unlabelled) == (1, 1, 1, 1)
    shares = (figures.hit_ratio, figures.false_hits, figures.false_hits_at_most)
    assert [share.value for share in shares] == [0.8, 0.2, 0.4]
    assert figures.precision is not None
    assert figures.precision.value == pytest.approx(2 / 3)
    assert figures.precision_at_least is not None
    assert figures.precision_at_least.value == 0.5
    assert figures.p99_ms == pytest.approx(5.0)


def test_the_curve_of_hits_ends_with_all_of_them() -> None:
    hits = [Judgement("exact", "right") if number % 3 == 0 else None for number in range(1000)]
    curve = judge_replay("exact", looked_up(*hits)).curve
    assert len(curve) == 50
    assert curve[-1] == (1000, 334)


def test_no_hits_have_no_precision() -> None:
    figures = judge_replay("none", looked_up(None, None))
    assert (figures.precision, figures.precision_at_least) == (None, None)
