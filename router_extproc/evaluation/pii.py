"""Evaluates the search for personal facts: exact spans against labelled ones, kind by kind.

A kind that is not looked for (dates, titles) is no miss, and a row without `spans` is predicted and never
counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

from router_extproc.errors import ConfigError
from router_extproc.evaluation.encode import encode_chunks
from router_extproc.evaluation.metrics import Estimate, share
from router_extproc.evaluation.rows import Row, refuse
from router_extproc.models.base import Encoder
from router_extproc.signals.pii.facts import names_in
from router_extproc.signals.pii.names import NAME_SCORE_MIN, NAMES, counted_names, join_spans
from router_extproc.signals.pii.patterns import TYPES, Span, find_spans
from router_extproc.signals.pii.signal import KINDS

Spans: TypeAlias = frozenset[Span]

#: Other names that data sets have for the kinds.
SAME_TYPE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "EMAIL": "EMAIL_ADDRESS",
        "PHONE": "PHONE_NUMBER",
        "SSN": "US_SSN",
        "IBAN": "IBAN_CODE",
        "IP": "IP_ADDRESS",
        "GPE": "LOCATION",
        "ORG": "ORGANIZATION",
        "ADDRESS": "STREET_ADDRESS",
    }
)


@dataclass(frozen=True, slots=True)
class PiiPrediction:
    """What was found in one text."""

    spans: Sequence[Span]


@dataclass(frozen=True, slots=True)
class KindFigures:
    """How one kind fares; None where no row says anything of it."""

    precision: Estimate | None
    recall: Estimate | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class PiiFigures:
    """How good the spans are; rows without `spans` count nowhere but in `rows`."""

    rows: int
    labelled: int
    #: The kinds of fixed form that any row labels, together: others may be there, unlabelled.
    structured: KindFigures
    #: Persons, places, organisations and addresses together, likewise.
    names: KindFigures
    kinds: Mapping[str, KindFigures]
    #: Share of the rows without any labelled span in which something was found.
    false_alarms: Estimate | None


def predict_spans(texts: Sequence[str], encoder: Encoder) -> Iterator[PiiPrediction]:
    """One prediction for each text, in order: what has a form, and names."""
    done = 0
    for encodings in encode_chunks(texts, encoder, tasks=True):
        for text, encoding in zip(texts[done : done + len(encodings)], encodings, strict=True):
            forms = find_spans(text)
            names = counted_names(text, names_in(encoding), forms, NAME_SCORE_MIN)
            yield PiiPrediction(join_spans(forms, names))
        done += len(encodings)


def read_spans(path: Path, rows: Sequence[Row]) -> list[list[Span] | None]:
    """The labelled spans of each row, their types under our names; None where it has none.

    Raises:
        ConfigProblems: spans that are none, each with its line number.
    """
    read = [read_row_spans(row.fields.get("spans")) for row in rows]
    problem = "spans must be a list of {start, end, type}"
    wrong = [row for row, spans in zip(rows, read, strict=True) if spans == WRONG]
    refuse(path, [ConfigError(f"{path}:{row.line}", problem) for row in wrong])
    return [None if spans is None else list(spans) for spans in read]


#: Stands for spans that cannot be read.
WRONG: Final = (Span(-1, -1, ""),)


def read_row_spans(value: object) -> tuple[Span, ...] | None:
    """Spans as a row has them; WRONG: they are none."""
    if value is None:
        return None
    if not isinstance(value, list):
        return WRONG
    spans = []
    for entry in value:
        match entry:
            case {"start": int(start), "end": int(end), "type": str(kind)}:
                spans.append(Span(start, end, SAME_TYPE.get(kind, kind)))
            case _:
                return WRONG
    return tuple(spans)


def judge_spans(predictions: Sequence[PiiPrediction], truths: Sequence[list[Span] | None]) -> PiiFigures:
    """The figures of predictions and the spans of their rows; None: not known."""
    pairs = [
        (frozenset(prediction.spans), frozenset(truth))
        for prediction, truth in zip(predictions, truths, strict=True)
        if truth is not None
    ]
    clean = [found for found, there in pairs if not there]
    known = frozenset(span.type for _, there in pairs for span in there)
    return PiiFigures(
        rows=len(predictions),
        labelled=len(pairs),
        structured=judge_kinds(pairs, known.intersection(TYPES)),
        names=judge_kinds(pairs, known.intersection(NAMES)),
        kinds={kind: judge_kinds(pairs, frozenset([kind])) for kind in KINDS if kind in known},
        false_alarms=share(sum(bool(found) for found in clean), len(clean)),
    )


def judge_kinds(pairs: Sequence[tuple[Spans, Spans]], kinds: frozenset[str]) -> KindFigures:
    """Exact agreement of what was found and what is there, over these kinds."""
    found = there = hits = 0
    for predicted, labelled in pairs:
        ours = {span for span in predicted if span.type in kinds}
        theirs = {span for span in labelled if span.type in kinds}
        found, there, hits = found + len(ours), there + len(theirs), hits + len(ours & theirs)
    f1 = 2 * hits / (found + there) if found + there else None
    return KindFigures(precision=share(hits, found), recall=share(hits, there), f1=f1)
