"""`router-extproc import vllm-sr`: writes, lists what is lost, and never writes over a file."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from router_extproc.cli import main

SAMPLES = Path(__file__).parents[2] / "samples" / "vllm_sr"
SMALL = (
    "vllm_endpoints: [{name: a, address: 10.0.0.1, port: 8000}]\n"
    "model_config: {m: {preferred_endpoints: [a]}}\n"
    "default_model: m\n"
    "categories: [{name: law, model_scores: [{model: m, score: 1, use_reasoning: false}]}]\n"
)


def run(*args: object) -> int:
    """The exit code of a command line."""
    with pytest.raises(SystemExit) as ended:
        main([str(arg) for arg in args])
    return int(ended.value.code or 0)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MILVUS_PASSWORD", "secret")
    return tmp_path


def test_what_it_writes_passes_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("import", "vllm-sr", SAMPLES / "categories.yaml", "--out", "mine.yaml") == 0
    assert "router-extproc check mine.yaml" in capsys.readouterr().out
    assert run("check", "mine.yaml") == 0


def test_what_is_lost_is_printed_with_place_reason_and_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    run("import", "vllm-sr", SAMPLES / "flat.yaml")
    errors = capsys.readouterr().err
    assert (
        "not carried over: semantic_cache.backend_type (line 3): redis is no backend here."
        " Nearest: backend_type memory (written here), or milvus." in errors
    )
    assert "setting left out: semantic_cache.use_hnsw (line 7)" in errors


def test_json_has_the_configuration_and_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("import", "vllm-sr", SAMPLES / "flat.yaml", "--json") == 0
    printed = orjson.loads(capsys.readouterr().out)
    assert printed["configuration"]["default_model"] == "chat"
    assert printed["text"] == Path("router.yaml").read_text(encoding="utf-8")
    lost = {item["path"]: item for item in printed["not_carried"]}
    assert lost["semantic_cache.backend_type"] == {
        "path": "semantic_cache.backend_type",
        "line": 3,
        "reason": "redis is no backend here",
        "nearest": "backend_type memory (written here), or milvus",
        "severity": "behaviour",
    }


@pytest.mark.parametrize(("file", "code"), [("small.yaml", 0), (SAMPLES / "flat.yaml", 1)])
def test_strict_fails_when_requests_are_treated_otherwise(file: object, code: int, folder: Path) -> None:
    (folder / "small.yaml").write_text(SMALL)
    assert run("import", "vllm-sr", file, "--strict") == code
    assert (folder / "router.yaml").is_file()


def test_a_file_that_is_there_is_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "small.yaml").write_text(SMALL)
    (folder / "router.yaml").write_text("mine")
    assert run("import", "vllm-sr", "small.yaml") == 2
    assert (folder / "router.yaml").read_text() == "mine"
    assert "router.yaml is there already" in capsys.readouterr().err
    assert run("import", "vllm-sr", "small.yaml", "--force") == 0
    assert "clusters" in (folder / "router.yaml").read_text()


def test_the_old_file_is_never_written_over(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "small.yaml").write_text(SMALL)
    assert run("import", "vllm-sr", "small.yaml", "--out", "./small.yaml", "--force") == 2
    assert (folder / "small.yaml").read_text() == SMALL
    assert "is the file to read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [", "old.yaml:1: not valid YAML"),
        ("a: 1\n", "that is known here"),
        (None, "cannot read old.yaml"),
    ],
)
def test_a_file_that_cannot_be_moved_in_is_an_error_of_one_line(
    text: str | None, expected: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if text is not None:
        (folder / "old.yaml").write_text(text)
    assert run("import", "vllm-sr", "old.yaml") == 2
    errors = capsys.readouterr().err
    assert expected in errors
    assert "Traceback" not in errors
    assert not (folder / "router.yaml").exists()
