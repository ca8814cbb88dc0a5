"""The models that requests may be sent to, and the names by which clients ask for them.

A virtual name (`auto`) is routed. The name of a model is pinned to that model; a name that nobody serves
is an error of the client's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from router_extproc.errors import ModelNotFound


@dataclass(frozen=True, slots=True)
class Target:
    """One model and where it is served."""

    #: The key in `models`.
    model: str
    cluster: str
    #: What the body's "model" becomes.
    served_name: str
    #: None: it does not reason, or nothing is known of how it is told to.
    reasoning_family: str | None
    #: What it accepts beside plain text (routing.accepts); None: everything, as far as is known.
    accepts: frozenset[str] | None = None
    #: The longest request that it reads; None: not known.
    context_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The names that a client may ask for."""

    virtual: frozenset[str]
    #: By key in `models` and by served name.
    targets: Mapping[str, Target]

    @classmethod
    def of(cls, virtual: tuple[str, ...], targets: tuple[Target, ...]) -> Catalogue:
        """A catalogue in which a model's key wins over another model's served name."""
        served = {target.served_name: target for target in reversed(targets)}
        keys = {target.model: target for target in targets}
        return cls(frozenset(virtual), {**served, **keys})

    def pinned(self, name: str) -> Target | None:
        """The target that the name is pinned to; None: the name is to be routed.

        Raises:
            ModelNotFound: neither virtual nor served.
        """
        if name in self.virtual:
            return None
        target = self.targets.get(name)
        if target is None:
            raise ModelNotFound("The requested model does not exist here.", param="model")
        return target
