"""The section `savings`: the model with which the cost of every answer is compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from router_extproc.errors import ConfigError
from router_extproc.pipeline.tenants import OTHER, Tenants
from router_extproc.section import Section, did_you_mean

if TYPE_CHECKING:
    from router_extproc.config.model import Config

#: Each has series of its own on `/metrics`.
TENANTS_MAX: Final = 200


class SavingsSection(Section):
    """What routing and the cache have saved is told against one model for all requests."""

    #: A key in `models`. None: the dearest of them.
    baseline: str | None = None
    #: Savings are told by tenant, too: by the value of this request header.
    by_header: str | None = Field(default=None, min_length=1)
    #: Or by this claim of a verified token, as in a `claim` signal.
    by_claim: str | None = Field(default=None, min_length=1, max_length=256)
    #: The header in which Envoy forwards the token's payload.
    claim_header: str = Field(default="x-jwt-payload", min_length=1)
    #: The values that are told; all others, and requests without one, are `other`.
    tenants: tuple[Annotated[str, Field(min_length=1, max_length=128)], ...] = Field(
        default=(), max_length=TENANTS_MAX
    )
    #: Answers say in `x-router-saved` what a hit saved, or what a token saves.
    header: bool = False


def baseline_of(config: Config) -> str | None:
    """The baseline; None: no model has a price."""
    if config.savings.baseline is not None:
        return config.savings.baseline
    priced = {
        key: model.cost.input_per_mtok + model.cost.output_per_mtok for key, model in config.models.items()
    }
    dearest = max(priced, key=priced.__getitem__)
    return dearest if priced[dearest] else None


def tenants_of(config: Config) -> Tenants | None:
    """By whom costs are told; None: they are not."""
    savings = config.savings
    if savings.by_header is not None:
        return Tenants(savings.by_header.lower(), frozenset(savings.tenants))
    if savings.by_claim is not None:
        return Tenants(savings.claim_header.lower(), frozenset(savings.tenants), savings.by_claim)
    return None


def check_savings(config: Config) -> Iterator[ConfigError]:
    """A baseline that is no model, or costs nothing; tenants that nothing tells, or nobody lists."""
    yield from _check_baseline(config)
    yield from _check_tenants(config.savings)
    if config.savings.header and baseline_of(config) is None:
        yield ConfigError("savings.header", "no model has a price (`cost`), so there is nothing to say")


def _check_tenants(savings: SavingsSection) -> Iterator[ConfigError]:
    told = [key for key in ("by_header", "by_claim") if getattr(savings, key) is not None]
    if len(told) > 1:
        yield ConfigError("savings.by_claim", "a tenant is told by a header or by a claim: write one")
    elif told and not savings.tenants:
        yield ConfigError("savings.tenants", f"is required with `{told[0]}`: the values that are told")
    elif savings.tenants and not told:
        yield ConfigError("savings.tenants", "nothing says which one a request is of: write `by_header`")
    for index, name in enumerate(savings.tenants):
        if name == OTHER:
            problem = f"'{OTHER}' is what all others are called"
            yield ConfigError(f"savings.tenants[{index}]", problem)
        elif name != name.strip():
            problem = "has space around it, which no header's value has"
            yield ConfigError(f"savings.tenants[{index}]", problem)
        elif name in savings.tenants[:index]:
            yield ConfigError(f"savings.tenants[{index}]", f"'{name}' is listed twice")


def _check_baseline(config: Config) -> Iterator[ConfigError]:
    name = config.savings.baseline
    if name is None:
        return
    model = config.models.get(name)
    if model is None:
        hint = did_you_mean(name, config.models)
        yield ConfigError("savings.baseline", f"no model named '{name}'{hint}")
    elif not (model.cost.input_per_mtok or model.cost.output_per_mtok):
        yield ConfigError("savings.baseline", f"'{name}' has no price: nothing would be saved against it")
