"""Where Milvus is: a server with its credentials, or Milvus Lite in this process or the one beside it.

It is not a connection. The rule it keeps: every key of `connection` in milvus.yaml ends up here, and
neither password nor token is ever shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from router_extproc.cache.milvus.settings import (
    Milvus,
    MilvusCollection,
    MilvusConnection,
    MilvusIndex,
    MilvusTls,
)

#: A path that ends so selects Milvus Lite.
LITE_SUFFIX = ".db"
#: An address that begins so is the socket of a Milvus Lite process (`lite_process`).
SOCKET_PREFIX = "unix:"


@dataclass(frozen=True, slots=True)
class LiteEndpoint:
    """A folder of Milvus Lite; one process at a time may open it."""

    path: Path


@dataclass(frozen=True, slots=True)
class LiteProcessEndpoint:
    """Milvus Lite in a process of its own, which several workers ask."""

    uri: str


@dataclass(frozen=True, slots=True)
class ServerEndpoint:
    """A Milvus server, standalone or cluster."""

    uri: str
    database: str
    #: "user:password" or a token; "" without authentication.
    token: str = field(repr=False)
    #: TLS keywords of the client.
    tls: dict[str, str | bool]


Endpoint: TypeAlias = LiteEndpoint | LiteProcessEndpoint | ServerEndpoint


def endpoint_of(settings: Milvus) -> Endpoint:
    """The place that the settings name."""
    connection = settings.connection
    uri = settings.uri or connection.uri
    if uri is not None and uri.endswith(LITE_SUFFIX):
        return LiteEndpoint(Path(uri).absolute())
    if uri is not None and uri.startswith(SOCKET_PREFIX):
        return LiteProcessEndpoint(uri)
    return ServerEndpoint(
        uri=uri or _uri(connection),
        database=connection.database,
        token=_token(connection),
        tls=_tls(connection.tls),
    )


def collection_of(settings: Milvus) -> MilvusCollection:
    """The collection that the settings describe; on Milvus Lite without a graph index and without parts.

    There the near tier answers nearly every search, brute force is fast enough for the rest, and
    building the graph would hold up the end of its process by seconds.
    """
    if isinstance(endpoint_of(settings), ServerEndpoint):
        return settings.collection
    simple = {"index": MilvusIndex(type="FLAT"), "partitions": 0}
    return settings.collection.model_copy(update=simple)


def _uri(connection: MilvusConnection) -> str:
    scheme = "https" if connection.tls.enabled else "http"
    host = f"[{connection.host}]" if ":" in connection.host else connection.host
    return f"{scheme}://{host}:{connection.port}"


def _token(connection: MilvusConnection) -> str:
    if not connection.auth.enabled:
        return ""
    return connection.auth.token or f"{connection.auth.username}:{connection.auth.password}"


def _tls(tls: MilvusTls) -> dict[str, str | bool]:
    if not tls.enabled:
        return {}
    if tls.cert_file and tls.key_file:
        files = {
            "client_pem_path": tls.cert_file,
            "client_key_path": tls.key_file,
            "ca_pem_path": tls.ca_file,
        }
    else:
        # The client's name for "trust this CA": without client certificate it reads no other file.
        files = {"server_pem_path": tls.ca_file}
    texts = {**files, "server_name": tls.server_name}
    return {"secure": True, **{name: text for name, text in texts.items() if text}}
