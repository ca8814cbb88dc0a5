"""Where a worker answers among the workers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from router_extproc.admin.peers import Peers, socket_of
from router_extproc.config.model import Config


@dataclass(frozen=True, slots=True)
class WorkerAddress:
    """A worker's place among the workers."""

    worker: int = 0
    #: Folder of the sockets over which workers answer each other; None: there is only one.
    peers: Path | None = None

    def admin_address(self, config: Config) -> str:
        """Worker 0 has the port; it asks the others over their sockets."""
        return config.admin.listen if self.worker == 0 else f"unix:{socket_of(self._folder(), self.worker)}"

    def others(self, config: Config) -> Peers:
        """The workers that this one speaks for."""
        if self.worker or self.peers is None:
            return Peers({})
        return Peers({worker: socket_of(self.peers, worker) for worker in range(1, config.workers)})

    def _folder(self) -> Path:
        if self.peers is None:
            raise ValueError("a worker beside others needs the folder of their sockets")
        return self.peers
