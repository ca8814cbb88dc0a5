"""Headers of vLLM Semantic Router beside our own, for clients and routes that were made for it.

To the pool: `x-selected-model`. To the client: `x-vsr-selected-*`, `x-vsr-cache-hit`, `x-vsr-fast-response`.
Off unless `envoy.compatible_headers` asks for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from router_extproc.pipeline.decision import Decision, Explanation, Forward, LocalAnswer, Reject, Replay
from router_extproc.protocol.headers import Pair
from router_extproc.protocol.names import (
    OLD_CACHE_HIT_HEADER,
    OLD_CATEGORY_HEADER,
    OLD_CATEGORY_KEY,
    OLD_DECISION_HEADER,
    OLD_FAST_RESPONSE_HEADER,
    OLD_MODEL_HEADER,
    OLD_REASONING_KEY,
    OLD_SELECTED_MODEL_HEADER,
)
from router_extproc.routing.route import LocalReply, Route


@dataclass(frozen=True, slots=True)
class OldHeaders:
    """What the old router's headers say of a decision."""

    #: Signals whose label is the category, in the order in which they are looked at.
    categories: tuple[str, ...]

    def to_pool(self, forward: Forward) -> tuple[Pair, ...]:
        """Request headers; routes of an existing Envoy choose the pool by them."""
        return self.naming(forward.route.target.model)

    def naming(self, model: str) -> tuple[Pair, ...]:
        """Those that name the model that is asked."""
        return ((OLD_SELECTED_MODEL_HEADER, model),)

    def metadata(self, forward: Forward) -> Mapping[str, str]:
        """What Envoy's route makes answer headers of, by metadata key."""
        told = {
            OLD_CATEGORY_KEY: self._category(forward.explanation),
            OLD_REASONING_KEY: _reasoning(forward.route),
        }
        return {key: value for key, value in told.items() if value}

    def to_client(self, decision: Decision) -> tuple[Pair, ...]:
        """Headers of an answer that the server gives itself."""
        match decision:
            case Replay(model=model, decision=name, cache=cache, explanation=explanation):
                hit = () if cache.hidden else ((OLD_CACHE_HIT_HEADER, "true"),)
                told = ((OLD_MODEL_HEADER, model), (OLD_DECISION_HEADER, name))
                return (*told, *hit, *self._category_pair(explanation))
            case LocalAnswer(decision=name, explanation=explanation):
                told = ((OLD_DECISION_HEADER, name), (OLD_FAST_RESPONSE_HEADER, "true"))
                return (*told, *self._category_pair(explanation))
            case Reject(explanation=Explanation(route=LocalReply(decision=name)) as explanation):
                return ((OLD_DECISION_HEADER, name), *self._category_pair(explanation))
        return ()

    def _category_pair(self, explanation: Explanation) -> tuple[Pair, ...]:
        category = self._category(explanation)
        return ((OLD_CATEGORY_HEADER, category),) if category else ()

    def _category(self, explanation: Explanation) -> str:
        labels = {reading.name: reading.label for reading in explanation.readings}
        return next((label for name in self.categories if (label := labels.get(name))), "")


def _reasoning(route: Route) -> str:
    reasoning = None if route.changes is None else route.changes.reasoning
    return "" if reasoning is None else "on" if reasoning.on else "off"
