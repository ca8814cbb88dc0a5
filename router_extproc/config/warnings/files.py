"""Warnings of files that are not there: the sidecar serves, but without what needs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from router_extproc.config.model import Config
from router_extproc.config.warnings.base import ConfigWarning, Subject
from router_extproc.section import Section

_SERVE_REFUSES: Final = "serve will not start"
_ENVOY_REFUSES: Final = "an Envoy on this machine will not start"
_TLS: Final = "semantic_cache.milvus.connection.tls"


def warn_of_missing_files(subject: Subject) -> Iterator[ConfigWarning]:
    """Certificates and keys that nobody can open on this machine."""
    milvus = subject.config.semantic_cache.milvus
    if subject.config.semantic_cache.enabled and milvus is not None and milvus.connection.tls.enabled:
        tls = milvus.connection.tls
        named = {"ca_file": tls.ca_file, "cert_file": tls.cert_file, "key_file": tls.key_file}
        for key, file in named.items():
            yield from warn_of_file(f"{_TLS}.{key}", file, "Milvus cannot be reached")
    for path, certificate in _certificates(subject.config):
        for key, file in certificate:
            # Where Envoy looks for a relative one is not known here.
            if file and Path(file).is_absolute():
                consequence = _SERVE_REFUSES if path == "listen_tls" else _ENVOY_REFUSES
                yield from warn_of_file(f"{path}.{key}", file, consequence)
    token_file = subject.config.admin.token_file
    yield from warn_of_file("admin.token_file", token_file or "", _SERVE_REFUSES)
    for name, cluster in subject.config.envoy.clusters.items():
        path = f"envoy.clusters.{name}.ca_file"
        if cluster.tls and subject.is_written(path):
            yield from warn_of_file(path, cluster.ca_file, _ENVOY_REFUSES)


def _certificates(config: Config) -> Iterator[tuple[str, Section]]:
    named = {
        "listen_tls": config.listen_tls,
        "envoy.tls": config.envoy.tls,
        "envoy.server_tls": config.envoy.server_tls,
    }
    for path, section in named.items():
        if section is not None:
            yield path, section


def warn_of_file(path: str, file: str, consequence: str) -> Iterator[ConfigWarning]:
    """A warning when the file is named and is not there."""
    if file and not Path(file).is_file():
        yield ConfigWarning(path, f"no file '{file}' on this machine: {consequence}")
