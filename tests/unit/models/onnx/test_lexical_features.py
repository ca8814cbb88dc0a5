"""What the verifier reads of the words of two questions, beside its net."""

from __future__ import annotations

from router_extproc.equivalence import read_question
from router_extproc.models.onnx.lexical_features import EVIDENCE, read_evidence


def test_evidence_comes_in_the_order_of_its_names() -> None:
    one, other = read_question("How do goats swim?"), read_question("How do sheep swim upstream?")
    assert read_evidence(one, other).tolist() == [read(one, other) for read in EVIDENCE.values()]
