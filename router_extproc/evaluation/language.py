"""Evaluates the language of texts: figures over the labelled ones.

The model is that of the library py3langid. A row without a language is predicted and never counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from router_extproc.evaluation.metrics import Estimate, share
from router_extproc.signals.language import Tongue


@dataclass(frozen=True, slots=True)
class LanguageFigures:
    """How good the predictions are; rows without a language count nowhere but in `rows`."""

    rows: int
    labelled: int
    accuracy: Estimate | None
    #: Share of each language's rows that are found.
    recalls: Mapping[str, Estimate | None]


def judge_languages(predictions: Sequence[Tongue], truths: Sequence[str | None]) -> LanguageFigures:
    """The figures of predictions and the languages of their rows; None: not known."""
    pairs = [
        (prediction.lang == truth, truth)
        for prediction, truth in zip(predictions, truths, strict=True)
        if truth is not None
    ]
    return LanguageFigures(
        rows=len(predictions),
        labelled=len(pairs),
        accuracy=share(sum(hit for hit, _ in pairs), len(pairs)),
        recalls={lang: recall_of(lang, pairs) for lang in sorted({truth for _, truth in pairs})},
    )


def recall_of(lang: str, pairs: Sequence[tuple[bool, str]]) -> Estimate | None:
    """The share of one language's rows that are found."""
    hits = [hit for hit, truth in pairs if truth == lang]
    return share(sum(hits), len(hits))
