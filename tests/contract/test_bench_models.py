"""What understanding costs is measured for everything that is registered."""

from __future__ import annotations

from router_extproc.bench.models import measure_models, open_bench
from router_extproc.models.onnx.encoder import OnnxEncoder
from router_extproc.signals import SIGNALS


def test_every_signal_is_measured(encoder: OnnxEncoder) -> None:
    """A new one needs no line there, unless it cannot be opened without settings."""
    costs = list(measure_models(open_bench(), runs=1, tokens=(10, 512)))
    at_ten = {cost.task for cost in costs if cost.tokens == 10}
    assert {f"signal {kind}" for kind in SIGNALS} < at_ten
    assert at_ten - {cost.task for cost in costs if cost.tokens == 512} == {"verifier, one pair"}
    assert all(0 < cost.p50_ms <= cost.p95_ms for cost in costs)
