"""What understanding costs is measured for everything that is registered."""

from __future__ import annotations

import pytest

from router_extproc.bench.models import measure_models, open_bench
from router_extproc.bench.prompts import question
from router_extproc.models.base import Verdict
from router_extproc.models.onnx.encoder import OnnxEncoder
from router_extproc.models.onnx.heads import open_head
from router_extproc.models.onnx.verifier_open import open_verifier
from router_extproc.signals import SIGNALS


def test_every_signal_is_measured(encoder: OnnxEncoder) -> None:
    """A new one needs no line there, unless it cannot be opened without settings."""
    costs = list(measure_models(open_bench(), runs=1, tokens=(10, 512)))
    at_ten = {cost.task for cost in costs if cost.tokens == 10}
    assert {f"signal {kind}" for kind in SIGNALS} < at_ten
    assert at_ten - {cost.task for cost in costs if cost.tokens == 512} == {"verifier, one pair"}
    assert all(0 < cost.p50_ms <= cost.p95_ms for cost in costs)


@pytest.mark.parametrize("tokens", [10, 32, 128])
def test_the_benchmarks_questions_are_in_one_partition(encoder: OnnxEncoder, tokens: int) -> None:
    """One that gets another decision has no neighbour, and costs as little as any miss."""
    head, questions = open_head("mmlu14", encoder=encoder, where="domain"), question(tokens)

    def is_exact_science(asked: str) -> bool:
        scores = head.scores(encoder.encode(asked, tasks=True))
        return max(scores[label] for label in ("math", "physics", "computer science")) >= 0.5

    all_of_them = (questions.asked, questions.rephrased, questions.opposite, questions.another)
    assert not any(map(is_exact_science, all_of_them))


@pytest.mark.parametrize("tokens", [10, 32, 128])
def test_the_benchmarks_questions_are_judged_as_their_cases_say(encoder: OnnxEncoder, tokens: int) -> None:
    """Otherwise the case of a hit would measure misses, and that of the net a guard."""
    questions, verifier = question(tokens), open_verifier()

    def judged(asked: str) -> Verdict:
        similarity = float(encoder.encode(questions.asked).vector @ encoder.encode(asked).vector)
        assert similarity >= 0.8
        return verifier.verify(questions.asked, asked, min(1.0, similarity))

    assert judged(questions.rephrased).accepted
    assert (judged(questions.opposite).accepted, judged(questions.opposite).inferred) == (False, False)
    assert (judged(questions.another).accepted, judged(questions.another).inferred) == (False, True)
