"""Checks of TLS sections: what belongs together. The files are not opened here."""

from __future__ import annotations

from collections.abc import Iterator

from router_extproc.config.model import Config
from router_extproc.config.tls import ClientCertificate, ServerCertificate
from router_extproc.errors import ConfigError


def check(config: Config) -> Iterator[ConfigError]:
    """Every problem between the gRPC server's TLS and its client's."""
    client, server = config.envoy.server_tls, config.listen_tls
    if client is not None and (client.cert_file is None) != (client.key_file is None):
        yield ConfigError("envoy.server_tls", "needs both cert_file and key_file, or neither")
    if server is not None:
        yield from _check_server(config, server, client)
    elif client is not None and not config.envoy.server:
        problem = (
            "needs listen_tls, or envoy.server with the address of what speaks TLS: this server does not"
        )
        yield ConfigError("envoy.server_tls", problem)


def _check_server(
    config: Config, server: ServerCertificate, client: ClientCertificate | None
) -> Iterator[ConfigError]:
    if config.listen.startswith("unix:"):
        problem = (
            "does not apply to a Unix socket, which its folder protects: leave it out, or listen on HOST:PORT"
        )
        yield ConfigError("listen_tls", problem)
    elif client is None:
        yield ConfigError("listen_tls", "needs envoy.server_tls, so that Envoy speaks TLS to this server")
    elif server.client_ca_file is not None and client.cert_file is None:
        problem = "is required, because listen_tls.client_ca_file demands a certificate"
        yield ConfigError("envoy.server_tls.cert_file", problem)
