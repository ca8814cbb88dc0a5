"""What the verifier reads of the words of two questions, beside its net."""

from __future__ import annotations

import pytest

from router_extproc.equivalence import read_question
from router_extproc.models.onnx.lexical_features import EVIDENCE, is_word_exchanged, read_evidence


@pytest.mark.parametrize(
    ("one", "other", "exchanged"),
    [
        ("How do goats swim?", "How do sheep swim?", True),
        ("How do goats swim?", "Why do goats swim?", True),
        ("How do goats swim?", "How do goat swim?", False),
        ("How do goats swim?", "How do goats swim far?", False),
        ("How do goats swim?", "How can a goat swim?", False),
        ("Who feeds goats in winter?", "Who milks goats in summer?", False),
        ("How do goats swim?", "how do goats swim", False),
        ("", "", False),
    ],
)
def test_one_word_for_another_is_told_from_other_differences(
    one: str, other: str, *, exchanged: bool
) -> None:
    assert is_word_exchanged(read_question(one), read_question(other)) is exchanged
    assert is_word_exchanged(read_question(other), read_question(one)) is exchanged


def test_evidence_comes_in_the_order_of_its_names() -> None:
    one, other = read_question("How do goats swim?"), read_question("How do sheep swim upstream?")
    assert read_evidence(one, other).tolist() == [read(one, other) for read in EVIDENCE.values()]
