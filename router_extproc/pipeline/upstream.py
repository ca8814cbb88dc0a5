"""What reaches a pool under a route: the edits of the client's body, and a digest of them and of who answers.

The digest is part of the cache's keys: once a model has another served name or cluster, or is asked in
another way, its old answers are not replayed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from router_extproc.cache.digest import digest, text
from router_extproc.llm.edits import Add, Edit, Set
from router_extproc.routing.catalogue import Catalogue, Target
from router_extproc.routing.policy import PINNED, Policy, Route
from router_extproc.routing.reasoning import reasoning_members

_PURPOSE: Final = b"rx-answerer-1"
#: Models times ways of asking them; more are made again.
_KEPT_MAX: Final = 256


def edits_of(route: Route) -> Sequence[Edit]:
    """What changes in the body: the model's name, and what the client left open of reasoning."""
    return _edits(route.target, route.reasoning)


def answerer_of(route: Route) -> str:
    """Digest of the model that answers under this route, and of what is changed in a request for it."""
    return _answerer(route.target, route.reasoning)


@dataclass(frozen=True, slots=True)
class Answerers:
    """Who answers under each decision, as the configuration in force says."""

    catalogue: Catalogue
    routing: Policy

    def of(self, decision: str, model: str, *, pinned: Target | None) -> str | None:
        """The digest of a decision's answers by this model; None: such a request has no such answer any more.

        pinned: the model that the request names; None: it is routed.
        """
        target = pinned or self.catalogue.targets.get(model)
        if target is None or target.model != model or (decision == PINNED) != (pinned is not None):
            return None
        if not self.routing.may_send(decision, target):
            return None
        return _answerer(target, self.routing.reasoning_of(decision))


def _edits(target: Target, reasoning: bool | None) -> tuple[Edit, ...]:  # noqa: FBT001 - as in a route
    members = reasoning_members(target.reasoning_family, reasoning)
    added = (Add((name,), value) for name, value in members.items())
    return (Set(("model",), target.served_name), *added)


@lru_cache(maxsize=_KEPT_MAX)
def _answerer(target: Target, reasoning: bool | None) -> str:  # noqa: FBT001 - as in a route
    edits = map(repr, _edits(target, reasoning))
    return digest(_PURPOSE, map(text, (target.model, target.cluster, target.served_name, *edits)))
