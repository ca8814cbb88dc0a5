"""Which part of a simulated session each pool has read before."""

from __future__ import annotations

from typing import Final

from router_extproc.llm.answer import Usage


class Prefixes:
    """Of one session."""

    def __init__(self, prefix_s: float) -> None:
        """`prefix_s`: how long a pool keeps one."""
        self._prefix_s: Final = prefix_s
        #: By model: tokens, and when it was last asked.
        self._kept: Final[dict[str, tuple[int, float]]] = {}

    def answer(self, model: str, prompt_tokens: int, answer_tokens: int, now_s: float) -> Usage:
        """The usage of one request; from now on the pool has its prompt and its answer."""
        kept, at_s = self._kept.get(model, (0, now_s))
        self._kept[model] = prompt_tokens + answer_tokens, now_s
        cached = min(prompt_tokens, kept) if now_s - at_s <= self._prefix_s else 0
        return Usage(prompt_tokens, answer_tokens, cached)
