"""The similarity signal finds every group of examples that is near enough."""

from __future__ import annotations

import pytest

from router_extproc.signals.similarity import EXAMPLES_MAX, SimilaritySettings


def settings_of(**section: object) -> SimilaritySettings:
    return SimilaritySettings.model_validate({"type": "similarity", **section})


def test_examples_without_names_have_one_label() -> None:
    settings = settings_of(examples=["when do you open"])
    assert settings.labels() == ("similar",)
    assert not settings.finds_several


def test_groups_are_the_labels_and_several_may_be_near() -> None:
    settings = settings_of(examples={"opening_hours": ["when do you open"], "address": ["where are you"]})
    assert settings.labels() == ("opening_hours", "address")
    assert settings.finds_several


@pytest.mark.parametrize(
    ("examples", "path", "words"),
    [
        ([" "], "signals.faq.examples", "at least one example"),
        ({"a": ["x"], "b": []}, "signals.faq.examples.b", "at least one example"),
        (["x"] * (EXAMPLES_MAX + 1), "signals.faq.examples", "at most 2000"),
    ],
)
def test_groups_without_examples_and_too_many_are_refused(examples: object, path: str, words: str) -> None:
    (problem,) = settings_of(examples=examples).problems("signals.faq")
    assert problem.path == path
    assert words in problem.problem
