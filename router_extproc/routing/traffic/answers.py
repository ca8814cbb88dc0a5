"""Answers as live traffic sees them, and batches of them that workers tell each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from router_extproc.routing.traffic.health import Outcome
from router_extproc.routing.traffic.sums import Sums

#: Models times decisions; further ones are not followed.
KEYS_MAX: Final = 4096
#: Runs of equal outcomes in one batch; earlier ones are dropped.
RUNS_MAX: Final = 64
#: What a pool or a clock says beyond is not believed.
SECONDS_MAX: Final = 3600.0
TOKENS_MAX: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class AnswerSeen:
    """One answer of a pool, or its failure."""

    model: str
    decision: str
    #: None: it says nothing of the pool's health.
    outcome: Outcome | None
    timed_out: bool = False
    #: To the first content; None: not streamed, or there was none.
    ttft_s: float | None = None
    #: From the request to the end; None: it broke off.
    duration_s: float | None = None
    prompt_tokens: int = 0
    answer_tokens: int = 0
    retry_after_s: float | None = None


@dataclass(slots=True)
class Batch:
    """What one worker has seen."""

    #: By model and decision.
    sums: dict[tuple[str, str], Sums] = field(default_factory=dict)
    #: Model, outcome, how often in a row, seconds to wait; in their order.
    runs: list[tuple[str, Outcome, int, float | None]] = field(default_factory=list)

    def add(self, seen: AnswerSeen) -> None:
        """Take an answer over."""
        key = seen.model, seen.decision
        if key in self.sums or len(self.sums) < KEYS_MAX:
            self.sums[key] = self.sums.get(key, Sums()) + sums_of(seen)
        if seen.outcome is None:
            return
        last = self.runs[-1] if self.runs else None
        if last is not None and last[:2] == (seen.model, seen.outcome) and seen.outcome != "limited":
            self.runs[-1] = (seen.model, seen.outcome, last[2] + 1, None)
        else:
            self.runs.append((seen.model, seen.outcome, 1, seen.retry_after_s))
            del self.runs[:-RUNS_MAX]


def sums_of(seen: AnswerSeen) -> Sums:
    """What one answer adds to the sums."""
    failed = seen.outcome == "failed"
    counts = {
        "answers": float(seen.outcome == "ok"),
        "errors": float(failed and not seen.timed_out),
        "timeouts": float(failed and seen.timed_out),
        "rate_limits": float(seen.outcome == "limited"),
    }
    return Sums(**counts, **(_times(seen) if seen.outcome == "ok" else {}))


def _times(seen: AnswerSeen) -> dict[str, float]:
    """Of a whole answer: a failed one may be quick, and says nothing of the others."""
    times: dict[str, float] = {}
    ttft_s = 0.0
    if seen.ttft_s is not None:
        ttft_s = min(SECONDS_MAX, max(0.0, seen.ttft_s))
        prompt = min(TOKENS_MAX, max(0, seen.prompt_tokens)) / 1000
        times = {
            "timed": 1.0,
            "prompt": prompt,
            "ttft": ttft_s,
            "prompt_squared": prompt**2,
            "prompt_ttft": prompt * ttft_s,
        }
    tokens = min(TOKENS_MAX, max(0, seen.answer_tokens))
    if seen.duration_s is not None and tokens:
        writing_s = min(SECONDS_MAX, max(0.0, seen.duration_s - ttft_s))
        times |= {"writing": writing_s, "written": float(tokens), "measured": 1.0}
    return times
