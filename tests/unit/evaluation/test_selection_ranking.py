"""Expected qualities rank prompts: between two models, and for each by itself."""

from __future__ import annotations

import numpy as np
import pytest

from router_extproc.evaluation.selection_ranking import judge_each, judge_pair
from router_extproc.models.onnx.quality import ModelRecord


def priced(name: str, price: float, mean: float = 0.5) -> ModelRecord:
    return ModelRecord(
        name=name, mean=mean, rows=4, input_per_mtok=price, output_per_mtok=price, answer_tokens=100
    )


#: The dear model comes first, as it may in a table.
MODELS = (priced("large", 0.9), priced("small", 0.1))
#: The small model fails on the first two of four prompts, again and again.
SCORES = np.tile([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [1.0, 1.0]], (25, 1))


def test_a_perfect_order_recovers_the_gap_with_half_of_the_strong_calls() -> None:
    pair = judge_pair(SCORES, SCORES, MODELS)
    assert pair is not None
    assert (pair.weak, pair.strong, pair.rows) == ("small", "large", 100)
    assert pair.apgr.value == pytest.approx(0.75, abs=0.01)
    assert pair.apgr.low < 0.75 < pair.apgr.high
    assert pair.kept_at_half.value == 1.0


def test_an_expectation_that_never_differs_recovers_half_of_the_gap() -> None:
    generator = np.random.default_rng(3)
    pair = judge_pair(np.full(SCORES.shape, 0.5), generator.permutation(SCORES), MODELS)
    assert pair is not None
    assert pair.apgr.low < 0.5 < pair.apgr.high


def test_marks_between_right_and_wrong_count_as_what_they_are() -> None:
    scores = np.array([[0.8, 0.4], [0.6, 0.6]])
    pair = judge_pair(np.array([[0.9, 0.1], [0.5, 0.5]]), scores, MODELS)
    assert pair is not None
    assert pair.kept_at_half.value == pytest.approx(1.0)
    assert pair.apgr.value == pytest.approx(2 / 3)


def test_of_equal_prices_the_better_model_is_the_strong_one() -> None:
    models = (priced("one", 0.2, mean=0.9), priced("other", 0.2, mean=0.4))
    pair = judge_pair(SCORES, SCORES, models)
    assert pair is not None
    assert (pair.weak, pair.strong) == ("other", "one")


def test_more_models_or_a_dear_one_that_is_no_better_are_no_pair() -> None:
    three = np.column_stack([SCORES, SCORES[:, 0]])
    assert judge_pair(three, three, (*MODELS, priced("third", 0.5))) is None
    assert judge_pair(SCORES, SCORES[:, ::-1], MODELS) is None


def test_rows_that_lack_a_score_of_either_are_left_out_of_the_pair() -> None:
    scores = SCORES.copy()
    scores[:10, 1] = np.nan
    pair = judge_pair(SCORES, scores, MODELS)
    assert pair is not None
    assert pair.rows == 90
    assert judge_pair(SCORES, np.full(SCORES.shape, np.nan), MODELS) is None


def test_each_model_that_is_right_and_wrong_has_an_area_under_the_curve() -> None:
    found = judge_each(SCORES, SCORES, MODELS)
    assert list(found) == ["small"]
    assert (found["small"].value, found["small"].rows) == (1.0, 100)
    worst = judge_each(1 - SCORES, SCORES, MODELS)
    assert worst["small"].value == 0.0
