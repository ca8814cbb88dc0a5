"""In which order the verifier looks: what costs least comes first, and the net last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from router_extproc.models.base import Verdict
from router_extproc.models.onnx.lexical_features import EVIDENCE
from router_extproc.models.onnx.unlikely import Unlikely, terms
from router_extproc.models.onnx.verifier import WINDOW_TOKENS, Calibration, OnnxVerifier
from router_extproc.models.onnx.window import Tokens, WindowTokenizer

CACHED = "What are the main renewable energy sources?"
REPHRASED = "Which are the main sources of renewable energy?"
OPPOSITE = "What are the main non-renewable energy sources?"
CONTRAST = "Which providers of renewable energy are there mainly?"
#: Says yes to everything.
CERTAIN = 50.0
#: With these, the chance is what the similarity says, and nothing below 0.9 is worth the net's time.
BY_SIMILARITY = Unlikely((1.0,) + (0.0,) * (len(terms()) - 1), -0.9, 0.5)


class CountingNet:
    """Gives one logit, and counts how often it is asked. Fits Net."""

    def __init__(self, logit: float = CERTAIN) -> None:
        self.runs = 0
        self._logit = logit

    def logit(self, cached: Sequence[int], asked: Sequence[int]) -> float:  # noqa: ARG002 - the port
        self.runs += 1
        return self._logit


class WordTokenizer:
    """One token a word."""

    def read(self, text: str) -> Tokens:
        words = text.split()
        truncated = len(words) > WINDOW_TOKENS
        return Tokens(list(range(len(words))), [], text, len(words), 0, truncated)


def verifier(
    net: CountingNet,
    unlikely: Unlikely | None = None,
    *,
    reads_refused: bool = False,
    supports: bool = False,
) -> OnnxVerifier:
    return OnnxVerifier(
        net,
        cast("WindowTokenizer", WordTokenizer()),
        Calibration(1.0, 0.0, (0.0,) * len(EVIDENCE), 0.0),
        chance_min=0.8,
        support_similarity_min=0.94 if supports else None,
        unlikely=unlikely,
        reads_refused=reads_refused,
    )


def verdict_and_runs(
    cached: str, asked: str, similarity: float = 0.95, unlikely: Unlikely | None = None
) -> tuple[Verdict, int]:
    net = CountingNet()
    return verifier(net, unlikely).verify(cached, asked, similarity), net.runs


def test_the_net_reads_what_nothing_cheaper_refuses() -> None:
    verdict, runs = verdict_and_runs(CACHED, REPHRASED)
    assert (verdict.accepted, verdict.inferred, runs) == (True, True, 1)


def test_what_a_guard_refuses_is_not_read_by_the_net() -> None:
    verdict, runs = verdict_and_runs(CACHED, OPPOSITE)
    assert (verdict.reason, verdict.inferred, runs) == ("negation", False, 0)
    assert 0.0 <= verdict.score <= 0.5


def test_what_is_unlikely_is_not_read_by_the_net() -> None:
    verdict, runs = verdict_and_runs(CACHED, CONTRAST, 0.85, BY_SIMILARITY)
    assert (verdict.accepted, verdict.reason, verdict.inferred, runs) == (False, "unlikely", False, 0)
    assert verdict.score < BY_SIMILARITY.chance_min


def test_what_is_likely_enough_is_read() -> None:
    verdict, runs = verdict_and_runs(CACHED, CONTRAST, 0.95, BY_SIMILARITY)
    assert (verdict.accepted, runs) == (True, 1)


def test_the_same_words_are_answered_however_unlikely() -> None:
    """Equal but for case: what the encoder makes of it does not count."""
    verdict, runs = verdict_and_runs(CACHED, CACHED.lower(), 0.1, BY_SIMILARITY)
    assert (verdict.accepted, runs) == (True, 0)


def test_the_reason_of_a_guard_comes_before_unlikely() -> None:
    verdict, _ = verdict_and_runs(CACHED, OPPOSITE, 0.1, BY_SIMILARITY)
    assert verdict.reason == "negation"


def test_a_text_of_more_words_than_the_net_reads_is_not_read_by_guards() -> None:
    """They take time in proportion to it."""
    long = "who has 1 " * WINDOW_TOKENS
    verdict, runs = verdict_and_runs(long, long.replace("1", "2"))
    assert (verdict.reason, runs) == ("unreadable", 0)


def test_what_the_net_cannot_read_whole_is_refused_unread() -> None:
    marks = " ?" * WINDOW_TOKENS
    verdict, runs = verdict_and_runs(CACHED + marks, REPHRASED + marks)
    assert (verdict.accepted, verdict.reason, runs) == (False, "unreadable", 0)


@pytest.mark.parametrize(
    ("asked", "similarity"), [(OPPOSITE, 0.95), (CONTRAST, 0.85), (REPHRASED, 0.95), (CACHED.lower(), 0.1)]
)
def test_an_evaluation_has_the_same_verdicts_with_the_scores_of_the_net(
    asked: str, similarity: float
) -> None:
    lookup = verifier(CountingNet(), BY_SIMILARITY)
    judging = verifier(CountingNet(), BY_SIMILARITY, reads_refused=True)
    one, other = (each.verify(CACHED, asked, similarity) for each in (lookup, judging))
    assert (one.accepted, one.reason) == (other.accepted, other.reason)


def test_an_evaluation_reads_what_a_guard_refuses() -> None:
    net = CountingNet()
    verifier(net, reads_refused=True).verify(CACHED, OPPOSITE, 0.95)
    assert net.runs == 1


LONG = "My hip hurts when I climb up a hill after work. Should I see a doctor soon?"
REWORDED = "My hip aches whenever I walk up a slope after work. Is it time for me to visit a doctor?"


@pytest.mark.parametrize(
    ("asked", "similarity", "is_hit"),
    [
        (REWORDED, 0.92, True),
        (REWORDED, 0.85, False),
        # One condition, and one word for another.
        ("My hip hurts badly when I climb up a hill after work. Should I see a doctor soon?", 0.92, False),
        ("My hip hurts when I climb up a hill after work. Should I see a nurse for that soon?", 0.92, False),
    ],
)
def test_a_long_question_in_other_words_needs_less_of_the_net(
    asked: str,
    similarity: float,
    is_hit: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    net = CountingNet(logit=0.4)
    assert verifier(net, supports=True).verify(LONG, asked, similarity).accepted is is_hit


def test_a_short_question_in_other_words_needs_all_of_it() -> None:
    net = CountingNet(logit=0.4)
    assert not verifier(net, supports=True).verify(CACHED, CONTRAST, 0.92).accepted


class BackgroundNet(CountingNet):
    """Gives one logit for long texts, and another for what is left without their background."""

    def __init__(self, alone: float) -> None:
        super().__init__(logit=0.4)
        self._alone = alone

    def logit(self, cached: Sequence[int], asked: Sequence[int]) -> float:
        told = super().logit(cached, asked)
        return told if len(cached) > 10 else self._alone


SHOP = "I run a small bakery with six employees in a town by the sea. "


@pytest.mark.parametrize(("alone", "is_hit"), [(1.3, False), (1.5, True)])
def test_what_is_asked_of_the_same_background_must_be_a_match_without_it(
    alone: float,
    is_hit: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    net = BackgroundNet(alone)
    verdict = verifier(net, supports=True).verify(f"{SHOP}{CACHED}", f"{SHOP}{CONTRAST}", 0.95)
    assert (verdict.accepted, net.runs) == (is_hit, 2)
    assert (verdict.score >= 0.8) is is_hit


def test_a_guard_may_refuse_what_is_asked_without_the_background_that_hid_it() -> None:
    net = BackgroundNet(CERTAIN)
    asked = (f"{SHOP}Do six employees bake for a town?", f"{SHOP}Does a town bake for six employees?")
    assert verifier(net, supports=True).verify(*asked, 0.95).reason == "roles"
    assert net.runs == 0


def test_a_guard_refuses_what_is_asked_alone_however_sure_the_net_is_of_the_whole() -> None:
    told = f"{SHOP}I sell bread and I sell cake. "
    asked = (f"{told}Do you know him?", f"{told}Does he know you?")
    assert verifier(CountingNet()).verify(*asked, 0.99).reason == "roles"


def test_a_pair_that_is_no_match_with_its_background_is_not_read_again() -> None:
    net = BackgroundNet(CERTAIN)
    verifier(net).verify(f"{SHOP}{CACHED}", f"{SHOP}{CONTRAST}", 0.95)
    assert net.runs == 1
