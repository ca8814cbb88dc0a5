"""One model as lists of models name it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A name by which a model is asked for."""

    name: str
    #: Tokens of the longest request that it reads; None: not known.
    context_tokens: int | None = None
