"""Which encoder understands prompts, and how it is run: the section `encoder`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from router_extproc.section import Section


class Encoder(Section):
    """The ONNX encoder; default: the one that `router-extproc models build` makes."""

    #: Folder with model.onnx and tokenizer.json.
    path: str | None = None
    #: OWNER/NAME of an encoder that `router-extproc models pull` fetched; instead of `path`.
    repo: str | None = None
    #: The branch, tag or commit it was pulled with.
    revision: str = "main"
    #: How token vectors become one vector; unused for graphs that return one vector for each text.
    pooling: Literal["mean", "cls"] = "mean"
    #: The encoder's window; longer texts are cut, and only matched exactly by the cache.
    max_tokens: int = Field(default=256, ge=8, le=8192)
    #: Put in front of every text (some encoders need "query: ").
    prefix: str = ""
    #: ONNX threads per inference; one leaves the other cores to Envoy and the workers.
    threads: int = Field(default=1, ge=1)
    #: onnxruntime's execution providers, the preferred one first.
    providers: tuple[str, ...] = Field(default=("CPUExecutionProvider",), min_length=1)

    @property
    def is_built_in(self) -> bool:
        """True for the one that `models build` makes."""
        return self.path is None and self.repo is None
