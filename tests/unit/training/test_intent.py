"""Training a head from labelled texts to figures."""

from __future__ import annotations

import pytest

from router_extproc.errors import ConfigError
from router_extproc.testing.fake_encoder import FakeEncoder
from router_extproc.training.intent import Example, TrainedHead, train_intent
from router_extproc.training.net import Plan

ENCODER = FakeEncoder(dim=64)
PLAN = Plan(hidden=16, members=1, epochs=20, batch=16)
THINGS = ("bread", "cake", "pie", "soup", "stew", "rice", "fish", "corn", "beans", "eggs")
PLACES = ("Rome", "Oslo", "Lima", "Cairo", "Tokyo", "Delhi", "Paris", "Quito", "Accra", "Perth")
TIMES = ("today", "tomorrow", "tonight", "soon")


def examples() -> list[Example]:
    cooking = [Example(f"cook {thing} {time}", "cooking", "a") for thing in THINGS for time in TIMES]
    travel = [Example(f"flights towards {place} {time}", "travel", "b") for place in PLACES for time in TIMES]
    return [*cooking, *travel]


@pytest.fixture(scope="module")
def trained() -> TrainedHead:
    return train_intent(examples(), ENCODER, PLAN)


def test_head_is_judged_on_rows_it_did_not_see(trained: TrainedHead) -> None:
    assert trained.train_rows + trained.test_rows == 80
    assert trained.figures.accuracy.value > 0.9
    assert trained.figures.accuracy.rows == trained.test_rows


def test_figures_are_given_by_source_and_label(trained: TrainedHead) -> None:
    assert set(trained.figures.accuracy_by_source) <= {"a", "b"}
    assert set(trained.figures.recall_by_label) <= {"cooking", "travel"}


def test_rows_that_are_not_judged_are_trained_on_only() -> None:
    extra = [Example(f"hello {place}", "chat", "c", judged=False) for place in PLACES]
    trained = train_intent([*examples(), *extra], ENCODER, PLAN)
    assert "chat" in trained.labels
    assert "c" not in trained.figures.accuracy_by_source


def test_progress_of_every_step_ends_at_one() -> None:
    last: dict[str, float] = {}
    train_intent(examples(), ENCODER, PLAN, lambda step, share: last.update({step: share}))
    assert last == {"encode": 1.0, "train to judge": 1.0, "train on all rows": 1.0}


def test_one_label_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least two labels"):
        train_intent([Example("a", "x", "s"), Example("b", "x", "s")], ENCODER, PLAN)


def test_rows_that_are_all_alike_are_refused() -> None:
    """Nothing could be judged that was not trained on."""
    alike = [Example("same text", label, "s") for label in ("x", "y")]
    with pytest.raises(ConfigError, match="too few"):
        train_intent(alike, ENCODER, PLAN)
