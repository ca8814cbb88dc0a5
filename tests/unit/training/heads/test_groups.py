"""Near-duplicates are never on both sides of a split."""

from __future__ import annotations

import numpy as np

from router_extproc.training.heads.groups import group_rows, split_groups

UNIT = np.eye(4, dtype=np.float32)
TEMPLATE = "for which of these two scenarios does the main character do wrong {}"


def test_texts_with_nearly_equal_vectors_are_one_group() -> None:
    near = UNIT[0] * np.float32(0.99) + UNIT[1] * np.float32(0.14)
    assert group_rows(["a", "b", "c"], np.stack([UNIT[0], near, UNIT[2]])).tolist() == [0, 0, 2]


def test_texts_of_one_template_are_one_group() -> None:
    texts = [TEMPLATE.format(1), "something else", TEMPLATE.format(2)]
    assert group_rows(texts, UNIT[:3]).tolist() == [0, 1, 0]


def test_short_texts_with_equal_openings_stay_apart() -> None:
    assert group_rows(["how do I bake", "how do I bake bread"], UNIT[:2]).tolist() == [0, 1]


def test_groups_join_along_chains() -> None:
    """A template's text that is near a third text brings it along."""
    texts = [TEMPLATE.format(1), TEMPLATE.format(2), "near the second"]
    assert group_rows(texts, np.stack([UNIT[0], UNIT[1], UNIT[1]])).tolist() == [0, 0, 0]


def test_no_group_is_on_both_sides() -> None:
    groups = np.repeat(np.arange(500), 2)
    test = split_groups(groups, test_share=0.2, seed=1)
    assert not set(groups[test]) & set(groups[~test])
    assert 0.1 < test.mean() < 0.3


def test_same_seed_gives_the_same_split() -> None:
    groups = np.arange(100)
    assert np.array_equal(
        split_groups(groups, test_share=0.2, seed=5), split_groups(groups, test_share=0.2, seed=5)
    )


def test_huge_group_is_never_judged_on() -> None:
    """One template of a thousand rows would be the figure."""
    groups = np.concatenate([np.zeros(500, np.int64), np.arange(1, 501)])
    assert not split_groups(groups, test_share=0.99, seed=1)[:500].any()
