"""The stream that a replay asks, and what labels say of its hits."""

from __future__ import annotations

import pytest

from router_extproc.bench.stream import LabelledPair, Labels, make_stream

PAIRS = [
    LabelledPair("How do I bake bread?", "How to bake bread?", label=True),
    LabelledPair("How to bake bread?", "How is bread baked?", label=True),
    LabelledPair("How do I bake bread?", "How do I bake rolls?", label=False),
    LabelledPair("How do I bake rolls?", "Who bakes?", label=None),
]


def test_every_question_is_asked_as_often_as_pairs_name_it() -> None:
    stream = make_stream(PAIRS)
    assert len(stream) == 8
    assert stream.count("How do I bake rolls?") == 2


def test_once_asks_each_question_once() -> None:
    assert sorted(make_stream(PAIRS, once=True)) == sorted({text for p in PAIRS for text in (p.one, p.other)})


def test_the_seed_draws_the_order() -> None:
    assert make_stream(PAIRS, seed=1) == make_stream(PAIRS, seed=1) != make_stream(PAIRS, seed=2)


@pytest.mark.parametrize(
    ("cached", "asked", "truth"),
    [
        ("How to bake bread?", "How do I bake bread?", "right"),
        ("How do I bake bread?", "How is bread baked?", "right"),
        ("how do i bake BREAD", "How to bake bread?", "right"),
        ("Nobody asked?", "nobody asked", "right"),
        ("How do I bake rolls?", "How do I bake bread?", "wrong"),
        ("How do I bake rolls?", "Who bakes?", "unlabelled"),
        ("How to bake bread?", "How do I bake rolls?", "unlabelled"),
        ("Who?", "Where?", "unlabelled"),
    ],
)
def test_labels_say_what_is_known_and_no_more(cached: str, asked: str, truth: str) -> None:
    assert Labels(PAIRS).truth(cached, asked) == truth


def test_a_direct_label_counts_before_a_chain_of_others() -> None:
    pairs = [*PAIRS, LabelledPair("How is bread baked?", "How do I bake bread?", label=False)]
    assert Labels(pairs).truth("How do I bake bread?", "How is bread baked?") == "wrong"


@pytest.mark.parametrize("label", [True, False])
def test_labelled_both_ways_is_wrong(label: bool) -> None:  # noqa: FBT001 - a parameter of the test
    pairs = [LabelledPair("a b", "c", label=label), LabelledPair("c", "a b", label=not label)]
    assert Labels(pairs).truth("a b", "c") == "wrong"


def test_clusters_are_counted_by_labels_alone() -> None:
    """Two pairs labelled right join three questions; the others stand alone."""
    assert Labels(PAIRS).clusters(make_stream(PAIRS)) == 3
