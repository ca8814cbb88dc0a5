"""A table of scores becomes a choice among models, and what is wrong with a table is told by line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from router_extproc.errors import ConfigError, ConfigProblems, RouterError
from router_extproc.evaluation.rows import read_rows
from router_extproc.evaluation.selection import (
    SelectionPrediction,
    judge_selection,
    predict_selection,
    read_scores,
)
from router_extproc.models.onnx.quality import inputs_of, open_quality, write_quality
from router_extproc.models.text_features import FEATURES
from router_extproc.testing.fake_encoder import FakeEncoder
from router_extproc.training.selection.report import (
    figure_lines,
    tell_selection,
    write_selection_card,
    write_selection_picture,
)
from router_extproc.training.selection.table import ScoreTable, read_table
from router_extproc.training.selection.train import TrainedSelection, train_selection

PRICES = {
    "small": {"input_per_mtok": 0.1, "output_per_mtok": 0.1},
    "large": {"input_per_mtok": 0.9, "output_per_mtok": 0.9},
}
PLACES = ("Rome", "Oslo", "Lima", "Cairo", "Quito", "Paris", "Delhi", "Tokyo", "Accra", "Dublin")
THINGS = ("river", "bridge", "tower", "garden", "market", "harbour")
Row = Mapping[str, object]


def rows() -> list[Row]:
    """The small model knows facts, and fails at sums; the large one is good at both."""
    facts = [
        {"text": f"name the {thing} of {place}", "scores": {"small": 1.0, "large": 0.9}}
        for place in PLACES
        for thing in THINGS
    ]
    sums = [
        {"text": f"add {one} {other} and divide by {one}", "scores": {"small": 0.0, "large": 0.8}}
        for one in THINGS
        for other in PLACES
    ]
    return [*facts, *sums]


def written(folder: Path, table: Sequence[object], prices: object = PRICES) -> tuple[Path, Path]:
    """Both files."""
    data, priced = folder / "table.jsonl", folder / "prices.json"
    data.write_text("\n".join(each if isinstance(each, str) else json.dumps(each) for each in table))
    priced.write_text(prices if isinstance(prices, str) else json.dumps(prices))
    return data, priced


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[ScoreTable, TrainedSelection]:
    """What the rows teach."""
    table = read_table(*written(tmp_path_factory.mktemp("table"), rows()))
    return table, train_selection(table, FakeEncoder())


def test_each_prompt_gets_the_model_that_is_good_at_it(
    trained: tuple[ScoreTable, TrainedSelection], tmp_path: Path
) -> None:
    write_quality(tmp_path, trained[1].parts, trained[1].manifest)
    encoder = FakeEncoder()
    kernel = open_quality(tmp_path, encoder=encoder, where="model")
    asked = ["name the castle of Rome", "add garden Madrid and divide by garden"]
    fact, total = predict_selection(asked, kernel, encoder, cost_weight=0.0)
    assert (fact.model, total.model) == ("small", "large")
    assert total.scores["small"] < 0.4
    assert total.scores["large"] > 0.6
    cheap = list(predict_selection(asked, kernel, encoder, cost_weight=5.0))
    assert [each.model for each in cheap] == ["small", "small"]


def test_the_figures_are_of_unseen_prompts_and_say_what_is_gained(
    trained: tuple[ScoreTable, TrainedSelection], tmp_path: Path
) -> None:
    table, selection = trained
    figures = selection.figures
    assert selection.judged == figures.scored == len(table.texts)
    assert (figures.best_single, figures.oracle) == ("large", pytest.approx(0.9))
    assert figures.quality is not None
    assert figures.quality.value == pytest.approx(0.9)
    assert figures.gain is not None
    assert figures.gain.low > 0
    assert figures.curve[0].price_per_mtok > figures.curve[-1].price_per_mtok
    write_selection_card(tmp_path, selection, table, "table.jsonl")
    card = (tmp_path / "card.md").read_text()
    assert "gain over the best single model: 0.05" in card
    assert "small answers rightly: AUC 1.000" in card
    assert "from small to large: APGR 0." in card
    assert "kept of large at half of its calls: 1.0" in card
    assert write_selection_picture(tmp_path, selection).is_file()


def test_equal_tables_teach_the_same(trained: tuple[ScoreTable, TrainedSelection]) -> None:
    again = train_selection(trained[0], FakeEncoder())
    assert np.array_equal(again.parts.weights, trained[1].parts.weights)


def test_a_score_may_be_missing_and_a_repeated_prompt_counts_once(tmp_path: Path) -> None:
    table: list[Row] = [{**row} for row in rows()]
    for place in range(0, len(table), 3):
        table[place] = {**table[place], "scores": {"large": 0.5}, "answer_tokens": {"large": 80}}
    table.append({**table[1], "scores": {"small": 0.0, "large": None}})
    read = read_table(*written(tmp_path, table))
    assert (read.repeated, read.scores.shape) == (1, (120, 2))
    assert np.isnan(read.scores[0]).tolist() == [False, True]
    assert read.scores[1].tolist() == [0.9, 0.5]
    assert read.answer_tokens == {"large": 80.0, "small": 500.0}
    selection = train_selection(read, FakeEncoder())
    assert np.isfinite(selection.parts.weights).all()
    assert "1 rows repeat a prompt" in "\n".join(tell_selection(selection, read))


GOOD: Row = {"text": "a", "scores": {"small": 1, "large": 0}}


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("{", "table.jsonl:2: is no JSON"),
        ({"scores": {}}, "table.jsonl:2: needs text in text"),
        ({"text": " ", "scores": {"small": 1}}, "table.jsonl:2: text is empty"),
        ({"text": "b"}, "table.jsonl:2: needs scores"),
        ({"text": "b", "scores": {}}, "table.jsonl:2: needs scores"),
        ({"text": "b", "scores": [1]}, "table.jsonl:2: scores must be an object"),
        ({"text": "b", "scores": {"small": 1.1}}, "table.jsonl:2: scores.small must be a number from 0 to 1"),
        ({"text": "b", "scores": {"small": True}}, "scores.small must be a number"),
        ('{"text": "b", "scores": {"small": NaN}}', "scores.small must be a number"),
        ({"text": "b", "scores": {"other": 1}}, "table.jsonl:2: scores.other: no price"),
        ({"text": "b", "scores": {"small": 1}, "answer_tokens": {"small": -1}}, "answer_tokens must be"),
        (GOOD, "has 1 prompts; at least 20"),
    ],
)
def test_what_is_wrong_with_a_table_is_told(tmp_path: Path, row: object, problem: str) -> None:
    with pytest.raises(RouterError) as caught:
        read_table(*written(tmp_path, [GOOD, row]))
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("prices", "problem"),
    [
        ("{", "is no JSON"),
        ({}, "must be an object"),
        ([1], "must be an object"),
        ({"small": 1}, "small.input_per_mtok: must be a number"),
        ({"small": {"input_per_mtok": -1, "output_per_mtok": 1}}, "small.input_per_mtok: must be a number"),
        ({"small": {"input_per_mtok": 1}}, "small.output_per_mtok: must be a number"),
    ],
)
def test_what_is_wrong_with_prices_is_told(tmp_path: Path, prices: object, problem: str) -> None:
    with pytest.raises((ConfigError, ConfigProblems)) as caught:
        read_table(*written(tmp_path, [GOOD], prices))
    assert problem in str(caught.value)


def test_a_table_of_one_model_and_one_that_is_missing_are_told(tmp_path: Path) -> None:
    data, prices = written(tmp_path, [{"text": "a", "scores": {"small": 1}}])
    with pytest.raises(ConfigError, match="scores of small alone"):
        read_table(data, prices)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_table(data, tmp_path / "none.json")


def test_a_damaged_folder_and_another_encoder_are_refused(
    trained: tuple[ScoreTable, TrainedSelection], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="no folder of `train selection`"):
        open_quality(tmp_path / "none", encoder=FakeEncoder(), where="model")
    write_quality(tmp_path, trained[1].parts, trained[1].manifest)
    with pytest.raises(ConfigError, match="train it anew"):
        open_quality(tmp_path, encoder=FakeEncoder(dim=32), where="model")
    (tmp_path / "quality.npz").write_bytes(b"PK")
    with pytest.raises(ConfigError, match="is damaged"):
        open_quality(tmp_path, encoder=FakeEncoder(), where="model")


def test_a_text_without_tokens_has_inputs_and_one_that_the_task_layers_did_not_read_has_none() -> None:
    nothing, something = FakeEncoder().encode(""), FakeEncoder().encode("Hello")
    read = inputs_of("", nothing, tasks=True)
    assert read is not None
    assert read.shape == (2 * 64 + len(FEATURES),)
    assert inputs_of("Hello", something, tasks=True) is None


def test_rows_without_scores_are_predicted_and_not_scored(
    trained: tuple[ScoreTable, TrainedSelection], tmp_path: Path
) -> None:
    write_quality(tmp_path, trained[1].parts, trained[1].manifest)
    encoder = FakeEncoder()
    kernel = open_quality(tmp_path, encoder=encoder, where="model")
    data, _ = written(tmp_path, [{"text": "name the river of Bonn"}, {"text": "", "scores": {"small": 1}}])
    read = read_rows(data, required=("text",))
    truths = read_scores(data, read)
    texts = [row.text("text") for row in read]
    made = list(predict_selection(texts, kernel, encoder, cost_weight=0.0))
    figures = judge_selection(made, truths, texts, kernel.manifest.models)
    assert (figures.rows, truths[0]) == (2, None)
    unscored = judge_selection(made[:1], truths[:1], texts[:1], kernel.manifest.models)
    assert next(figure_lines(unscored)) == "1 rows, none of them with a score of the model that was chosen"


def test_a_model_that_was_not_trained_on_is_named_when_others_are_judged(
    trained: tuple[ScoreTable, TrainedSelection],
) -> None:
    models = trained[1].manifest.models
    made = [SelectionPrediction("small", {"small": 0.5, "large": 0.4})] * 2
    figures = judge_selection(made, [{"small": 1.0, "smal": 0.5}, {"smal": 1.0}], ["a", "b"], models)
    assert figures.unknown == {"smal": 2}
    assert "smal has scores in 2 rows and was not trained on: they are left out" in list(
        figure_lines(figures)
    )


def test_a_prompt_that_comes_again_and_again_is_too_few(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has 1 prompts; at least 20 are needed"):
        read_table(*written(tmp_path, [GOOD] * 40))


def test_every_row_with_a_model_that_has_no_price_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems) as caught:
        read_table(*written(tmp_path, [GOOD] * 3, {"small": PRICES["small"]}))
    assert str(caught.value).count("scores.large: no price is given for this model") == 3
