# ruff: noqa: E501 - tables read best with one case in a line
"""The JSON schema: valid, complete, described, and of one mind with the reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from router_extproc.config.document import load
from router_extproc.config.effective import effective
from router_extproc.config.examine import examine
from router_extproc.config.field_comments import comments_of
from router_extproc.config.model import SemanticCache
from router_extproc.config.schema import json_schema

from .conftest import SMALLEST

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
SHIPPED = [ROOT / "deploy" / "router.yaml", ROOT / "router_extproc" / "demo" / "router.yaml"]
REFERENCE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")


def errors(text: str) -> list[str]:
    return [error.json_path for error in VALIDATOR.iter_errors(load(text, "x").value)]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.parent.name)
def test_what_is_shipped_fits(file: Path) -> None:
    assert errors(file.read_text()) == []
    report = examine(file, environ={})
    assert list(VALIDATOR.iter_errors(effective(report.accepted(), report.sources))) == []


@pytest.mark.parametrize(
    "block", re.findall(r"```yaml\n(version: 1.*?)```", REFERENCE, re.DOTALL), ids=lambda _: "block"
)
def test_what_the_reference_shows_fits(block: str) -> None:
    assert errors(block) == []


@pytest.mark.parametrize(
    "text",
    [
        "workers: ${WORKERS}",
        "semantic_cache: {enabled: '${ON}', similarity_threshold: '${S}', scope: shared}",
        "semantic_cache: {milvus: {connection: {auth: {password: '${PW}'}}}}",
        "decisions: [{name: a, model: small, when: {all: [{domain: [math, law]}, {not: {k: true}}, {c: {min: 0.5, any: [x]}}]}}]",
        "signals: {a: {type: keywords, any: [x]}, b: {type: header, header: x-tier}, c: {type: guard}}",
        "decisions: [{name: a, model: small, when: null, cache: {mode: off}}]",
    ],
)  # fmt: skip
def test_what_is_accepted_fits(text: str) -> None:
    assert errors(SMALLEST + text + "\n") == []


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("wrokers: 2", "$"),
        ("limits: {drain: 2}", "$.limits"),
        ("workers: 0", "$.workers"),
        ("workers: two", "$.workers"),
        ("signals: {a: {type: keyword, any: [x]}}", "$.signals.a"),
        ("signals: {a: {type: header}}", "$.signals.a"),
        ("decisions: [{name: 'a b', model: small}]", "$.decisions[0].name"),
        ("decisions: [{name: a, model: small, when: {all: []}}]", "$.decisions[0].when"),
        ("decisions: [{name: a, model: small, when: {x: {mim: 1}}}]", "$.decisions[0].when"),
        ("decisions: [{name: a, model: small, when: {x: true, y: true}}]", "$.decisions[0].when"),
        ("semantic_cache: {eviction_policy: fifoo}", "$.semantic_cache.eviction_policy"),
        ("semantic_cache: {scope: mine}", "$.semantic_cache.scope"),
    ],
)
def test_what_is_refused_does_not_fit(text: str, path: str) -> None:
    assert path in errors(SMALLEST + text + "\n")


def test_a_version_is_wanted() -> None:
    assert errors("default_model: a\nmodels: {a: {cluster: c}}\n") == ["$"]


def test_every_section_refuses_keys_that_it_does_not_know() -> None:
    open_ones = [
        name for name, part in [*SCHEMA["$defs"].items(), ("", SCHEMA)]
        if "properties" in part and part.get("additionalProperties") is not False and name != "Rule"
    ]  # fmt: skip
    assert open_ones == []


def test_fields_are_described_by_their_comments() -> None:
    described = SCHEMA["$defs"]["SemanticCache"]["properties"]["verifier"]["description"]
    assert described == comments_of(SemanticCache)["verifier"]
    assert described.startswith(
        "What decides whether a neighbour's answer fits: a small cross-encoder and equivalence guards"
    )
    assert SCHEMA["$defs"]["Model"]["description"] == "One LLM behind one Envoy cluster."


def test_comments_are_inherited_and_missing_ones_are_no_error() -> None:
    class Longer(SemanticCache):
        #: One more.
        more: int = 1

    assert comments_of(Longer)["more"] == "One more."
    assert comments_of(Longer)["verifier"] == comments_of(SemanticCache)["verifier"]


def test_every_field_is_described_by_itself_or_by_its_section() -> None:
    """An editor shows it beside the key."""
    bare = {f"{name}.{key}" for name, key, field in fields() if not described(field)}
    assert bare == set()


def described(field: dict[str, Any]) -> bool:
    return "description" in field or "$ref" in field


def fields() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, part in [*SCHEMA["$defs"].items(), ("", SCHEMA)]:
        for key, field in part.get("properties", {}).items():
            # Each signal's section says what `type` selects.
            if key != "type" or name == "MilvusIndex":
                yield name, key, field
