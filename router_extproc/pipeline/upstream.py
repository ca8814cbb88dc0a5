"""What reaches a pool under a route: the edits of the client's body, and a digest of them and of who answers.

The digest is part of the cache's keys: once a model has another served name or cluster, or is asked in
another way, its old answers are not replayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from router_extproc.cache.digest import digest, text
from router_extproc.dialects.base import ChangeKind, RequestDialect
from router_extproc.llm.changes import RequestChanges
from router_extproc.llm.edits import Edit, Set
from router_extproc.llm.request import InferenceRequest
from router_extproc.routing.catalogue import Catalogue, Target
from router_extproc.routing.policy import Policy
from router_extproc.routing.route import Route

#: Another number where a dialect says the same changes in another way.
_PURPOSE: Final = b"rx-answerer-2"
#: Models times ways of asking them; more are made again.
_KEPT_MAX: Final = 256


def edits_of(dialect: RequestDialect, request: InferenceRequest, route: Route) -> tuple[Edit, ...]:
    """What changes in the body: the model's name, and what the decision says."""
    target, changes = route.target, route.changes
    name = Set(("model",), target.served_name)
    if changes is None:
        return (name,)
    return (name, *dialect.edits(request, changes, family=target.reasoning_family))


def not_made(dialect: RequestDialect, changes: RequestChanges | None) -> tuple[ChangeKind, ...]:
    """What a decision changes that the dialect's requests have no place for."""
    if changes is None:
        return ()
    wanted: Mapping[ChangeKind, object] = {
        "system_prompt": changes.system_prompt,
        "reasoning": changes.reasoning,
    }
    return tuple(kind for kind, what in wanted.items() if what is not None and kind not in dialect.changeable)


def answerer_of(route: Route) -> str:
    """Digest of the model that answers under this route, and of what is changed in a request for it."""
    return _answerer(route.target, route.changes)


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
        if target is None or target.model != model:
            return None
        if not self.routing.may_send(decision, target, pinned=pinned is not None):
            return None
        return _answerer(target, self.routing.changes_of(decision))


@lru_cache(maxsize=_KEPT_MAX)
def _answerer(target: Target, changes: RequestChanges | None) -> str:
    """The family decides how a change is said."""
    changed = () if changes is None else (str(target.reasoning_family), repr(changes))
    return digest(_PURPOSE, map(text, (target.model, target.cluster, target.served_name, *changed)))
