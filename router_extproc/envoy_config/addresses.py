"""Turns the address spellings of the router configuration into Envoy addresses and endpoints.

Whether a host is a name or an address only decides which discovery type its cluster needs.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from envoy_data_plane.envoy.config.cluster.v3 import ClusterDiscoveryType
from envoy_data_plane.envoy.config.core.v3 import Address, Pipe, SocketAddress
from envoy_data_plane.envoy.config.endpoint.v3 import (
    ClusterLoadAssignment,
    Endpoint,
    LbEndpoint,
    LocalityLbEndpoints,
)

_UNIX = "unix:"


def address(text: str) -> Address:
    """`unix:PATH`, `HOST:PORT` or `[IPV6]:PORT` as an Envoy address."""
    if text.startswith(_UNIX):
        return Address(pipe=Pipe(path=text.removeprefix(_UNIX)))
    host, port = split_host_port(text)
    return Address(socket_address=SocketAddress(address=host, port_value=port))


def split_host_port(text: str) -> tuple[str, int]:
    """`HOST:PORT` or `[IPV6]:PORT` in two; an IPv6 host loses its brackets."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def discovery_type(addresses: Sequence[str]) -> ClusterDiscoveryType:
    """STATIC for sockets and IP addresses, STRICT_DNS as soon as one of them is a name."""
    if any(_is_name(text) for text in addresses):
        return ClusterDiscoveryType.STRICT_DNS
    return ClusterDiscoveryType.STATIC


def endpoints(cluster: str, addresses: Sequence[str]) -> ClusterLoadAssignment:
    """One locality with one endpoint per address."""
    members = [LbEndpoint(endpoint=Endpoint(address=address(text))) for text in addresses]
    return ClusterLoadAssignment(cluster_name=cluster, endpoints=[LocalityLbEndpoints(lb_endpoints=members)])


def _is_name(text: str) -> bool:
    if text.startswith(_UNIX):
        return False
    try:
        ipaddress.ip_address(split_host_port(text)[0])
    except ValueError:
        return True
    return False
