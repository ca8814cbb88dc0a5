"""One prediction a row; figures over the labelled rows only."""

from __future__ import annotations

import pytest

from router_extproc.evaluation.intent import IntentPrediction, judge_intents, predict_intents
from router_extproc.evaluation.language import judge_languages
from router_extproc.evaluation.metrics import share
from router_extproc.evaluation.pairs import PairPrediction, judge_pairs, predict_pairs
from router_extproc.models.base import Verdict
from router_extproc.models.examples import ExampleClassifier
from router_extproc.signals.language import Tongue
from router_extproc.testing.fake_encoder import FakeEncoder

#: Two in scope, one of them wrong; two out of scope, one of them told.
SCOPED = [("refund", 0.9), ("refund", 0.3), ("oos", 0.2), ("refund", 0.4)]
ENCODER = FakeEncoder(dim=512, max_tokens=8)
TOPICS = ExampleClassifier.of({"refund": ("give my money back",), "weather": ("will it rain",)}, ENCODER)
TEXTS = ["please give my money back", "", "will it rain tomorrow", "will it snow"]


class Verifier:
    """Accepts unless the word "not" is in the asked question."""

    def verify(self, cached: str, asked: str, similarity: float) -> Verdict:  # noqa: ARG002 - the port
        return Verdict(accepted="not" not in asked, score=0.5, reason="")


def predict(cached: str, asked: str) -> PairPrediction:
    return next(predict_pairs([(cached, asked)], Verifier(), ENCODER))


def test_every_text_has_a_prediction_in_order() -> None:
    made = list(predict_intents(TEXTS, TOPICS, ENCODER))
    assert [prediction.label for prediction in made] == ["refund", None, "weather", "weather"]


def test_text_without_tokens_scores_nothing() -> None:
    made = list(predict_intents([""], TOPICS, ENCODER))
    assert (made[0].score, made[0].scores) == (0.0, {"refund": 0.0, "weather": 0.0})


def test_only_labelled_rows_are_scored() -> None:
    made = list(predict_intents(TEXTS, TOPICS, ENCODER))
    figures = judge_intents(made, ["refund", None, None, "snow"])
    assert (figures.rows, figures.labelled) == (4, 2)
    assert figures.accuracy is not None
    assert figures.accuracy.value == 0.5


def test_label_that_is_never_predicted_has_no_precision() -> None:
    made = list(predict_intents(TEXTS, TOPICS, ENCODER))
    snow = judge_intents(made, ["refund", None, None, "snow"]).labels["snow"]
    assert snow.precision is None
    assert snow.recall is not None
    assert snow.recall.value == 0.0


def test_rows_out_of_scope_are_judged_apart() -> None:
    """Of the four pairs of a row in scope and one out of it, three are in the right order."""
    made = [IntentPrediction(label, score, {str(label): score}) for label, score in SCOPED]
    figures = judge_intents(made, ["refund", "weather", "oos", "oos"])
    assert figures.accuracy is not None
    assert figures.accuracy_in_scope is not None
    assert figures.auc_out_of_scope is not None
    assert (figures.accuracy.value, figures.accuracy_in_scope.value) == (0.5, 0.5)
    assert figures.auc_out_of_scope.value == 0.75


def test_without_rows_out_of_scope_there_is_one_accuracy() -> None:
    figures = judge_intents(list(predict_intents(TEXTS, TOPICS, ENCODER)), ["refund", None, None, "snow"])
    assert (figures.accuracy_in_scope, figures.auc_out_of_scope) == (None, None)


def test_rows_without_labels_have_no_figures() -> None:
    figures = judge_intents(list(predict_intents(TEXTS, TOPICS, ENCODER)), [None] * 4)
    assert (figures.accuracy, figures.calibration_error) == (None, None)


def test_like_questions_that_the_verifier_accepts_are_a_hit() -> None:
    assert predict("how do I bake bread", "how do I bake bread now").hit


def test_verifier_has_the_last_word() -> None:
    assert not predict("how do I bake bread", "how do I not bake bread").hit


def test_unlike_questions_are_no_hit_whatever_the_verifier_says() -> None:
    assert not predict("how do I bake bread", "who won").hit


def test_same_text_is_an_exact_hit_even_beyond_the_window() -> None:
    text = "word " * 20
    assert predict(text, text) == PairPrediction(1.0, 1.0, hit=True)


def test_text_beyond_the_window_is_matched_exactly_only() -> None:
    """The vector is of its beginning: the difference may come after."""
    prediction = predict("word " * 20, "word " * 21)
    assert prediction.similarity == pytest.approx(1.0)
    assert (prediction.score, prediction.hit) == (0.0, False)


def test_figures_of_pairs_count_hits_and_labels() -> None:
    made = [
        PairPrediction(0.9, 0.9, hit=True),
        PairPrediction(0.8, 0.7, hit=True),
        PairPrediction(0.1, 0.1, hit=False),
    ]
    figures = judge_pairs([*made, made[0]], [True, False, True, None])
    assert (figures.rows, figures.labelled) == (4, 3)
    assert figures.precision is not None
    assert figures.recall is not None
    assert (figures.precision.value, figures.recall.value) == (0.5, 0.5)
    assert figures.auc_score is not None
    assert figures.auc_score.value == 0.5


def test_pairs_without_labels_have_only_a_hit_rate() -> None:
    figures = judge_pairs([PairPrediction(0.9, 0.9, hit=True)], [None])
    assert figures.hit_rate is not None
    assert (figures.precision, figures.recall, figures.auc_score) == (None, None, None)


def test_languages_are_judged_where_rows_have_one() -> None:
    made = [Tongue("de", 0.9), Tongue("en", 0.4), Tongue(None, 0.0), Tongue("fr", 0.8)]
    figures = judge_languages(made, ["de", "de", "en", None])
    assert (figures.rows, figures.labelled) == (4, 3)
    assert figures.accuracy == share(1, 3)
    assert figures.recalls == {"de": share(1, 2), "en": share(0, 1)}
