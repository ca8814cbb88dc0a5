"""Every key of `connection` in milvus.yaml reaches the client."""

from __future__ import annotations

from pathlib import Path

import pytest

from router_extproc.cache.milvus.connect import client_options
from router_extproc.cache.milvus.endpoint import (
    Endpoint,
    LiteEndpoint,
    LiteProcessEndpoint,
    ServerEndpoint,
    collection_of,
    endpoint_of,
)
from router_extproc.cache.milvus.settings import (
    Milvus,
    MilvusAuth,
    MilvusCollection,
    MilvusConnection,
    MilvusIndex,
    MilvusTls,
)


def server(**connection: object) -> ServerEndpoint:
    endpoint = endpoint_of(Milvus(connection=MilvusConnection(**connection)))
    assert isinstance(endpoint, ServerEndpoint)
    return endpoint


def test_path_that_ends_in_db_is_milvus_lite(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    assert endpoint_of(Milvus(uri=str(path))) == LiteEndpoint(path)
    assert endpoint_of(Milvus(connection=MilvusConnection(uri=str(path)))) == LiteEndpoint(path)


def test_milvus_lite_has_no_graph_index_to_build(tmp_path: Path) -> None:
    """Building it would hold up the end of the process by seconds; servers index as configured."""
    wanted = MilvusCollection(name="mine", index=MilvusIndex(type="HNSW"))
    lite = collection_of(Milvus(uri=str(tmp_path / "cache.db"), collection=wanted))
    assert (lite.name, lite.index.type) == ("mine", "FLAT")
    assert collection_of(Milvus(collection=wanted)) == wanted


def test_relative_path_is_made_absolute() -> None:
    """The working directory may change later."""
    assert endpoint_of(Milvus(uri="./cache.db")) == LiteEndpoint(Path.cwd() / "cache.db")


def test_host_port_and_database_name_a_server() -> None:
    endpoint = server(host="milvus.example", port=1234, database="cache")
    assert (endpoint.uri, endpoint.database, endpoint.token, endpoint.tls) == (
        "http://milvus.example:1234",
        "cache",
        "",
        {},
    )


def test_ipv6_host_is_bracketed() -> None:
    assert server(host="::1").uri == "http://[::1]:19530"


def test_uri_of_a_server_comes_before_host_and_port() -> None:
    assert server(uri="https://milvus.example", host="other").uri == "https://milvus.example"


@pytest.mark.parametrize(
    ("auth", "token"),
    [
        (MilvusAuth(enabled=True, username="root", password="p:w"), "root:p:w"),
        (MilvusAuth(enabled=True, username="root", token="t"), "t"),
        (MilvusAuth(enabled=False, username="root", password="pw"), ""),
    ],
)
def test_credentials_are_used_only_when_enabled(auth: MilvusAuth, token: str) -> None:
    assert server(auth=auth).token == token


def test_credentials_are_not_shown() -> None:
    endpoint = server(auth=MilvusAuth(enabled=True, username="root", password="secret"))
    assert "secret" not in repr(endpoint)


@pytest.mark.parametrize(
    ("tls", "options"),
    [
        (MilvusTls(enabled=False, ca_file="ca"), {}),
        (MilvusTls(enabled=True), {"secure": True}),
        (MilvusTls(enabled=True, ca_file="ca"), {"secure": True, "server_pem_path": "ca"}),
        (
            MilvusTls(enabled=True, ca_file="ca", cert_file="cert", key_file="key"),
            {"secure": True, "client_pem_path": "cert", "client_key_path": "key", "ca_pem_path": "ca"},
        ),
    ],
)
def test_tls_files_reach_the_client(tls: MilvusTls, options: dict[str, object]) -> None:
    endpoint = server(tls=tls)
    assert endpoint.tls == options
    assert endpoint.uri.startswith("https://" if tls.enabled else "http://")


@pytest.mark.parametrize(
    "endpoint", [LiteEndpoint(Path("/c.db")), LiteProcessEndpoint("unix:/l.sock")], ids=str
)
def test_milvus_lite_is_not_pinged(endpoint: Endpoint) -> None:
    """Its gRPC server hangs up on a client that pings every 10 s while it computes (`too_many_pings`)."""
    options = client_options(endpoint, "unix:/l.sock", timeout_s=1.0)["grpc_options"]
    assert options["grpc.keepalive_time_ms"] > 24 * 3600 * 1000


def test_a_server_far_away_is_pinged_as_its_client_likes() -> None:
    """Nothing else tells that a network was cut."""
    assert "grpc_options" not in client_options(server(), "http://milvus:19530", timeout_s=1.0)
