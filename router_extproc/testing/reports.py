"""Reports and what they are made of, with what a test does not care about filled in."""

from __future__ import annotations

from typing import Any, Final

from router_extproc.pipeline.decision import Decision, StageNote, StageOutcome
from router_extproc.pipeline.report import AnswerReport, DecisionReport
from router_extproc.pipeline.request_ids import NO_EXCHANGE
from router_extproc.pipeline.token import WriteToken

#: Of an answer that is only measured.
TOKEN: Final = WriteToken("openai_chat", "m", "d", 1.0, NO_EXCHANGE, None)


def decided(
    decision: Decision, duration_s: float = 0.004, **members: Any
) -> DecisionReport:  # Any: its fields
    """The report of a decision."""
    made = {"dialect": "openai_chat", "exchange": NO_EXCHANGE, "started_s": 1.0}
    return DecisionReport(decision=decision, duration_s=duration_s, **{**made, **members})


def answered(**members: Any) -> AnswerReport:  # Any: its fields
    """The report of an answer that was stored."""
    made = {
        "dialect": "openai_chat",
        "exchange": NO_EXCHANGE,
        "model": "m",
        "decision": "d",
        "status": 200,
        "streamed": False,
        "started_s": 1.0,
        "ttft_s": None,
        "duration_s": 1.0,
        "usage": None,
        "stored": "stored",
    }
    return AnswerReport(**{**made, **members})


def stage(name: str, duration_s: float, outcome: StageOutcome, reason: str = "") -> StageNote:
    """The note of a stage."""
    return StageNote(name, duration_s, outcome, reason, started_s=1.0)
