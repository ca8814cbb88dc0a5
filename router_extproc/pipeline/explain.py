"""Explains one request whole: beside its decision, what was read, and every rule, also those not reached.

Only for whoever sent the request to be explained: the ask is the request's own text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from router_extproc.clock import Budget
from router_extproc.errors import RequestError
from router_extproc.llm.answer import Usage
from router_extproc.llm.ask import Ask
from router_extproc.llm.price import FREE
from router_extproc.pipeline.decision import Decision, Explanation
from router_extproc.pipeline.parsed_request import RawRequest
from router_extproc.pipeline.request import RequestPipeline
from router_extproc.routing.accepts import Demands, able
from router_extproc.routing.catalogue import Target
from router_extproc.routing.route import Route, RuleTrace
from router_extproc.signals.context_length import estimate_tokens

#: Of an answer whose length nobody knows yet, for the estimate of costs.
ANSWER_TOKENS: Final = 500
_OTHER: Final = "another one was chosen"


@dataclass(frozen=True, slots=True)
class RuleExplained:
    """One decision's rule, and whether it was asked."""

    trace: RuleTrace
    #: False: a decision before it took the request.
    reached: bool


@dataclass(frozen=True, slots=True)
class CandidateExplained:
    """One model that the decision may send the request to."""

    model: str
    #: It answers.
    chosen: bool
    #: Why it does, or why not.
    reason: str
    #: What the selection compared it by.
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RequestExplained:
    """One request with all that its decision followed from."""

    decision: Decision
    #: None: the request could not be read.
    ask: Ask | None = None
    #: Every decision that may take it, in the order in which they are asked; none where no signal was read.
    rules: tuple[RuleExplained, ...] = ()
    #: Estimated, of the whole request.
    prompt_tokens: int = 0
    #: Taken for its answer.
    answer_tokens: int = ANSWER_TOKENS
    #: Model to what this request costs there, with such an answer, in the currency of `models`.
    costs: Mapping[str, float] | None = None
    #: The models of the decision that took it, in their order.
    models: tuple[CandidateExplained, ...] = ()


async def explain_request(pipeline: RequestPipeline, raw: RawRequest) -> RequestExplained:
    """The decision on the request, which changes nothing, and what led to it."""
    reading = pipeline.read_only()
    decision = await reading.decide(raw)
    try:
        parsed = reading.reader.read(raw, Budget.of(reading.clock, reading.budget_s))
    except RequestError:
        return RequestExplained(decision)
    tokens = estimate_tokens(parsed.request)
    rules = _rules(pipeline, decision.explanation, pinned=parsed.pinned is not None)
    # A vector has no tokens.
    answer_tokens = 0 if parsed.request.by_name else ANSWER_TOKENS
    costs = _costs(pipeline, Usage(tokens, answer_tokens))
    demands = await reading.demands(parsed)
    models = () if parsed.pinned is not None else _models(pipeline, decision.explanation, demands)
    return RequestExplained(decision, parsed.ask, rules, tokens, answer_tokens, costs, models)


def _rules(
    pipeline: RequestPipeline, explanation: Explanation | None, *, pinned: bool
) -> tuple[RuleExplained, ...]:
    if explanation is None or not explanation.readings:
        return ()
    readings = {reading.name: reading for reading in explanation.readings}
    taken, rules = False, []
    for trace in pipeline.policy.traces(readings, pinned=pinned):
        rules.append(RuleExplained(trace, not taken))
        taken = taken or trace.matched
    return tuple(rules)


def _models(
    pipeline: RequestPipeline, explanation: Explanation | None, demands: Demands
) -> tuple[CandidateExplained, ...]:
    """The candidates of the decision that took the request, and why one was chosen."""
    route = None if explanation is None else explanation.route
    if not isinstance(route, Route):
        return ()
    candidates = pipeline.policy.candidates_of(route.decision)
    taking = {each.target.model for each in able(candidates, demands)}
    chosen = route.fallback_of or route.target.model
    numbers = {} if route.choice is None else route.choice.numbers
    because = "" if route.choice is None or len(taking) == 1 else route.choice.reason
    return tuple(
        CandidateExplained(
            each.target.model,
            each.target.model == chosen,
            _why(each.target, demands, taking, because if each.target.model == chosen else _OTHER),
            numbers.get(each.target.model, {}),
        )
        for each in candidates
    )


def _why(target: Target, demands: Demands, taking: set[str], because: str) -> str:
    """Why this candidate was chosen, or not; `because`: what the selection says of it."""
    if lacking := demands.missing(target):
        return f"does not accept {', '.join(sorted(lacking))}"
    if target.model not in taking:
        needed = f"the request has about {demands.needs(target)}, with room for its answer"
        return f"reads {target.context_tokens} tokens, {needed}"
    return because or "the only one that takes it"


def _costs(pipeline: RequestPipeline, usage: Usage) -> dict[str, float]:
    prices = pipeline.replays.prices.of_model
    models = dict.fromkeys(target.model for target in pipeline.reader.catalogue.targets.values())
    return {model: prices.get(model, FREE).of(usage) for model in models}
