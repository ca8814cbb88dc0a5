"""Tokens are counted as a model's own tokenizer.json says."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from router_extproc.errors import ConfigError
from router_extproc.models.onnx.token_counter import open_token_counter


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Whose every word is a token; it would cut texts off after three."""
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, "cat": 1}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(length=3)
    path = tmp_path / "tokenizer.json"
    tokenizer.save(str(path))
    return str(path)


def test_all_of_a_text_is_counted_and_nothing_else(file: str) -> None:
    counter = open_token_counter(file, where="x")
    assert [counter.count(text) for text in ("", "cat", "a cat sat on a mat")] == [0, 1, 6]


def test_half_a_surrogate_pair_is_a_character(file: str) -> None:
    assert open_token_counter(file, where="x").count("cat \ud800") == 2


def test_what_is_no_tokenizer_is_told_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"models\.a\.tokenizer: no file"):
        open_token_counter(str(tmp_path / "none.json"), where="models.a.tokenizer")
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    with pytest.raises(ConfigError, match=r"is no tokenizer\.json"):
        open_token_counter(str(broken), where="models.a.tokenizer")
