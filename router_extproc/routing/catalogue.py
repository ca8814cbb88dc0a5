"""Model selection: which target a model name means before any rule is asked.

It is not a rule. The rule it keeps: only virtual names are routed; a real name is pinned to its
model, and a name that nobody serves is an error the client can read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from router_extproc.errors import ModelNotFound
from router_extproc.routing.policy import Target


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
        """The target that the name is pinned to, or None when the name is to be routed.

        Raises:
            ModelNotFound: neither virtual nor served.
        """
        if name in self.virtual:
            return None
        target = self.targets.get(name)
        if target is None:
            raise ModelNotFound("The requested model does not exist here.", param="model")
        return target
