from __future__ import annotations

from dataclasses import replace

import orjson

from router_extproc.admin.explained import explained
from router_extproc.cache.base import Fingerprint, Partition, Scope
from router_extproc.cache.decision_policy import StoreRules
from router_extproc.dialects.base import Rendered
from router_extproc.equivalence.languages import Told
from router_extproc.errors import ModelNotFound
from router_extproc.llm.answer import JsonObject
from router_extproc.llm.changes import ReasoningChange, RequestChanges
from router_extproc.llm.edits import Cap, PrependText, Set
from router_extproc.pipeline.body_edits import described
from router_extproc.pipeline.caching.savings import EntryWorth, Worth
from router_extproc.pipeline.decision import (
    CacheOutcome,
    Candidate,
    Explanation,
    Forward,
    Reject,
    Replay,
)
from router_extproc.pipeline.token import StorePlan
from router_extproc.routing.catalogue import Target
from router_extproc.routing.route import Route, RuleTrace
from router_extproc.signals.base import Reading
from router_extproc.testing.reports import TOKEN, stage

ROUTE = Route(
    "maths",
    Target("large", "vllm_large", "Qwen/Qwen3-32B", None),
    changes=RequestChanges(reasoning=ReasoningChange(on=True)),
    trace=(RuleTrace("maths", matched=True, tests={"domain: math": True}),),
)
PLAN = StorePlan(
    Fingerprint("f"), Partition("p"), Scope("s"), None, "", StoreRules(60, store_tool_calls=False)
)
STORING = replace(TOKEN, plan=PLAN)


def explanation(route: Route | None) -> Explanation:
    return Explanation(
        "openai_chat",
        route,
        (Reading("domain", "math", 0.9, {"math": 0.9, "law": 0.1}),),
        "miss",
        "refused",
        (Candidate("abc", 0.97, 0.3, accepted=False, reason="numbers"),),
        (stage("signals", 0.0025, "ok"),),
        Told("da", is_matched=False),
    )


def test_changes_are_shown_with_the_operators_words_only() -> None:
    changes = RequestChanges(headers=(("x-team", "research"), ("authorization", "Bearer secret")))
    document: JsonObject = {"messages": [{"role": "system", "content": "private"}], "n": 3}
    edits = (PrependText(("messages", 0, "content"), "Be brief."), Cap(("n",), 1), Set(("seed",), 7))
    route = replace(ROUTE, changes=changes)
    decision = Forward(
        route,
        b"{}",
        CacheOutcome("miss", "m"),
        STORING,
        explanation(route),
        edits=described(edits, document),
    )
    assert explained(decision)["changes"] == {
        "body": [
            {"path": "messages[0].content", "change": "prepend", "before": "string", "value": "Be brief."},
            {"path": "n", "change": "cap", "before": "number", "value": 1},
            {"path": "seed", "change": "set", "before": "absent", "value": 7},
        ],
        "headers": {"x-team": "research", "authorization": "***"},
    }


def test_a_forwarded_request_shows_its_way_and_why() -> None:
    decision = Forward(
        ROUTE, b"{}", CacheOutcome("miss", "router-extproc; fwd=uri-miss"), STORING, explanation(ROUTE)
    )
    shown = explained(decision)
    assert (shown["outcome"], shown["cluster"], shown["would_store"]) == ("forward", "vllm_large", True)
    assert shown["rules"] == [{"decision": "maths", "matched": True, "tests": {"domain: math": True}}]
    assert (shown["language"], shown["exact_only"]) == ("da", True)
    assert shown["stages"] == [{"stage": "signals", "duration_ms": 2.5, "outcome": "ok", "reason": ""}]


def test_a_replay_without_a_route_has_no_rules() -> None:
    """An exact hit is found before any rule is asked."""
    outcome = CacheOutcome("hit-exact", "router-extproc; hit", age_s=4)
    saved = EntryWorth("f" * 64, "large", "maths", Worth(hits=1))
    rendered = Rendered("application/json", b"{}")
    decision = Replay(rendered, outcome, "large", "maths", explanation(None), saved)
    shown = explained(decision)
    assert (shown["outcome"], shown["age_s"], shown["rules"]) == ("replay", 4, [])


def test_a_rejection_shows_what_the_client_would_see() -> None:
    decision = Reject(ModelNotFound("There is none."), Rendered("application/json", b"{}"))
    assert explained(decision) == {
        "outcome": "reject", "status": 404, "code": "model_not_found", "message": "There is none."
    }  # fmt: skip


def test_an_explanation_is_json() -> None:
    decision = Forward(ROUTE, None, CacheOutcome("bypass", "x"), TOKEN, explanation(ROUTE))
    assert orjson.loads(orjson.dumps(explained(decision)))["would_store"] is False
