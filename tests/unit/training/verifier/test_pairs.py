"""A question must never be both trained on and judged by."""

from pathlib import Path

import pytest

from router_extproc.errors import ConfigError
from router_extproc.training.torch_net.batches import make_batches
from router_extproc.training.verifier.pairs import Pair, plain, read_pairs, split_pairs


def pair(cached: str, asked: str, label: int = 1) -> Pair:
    return Pair(cached, asked, label, "test")


def test_questions_joined_by_a_chain_of_pairs_stay_together() -> None:
    chains = [
        [pair(f"chain {chain} link {link}", f"chain {chain} link {link + 1}") for link in range(5)]
        for chain in range(200)
    ]
    split = split_pairs([link for chain in chains for link in chain])
    for chain in chains:
        assert sum(link in split.dev for link in chain) in {0, len(chain)}
    assert split.dev
    assert len(split.train) > len(split.dev)


def test_case_and_punctuation_make_no_other_question() -> None:
    assert plain("What's up, Doc?!") == plain("what s up doc")


def test_a_group_with_one_question_of_health_is_kept_from_training() -> None:
    pairs = [pair("a b", "c d"), pair("C D?", "is a fever bad")]
    split = split_pairs(pairs)
    assert split.health == pairs
    assert not split.train


def test_a_row_without_a_label_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"text_a": "a", "text_b": "b", "label": 1}\n{"text_a": "a", "text_b": "b"}\n')
    with pytest.raises(ConfigError, match=r"pairs\.jsonl:2"):
        read_pairs(path, "test")


def test_batches_have_rows_of_like_length_and_every_row_at_most_once() -> None:
    rows = list(range(1000))
    batches = make_batches(rows, 10, lambda row: row, seed=3)
    used = [row for batch in batches for row in batch]
    assert len(used) == len(set(used)) == 1000
    assert max(max(batch) - min(batch) for batch in batches) < 100
    assert batches == make_batches(rows, 10, lambda row: row, seed=3)
    assert batches != make_batches(rows, 10, lambda row: row, seed=4)
