"""Labels by example prompts, without training."""

from __future__ import annotations

import numpy as np

from router_extproc.models.examples import ExampleClassifier
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
