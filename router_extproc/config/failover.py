"""The section `failover`, and the orders that follow from it: which model is asked after which.

Envoy's clusters are rendered from the same orders by which the server writes bodies for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from pydantic import Field

from router_extproc.routing.failover import ANY_DECISION
from router_extproc.section import Section

if TYPE_CHECKING:
    from router_extproc.config.decisions import Decision
    from router_extproc.config.model import Config

#: Further candidates of a model are never asked.
ALTERNATIVES_MAX: Final = 4

#: Why another model is asked.
Reason: TypeAlias = Literal["refused", "rate_limited", "failed"]


class Failover(Section):
    """What happens when a pool does not begin to answer: the next candidate, or the fallback, is asked."""

    #: Models that one request is sent to at most, the first included; 1: no other one is.
    attempts_max: int = Field(default=2, ge=1, le=4)
    #: When: it cannot be reached ("refused"); it answers 429 ("rate_limited"); it may have begun to generate,
    #: and answers 5xx, breaks off before the first byte, or is silent for `first_byte_timeout_s` ("failed").
    on: tuple[Reason, ...] = Field(default=("refused", "rate_limited", "failed"), min_length=1)
    #: Time for the first byte of the answer, for each model anew. None: the longest of the pools', as
    #: `envoy.clusters.*.first_byte_timeout_s` or `envoy.first_byte_timeout_s` says.
    first_byte_timeout_s: float | None = Field(default=None, gt=0)


Orders: TypeAlias = Mapping[tuple[str, str], tuple[str, ...]]


def orders_of(config: Config) -> Orders:
    """By decision and first model: the keys of the models to be asked after it, in their order."""
    if config.failover is False or config.failover.attempts_max == 1 or not config.envoy.clusters:
        return {}
    found = {(ANY_DECISION, key): _order(config, key, ()) for key in config.models}
    for decision in config.decisions:
        if not decision.failover:
            found |= {(decision.name, key): () for key in config.models}
        elif decision.action is None or not decision.action.is_local:
            found |= dict(_of_decision(config, decision))
    return found


def _of_decision(config: Config, decision: Decision) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    names = tuple(candidate.model for candidate in decision.candidates)
    for name in names:
        yield (decision.name, name), _order(config, name, names)


def _order(config: Config, first: str, candidates: Iterable[str]) -> tuple[str, ...]:
    """Its fallbacks, then the other candidates; each pool once, and only those that the bootstrap knows."""
    if config.models[first].cluster not in config.envoy.clusters:
        return ()
    clusters, order = {config.models[first].cluster}, []
    for name in (*_fallbacks(config, first), *candidates):
        cluster = config.models[name].cluster
        if cluster not in clusters and cluster in config.envoy.clusters:
            clusters.add(cluster)
            order.append(name)
    return tuple(order[:ALTERNATIVES_MAX])


def _fallbacks(config: Config, first: str) -> list[str]:
    names: list[str] = []
    name = config.models[first].fallback
    while name is not None and name not in names and name in config.models:
        names.append(name)
        name = config.models[name].fallback
    return names


def chains_of(config: Config) -> tuple[tuple[str, ...], ...]:
    """Every order of clusters in which a request may be sent on, the first one included; each once."""
    if config.failover is False:
        return ()
    found: dict[tuple[str, ...], None] = {}
    for (_, first), order in orders_of(config).items():
        for rest in _prefixes(config, order, config.failover.attempts_max - 1):
            if rest:
                found[tuple(config.models[name].cluster for name in (first, *rest))] = None
    return tuple(found)


def _prefixes(config: Config, order: tuple[str, ...], left: int) -> Iterator[tuple[str, ...]]:
    """What is left of an order when models that do not accept a request are passed over."""
    if not order or not left:
        yield ()
        return
    for rest in _prefixes(config, order[1:], left - 1):
        yield (order[0], *rest)
    model = config.models[order[0]]
    if model.accepts is not None or model.context_tokens is not None:
        yield from _prefixes(config, order[1:], left)


def default_chain(config: Config) -> tuple[str, ...]:
    """The clusters of what nobody decided: the default model's, and those of its fallbacks."""
    order = orders_of(config).get((ANY_DECISION, config.default_model), ())
    names = (config.default_model, *order)
    return tuple(config.models[name].cluster for name in names)
