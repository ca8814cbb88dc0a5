"""Pairs that the verifier's net need not read: on development rows it accepted none of their kind.

A logistic model of the net's verdicts over figures that cost nothing: the similarity, the words in common
and the guards that object, with their products. Questions that share most of their words and are less
similar than that promises differ in the one word that counts; long questions take the longest and are rarely
accepted. `training.verifier.unlikely` fits it, for one verifier with one calibration; another verifier reads
every pair until it is fitted again.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from router_extproc.equivalence import Question
from router_extproc.errors import ConfigError
from router_extproc.models.onnx.lexical_features import EVIDENCE

#: What is read of a pair, in order: the similarity, some of EVIDENCE, and the length of the longer question.
SIMILARITY, LENGTH = "similarity", "length"
OF_EVIDENCE: Final = ("content words in common", "words in common", "guards that object")
FIGURES: Final = (SIMILARITY, *OF_EVIDENCE, LENGTH)
#: More words say nothing more: there are few longer questions among the development rows.
WORDS_MAX: Final = 40
#: Every two figures, one with itself among them.
PRODUCTS: Final = tuple(combinations_with_replacement(range(len(FIGURES)), 2))
_PLACES: Final = tuple(list(EVIDENCE).index(name) for name in OF_EVIDENCE)
#: Beyond it the chance is one or none, and its exponential too large.
_TOTAL_MAX: Final = 60.0


class UnlikelyRecord(BaseModel):
    """As it is shipped."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["router-extproc unlikely 1"] = "router-extproc unlikely 1"
    #: See `name_of`: the verifier whose verdicts it was fitted to.
    verifier: str
    #: By the names of `terms`, so that a change of order cannot pass.
    weights: Mapping[str, float]
    offset: float
    chance_min: float = Field(ge=0, lt=1)


@dataclass(frozen=True, slots=True)
class Unlikely:
    """Tells which pairs the net would refuse."""

    #: One for each of `terms`.
    weights: Sequence[float]
    offset: float
    #: Pairs with a lower chance are refused unread.
    chance_min: float

    @classmethod
    def of(cls, record: UnlikelyRecord, *, where: str) -> Self:
        """Raises ConfigError when it was fitted to other figures than this version reads."""
        if set(record.weights) != set(terms()):
            raise ConfigError(where, "what the net need not read was fitted to other figures")
        return cls(tuple(record.weights[term] for term in terms()), record.offset, record.chance_min)

    def chance(self, figures: Sequence[float]) -> float:
        """Chance in [0, 1] that the net accepts a pair with these figures."""
        total = self.offset + sum(
            weight * value for weight, value in zip(self.weights, expand(figures), strict=True)
        )
        return 1.0 / (1.0 + math.exp(-max(-_TOTAL_MAX, min(_TOTAL_MAX, total))))


def terms() -> tuple[str, ...]:
    """Names of all that has a weight."""
    return (*FIGURES, *(f"{FIGURES[one]} * {FIGURES[other]}" for one, other in PRODUCTS))


def read_figures(
    cached: Question, asked: Question, similarity: float, evidence: Sequence[float]
) -> tuple[float, ...]:
    """What is read of a pair, in the order of FIGURES; `evidence` as `read_evidence` gives it."""
    words = min(WORDS_MAX, max(len(cached.words), len(asked.words)))
    return (similarity, *(evidence[place] for place in _PLACES), math.log1p(words))


def expand(figures: Sequence[float]) -> tuple[float, ...]:
    """The figures and their products, in the order of `terms`."""
    return (*figures, *(figures[one] * figures[other] for one, other in PRODUCTS))


def name_of(identity: str, calibration: BaseModel) -> str:
    """Names a verifier's verdicts: its net, and how its logit is read."""
    digest = hashlib.sha256(calibration.model_dump_json().encode()).hexdigest()
    return f"{identity}/{digest[:8]}"


def read_unlikely(path: Path, *, verifier: str, where: str) -> Unlikely | None:
    """What the file says of this verifier; None: it was fitted to another one.

    Raises:
        ConfigError: the file is missing or damaged.
    """
    try:
        record = UnlikelyRecord.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise ConfigError(where, f"{path} cannot be read ({type(error).__name__})") from error
    return Unlikely.of(record, where=where) if record.verifier == verifier else None
