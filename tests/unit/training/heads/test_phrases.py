"""Words are learned from token ids alone."""

from __future__ import annotations

import numpy as np
import pytest

from router_extproc.training.heads.phrases import PhrasePlan, features_of, strengths, train_phrases

#: 1 and 2 are special; 5 or 6 says which label it is, 10 to 19 say nothing.
TEXTS = [np.array([1, 5 + row % 2, 10 + row % 10, 10 + row % 7, 2], np.int64) for row in range(80)]
TARGETS = np.array([row % 2 for row in range(80)], np.int64)


def test_words_that_tell_are_learned() -> None:
    net = train_phrases(TEXTS, TARGETS, 2)
    assert (net.logits(TEXTS).argmax(axis=1) == TARGETS).all()


def test_same_seed_learns_the_same() -> None:
    first, second = (train_phrases(TEXTS, TARGETS, 2).logits(TEXTS) for _ in range(2))
    assert np.array_equal(first, second)


def test_order_of_words_is_seen() -> None:
    assert set(features_of(np.array([1, 5, 6, 2]))) != set(features_of(np.array([1, 6, 5, 2])))


def test_token_of_every_text_weighs_nothing() -> None:
    net = train_phrases(TEXTS, TARGETS, 2, PhrasePlan(epochs=1))
    assert net.rarity[features_of(np.array([1]))[0]] == 0


def test_all_texts_have_the_same_strength() -> None:
    net = train_phrases(TEXTS, TARGETS, 2, PhrasePlan(epochs=1))
    lengths = [float(np.linalg.norm(strengths(features_of(ids), net.rarity))) for ids in TEXTS]
    assert lengths == pytest.approx([6.0] * len(TEXTS), rel=1e-3)


def test_text_of_one_token_has_a_feature() -> None:
    assert len(features_of(np.array([7]))) == 1
