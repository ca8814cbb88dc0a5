"""A head that was trained anew into the same folder is another one."""

from __future__ import annotations

from pathlib import Path

from router_extproc.config.heads import all_head_files, heads_digest
from router_extproc.config.model import Config
from router_extproc.config.read import read_config
from router_extproc.config.reload import Readable, read_candidate

TEXT = """
version: 1
default_model: a
models: {a: {cluster: a}}
signals:
  shipped: {type: intent, model: mmlu14}
  own: {type: intent, model: ./head}
  word: {type: keywords, any: [now]}
"""


def test_only_heads_in_folders_can_be_trained_anew() -> None:
    config = Config.model_validate(
        {
            "version": 1,
            "default_model": "a",
            "models": {"a": {"cluster": "a"}},
            "signals": {
                "shipped": {"type": "intent", "model": "mmlu14"},
                "own": {"type": "intent", "model": "/heads/own"},
                "word": {"type": "keywords", "any": ["now"]},
            },
        }
    )
    assert all_head_files(config.signals) == (Path("/heads/own/manifest.json"),)


def test_no_heads_have_no_digest_and_a_missing_one_is_no_failure(tmp_path: Path) -> None:
    assert heads_digest(()) == ""
    assert heads_digest((tmp_path / "manifest.json",))


def test_a_head_that_was_trained_anew_makes_the_same_file_another_version(tmp_path: Path) -> None:
    (tmp_path / "head").mkdir()
    manifest = tmp_path / "head" / "manifest.json"
    manifest.write_text("{}")
    (tmp_path / "router.yaml").write_text(TEXT)
    started = read_config(tmp_path / "router.yaml")
    heads = []
    for text in ("{}", '{"sha256": "1"}', '{"sha256": "1"}'):
        manifest.write_text(text)
        found = read_candidate(tmp_path / "router.yaml", started)
        assert isinstance(found, Readable)
        assert found.head_files == (manifest,)
        heads.append(found.heads)
    assert heads[0] != heads[1] == heads[2]
