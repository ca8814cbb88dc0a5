"""What follows from a decision: a report, counted savings, feedback that is taken, and the reply to Envoy."""

from __future__ import annotations

from dataclasses import dataclass

from router_extproc.pipeline.caching.savings import Savings
from router_extproc.pipeline.caching.shadow import ShadowComparisons
from router_extproc.pipeline.decision import Forward, LocalAnswer, Reject, Replay
from router_extproc.pipeline.more_headers import MoreHeaders
from router_extproc.pipeline.mutations import reply_to_body
from router_extproc.pipeline.report import DecisionReport, Listener
from router_extproc.protocol.messages import BodyReply, ImmediateResponse
from router_extproc.protocol.modes import Role
from router_extproc.routing.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Consequences:
    """Carries decisions out, each once."""

    listener: Listener
    savings: Savings
    #: None: the cache is off, and so is feedback.
    shadow: ShadowComparisons | None
    #: None: answers have our own headers only.
    more_headers: MoreHeaders | None = None
    #: None: nothing is learned of pools.
    traffic: Traffic | None = None

    def carry_out(self, report: DecisionReport, role: Role) -> BodyReply | ImmediateResponse:
        """Report the decision, count savings and feedback, and make the reply to a stream of this role."""
        self.listener.decided(report)
        if isinstance(report.decision, Forward) and self.traffic is not None:
            token = report.decision.write_token
            self.traffic.live.forwarded(token.model, token.started_s)
        match report.decision:
            case Replay(saved=saved):
                self.savings.add(saved)
            case Forward(feedback=feedback) if feedback is not None and self.shadow is not None:
                self.shadow.take_feedback(feedback)
            case Forward() | LocalAnswer() | Reject():
                pass
        return reply_to_body(report.decision, role, self.more_headers)
