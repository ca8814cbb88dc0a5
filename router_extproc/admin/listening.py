"""One bound address of the admin server: an application behind HOST:PORT or unix:PATH."""

from __future__ import annotations

import errno
import os
from typing import Final

from aiohttp import web

from router_extproc.config.address import host_port
from router_extproc.errors import ConfigError

#: For open connections when the server closes, in seconds.
CLOSE_S: Final = 1.0


class Listening:
    """Serves one application; `key` is the YAML path that an error names."""

    def __init__(self, application: web.Application, address: str, key: str) -> None:
        self._application: Final = application
        self._address: Final = address
        self._key: Final = key
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """The port it is bound to (when it was asked for port 0)."""
        if self._runner is None or not self._runner.addresses:
            raise RuntimeError("not started")
        return int(self._runner.addresses[0][1])

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
            await self._site(runner).start()
        except OSError as error:
            await runner.cleanup()
            raise ConfigError(self._key, self._why_not(error)) from error
        self._runner = runner

    async def aclose(self) -> None:
        """Stop listening; requests under way have CLOSE_S."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _why_not(self, error: OSError) -> str:
        if error.errno != errno.EADDRINUSE:
            return f"cannot listen on {self._address}: {os.strerror(error.errno or 0)}"
        return f"{self._address} is in use; set {self._key} to another HOST:PORT"

    def _site(self, runner: web.AppRunner) -> web.BaseSite:
        if self._address.startswith("unix:"):
            return web.UnixSite(runner, self._address.removeprefix("unix:"))
        host, port = host_port(self._address) or ("", 0)
        return web.TCPSite(runner, host, port)
