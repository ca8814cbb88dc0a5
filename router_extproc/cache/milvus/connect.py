"""Opening Milvus: blocking set-up, run in a thread, that ends in an address to connect to.

Milvus Lite is started and released here only, and a released one has all its rows on disk.
"""

from __future__ import annotations

import atexit
import logging
from collections.abc import Callable
from typing import Any, Final, assert_never

from pymilvus import AsyncMilvusClient, MilvusClient

from router_extproc.cache.milvus.endpoint import Endpoint, LiteEndpoint, LiteProcessEndpoint, ServerEndpoint
from router_extproc.cache.milvus.errors import FOREIGN_ERRORS, translate_opening
from router_extproc.cache.milvus.lite_problem import told_problem
from router_extproc.cache.milvus.lite_server import LiteServers
from router_extproc.cache.milvus.purge_schema import WRITES_SUFFIX, ensure_purge_log
from router_extproc.cache.milvus.schema import ensure_collection
from router_extproc.cache.milvus.settings import MilvusCollection

# Both log every failure with a stack trace, and the filter with it, at every attempt. We translate and
# count their errors instead, and say in the state of the cache why it is not ready. gRPC's server for threads
# serves nothing but Milvus Lite, and would do the same.
for _name in ("pymilvus", "milvus_lite", "grpc._server"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


# Of the process, as the lock on a folder is: a connection that is opened again finds its folder served.
_lite_servers: Final = LiteServers()
# An end without `release_lite` leaves rows in the log for the next start, but no socket behind.
atexit.register(_lite_servers.release_all)

#: To a Unix socket no ping is needed: its other end cannot be gone unnoticed. By default the client pings
#: after 10 s of silence, and Milvus Lite's server takes that for an attack (`too_many_pings`): it hangs up
#: after two minutes without a call, and after 45 s when there is a call every 45 s.
_NO_PINGS: Final = {"grpc.keepalive_time_ms": 2**31 - 1, "grpc.keepalive_permit_without_calls": 0}

#: To be reached takes no longer, whatever `connection.timeout` says: it is tried again and again.
CONNECT_MAX_S = 5.0
#: Making and loading the collection takes a busy server some seconds; what is begun goes on there, and the
#: next attempt finds it further. Longer would hold up the end of the process, which waits for the thread.
OPEN_MAX_S = 15.0


def open_endpoint(
    endpoint: Endpoint,
    collection: MilvusCollection,
    *,
    dim: int,
    timeout_s: float,
    told_aside: Callable[[str, str], None] = lambda _folder, _now: None,
) -> str:
    """Start Milvus Lite if it is that, make or check the collection, load it; the URI to connect to.

    Blocks up to some times timeout_s. `told_aside` is told of a folder that could not be read, and of the
    name that it has now.

    Raises:
        CacheError: Milvus does not answer, refuses us, or its data cannot be opened.
        CollectionMismatch: see `ensure_collection`.
    """
    try:
        uri = (
            _lite_servers.start(endpoint.path, told_aside=told_aside)
            if isinstance(endpoint, LiteEndpoint)
            else endpoint.uri
        )
        client = MilvusClient(**client_options(endpoint, uri, timeout_s=min(timeout_s, CONNECT_MAX_S)))
        timeout_s = min(timeout_s, OPEN_MAX_S)
        try:
            ensure_collection(client, collection, dim=dim, timeout_s=timeout_s)
            if not isinstance(endpoint, LiteEndpoint):
                ensure_purge_log(client, collection.name, timeout_s=timeout_s)
            if isinstance(endpoint, LiteProcessEndpoint):
                ensure_purge_log(client, collection.name, timeout_s=timeout_s, suffix=WRITES_SUFFIX)
        finally:
            client.close()
    except FOREIGN_ERRORS as error:
        problem = told_problem(endpoint.uri) if isinstance(endpoint, LiteProcessEndpoint) else None
        if problem is not None:
            raise problem from error
        raise translate_opening(error) from error
    return uri


def connect(endpoint: Endpoint, uri: str, *, timeout_s: float) -> AsyncMilvusClient:
    """A client for the data path; connects at its first call."""
    return AsyncMilvusClient(**client_options(endpoint, uri, timeout_s=timeout_s))


def release_lite(endpoint: LiteEndpoint) -> None:
    """Stop Milvus Lite: writes what is in memory to disk and gives the folder free. Blocks."""
    _lite_servers.release(endpoint.path)


def client_options(
    endpoint: Endpoint, uri: str, *, timeout_s: float
) -> dict[str, Any]:  # Any: the library's own
    """Keywords of both clients."""
    options: dict[str, Any] = {"uri": uri, "timeout": timeout_s, "dedicated": True}  # Any: as above
    match endpoint:
        case LiteEndpoint() | LiteProcessEndpoint():
            return {**options, "grpc_options": _NO_PINGS}
        case ServerEndpoint(database=database, token=token, tls=tls):
            return {**options, "db_name": database, "token": token, **tls}
        case _:
            assert_never(endpoint)
