"""Turns the addresses of the router configuration into Envoy addresses and endpoints.

Nothing is resolved: whether a host is a name or an IP address only decides its cluster's discovery type.
"""

from __future__ import annotations

from collections.abc import Sequence

from envoy_data_plane.envoy.config.cluster.v3 import ClusterDiscoveryType
from envoy_data_plane.envoy.config.core.v3 import Address, Pipe, SocketAddress
from envoy_data_plane.envoy.config.endpoint.v3 import (
    ClusterLoadAssignment,
    Endpoint,
    LbEndpoint,
    LocalityLbEndpoints,
)

from router_extproc.address import UnixAddress, ip_of, is_unix, parse_address, read_tcp


def address(text: str) -> Address:
    """`unix:PATH`, `HOST:PORT` or `[IPV6]:PORT` as an Envoy address."""
    parsed = parse_address(text)
    if isinstance(parsed, UnixAddress):
        return Address(pipe=Pipe(path=parsed.path))
    tcp = read_tcp(text)
    return Address(socket_address=SocketAddress(address=tcp.host, port_value=tcp.port))


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
    return not is_unix(text) and ip_of(read_tcp(text).host) is None
