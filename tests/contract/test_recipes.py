"""The recipes in examples/: complete, without a warning, and every probe is decided as its file expects."""

from __future__ import annotations

from pathlib import Path

import pytest

from router_extproc.cli.probes import failed_probes
from router_extproc.config.examine import examine
from router_extproc.envoy_config.render import render

EXAMPLES = Path(__file__).parents[2] / "examples"
RECIPES = sorted(folder.name for folder in EXAMPLES.iterdir() if folder.is_dir())


def test_every_recipe_is_in_the_list() -> None:
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert len(RECIPES) >= 3
    assert [name for name in RECIPES if f"({name}/README.md)" not in listed] == []


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_has_neither_problems_nor_warnings(name: str) -> None:
    report = examine(EXAMPLES / name / "router.yaml")
    assert [problem.located() for problem in (*report.errors, *report.warnings)] == []


@pytest.mark.parametrize("name", RECIPES)
def test_envoys_configuration_can_be_rendered(name: str) -> None:
    assert "bootstrap.yaml" in render(examine(EXAMPLES / name / "router.yaml").accepted(), "bootstrap")


@pytest.mark.parametrize("name", RECIPES)
def test_every_probe_is_decided_as_expected(name: str) -> None:
    config = examine(EXAMPLES / name / "router.yaml").accepted()
    number, failed = failed_probes(config, EXAMPLES / name / "probes.jsonl")
    assert failed == []
    assert number >= 5
