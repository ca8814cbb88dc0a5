"""A model that is selected by its expected quality, from the request to the log line."""

from __future__ import annotations

from router_extproc.pipeline.brief import brief
from router_extproc.pipeline.decision import Explanation, Forward
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.route import Route
from router_extproc.routing.rules import read_rule
from router_extproc.routing.selection.base import Candidate
from router_extproc.routing.selection.expected import UNREAD
from router_extproc.routing.selection.learned import LearnedSelection
from router_extproc.signals.base import Reading, Subject
from router_extproc.testing.client import Client, chat
from router_extproc.testing.fake_encoder import FakeEncoder
from router_extproc.testing.router import LARGE, SMALL, fake_router

QUALITY = "quality:mine"


class Expected:
    """A signal that expects the large model to be better, if it can read at all."""

    name = QUALITY
    needs_encoding = True
    needs_tasks = False

    def __init__(self, scores: dict[str, float]) -> None:
        self.scores = scores

    def read(self, subject: Subject) -> Reading:
        assert subject.encoding is not None
        return Reading(self.name, next(iter(self.scores), None), 0.5, self.scores)


async def explanation(scores: dict[str, float]) -> Explanation:
    """Why a request went where it did."""
    candidates = (Candidate(SMALL), Candidate(LARGE))
    decision = RoutingDecision(
        "general", 1, read_rule(None), candidates, None, selection=LearnedSelection(QUALITY, 0.1)
    )
    router = fake_router(
        signals=(Expected(scores),), decisions=(decision,), encoder=FakeEncoder(), cached=False
    )
    await Client(router).ask(chat("Prove it."))
    forward = router.reports.decisions[0].decision
    assert isinstance(forward, Forward)
    return forward.explanation


async def test_the_expected_quality_reaches_the_selection_and_is_told() -> None:
    told = await explanation({"small": 0.4, "large": 0.8})
    assert isinstance(told.route, Route)
    assert told.route.target == LARGE
    assert "chosen: large (the best value at cost_weight 0.1) quality=0.8" in brief(told)


async def test_without_a_reading_the_first_candidate_answers_and_the_route_says_so() -> None:
    told = await explanation({})
    assert isinstance(told.route, Route)
    assert told.route.choice is not None
    assert (told.route.target, told.route.choice.reason) == (SMALL, UNREAD)
