"""Reads an evaluation table and its prices.

Every problem is told at once, each with its line. A prompt that comes several times is one row with the mean
of its scores.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from router_extproc.errors import ConfigError
from router_extproc.evaluation.rows import Row, read_rows, refuse
from router_extproc.evaluation.selection import read_scores
from router_extproc.llm.price import Price
from router_extproc.routing.selection.worth import ANSWER_TOKENS

#: Fewer say nothing, however they are split.
ROWS_MIN: Final = 20
MODELS_MIN: Final = 2
_PRICE_FIELDS: Final = ("input_per_mtok", "output_per_mtok")


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """Prompts and what each model's answer to them was worth."""

    texts: Sequence[str]
    models: Sequence[str]
    #: float64[rows, models]; NaN: no score.
    scores: NDArray[np.float64]
    prices: Mapping[str, Price]
    #: Mean length of the answers, by model.
    answer_tokens: Mapping[str, float]
    #: Rows that repeated a prompt.
    repeated: int = 0


def read_table(data: Path, prices: Path) -> ScoreTable:
    """The table with its prices.

    Raises:
        ConfigError: a file cannot be read, or too little is in it.
        ConfigProblems: what is wrong in it, each with its line.
    """
    known = read_prices(prices)
    rows = read_rows(data, required=("text",))
    refuse(data, [ConfigError(f"{data}:{row.line}", problem) for row in rows if (problem := _lacks(row))])
    scores = read_scores(data, rows, known)
    refuse(data, [ConfigError(f"{data}:{row.line}", problem) for row in rows if (problem := _length(row))])
    refuse(
        data,
        [
            ConfigError(f"{data}:{row.line}", "needs scores")
            for row, each in zip(rows, scores, strict=True)
            if each is None
        ],
    )
    models = sorted({model for each in scores for model in each or {}})
    if len(models) < MODELS_MIN:
        raise ConfigError(str(data), f"has scores of {models[0]} alone: there is nothing to choose")
    texts, merged = _merge([row.text("text") for row in rows], scores, models)
    if len(texts) < ROWS_MIN:
        raise ConfigError(str(data), f"has {len(texts)} prompts; at least {ROWS_MIN} are needed")
    return ScoreTable(
        texts,
        models,
        merged,
        {model: known[model] for model in models},
        _answer_tokens(rows, models),
        len(rows) - len(texts),
    )


def read_prices(path: Path) -> dict[str, Price]:
    """Model to its price.

    Raises:
        ConfigError: the file cannot be read, or is no object of prices.
        ConfigProblems: prices that are none, each with its model.
    """
    try:
        # Any: whatever JSON has.
        named: Any = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(str(path), "is no JSON") from error
    if not isinstance(named, dict) or not named:
        raise ConfigError(str(path), "must be an object: {model: {input_per_mtok, output_per_mtok}}")
    refuse(
        path,
        [
            ConfigError(f"{path}: {model}.{field}", "must be a number of at least 0")
            for model, price in named.items()
            for field in _PRICE_FIELDS
            if not (isinstance(price, dict) and _is_amount(price.get(field)))
        ],
    )
    return {model: Price(*(float(price[field]) for field in _PRICE_FIELDS)) for model, price in named.items()}


def _lacks(row: Row) -> str | None:
    return None if row.text("text").strip() else "text is empty"


def _length(row: Row) -> str | None:
    lengths = row.fields.get("answer_tokens", {})
    if isinstance(lengths, dict) and all(_is_amount(each) for each in lengths.values()):
        return None
    return "answer_tokens must be an object: {model: tokens}"


def _is_amount(value: Any) -> bool:  # Any: whatever JSON has
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and np.isfinite(value) and value >= 0


def _merge(
    texts: Sequence[str], scores: Sequence[Mapping[str, float] | None], models: Sequence[str]
) -> tuple[list[str], NDArray[np.float64]]:
    """Each prompt once, with the mean of its scores by model."""
    places: dict[str, list[int]] = {}
    for place, text in enumerate(texts):
        places.setdefault(text, []).append(place)
    merged = np.full((len(places), len(models)), np.nan)
    for row, found in enumerate(places.values()):
        for column, model in enumerate(models):
            values = [score for place in found if (score := (scores[place] or {}).get(model)) is not None]
            if values:
                merged[row, column] = sum(values) / len(values)
    return list(places), merged


def _answer_tokens(rows: Sequence[Row], models: Sequence[str]) -> dict[str, float]:
    """The mean of what rows say; the usual length where none does."""
    mean: dict[str, float] = {}
    for model in models:
        told = (row.fields.get("answer_tokens", {}).get(model) for row in rows)
        lengths = [float(each) for each in told if each]
        mean[model] = sum(lengths) / len(lengths) if lengths else float(ANSWER_TOKENS)
    return mean
