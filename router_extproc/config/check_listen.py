"""Checks of addresses: their form, and that no two of them are the same.

Nothing is bound: a port that is in use is found at start (`server.listen`).
"""

from __future__ import annotations

from collections.abc import Iterator

from router_extproc.address import PORT_MAX, WORKER, UnixAddress, parse_address, parse_tcp
from router_extproc.config.model import Config
from router_extproc.errors import ConfigError

#: sockaddr_un.sun_path holds 108 bytes with its final zero (unix(7)).
UNIX_PATH_MAX_BYTES = 107


def check(config: Config) -> Iterator[ConfigError]:
    """Every problem of an address."""
    yield from _check_listen(config)
    addresses = [*config.admin.addresses(), ("envoy.listen", config.envoy.listen)]
    admin = config.envoy.admin
    if admin is not None and isinstance(socket := parse_address(admin), UnixAddress):
        yield from _check_socket("envoy.admin", socket.path)
    elif admin is not None:
        addresses.append(("envoy.admin", admin))
    for path, address in addresses:
        yield from _check_host_port(path, address, also=" or unix:PATH" if path == "envoy.admin" else "")
    yield from _check_same([("listen", config.listen), *addresses])
    for index, server in enumerate(config.envoy.server):
        if not isinstance(parse_address(server), UnixAddress):
            yield from _check_host_port(f"envoy.server[{index}]", server, also=" or unix:PATH")
    for name, cluster in config.envoy.clusters.items():
        for index, endpoint in enumerate(cluster.endpoints):
            yield from _check_host_port(f"envoy.clusters.{name}.endpoints[{index}]", endpoint)


def _check_listen(config: Config) -> Iterator[ConfigError]:
    listen = parse_address(config.listen)
    if not isinstance(listen, UnixAddress):
        yield from _check_host_port("listen", config.listen, also=" or unix:PATH")
        yield from _check_ports(config)
        return
    yield from _check_socket("listen", listen.path.replace(WORKER, str(config.workers - 1)))
    if config.workers > 1 and WORKER not in config.listen:
        yield ConfigError("listen", "write {worker} in the path: each worker needs its own socket")


def _check_socket(key: str, path: str) -> Iterator[ConfigError]:
    if not path:
        yield ConfigError(key, "needs a path after unix:")
    if len(path.encode()) > UNIX_PATH_MAX_BYTES:
        yield ConfigError(key, f"a socket's path has at most {UNIX_PATH_MAX_BYTES} bytes, got {len(path)}")


def _check_ports(config: Config) -> Iterator[ConfigError]:
    """Each worker has its own port, counted up from the first (server.listen)."""
    listen = parse_tcp(config.listen)
    if listen is None or listen.port == 0:
        return
    first, last = listen.port, listen.port + config.workers - 1
    if last > PORT_MAX:
        yield ConfigError(
            "listen", f"{config.workers} workers need ports {first} to {last}: choose a lower port"
        )
    for path, address in config.admin.addresses():
        admin = parse_tcp(address)
        if admin is not None and first < admin.port <= last:
            yield ConfigError(path, f"port {admin.port} is one of the workers' ports {first} to {last}")


def _check_host_port(path: str, address: str, also: str = "") -> Iterator[ConfigError]:
    if parse_tcp(address) is None:
        yield ConfigError(path, f"must be HOST:PORT{also}, got {address!r}")


def _check_same(addresses: list[tuple[str, str]]) -> Iterator[ConfigError]:
    seen: dict[str, str] = {}
    for path, address in addresses:
        if address in seen and not address.endswith(":0"):
            yield ConfigError(path, f"is the same address as {seen[address]} ({address})")
        seen.setdefault(address, path)
