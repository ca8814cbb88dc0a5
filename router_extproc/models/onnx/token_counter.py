"""Counts tokens as a pool's own model does, by the `tokenizer.json` of that model."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer

from router_extproc.errors import ConfigError
from router_extproc.models.onnx.text import replace_surrogates


class FileTokenCounter:
    """Fits models.base.TokenCounter."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """`tokenizer` is ours: it is told to cut nothing off and to fill nothing up."""
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer

    def count(self, text: str) -> int:
        """See TokenCounter; special tokens are the chat template's."""
        return len(self._tokenizer.encode(replace_surrogates(text), add_special_tokens=False).ids)


def open_token_counter(file: str, *, where: str) -> FileTokenCounter:
    """The counter of a `tokenizer.json`; `where` is its YAML path.

    Raises:
        ConfigError: there is no such file, or it is none.
    """
    if not Path(file).is_file():
        raise ConfigError(where, f"no file '{file}'")
    try:
        return FileTokenCounter(Tokenizer.from_file(file))
    except Exception as error:  # the library raises Exception itself
        raise ConfigError(where, f"'{file}' is no tokenizer.json") from error
