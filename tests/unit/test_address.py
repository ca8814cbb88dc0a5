"""Addresses are parsed, and written again, in one place."""

from __future__ import annotations

import pytest

from router_extproc.address import (
    Address,
    TcpAddress,
    UnixAddress,
    parse_address,
    parse_tcp,
    read_tcp,
    worker_address,
)

SPELLINGS = [
    ("127.0.0.1:50051", TcpAddress("127.0.0.1", 50051)),
    ("pool.example:443", TcpAddress("pool.example", 443)),
    ("[::1]:50051", TcpAddress("::1", 50051)),
    ("10.0.0.1:0", TcpAddress("10.0.0.1", 0)),
    ("unix:/run/r/{worker}.sock", UnixAddress("/run/r/{worker}.sock")),
    ("unix:", UnixAddress("")),
]


@pytest.mark.parametrize(("text", "address"), SPELLINGS)
def test_an_address_is_read_and_written_alike(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "host",
        ":80",
        "host:",
        "host:port",
        "host:65536",
        "host:-1",
        "host:²",
        "::1:80",
        "[::1:80",
        "::1]:80",
    ],
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert parse_address(text) is None
    with pytest.raises(ValueError, match="HOST:PORT"):
        read_tcp(text)


def test_a_socket_is_no_tcp_address() -> None:
    assert parse_tcp("unix:/run/0.sock") is None


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("unix:/run/r/{worker}.sock", "unix:/run/r/2.sock"),
        ("127.0.0.1:50051", "127.0.0.1:50053"),
        ("[::1]:50051", "[::1]:50053"),
        ("127.0.0.1:0", "127.0.0.1:0"),
    ],
)
def test_each_worker_has_its_own_address(listen: str, address: str) -> None:
    assert worker_address(listen, worker=2) == address


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("LocalHost", True),
        ("10.0.0.1", False),
        ("pool", False),
    ],
)
def test_loopback_is_known_by_address_and_by_name(host: str, *, loopback: bool) -> None:
    assert TcpAddress(host, 80).is_loopback is loopback
