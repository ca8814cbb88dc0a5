"""The fleet of a process that is its own only worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from router_extproc.errors import ConfigError
from router_extproc.process.reload.base import Worker
from router_extproc.process.reload.versions import PolicyVersion


@dataclass(frozen=True, slots=True)
class OneWorker:
    """Fits base.Fleet."""

    worker: Worker

    async def prepare(self, version: PolicyVersion) -> Mapping[int, Sequence[ConfigError]]:
        """See Fleet."""
        return {0: await self.worker.prepare(version)}

    def commit(self, version: PolicyVersion) -> None:
        """See Fleet."""
        self.worker.commit(version.number)

    def abandon(self, version: PolicyVersion) -> None:
        """See Fleet."""
        self.worker.abandon(version.number)
