"""Spans become tags of whole tokens, and back."""

from __future__ import annotations

import numpy as np

from router_extproc.training.task_layers.tags import IGNORED, tag_tokens

#: "Ana Ruiz, Rome" as [CLS] Ana Ru ##iz , Rome [SEP].
OFFSETS = np.array([(0, 0), (0, 3), (4, 6), (6, 8), (8, 9), (10, 14), (0, 0)], np.int32)


def test_first_token_begins_and_the_others_go_on() -> None:
    assert tag_tokens(OFFSETS, [(0, 8, 0)]).tolist() == [IGNORED, 1, 2, 2, 0, 0, IGNORED]


def test_every_kind_has_tags_of_its_own() -> None:
    assert tag_tokens(OFFSETS, [(0, 8, 0), (10, 14, 1)]).tolist() == [IGNORED, 1, 2, 2, 0, 3, IGNORED]


def test_text_without_spans_is_outside() -> None:
    assert tag_tokens(OFFSETS, []).tolist() == [IGNORED, 0, 0, 0, 0, 0, IGNORED]


def test_span_that_was_cut_off_tags_nothing() -> None:
    assert tag_tokens(OFFSETS, [(20, 30, 0)]).tolist() == [IGNORED, 0, 0, 0, 0, 0, IGNORED]
