"""Warnings of how Milvus is reached and what it keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from router_extproc.address import is_loopback_host
from router_extproc.cache.milvus.endpoint import ServerEndpoint, endpoint_of
from router_extproc.cache.milvus.settings import Milvus
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
    yield from _warn_of_unused(subject, cache.milvus)
    if connection.auth.enabled and not _is_safe(cache.milvus):
        problem = "the password travels to Milvus in clear text: write tls.enabled: true"
        yield ConfigWarning(f"{_CONNECTION}.auth", problem)


def _warn_of_unused(subject: Subject, milvus: Milvus) -> Iterator[ConfigWarning]:
    connection = milvus.connection
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
    if not isinstance(endpoint_of(milvus), ServerEndpoint) and (auth.enabled or tls.enabled):
        key = "auth" if auth.enabled else "tls"
        problem = "has no effect: Milvus Lite is a folder on this machine"
        yield ConfigWarning(f"{_CONNECTION}.{key}", problem)


def _is_safe(milvus: Milvus) -> bool:
    """True when nobody between here and Milvus can read along."""
    endpoint = endpoint_of(milvus)
    if not isinstance(endpoint, ServerEndpoint) or endpoint.tls:
        return True
    try:
        server = urlsplit(endpoint.uri)
        return server.scheme == "https" or is_loopback_host(server.hostname or "")
    except ValueError:  # no URI; Milvus's client says so
        return True


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
