"""Checks of addresses: their form, and that no two of them are the same.

A port that is taken is found when it is bound, not here.
"""

from __future__ import annotations

from collections.abc import Iterator

from router_extproc.config.address import PORT_MAX, host_port
from router_extproc.config.model import Config
from router_extproc.errors import ConfigError

#: sockaddr_un.sun_path holds 108 bytes with its final zero (unix(7)).
UNIX_PATH_MAX_BYTES = 107


def check(config: Config) -> Iterator[ConfigError]:
    """Every problem of an address."""
    yield from _check_listen(config)
    addresses = [*config.admin.addresses(), ("envoy.listen", config.envoy.listen)]
    admin = config.envoy.admin
    if admin is not None and admin.startswith("unix:"):
        yield from _check_socket("envoy.admin", admin.removeprefix("unix:"))
    elif admin is not None:
        addresses.append(("envoy.admin", admin))
    for path, address in addresses:
        yield from _check_host_port(path, address, also=" or unix:PATH" if path == "envoy.admin" else "")
    yield from _check_same([("listen", config.listen), *addresses])
    for index, server in enumerate(config.envoy.server):
        if not server.startswith("unix:"):
            yield from _check_host_port(f"envoy.server[{index}]", server, also=" or unix:PATH")
    for name, cluster in config.envoy.clusters.items():
        for index, endpoint in enumerate(cluster.endpoints):
            yield from _check_host_port(f"envoy.clusters.{name}.endpoints[{index}]", endpoint)


def _check_listen(config: Config) -> Iterator[ConfigError]:
    if not config.listen.startswith("unix:"):
        yield from _check_host_port("listen", config.listen, also=" or unix:PATH")
        yield from _check_ports(config)
        return
    path = config.listen.removeprefix("unix:").replace("{worker}", str(config.workers - 1))
    yield from _check_socket("listen", path)
    if config.workers > 1 and "{worker}" not in config.listen:
        yield ConfigError("listen", "write {worker} in the path: each worker needs its own socket")


def _check_socket(key: str, path: str) -> Iterator[ConfigError]:
    if not path:
        yield ConfigError(key, "needs a path after unix:")
    if len(path.encode()) > UNIX_PATH_MAX_BYTES:
        yield ConfigError(key, f"a socket's path has at most {UNIX_PATH_MAX_BYTES} bytes, got {len(path)}")


def _check_ports(config: Config) -> Iterator[ConfigError]:
    """Each worker has its own port, counted up from the first (server.listen)."""
    first = host_port(config.listen)
    if first is None or first[1] == 0:
        return
    last = first[1] + config.workers - 1
    if last > PORT_MAX:
        yield ConfigError(
            "listen", f"{config.workers} workers need ports {first[1]} to {last}: choose a lower port"
        )
    for path, address in config.admin.addresses():
        admin = host_port(address)
        if admin is not None and first[1] < admin[1] <= last:
            yield ConfigError(path, f"port {admin[1]} is one of the workers' ports {first[1]} to {last}")


def _check_host_port(path: str, address: str, also: str = "") -> Iterator[ConfigError]:
    if host_port(address) is None:
        yield ConfigError(path, f"must be HOST:PORT{also}, got {address!r}")


def _check_same(addresses: list[tuple[str, str]]) -> Iterator[ConfigError]:
    seen: dict[str, str] = {}
    for path, address in addresses:
        if address in seen and not address.endswith(":0"):
            yield ConfigError(path, f"is the same address as {seen[address]} ({address})")
        seen.setdefault(address, path)
