"""`x-router-saved`: what a hit has saved, or what a token of this answer saves; for a client's status line.

How long an answer gets is not known when its headers leave, so a forwarded one has rates: with the usage in
it the client knows the amount as exactly as we do later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from router_extproc.pipeline.baseline import Baseline
from router_extproc.pipeline.decision import Decision, Forward, Replay
from router_extproc.protocol.headers import Pair
from router_extproc.protocol.names import SAVED_HEADER


@dataclass(frozen=True, slots=True)
class SavedHeader:
    """The header, against a baseline; fits MoreHeaders."""

    baseline: Baseline

    def to_pool(self, forward: Forward) -> tuple[Pair, ...]:
        """See MoreHeaders; Envoy's route makes the answer's header of it."""
        return self.naming(forward.route.target.model)

    def naming(self, model: str) -> tuple[Pair, ...]:
        """See MoreHeaders; empty where a price is not known, so that no other model's rates are left."""
        rates = self.baseline.saved_per_mtok(model)
        if rates is None:
            return ((SAVED_HEADER, ""),)
        told = zip(("input_per_mtok", "output_per_mtok"), rates, strict=True)
        return ((SAVED_HEADER, ", ".join(f"{name}={_number(rate)}" for name, rate in told)),)

    def metadata(self, forward: Forward) -> Mapping[str, str]:  # noqa: ARG002 - the port
        """See MoreHeaders."""
        return {}

    def to_client(self, decision: Decision) -> tuple[Pair, ...]:
        """See MoreHeaders; a hit that is hidden looks like the answer of a pool."""
        match decision:
            case Replay(model=model, cache=cache) if cache.hidden:
                return tuple(pair for pair in self.naming(model) if pair[1])
            case Replay(compared=compared) if compared is not None:
                return ((SAVED_HEADER, f"amount={_number(compared.expected)}"),)
        return ()


def _number(value: float) -> str:
    """Without an exponent: a request costs millionths."""
    text = f"{value:.10f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
