"""What `shadow_policy` names is read and checked with the configuration."""

from __future__ import annotations

from pathlib import Path

from router_extproc.config.examine import Report, examine
from router_extproc.config.read import read_config
from router_extproc.config.reload import Readable, read_candidate

TEXT = "version: 1\ndefault_model: a\nmodels: {a: {cluster: a}}\n"


def examined(folder: Path, shadow: str | None) -> Report:
    (folder / "router.yaml").write_text(f"{TEXT}shadow_policy: next.yaml\n")
    if shadow is not None:
        (folder / "next.yaml").write_text(shadow)
    return examine(folder / "router.yaml")


def test_a_shadow_policy_is_another_configuration_beside_the_first(tmp_path: Path) -> None:
    report = examined(tmp_path, TEXT.replace("default_model: a", "default_model: a\nvirtual_models: [best]"))
    assert report.errors == ()
    assert report.shadow is not None
    assert report.shadow.virtual_models == ("best",)


def test_its_problems_are_problems_with_its_own_lines(tmp_path: Path) -> None:
    report = examined(tmp_path, f"{TEXT}decisions: [{{name: x, model: b}}]\nworkers: 0\n")
    found = [(problem.path, problem.mark and Path(problem.mark.file).name) for problem in report.errors]
    assert found == [
        ("shadow_policy (decisions[0].model)", "next.yaml"),
        ("shadow_policy (workers)", "next.yaml"),
    ]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    (problem,) = examined(tmp_path, None).errors
    assert problem.path == "shadow_policy"


def test_a_shadow_policy_has_none_of_its_own(tmp_path: Path) -> None:
    (problem,) = examined(tmp_path, f"{TEXT}shadow_policy: next.yaml\n").errors
    assert problem.path == "shadow_policy (shadow_policy)"


def test_a_reload_reads_it_again(tmp_path: Path) -> None:
    examined(tmp_path, TEXT)
    file = tmp_path / "router.yaml"
    started = read_config(file)
    (tmp_path / "next.yaml").write_text(f"{TEXT}virtual_models: [best]\n")
    found = read_candidate(file, started)
    assert isinstance(found, Readable)
    assert found.shadow is not None
    assert found.shadow.virtual_models == ("best",)
