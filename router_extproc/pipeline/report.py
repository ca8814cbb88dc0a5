"""Reports of what happened to an exchange: one of its decision, one of its answer, each to every listener.

Both say when their part began and how long it took, when the exchange began, and the ids by which its lines
and spans are found. A report names models, decisions, sizes and ids of a checked form, never other text of a
client or a pool.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from router_extproc.llm.answer import FinishReason, Usage
from router_extproc.pipeline.baseline import Compared
from router_extproc.pipeline.decision import Decision
from router_extproc.pipeline.request_ids import ExchangeStart
from router_extproc.redaction.tally import AnswerTally

#: One token has no time between it and another.
_TOKENS_MIN: Final = 2


@dataclass(frozen=True, slots=True)
class DecisionReport:
    """One request was decided; its stages, with their times, are in the decision's explanation."""

    dialect: str
    exchange: ExchangeStart
    decision: Decision
    #: When the whole body was there, wall clock.
    started_s: float
    #: From then to the decision, without any wait for the answer to an equal request.
    duration_s: float
    #: It has waited for the answer to an equal request, in vain unless the decision is a replay.
    waited: bool = False
    #: Of the request, as the client sent it; None: it was refused before it was read.
    body_bytes: int | None = None
    #: Of the policy that decided.
    policy_version: int = 1


@dataclass(frozen=True, slots=True)
class AnswerReport:
    """One answer of a pool was read to its end, or broke off."""

    dialect: str
    exchange: ExchangeStart
    model: str
    decision: str
    status: int
    streamed: bool
    #: When the request was forwarded, wall clock.
    started_s: float
    #: From then to the first piece of content; None when there was none.
    ttft_s: float | None
    #: From then to the end.
    duration_s: float
    usage: Usage | None
    #: "stored", or a short word that says why not.
    stored: str
    #: Why it is no whole answer, a short word; "": it is one.
    incomplete: str = ""
    #: What was put back and masked in it; None: nothing was to be.
    tally: AnswerTally | None = None
    #: The model that was asked first and did not begin to answer; "": this one was.
    failover_of: str = ""
    #: Its cost beside the baseline's; None: it is not known.
    compared: Compared | None = None
    #: Why the model stopped, in the words of chat completions; None: it is not known.
    finish_reason: FinishReason | None = None
    #: Another pool answered than the model's: it says nothing of the model.
    foreign: bool = False
    #: Who is counted for it; "": nobody asked for tenants.
    tenant: str = ""
    #: A digest, the same for all answers of one session; "": it is not followed.
    session: str = ""

    @property
    def time_per_token_s(self) -> float | None:
        """Of a whole stream with usage: from its first content to its end, by the tokens after the first."""
        tokens = 0 if self.usage is None else self.usage.completion_tokens
        if not self.streamed or self.ttft_s is None or self.incomplete or tokens < _TOKENS_MIN:
            return None
        return max(0.0, self.duration_s - self.ttft_s) / (tokens - 1)


class Listener(Protocol):
    """Takes every report; must not block."""

    def decided(self, report: DecisionReport) -> None:
        """A request was decided."""
        ...

    def answered(self, report: AnswerReport) -> None:
        """An answer ended."""
        ...


#: Called with a listener that raised, and what.
ListenerFailed = Callable[[Listener, Exception], None]


class Listeners:
    """Hands each report to every listener, in their order; fits Listener itself.

    A listener that raises costs its own report and nothing else: the request, the answer and the other
    listeners go on, and `failed` is called.
    """

    def __init__(self, *listeners: Listener, failed: ListenerFailed) -> None:
        """`failed` is quick and never raises."""
        self._listeners: Final = listeners
        self._failed: Final = failed

    def decided(self, report: DecisionReport) -> None:
        """See Listener."""
        for listener in self._listeners:
            try:
                listener.decided(report)
            except Exception as error:  # noqa: BLE001 - a bug of a listener must not lose the request
                self._failed(listener, error)

    def answered(self, report: AnswerReport) -> None:
        """See Listener."""
        for listener in self._listeners:
            try:
                listener.answered(report)
            except Exception as error:  # noqa: BLE001 - nor the answer's entry
                self._failed(listener, error)
