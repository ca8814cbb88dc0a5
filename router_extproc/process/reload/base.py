"""The workers of one sidecar, as a reload sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from router_extproc.errors import ConfigError
from router_extproc.process.reload.versions import PolicyVersion


class Fleet(Protocol):
    """Every worker that is there; what has not started yet starts with the version in force."""

    async def prepare(self, version: PolicyVersion) -> Mapping[int, Sequence[ConfigError]]:
        """Let every worker get ready for the version; what is in the way, by worker. Changes nothing."""
        ...

    def commit(self, version: PolicyVersion) -> None:
        """Let every worker work by the version, also one that has started since it was prepared."""
        ...

    def abandon(self, version: PolicyVersion) -> None:
        """Let every worker forget the version."""
        ...


class Worker(Protocol):
    """One worker's part of it."""

    async def prepare(self, version: PolicyVersion) -> Sequence[ConfigError]:
        """Get ready for the version; what is in the way. Changes nothing."""
        ...

    def commit(self, number: int) -> None:
        """Work by the prepared version from now on."""
        ...

    def abandon(self, number: int) -> None:
        """Forget the prepared version."""
        ...
