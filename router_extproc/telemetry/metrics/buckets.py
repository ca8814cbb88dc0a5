"""The buckets of the histograms: where this project, vLLM and OpenTelemetry draw their lines."""

from __future__ import annotations

from typing import Final

#: Around what is promised: an exact hit in 1 ms, a decision in 4 to 12, verification in 30; the budgets of
#: `limits` end between 0.2 and 0.5 s, and a request may wait for an equal one for some seconds.
FAST_BUCKETS_S: Final = (
    0.00025, 0.0005, 0.001, 0.002, 0.004, 0.007, 0.012, 0.02, 0.03, 0.05, 0.1, 0.2, 0.25, 0.35, 0.5, 1.0, 2.5,
)  # fmt: skip
#: Those of vllm:time_to_first_token_seconds, so that both can be laid over each other; up to 10 s also
#: those of OpenTelemetry's gen_ai.server.time_to_first_token.
TTFT_BUCKETS_S: Final = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0,
    80.0, 160.0, 640.0, 2560.0,
)  # fmt: skip
#: Those of vllm:inter_token_latency_seconds; up to 2.5 s also those of gen_ai.server.time_per_output_token.
TOKEN_BUCKETS_S: Final = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
)  # fmt: skip
#: Those of OpenTelemetry's gen_ai.server.request.duration, and two more doublings.
ANSWER_BUCKETS_S: Final = (
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68,
)  # fmt: skip
SIMILARITY_BUCKETS: Final = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 1.0)
