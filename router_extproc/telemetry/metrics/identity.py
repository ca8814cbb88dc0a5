"""What runs: versions and the configuration's digest, as metrics whose value is always 1."""

from __future__ import annotations

import platform
from collections.abc import Callable
from importlib import metadata
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from router_extproc import __version__
from router_extproc.telemetry.metrics.exposition import PREFIX

#: Label to distribution: whose versions explain what a build does.
LIBRARIES: Final = {
    "grpc": "grpcio",
    "onnxruntime": "onnxruntime",
    "tokenizers": "tokenizers",
    "faiss": "faiss-cpu",
    "pymilvus": "pymilvus",
}
ABSENT: Final = "absent"


def publish_identity(registry: CollectorRegistry, *, config_digest: str) -> Callable[[str], None]:
    """Add build_info and config_info; what is returned shows another digest from then on."""
    build = {"version": __version__, "python": platform.python_version()}
    build |= {label: _version_of(name) for label, name in LIBRARIES.items()}
    _publish(registry, "build_info", "Versions of this build.", build)
    text = "Digest of the configuration in force."
    config = _publish(registry, "config_info", text, {"digest": config_digest})

    def show(digest: str) -> None:
        config.clear()
        config.labels(digest=digest).set(1)

    return show


def _publish(registry: CollectorRegistry, name: str, text: str, labels: dict[str, str]) -> Gauge:
    gauge = Gauge(f"{PREFIX}_{name}", text, tuple(labels), registry=registry)
    gauge.labels(**labels).set(1)
    return gauge


def _version_of(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ABSENT
