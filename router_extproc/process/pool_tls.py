"""Whom the sidecar trusts when it asks a TLS pool itself, past Envoy: the authorities in its `ca_file`.

A pool whose file cannot be read is not asked. Under any other trust it might not be the pool that answers.
"""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Final, Literal, TypeAlias

from router_extproc.config.envoy import SYSTEM_AUTHORITIES, EnvoyCluster
from router_extproc.telemetry.logging import get_logger

#: What aiohttp takes as `ssl`; True: the pool speaks no TLS.
Trust: TypeAlias = ssl.SSLContext | Literal[True]


class AuthoritiesUnreadable(OSError):
    """Nobody is trusted, because the file cannot be read; says which one and why."""


class PoolTls:
    """Reads authorities for one kind of asks; a file that cannot be read is logged once."""

    def __init__(self, asks: str, system_file: str = SYSTEM_AUTHORITIES) -> None:
        """asks: what is not asked then, for the log.

        system_file: the default of `ca_file`; where it is absent, the system keeps its authorities elsewhere.
        """
        self._asks: Final = asks
        self._system_file: Final = system_file
        self._unreadable: Final[set[str]] = set()

    async def of(self, pool: EnvoyCluster) -> Trust:
        """Whom to trust at this pool.

        Raises:
            AuthoritiesUnreadable: the pool's `ca_file` cannot be read.
        """
        if not pool.tls:
            return True
        try:
            context = await asyncio.to_thread(self._read, pool.ca_file)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            self._note_unreadable(pool.ca_file, reason)
            raise AuthoritiesUnreadable(f"ca_file {pool.ca_file}: {reason}") from error
        self._note_readable(pool.ca_file)
        return context

    def _note_unreadable(self, ca_file: str, reason: str) -> None:
        if ca_file not in self._unreadable:
            self._unreadable.add(ca_file)
            get_logger().warning("pool not asked", asks=self._asks, ca_file=ca_file, reason=reason)

    def _note_readable(self, ca_file: str) -> None:
        if ca_file in self._unreadable:
            self._unreadable.remove(ca_file)
            get_logger().warning("pool asked again", asks=self._asks, ca_file=ca_file)

    def _read(self, ca_file: str) -> ssl.SSLContext:
        if ca_file == self._system_file and not Path(ca_file).exists():
            return ssl.create_default_context()
        return ssl.create_default_context(cafile=ca_file)
