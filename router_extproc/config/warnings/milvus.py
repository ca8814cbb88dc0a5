"""Warnings of how Milvus is reached and what it keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from router_extproc.cache.milvus.settings import MilvusConnection
from router_extproc.config.address import is_loopback
from router_extproc.config.locate import uses_lite
from router_extproc.config.warnings.base import ConfigWarning, Subject

_MILVUS: Final = "semantic_cache.milvus"
_CONNECTION: Final = f"{_MILVUS}.connection"
#: What a lookup waits with consistency level Strong (docs/configuration.md), with the search itself.
STRONG_S: Final = 0.25


def warn_of_connection(subject: Subject) -> Iterator[ConfigWarning]:
    """Settings of the connection that nothing follows, and passwords that anybody on the way reads."""
    cache = subject.config.semantic_cache
    if not cache.enabled or cache.backend_type != "milvus" or cache.milvus is None:
        return
    connection = cache.milvus.connection
    yield from _warn_of_unused(subject, connection)
    if connection.auth.enabled and not _is_safe(connection):
        problem = "the password travels to Milvus in clear text: write tls.enabled: true"
        yield ConfigWarning(f"{_CONNECTION}.auth", problem)


def _warn_of_unused(subject: Subject, connection: MilvusConnection) -> Iterator[ConfigWarning]:
    auth, tls = connection.auth, connection.tls
    if not auth.enabled and (auth.token or (auth.username and auth.password)):
        yield ConfigWarning(f"{_CONNECTION}.auth", "has no effect: auth.enabled is false")
    if not tls.enabled and (tls.ca_file or tls.cert_file or tls.key_file):
        yield ConfigWarning(f"{_CONNECTION}.tls", "has no effect: tls.enabled is false")
    if connection.uri is None:
        return
    for key in ("host", "port"):
        if subject.is_written(f"{_CONNECTION}.{key}"):
            yield ConfigWarning(f"{_CONNECTION}.{key}", "has no effect beside uri")
    if tls.enabled and connection.uri.startswith("http://"):
        yield ConfigWarning(
            f"{_CONNECTION}.uri", "says http://, but tls.enabled asks for https://: change one of them"
        )
    if uses_lite(connection) and (auth.enabled or tls.enabled):
        key = "auth" if auth.enabled else "tls"
        problem = "has no effect: Milvus Lite is a folder on this machine"
        yield ConfigWarning(f"{_CONNECTION}.{key}", problem)


def _is_safe(connection: MilvusConnection) -> bool:
    """True when nobody between here and Milvus can read along."""
    uri = connection.uri
    if uri is None:
        return connection.tls.enabled or is_loopback(f"{connection.host}:{connection.port}")
    address = uri.rpartition("://")[2].rpartition("@")[2].partition("/")[0]
    return connection.tls.enabled or uses_lite(connection) or uri.startswith("https://") or _is_near(address)


def _is_near(address: str) -> bool:
    return is_loopback(address if ":" in address else f"{address}:19530")


def warn_of_collection(subject: Subject) -> Iterator[ConfigWarning]:
    """A consistency level for which a lookup has no time."""
    cache, limits = subject.config.semantic_cache, subject.config.limits
    if not cache.enabled or cache.backend_type != "milvus" or cache.milvus is None:
        return
    collection = cache.milvus.collection
    if collection.consistency_level == "Strong" and limits.cache_timeout_s < STRONG_S:
        problem = (
            f"with Strong every lookup waits about 0.2 s, and has only {limits.cache_timeout_s:g} s"
            " (limits.cache_timeout_s): most would time out"
        )
        yield ConfigWarning(f"{_MILVUS}.collection.consistency_level", problem)
