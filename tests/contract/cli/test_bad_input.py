"""Every task of `eval` answers on any text: with a low score, in bounded time, and never with a failure."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path
from typing import Any

import pytest

from router_extproc.cli import main
from router_extproc.models.onnx.encoder import OnnxEncoder

#: Far above what a text takes on a busy machine, far below what one of a megabyte would take if read whole.
PATIENCE_S = 60.0
LOW = 0.5
#: Texts in which no task can find anything.
EMPTY = {
    "empty": "",
    "blank": " \n\t",
    "control": "\x00\x01\x1b\x7f",
    "emoji": "😀🎉" * 50,
    "lone surrogates": "\ud800 \udfff\ud800",
    "joiners": "\u200b\u202e\ufeff",
}
#: Texts that have something in them, but nothing that a task is about.
STRANGE = {
    "one word of a megabyte": "x" * 1_000_000,
    "a megabyte of words": "word " * 200_000,
    "accents": "a" + "\u0301\u0316" * 500_000,
    "mixed scripts": "мир hello 你好 שלום नमस्ते",
    "surrogates among words": "please \ud83d help \udc00 me",
}
TASKS = ("intent", "language", "pii", "guard", "complexity")


def predictions_of(task: str, texts: dict[str, str], folder: Path) -> dict[str, dict[str, Any]]:
    data, out = folder / "rows.jsonl", folder / "out.jsonl"
    field = ("text_a", "text_b") if task == "pairs" else ("text",)
    rows = [json.dumps(dict.fromkeys(field, text)) for text in texts.values()]
    data.write_text("\n".join(rows), encoding="utf-8")
    started = time.monotonic()
    with pytest.raises(SystemExit) as ended:
        main(["eval", task, "--data", str(data), "--predictions", str(out), "--json"])
    assert not ended.value.code
    assert time.monotonic() - started < PATIENCE_S
    made = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    return dict(zip(texts, made, strict=True))


@pytest.mark.parametrize("task", TASKS)
def test_text_with_nothing_in_it_gets_a_low_score(encoder: OnnxEncoder, tmp_path: Path, task: str) -> None:
    made = predictions_of(task, EMPTY, tmp_path)
    assert {name: each for name, each in made.items() if each.get("score", 0.0) >= LOW} == {}
    assert {name: each for name, each in made.items() if each.get("spans") or each.get("attack")} == {}


@pytest.mark.parametrize("task", [*TASKS, "pairs"])
def test_strange_text_gets_an_answer(encoder: OnnxEncoder, tmp_path: Path, task: str) -> None:
    """A megabyte takes no longer than a page: every task reads a bounded part."""
    made = predictions_of(task, STRANGE, tmp_path)
    assert all(0 <= each.get("score", 0.0) <= 1 for each in made.values())


@pytest.mark.parametrize("task", ["pii", "guard"])
def test_noise_raises_no_alarm(encoder: OnnxEncoder, tmp_path: Path, task: str) -> None:
    made = predictions_of(task, STRANGE, tmp_path)
    assert {name: each for name, each in made.items() if each.get("spans") or each.get("attack")} == {}


def test_unreadable_pairs_are_no_hits_unless_they_are_equal(encoder: OnnxEncoder, tmp_path: Path) -> None:
    """Two emoji are the same to the encoder; an answer to one is none to the other."""
    data, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    texts = list({**EMPTY, **STRANGE}.values())
    rows = [json.dumps({"text_a": one, "text_b": other}) for one, other in itertools.pairwise(texts)]
    data.write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["eval", "pairs", "--data", str(data), "--predictions", str(out), "--json"])
    assert not ended.value.code
    assert not any(json.loads(line)["hit"] for line in out.read_text("utf-8").splitlines())
