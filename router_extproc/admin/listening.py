"""One bound address of the admin server: an application behind HOST:PORT or unix:PATH."""

from __future__ import annotations

import asyncio
import errno
import os
from typing import Final

from aiohttp import web

from router_extproc.config.address import host_port
from router_extproc.errors import ConfigError

#: For open connections when the server closes, in seconds.
CLOSE_S: Final = 1.0
#: Open connections; a further one closes the oldest. Whoever opens many and sends nothing must take neither
#: the process's descriptors nor the place of a probe.
CONNECTIONS_MAX: Final = 128


class Listening:
    """Serves one application; `key` is the YAML path that an error names."""

    def __init__(
        self,
        application: web.Application,
        address: str,
        key: str,
        *,
        connections_max: int = CONNECTIONS_MAX,
    ) -> None:
        self._application: Final = application
        self._connections_max: Final = connections_max
        self._address: Final = address
        self._key: Final = key
        self._runner: web.AppRunner | None = None
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port it is bound to (when it was asked for port 0)."""
        if self._server is None or not self._server.sockets:
            raise RuntimeError("not started")
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Bind and serve.

        Raises:
            ConfigError: the address cannot be had.
        """
        runner = web.AppRunner(
            self._application, access_log=None, handle_signals=False, shutdown_timeout=CLOSE_S
        )
        await runner.setup()
        try:
            self._server = await self._bind(runner)
        except OSError as error:
            await runner.cleanup()
            raise ConfigError(self._key, self._why_not(error)) from error
        self._runner = runner

    async def aclose(self) -> None:
        """Stop listening; requests under way have CLOSE_S."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _bind(self, runner: web.AppRunner) -> asyncio.Server:
        loop = asyncio.get_running_loop()

        def connection() -> asyncio.Protocol:
            return _connection(runner, self._connections_max)

        if self._address.startswith("unix:"):
            return await loop.create_unix_server(connection, self._address.removeprefix("unix:"))
        host, port = host_port(self._address) or ("", 0)
        return await loop.create_server(connection, host, port, backlog=self._connections_max)

    def _why_not(self, error: OSError) -> str:
        if error.errno != errno.EADDRINUSE:
            return f"cannot listen on {self._address}: {os.strerror(error.errno or 0)}"
        return f"{self._address} is in use; set {self._key} to another HOST:PORT"


def _connection(runner: web.AppRunner, connections_max: int) -> asyncio.Protocol:
    """What serves a new connection, with room made for it."""
    server = runner.server
    if server is None:
        raise RuntimeError("not set up")
    connections = server.connections  # the oldest first
    for oldest in connections[: max(0, len(connections) + 1 - connections_max)]:
        oldest.force_close()
    return server()
