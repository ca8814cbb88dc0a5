"""Checks of the section `admin` but for its addresses, which `check_listen.py` compares with all others."""

from __future__ import annotations

from collections.abc import Iterator

from router_extproc.config.address import host_name, host_port
from router_extproc.config.admin import Admin, token_problem
from router_extproc.config.model import Config
from router_extproc.errors import ConfigError


def check(config: Config) -> Iterator[ConfigError]:
    """Every problem of names and token."""
    admin = config.admin
    for index, name in enumerate(admin.allowed_hosts):
        if host_name(name) is None:
            yield ConfigError(
                f"admin.allowed_hosts[{index}]", f"must be a host name, with or without a port, got {name!r}"
            )
    if admin.token is not None and (problem := token_problem(admin.token)) is not None:
        yield ConfigError("admin.token", problem)
    if admin.token is not None and admin.token_file is not None:
        yield ConfigError("admin.token_file", "write either token or token_file, not both")
    if admin.token_file == "":
        yield ConfigError("admin.token_file", "must not be empty")
    yield from _check_ports(admin)


def _check_ports(admin: Admin) -> Iterator[ConfigError]:
    """All interfaces include the other port's; equal addresses are found with all others."""
    if admin.metrics is None or admin.metrics == admin.listen:
        return
    own, metrics = host_port(admin.listen), host_port(admin.metrics)
    if own is None or metrics is None or own[1] != metrics[1] or own[1] == 0:
        return
    if {own[0], metrics[0]} & {"0.0.0.0", "::"}:  # noqa: S104 - read, not bound
        yield ConfigError("admin.metrics", f"needs a port of its own: {admin.listen} also uses {own[1]}")
