"""What the net need not read: fitted to one verifier, and to named figures."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from router_extproc.equivalence import read_question
from router_extproc.errors import ConfigError
from router_extproc.models.onnx.lexical_features import EVIDENCE
from router_extproc.models.onnx.manifest import read_manifest
from router_extproc.models.onnx.unlikely import (
    FIGURES,
    OF_EVIDENCE,
    WORDS_MAX,
    Unlikely,
    UnlikelyRecord,
    name_of,
    read_figures,
    read_unlikely,
    terms,
)
from router_extproc.models.onnx.verifier_open import ARTIFACT, UNLIKELY_NAME, VerifierManifest

SHIPPED = ARTIFACT / UNLIKELY_NAME
#: Every figure but the similarity is 0.
NOTHING = (0.0,) * (len(FIGURES) - 1)


def record(**changed: object) -> UnlikelyRecord:
    made = {"verifier": "a/1", "weights": dict.fromkeys(terms(), 0.0), "offset": 0.0, "chance_min": 0.1}
    return UnlikelyRecord.model_validate({**made, **changed})


def test_the_shipped_file_is_of_the_shipped_verifier() -> None:
    """Otherwise the net reads every pair: fit it again with `training.verifier.unlikely`."""
    manifest = read_manifest(ARTIFACT, VerifierManifest, where="")
    verifier = name_of(manifest.identity, manifest.calibration)
    assert read_unlikely(SHIPPED, verifier=verifier, where="") is not None


def test_what_was_fitted_to_another_verifier_is_not_used() -> None:
    assert read_unlikely(SHIPPED, verifier="another", where="") is None


def test_what_was_fitted_to_other_figures_is_refused() -> None:
    with pytest.raises(ConfigError, match="other figures"):
        Unlikely.of(record(weights={"length": 1.0}), where="semantic_cache")


def test_a_damaged_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / UNLIKELY_NAME
    path.write_text("{}")
    with pytest.raises(ConfigError, match=UNLIKELY_NAME):
        read_unlikely(path, verifier="a/1", where="semantic_cache")


def test_without_weights_the_chance_is_even() -> None:
    assert Unlikely.of(record(), where="").chance((0.9, *NOTHING)) == 0.5


def test_a_figure_counts_by_itself_and_with_others() -> None:
    weights = dict.fromkeys(terms(), 0.0)
    squared = {**weights, "similarity": 1.0, "similarity * similarity": 2.0}
    unlikely = Unlikely.of(record(weights=squared, offset=-1.0), where="")
    # 1 * 0.5 + 2 * 0.5 * 0.5 - 1 is nothing.
    assert unlikely.chance((0.5, *NOTHING)) == 0.5


@pytest.mark.parametrize("offset", [-1e6, 1e6])
def test_a_chance_is_one(offset: float) -> None:
    assert 0.0 <= Unlikely.of(record(offset=offset), where="").chance((0.9, *NOTHING)) <= 1.0


def test_figures_are_read_in_their_order() -> None:
    one, other = read_question("who sings"), read_question("who sings this song here")
    evidence = [float(place) for place in range(len(EVIDENCE))]
    names = list(EVIDENCE)
    expected = (0.9, *(float(names.index(name)) for name in OF_EVIDENCE), math.log1p(5))
    assert read_figures(one, other, 0.9, evidence) == expected


def test_very_long_questions_are_judged_as_long_ones() -> None:
    """There are few among the development rows: a fitted curve would go anywhere."""
    long, longer = (read_question("word " * WORDS_MAX * times) for times in (1, 2))
    assert read_figures(long, long, 0.9, [0.0] * 9)[-1] == read_figures(longer, longer, 0.9, [0.0] * 9)[-1]
