"""A user's own labels: from rows to a head that knows what is out of scope."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from router_extproc.errors import ConfigError, ConfigProblems
from router_extproc.evaluation.intent import predict_intent
from router_extproc.models.base import Encoding
from router_extproc.models.onnx.heads import open_head
from router_extproc.testing.fake_encoder import FakeEncoder
from router_extproc.training.heads.check_rows import read_own
from router_extproc.training.heads.examples import Example
from router_extproc.training.heads.head_onnx import write_head
from router_extproc.training.heads.net import Plan
from router_extproc.training.heads.report import tell_lines, write_picture
from router_extproc.training.heads.scope import guess_scope
from router_extproc.training.heads.train import Confusion, CustomHead, plan_for, train_own

ENCODER = FakeEncoder(dim=64)
PLAN = Plan(hidden=32, members=1, epochs=30, batch=16)
DISHES = ("bread", "cake", "pie", "soup", "stew", "rice", "fish", "corn", "beans", "eggs")
PLACES = ("rome", "oslo", "lima", "cairo", "tokyo", "delhi", "paris", "quito", "accra", "perth")
TIMES = ("today", "tomorrow", "tonight", "soon")
STRANGE = (
    "violin",
    "granite",
    "goalkeeper",
    "verdict",
    "pension",
    "orchid",
    "galaxy",
    "sonnet",
    "diode",
    "larch",
)


def examples(*, strange: bool) -> list[Example]:
    cooking = [Example(f"please cook {a} {b}", "cooking", "rows") for a, b in product(DISHES, TIMES)]
    travel = [Example(f"book flights to {a} {b}", "travel", "rows") for a, b in product(PLACES, TIMES)]
    other = [Example(f"{a} {b} {a}s", "oos", "rows") for a, b in product(STRANGE, ("old", "new"))]
    return [*cooking, *travel, *(other if strange else ())]


@pytest.fixture(scope="module")
def trained() -> CustomHead:
    return train_own(examples(strange=True), ENCODER, plan=PLAN)


@pytest.fixture(scope="module")
def without() -> CustomHead:
    return train_own(examples(strange=False), ENCODER, plan=PLAN)


def scores(trained: CustomHead, text: str) -> dict[str, float]:
    encoding = ENCODER.encode(text)
    found = trained.net.scores(encoding.vector[None], [np.array(encoding.ids, np.int64)])[0]
    return dict(zip(trained.net.named, found.tolist(), strict=True))


def test_labels_are_learned(trained: CustomHead) -> None:
    assert trained.figures.accuracy.value > 0.9
    assert scores(trained, "please cook lentils today")["cooking"] > 0.5


def test_rows_out_of_scope_teach_their_label(trained: CustomHead) -> None:
    found = scores(trained, "galaxy new galaxys")
    assert max(found, key=found.__getitem__) == "oos"
    assert sum(found.values()) == pytest.approx(1, abs=1e-5)


def test_out_of_scope_is_told_without_such_rows(without: CustomHead) -> None:
    """What the scores lack to one is the chance of none of the labels."""
    assert without.net.named == ("cooking", "travel")
    strange = sum(scores(without, "galaxy new galaxys").values())
    assert strange < 0.5 < sum(scores(without, "please cook eggs soon").values())


def test_prediction_of_a_strange_text_has_a_low_score(trained: CustomHead, tmp_path: Path) -> None:
    """Also where its label is `oos`: a low score always means out of scope."""
    write_head(tmp_path / "own", trained.net, encoder=ENCODER.identity)
    head = open_head(str(tmp_path / "own"), encoder=ENCODER, where="test")
    prediction = predict_intent(ENCODER.encode("galaxy new galaxys"), head)
    assert prediction.label == "oos"
    assert prediction.score < 0.5 < prediction.scores["oos"]


@pytest.mark.parametrize("text", ["please cook eggs soon", "flights", "book", "", "galaxy new galaxys"])
def test_written_head_says_what_its_net_says(trained: CustomHead, tmp_path: Path, text: str) -> None:
    """But for the rounding of the table of words; the empty text has no words at all."""
    write_head(tmp_path / "own", trained.net, encoder=ENCODER.identity)
    head = open_head(str(tmp_path / "own"), encoder=ENCODER, where="test")
    encoding = replace(ENCODER.encode(text), ids=ENCODER.encode(text).ids or (0,))
    wanted = trained.net.scores(encoding.vector[None], [np.array(encoding.ids, np.int64)])[0]
    assert list(head.scores(encoding).values()) == pytest.approx(wanted.tolist(), abs=0.02)


def test_words_reach_the_written_head(trained: CustomHead, tmp_path: Path) -> None:
    """The same vector with other words gets other scores."""
    words = replace(trained.net, words_weight=5.0)
    write_head(tmp_path / "own", words, encoder=ENCODER.identity)
    head = open_head(str(tmp_path / "own"), encoder=ENCODER, where="test")
    vector = np.zeros(64, np.float32)
    cook, book = (
        head.scores(Encoding(vector, 2, truncated=False, ids=ENCODER.encode(text).ids))["cooking"]
        for text in ("please cook", "book flights to")
    )
    assert cook > book


def test_both_scopes_are_reported(trained: CustomHead, without: CustomHead) -> None:
    assert any("of those out of scope below" in line for line in tell_lines(trained))
    assert any("no rows are labelled oos" in line for line in tell_lines(without))


def test_picture_takes_any_label_as_plain_text(trained: CustomHead, tmp_path: Path) -> None:
    wild = "<b> $\\frac{1$ & \x00"
    figures = replace(trained.figures, recall_by_label={wild: trained.figures.accuracy})
    confusions = (Confusion(wild, "other", 3), *trained.confusions)
    picture = write_picture(tmp_path, replace(trained, figures=figures, confusions=confusions))
    assert picture.read_text(encoding="utf-8").startswith("<?xml")


def test_without_matplotlib_the_extra_is_named(
    trained: CustomHead, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ConfigError, match=r"run `pip install .router-extproc\[training\]"):
        write_picture(tmp_path, trained)


def test_few_rows_are_trained_longer() -> None:
    assert plan_for(50).epochs > plan_for(10_000).epochs


def test_guessed_scope_keeps_the_rows_it_saw() -> None:
    facts = np.random.default_rng(1).normal(5, 1, (500, 2)).astype(np.float32)
    weights = guess_scope(facts)
    doubts = facts @ weights[:-1] + weights[-1]
    assert (doubts < 0).mean() > 0.98


# ── rows ──────────────────────────────────────────────────────────────────────────────────────


def refused(tmp_path: Path, *lines: str) -> str:
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ConfigProblems) as caught:
        read_own(path)
    return str(caught.value).replace(str(tmp_path) + "/", "")


def row(text: str, label: str) -> str:
    return f'{{"text": "{text}", "label": "{label}"}}'


def test_missing_field_is_told_with_its_line(tmp_path: Path) -> None:
    assert refused(tmp_path, row("a", "x"), '{"text": "b"}') == "mine.jsonl:2: needs text in label"


def test_same_text_under_two_labels_is_told_with_both_lines(tmp_path: Path) -> None:
    told = refused(tmp_path, row("Pay now", "x"), row("other", "y"), row("pay  NOW", "y"))
    assert told == "mine.jsonl:3: the same text is 'x' in line 1 and 'y' here"


def test_blank_label_is_told_with_its_line(tmp_path: Path) -> None:
    assert refused(tmp_path, row("a", " ")) == "mine.jsonl:1: label must not be empty"


def test_one_label_only_is_refused(tmp_path: Path) -> None:
    lines = [row(f"text {number}", "x") for number in range(8)] + [row("strange", "oos")]
    told = refused(tmp_path, *lines)
    assert told == "mine.jsonl: training needs at least two labels beside 'oos', but the rows have 'x'"


def test_label_with_too_few_rows_is_named_with_its_lines(tmp_path: Path) -> None:
    lines = [row(f"text {number}", "x") for number in range(8)] + [row("one", "y"), row("two", "y")]
    told = refused(tmp_path, *lines)
    assert told == "mine.jsonl: a label needs 4 different texts, but 'y' has 2 (line 9, 10)"


def test_row_that_comes_twice_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    lines = [row(f"{label} {number}", label) for label in "xy" for number in range(4)]
    path.write_text("\n".join([*lines, lines[0]]), encoding="utf-8")
    assert len(read_own(path)) == 8
