"""A decision as JSON, for `/explain` and the command of the same name.

It decides nothing and holds no text of the client's: sizes, names and scores only.
"""

from __future__ import annotations

from router_extproc.cache.scope import CREDENTIALS
from router_extproc.llm.answer import JsonValue
from router_extproc.pipeline.decision import Decision, Explanation, Forward, LocalAnswer, Reject, Replay
from router_extproc.pipeline.explain import RequestExplained
from router_extproc.routing.route import LocalReply, Route, RuleTrace

_MS = 1000.0
#: In the place of a credential.
HIDDEN = "***"


def explained_whole(whole: RequestExplained) -> dict[str, JsonValue]:
    """One request with all that its decision followed from; it holds the ask, which is the asker's own."""
    shown = explained(whole.decision)
    if whole.ask is None:
        return shown
    ask: dict[str, JsonValue] = {
        "text": whole.ask.text,
        "context": list(whole.ask.context),
        "left_out": [{"kind": each.kind, "chars": each.chars} for each in whole.ask.left_out],
    }
    if whole.rules:
        shown["rules"] = [{**_rule(each.trace), "reached": each.reached} for each in whole.rules]
    costs = dict[str, JsonValue](whole.costs or {})
    shown["models"] = [
        {
            "model": each.model,
            "chosen": each.chosen,
            "reason": each.reason,
            "numbers": dict[str, JsonValue](each.numbers),
        }
        for each in whole.models
    ]
    tokens = {"prompt_tokens": whole.prompt_tokens, "answer_tokens": whole.answer_tokens}
    return {**shown, "ask": ask, **tokens, "costs": costs}


def explained(decision: Decision) -> dict[str, JsonValue]:
    """The decision and why it came out so."""
    match decision:
        case Reject(error=error, explanation=explanation):
            rejected: dict[str, JsonValue] = {
                "outcome": "reject",
                "status": error.status,
                "code": error.code,
                "message": error.message,
            }
            if explanation is None or explanation.route is None:
                return rejected
            return rejected | {"decision": explanation.route.decision, **_why(explanation)}
        case LocalAnswer():
            return {"outcome": "answer", "decision": decision.decision, **_why(decision.explanation)}
        case Replay():
            return {
                "outcome": "replay",
                "model": decision.model,
                "decision": decision.decision,
                "age_s": decision.cache.age_s,
                "cache_status": decision.cache.cache_status,
                **_why(decision.explanation),
            }
        case Forward():
            return {
                "outcome": "forward",
                "model": decision.route.target.model,
                "fallback_of": decision.route.fallback_of,
                "failover": [] if decision.failover is None else list(decision.failover.models),
                "decision": decision.route.decision,
                "cluster": decision.route.target.cluster,
                "served_name": decision.route.target.served_name,
                "reasoning": _reasoning(decision.route),
                "changes": _changes(decision),
                "would_store": decision.write_token.plan is not None,
                "cache_status": decision.cache.cache_status,
                **_why(decision.explanation),
            }


def _reasoning(route: Route) -> bool | None:
    change = None if route.changes is None else route.changes.reasoning
    return None if change is None else change.on


def _changes(decision: Forward) -> JsonValue:
    """What reaches the pool otherwise than the client wrote it; no header of a credential is shown."""
    headers = () if decision.route.changes is None else decision.route.changes.headers
    return {
        "body": [
            {"path": edit.path, "change": edit.change, "before": edit.before, "value": edit.value}
            for edit in decision.edits
        ],
        "headers": {name: HIDDEN if name in CREDENTIALS else value for name, value in headers},
    }


def _why(explanation: Explanation) -> dict[str, JsonValue]:
    return {
        "dialect": explanation.dialect,
        "cache": explanation.cache,
        "cache_reason": explanation.cache_reason,
        "language": None if explanation.language is None else explanation.language.code,
        "exact_only": explanation.language is not None and not explanation.language.is_matched,
        "ignored": explanation.ignored,
        "not_made": list(explanation.not_made),
        "redacted": [
            {"kind": each.kind, "part": each.part, "count": each.count} for each in explanation.redacted
        ],
        "readings": [
            {
                "signal": reading.name,
                "label": reading.label,
                "also": list(reading.also),
                "score": reading.score,
                "scores": dict(reading.scores),
                "part": reading.part,
                "left_chars": reading.left_chars,
                "late": reading.late,
                "took_ms": explanation.took_s.get(reading.name, 0.0) * _MS,
            }
            for reading in explanation.readings
        ],
        "rules": [] if explanation.route is None else _rules(explanation.route),
        "candidates": [
            {
                "fingerprint": candidate.fingerprint,
                "similarity": candidate.similarity,
                "score": candidate.score,
                "accepted": candidate.accepted,
                "reason": candidate.reason,
            }
            for candidate in explanation.candidates
        ],
        "stages": [
            {
                "stage": note.stage,
                "duration_ms": note.duration_s * _MS,
                "outcome": note.outcome,
                "reason": note.reason,
            }
            for note in explanation.stages
        ],
    }


def _rules(route: Route | LocalReply) -> list[JsonValue]:
    return [_rule(trace) for trace in route.trace]


def _rule(trace: RuleTrace) -> dict[str, JsonValue]:
    return {"decision": trace.decision, "matched": trace.matched, "tests": dict(trace.tests)}
