"""An explanation in one line says why, and nothing that a client wrote."""

from __future__ import annotations

from dataclasses import replace

from router_extproc.pipeline.brief import BRIEF_CHARS_MAX, brief, held_tests, scores_of
from router_extproc.pipeline.decision import Explanation
from router_extproc.routing.route import Route, RuleTrace
from router_extproc.routing.selection.base import Candidate, Choice
from router_extproc.signals.base import Reading
from router_extproc.testing.router import LARGE, SMALL

TESTS = {"domain: math": True, "urgent: true": False, "tier: gold": True}
MATHS = RuleTrace("maths", matched=True, tests=TESTS)
LAW = RuleTrace("law", matched=False)
ROUTE = Route("maths", LARGE, None, trace=(LAW, MATHS))
READINGS = (
    Reading("domain", "math", 0.95712),
    Reading("tier", "what-a-client-wrote", 1.0),
    Reading("urgent", None, 0.0),
)


def explanation(route: Route | None = ROUTE, reason: str = "absent") -> Explanation:
    return Explanation("openai_chat", route, READINGS, "miss", reason)


def test_the_line_says_decision_tests_scores_and_cache() -> None:
    assert brief(explanation()) == (
        "decision: maths; because: domain: math and tier: gold; scores: domain=0.957 tier=1;"
        " cache: miss (absent)"
    )


def test_no_label_is_in_it() -> None:
    assert "what-a-client-wrote" not in brief(explanation())


def test_without_a_route_it_says_the_rest() -> None:
    """An exact hit asks no rule."""
    assert brief(explanation(None, "")) == "scores: domain=0.957 tier=1; cache: miss"


def test_what_no_header_may_have_is_replaced_and_what_is_long_is_cut() -> None:
    odd = RuleTrace("maths", matched=True, tests={"größe\n: 1" * 500: True})
    route = Route("maths", LARGE, None, trace=(odd,))
    line = brief(explanation(route))
    assert len(line) == BRIEF_CHARS_MAX
    assert "gr??e?: 1" in line
    assert line.endswith("...")


def test_a_default_route_has_no_tests() -> None:
    assert (
        held_tests(explanation(Route("default", LARGE, None, trace=(RuleTrace("law", matched=False),)))) == ()
    )


def test_what_found_nothing_has_no_score() -> None:
    assert dict(scores_of(explanation())) == {"domain": 0.957, "tier": 1.0}


def test_a_model_that_was_compared_is_named_with_its_numbers() -> None:
    candidate = Candidate(SMALL)
    numbers = {"small": {"quality": 0.91234, "cost": 0.0002}, "large": {"quality": 0.95}}
    choice = Choice(candidate, "the cheapest that is good enough", numbers)
    line = brief(explanation(replace(ROUTE, choice=choice)))
    assert "chosen: small (the cheapest that is good enough) quality=0.9123 cost=0.0002;" in line
    assert "chosen" not in brief(explanation(replace(ROUTE, choice=Choice(candidate, "the first"))))
