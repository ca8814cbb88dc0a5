"""Warnings of files that are not there: the sidecar serves, but without what needs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from router_extproc.config.warnings.base import ConfigWarning, Subject

_TLS: Final = "semantic_cache.milvus.connection.tls"


def warn_of_missing_files(subject: Subject) -> Iterator[ConfigWarning]:
    """Certificates and keys that nobody can open on this machine."""
    milvus = subject.config.semantic_cache.milvus
    if subject.config.semantic_cache.enabled and milvus is not None and milvus.connection.tls.enabled:
        tls = milvus.connection.tls
        named = {"ca_file": tls.ca_file, "cert_file": tls.cert_file, "key_file": tls.key_file}
        for key, file in named.items():
            yield from warn_of_file(f"{_TLS}.{key}", file, "Milvus stays unreachable")
    for name, cluster in subject.config.envoy.clusters.items():
        path = f"envoy.clusters.{name}.ca_file"
        if cluster.tls and subject.is_written(path):
            yield from warn_of_file(path, cluster.ca_file, "if Envoy runs here, it refuses to start")


def warn_of_file(path: str, file: str, consequence: str) -> Iterator[ConfigWarning]:
    """A warning when the file is named and is not there."""
    if file and not Path(file).is_file():
        yield ConfigWarning(path, f"no file '{file}' on this machine: {consequence}")
