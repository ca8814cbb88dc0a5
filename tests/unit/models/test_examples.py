"""Labels by example prompts, without training."""

from __future__ import annotations

import numpy as np
import pytest

from router_extproc.models.base import Encoding
from router_extproc.models.examples import ExampleClassifier, NearestExamples
from router_extproc.testing.fake_encoder import FakeEncoder

ENCODER = FakeEncoder(dim=512)
TOPICS = ExampleClassifier.of(
    {"refund": ("give my money back", "I want a refund"), "weather": ("will it rain today",)}, ENCODER
)


def scores_of(text: str) -> dict[str, float]:
    return dict(TOPICS.scores(ENCODER.encode(text)))


def test_prompt_like_an_example_gets_its_label() -> None:
    scores = scores_of("give my money back please")
    assert scores["refund"] > 0.9 > scores["weather"]


def test_prompt_like_no_example_gets_low_scores() -> None:
    """What is missing to one is the chance of none of them."""
    assert sum(scores_of("sort these numbers").values()) < 0.1


def test_scores_never_sum_to_more_than_one() -> None:
    assert sum(scores_of("rain on my refund today").values()) <= 1.0


def test_one_label_alone_can_be_declined() -> None:
    single = ExampleClassifier.of({"refund": ("give my money back",)}, ENCODER)
    assert single.scores(ENCODER.encode("sort these numbers"))["refund"] < 0.1


def test_example_without_tokens_matches_nothing() -> None:
    blank = ExampleClassifier.of({"blank": ("",)}, ENCODER)
    score = blank.scores(ENCODER.encode("hello there"))["blank"]
    assert np.isfinite(score)
    assert score < 0.1


def test_labels_keep_the_order_of_the_configuration() -> None:
    assert list(TOPICS.labels) == ["refund", "weather"]


# ── the nearest example ───────────────────────────────────────────────────────────────────────

NEAREST = NearestExamples.of(
    {"refund": ("give my money back", "I want a refund"), "weather": ("will it rain today",)}, ENCODER
)


def test_an_example_is_as_near_to_itself_as_can_be() -> None:
    scores = NEAREST.scores(ENCODER.encode("I want a refund"))
    assert scores["refund"] == pytest.approx(1.0, abs=1e-6)
    assert scores["weather"] < 0.3


def test_the_score_is_the_cosine_to_the_nearest_and_not_to_the_others() -> None:
    text = ENCODER.encode("will it rain on my refund today")
    alone = [
        NearestExamples.of({"one": (each,)}, ENCODER) for each in ("give my money back", "I want a refund")
    ]
    assert NEAREST.scores(text)["refund"] == pytest.approx(max(one.scores(text)["one"] for one in alone))
    assert NEAREST.scores(text)["weather"] > 0.5


def test_no_score_is_below_nothing_or_above_one() -> None:
    """A cosine may be, by a little."""
    opposite = NearestExamples({"one": [np.array([1.0, 0.0], np.float32)]})
    encoding = Encoding(np.array([-1.0, 0.0], np.float32), 3, truncated=False, unknown_tokens=0)
    assert opposite.scores(encoding) == {"one": 0.0}
