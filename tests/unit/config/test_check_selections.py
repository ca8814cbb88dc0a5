"""A selection needs prices, and a table that knows its candidates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from router_extproc.config.check_selections import own_signals
from router_extproc.config.examine import examine
from router_extproc.config.reload import head_files_of
from router_extproc.config.translate import router_policy_of
from router_extproc.models.onnx.quality import KernelParts, ModelRecord, QualityManifest, write_quality
from router_extproc.routing.outcomes.seen import Learning
from router_extproc.routing.selection.expected import COMPLEXITY

TEXT = """version: 1
default_model: small
models:
  small: {{cluster: a, cost: {{input_per_mtok: 0.1, output_per_mtok: 0.2}}}}
  large: {{cluster: b, served_name: Org/Large{cost}}}
signals: {{}}
decisions:
  - {{name: general, models: [small, large], selection: {{{selection}}}}}
"""
PRICED = ", cost: {input_per_mtok: 1, output_per_mtok: 2}"


def configured(folder: Path, selection: str, cost: str = PRICED) -> Path:
    """The file of a configuration."""
    file = folder / "router.yaml"
    file.write_text(TEXT.format(selection=selection, cost=cost))
    return file


def learned_from(folder: Path, *models: str) -> None:
    """A folder as `train selection` writes it."""
    ones = np.ones(1, np.float32)
    parts = KernelParts(ones, ones, np.ones((1, 1), np.float32), np.ones((1, 2), np.float32), ones)
    records = tuple(
        ModelRecord(name=name, mean=0.5, rows=1, input_per_mtok=1, output_per_mtok=1, answer_tokens=1)
        for name in models
    )
    manifest = QualityManifest(
        files={}, models=records, encoder="e", tasks=None, dim=1, features=1, gamma=1, rows=1
    )
    write_quality(folder, parts, manifest)


@pytest.mark.parametrize(
    ("selection", "problem"),
    [
        ("by: cheapest", "models.large.cost: is required: decisions[0].selection by cheapest compares costs"),
        ("by: learned, model: mine, cost_weight: 0.2", "models.large.cost: is required"),
        ("by: learned", "decisions[0].selection.model: "),
        ("by: cheapest, quality_min: 2", "decisions[0].selection.quality_min: "),
        ("by: bandit", "models.large.cost: is required: decisions[0].selection by bandit compares costs"),
        ("by: bandit, explore_share: 0.6", "decisions[0].selection.explore_share: "),
        ("by: bandit, outcomes_per_client: 0", "decisions[0].selection.outcomes_per_client: "),
        ("by: bandit, half_life_s: 1", "decisions[0].selection.half_life_s: "),
        ("by: bandit, prior_weight: 0", "decisions[0].selection.prior_weight: "),
        ("by: wisest", "decisions[0].selection.by: must be one of 'fixed'"),
        ("quality_min: 0.5", "decisions[0].selection.by: is required: one of 'fixed'"),
    ],
)
def test_what_a_selection_lacks_is_told(tmp_path: Path, selection: str, problem: str) -> None:
    problems = examine(configured(tmp_path, selection, cost="")).errors
    assert any(problem in str(each) for each in problems), problems


def test_learned_without_a_weight_of_costs_needs_no_prices(tmp_path: Path) -> None:
    learned_from(tmp_path / "mine", "small", "large")
    assert not examine(configured(tmp_path, "by: learned, model: mine", cost="")).errors


def test_the_folder_is_beside_the_file_and_must_know_every_candidate(tmp_path: Path) -> None:
    file = configured(tmp_path, "by: learned, model: mine")
    (missing,) = examine(file).errors
    assert str(missing).startswith("decisions[0].selection.model: no folder of `train selection`")
    learned_from(tmp_path / "mine", "small", "Org/Larg")
    (unknown,) = examine(file).errors
    assert "its table has no scores of 'large' (did you mean 'Org/Larg'?)" in str(unknown)
    learned_from(tmp_path / "mine", "small", "Org/Large")
    assert not examine(file).errors


def test_a_selection_brings_its_signal_along(tmp_path: Path) -> None:
    learned_from(tmp_path / "mine", "small", "large")
    config = examine(configured(tmp_path, "by: learned, model: mine")).accepted()
    name = f"quality:{tmp_path / 'mine'}"
    policy = router_policy_of(config)
    assert (policy.signals.keys(), own_signals(config).keys()) == ({name}, {name})
    assert policy.needs_encoder
    assert policy.routing.counts_tokens
    assert head_files_of(config, None) == (tmp_path / "mine" / "manifest.json",)
    complexity = examine(configured(tmp_path, "by: cheapest")).accepted()
    assert router_policy_of(complexity).signals.keys() == {COMPLEXITY}


def test_a_decision_learns_only_where_its_selection_says_so(tmp_path: Path) -> None:
    """With the bounds that the configuration names."""
    section = "by: bandit, half_life_s: 3600, outcomes_per_client: 5"
    learning = router_policy_of(examine(configured(tmp_path, section)).config).routing.learning
    assert learning == {"general": Learning(frozenset(["small", "large"]), 3600.0, 5)}
    assert not router_policy_of(examine(configured(tmp_path, "by: cheapest")).config).routing.learning
