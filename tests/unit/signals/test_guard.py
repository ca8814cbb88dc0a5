"""The guard's score is the chance of any chosen kind; harmful requests are none unless asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from router_extproc.models.base import Encoding
from router_extproc.signals.classifier_signal import ClassifierSignal
from router_extproc.signals.guard import ATTACKS, attack_of
from router_extproc.testing.fake_encoder import FakeEncoder
from router_extproc.testing.subjects import subject_of

SCORES = {"benign": 0.1, "harmful_request": 0.4, "injection": 0.2, "jailbreak": 0.3}
SUBJECT = subject_of("any prompt", encoder=FakeEncoder())


class Fixed:
    """Says the same of every vector."""

    reads_tasks = False

    @property
    def labels(self) -> Sequence[str]:
        return tuple(SCORES)

    def scores(self, encoding: Encoding) -> Mapping[str, float]:  # noqa: ARG002 - the port
        return SCORES


def test_score_is_the_chance_of_any_attack() -> None:
    assert attack_of(SCORES, ("jailbreak", "injection")) == ("jailbreak", 0.5)


def test_label_needs_the_score() -> None:
    attacks = partial(attack_of, kinds=ATTACKS)
    low, high = (
        ClassifierSignal("g", Fixed(), attacks, score_min=bound).read(SUBJECT) for bound in (0.5, 0.6)
    )
    assert (low.label, high.label, high.score) == ("jailbreak", None, 0.5)


def test_harmful_requests_are_a_kind_only_when_asked_for() -> None:
    judge = partial(attack_of, kinds=("injection", "harmful_request"))
    signal = ClassifierSignal("g", Fixed(), judge, score_min=0.5)
    assert signal.read(SUBJECT).label == "harmful_request"
