"""Complexity is a chance; its label only says on which side of the bound it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from router_extproc.models.base import Encoding
from router_extproc.signals.base import Reading
from router_extproc.signals.classifier_signal import ClassifierSignal
from router_extproc.signals.complexity import chance_of_failure, judge_failure
from router_extproc.testing.fake_encoder import FakeEncoder
from router_extproc.testing.subjects import subject_of

SCORES = {"copes": 0.3, "fails": 0.7}
SUBJECT = subject_of("prove it", encoder=FakeEncoder())


class Fixed:
    """Says the same of every encoding."""

    reads_tasks = True
    labels: Sequence[str] = ("copes", "fails")

    def scores(self, encoding: Encoding) -> Mapping[str, float]:  # noqa: ARG002 - the port
        return SCORES


def signal(score_min: float) -> ClassifierSignal:
    return ClassifierSignal("c", Fixed(), judge_failure, score_min=score_min)


def test_score_is_the_chance_that_the_weak_model_fails() -> None:
    assert signal(0.5).read(SUBJECT) == Reading("c", "hard", 0.7, SCORES)


def test_below_the_bound_only_the_score_is_told() -> None:
    assert signal(0.8).read(SUBJECT) == Reading("c", None, 0.7, SCORES)


def test_a_text_of_unknown_words_has_no_chance() -> None:
    subject = subject_of("🙂", encoder=FakeEncoder())
    assert signal(0.0).read(subject) == Reading("c", None, 0.0)


def test_a_head_that_says_nothing_is_no_failure() -> None:
    assert chance_of_failure({}) == 0.0
