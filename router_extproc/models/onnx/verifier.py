"""The cache's verifier: a calibrated cross-encoder over both questions, and four guards with the last word.

It rejects a pair that it cannot read whole, and every pair that a guard refuses, whatever the net's score.
Fits `models.base.Verifier`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import onnxruntime as ort

from router_extproc.equivalence import GUARDS, QUESTION_CHARS_MAX, Guard, Question, read_question
from router_extproc.equivalence.asking import same_extent
from router_extproc.equivalence.language import same_language
from router_extproc.equivalence.numbers import same_numbers
from router_extproc.equivalence.order import same_roles
from router_extproc.equivalence.polarity import same_polarity
from router_extproc.equivalence.replaced import same_but_one
from router_extproc.equivalence.written import is_same_text, same_writing
from router_extproc.models.base import Verdict
from router_extproc.models.onnx.encoder import Tokens, WindowTokenizer
from router_extproc.models.onnx.lexical_features import read_evidence
from router_extproc.models.onnx.session import run_session

STAGE = "verifier"
#: The graph's output, float32[1].
LOGIT = "logit"
#: Tokens of each question that the net reads; it was trained on shorter ones.
WINDOW_TOKENS = 128
#: A guard refused: the chance is at most this share of it.
REFUSED_SHARE = 0.5
#: Guards with the last word. The others are evidence to weigh: as vetoes, names, what is asked for and
#: order cost a fifth to a third of the hits and gain nothing that the net does not see (card.md). Turned
#: roles, and a question with much else around it, cost three right hits in 830 together; the net sees
#: neither that cats chase dogs nor what an attacker put in front (docs/security.md).
VETOES: tuple[Guard, ...] = (
    same_numbers,
    same_writing,
    same_polarity,
    same_roles,
    same_extent,
    same_but_one,
    same_language,
)
#: Chance from which a match is accepted when all five guards and a very high similarity speak for it. On
#: development pairs that no net was trained on it adds a fifth to Quora's hits at the same precision, and
#: accepts 2 % of PAWS's wrong pairs.
SUPPORTED_CHANCE_MIN = 0.6


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic model over the net's logit, the similarity and the evidence of words."""

    logit: float
    similarity: float
    #: One weight for each entry of EVIDENCE, in its order.
    evidence: Sequence[float]
    offset: float

    def chance(self, logit: float, similarity: float, evidence: Sequence[float]) -> float:
        """Chance in [0, 1] that the stored answer is right."""
        total = self.offset + self.logit * logit + self.similarity * similarity
        total += sum(weight * value for weight, value in zip(self.evidence, evidence, strict=True))
        return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, total))))


class OnnxVerifier:
    """One graph, its tokenizer and its calibration; safe to call from several threads."""

    def __init__(
        self,
        session: ort.InferenceSession,
        tokenizer: WindowTokenizer,
        calibration: Calibration,
        *,
        chance_min: float,
        support_similarity_min: float | None = None,
    ) -> None:
        """`chance_min`: what is at least this likely to be right is accepted.

        support_similarity_min: see SUPPORTED_CHANCE_MIN; None: similarities mean nothing here.
        """
        self._session: Final = session
        self._tokenizer: Final = tokenizer
        self._calibration: Final = calibration
        self._chance_min: Final = chance_min
        self._support_similarity_min: Final = support_similarity_min

    def verify(self, cached: str, asked: str, similarity: float) -> Verdict:
        """See cache.verify.Verifier. Raises ModelError when the runtime fails."""
        if cached == asked:
            return Verdict(accepted=True, score=1.0, reason="ok")
        if max(len(cached), len(asked)) > QUESTION_CHARS_MAX:
            return Verdict(accepted=False, score=0.0, reason="too-long")
        first, second = self._tokenizer.read(cached), self._tokenizer.read(asked)
        if not (is_whole(first) and is_whole(second)):
            return Verdict(accepted=False, score=0.0, reason="unreadable")
        one, other = read_question(cached), read_question(asked)
        if is_same_text(one, other):
            return Verdict(accepted=True, score=1.0, reason="ok")
        chance = self._chance(first, second, similarity, read_evidence(one, other).tolist())
        if self._is_supported(chance, similarity, one, other):
            chance = max(chance, self._chance_min)
        return self._verdict(chance, find_refusal(VETOES, one, other))

    def _is_supported(self, chance: float, similarity: float, one: Question, other: Question) -> bool:
        least = self._support_similarity_min
        if least is None or not similarity >= least or chance < SUPPORTED_CHANCE_MIN:
            return False
        return find_refusal(GUARDS, one, other) is None

    def _chance(self, cached: Tokens, asked: Tokens, similarity: float, evidence: list[float]) -> float:
        feeds = {
            name: np.array([tokens.ids], np.int32)
            for name, tokens in (("cached_ids", cached), ("asked_ids", asked))
        }
        (logit,) = run_session(self._session, [LOGIT], feeds, stage=STAGE)
        # Out of [-1, 1], and not a number, only for vectors that were broken on their way.
        bounded = similarity if -1.0 <= similarity <= 1.0 else -1.0
        return self._calibration.chance(float(logit[0]), bounded, evidence)

    def _verdict(self, chance: float, refusal: str | None) -> Verdict:
        if refusal is not None:
            return Verdict(accepted=False, score=REFUSED_SHARE * chance, reason=refusal)
        if chance < self._chance_min:
            return Verdict(accepted=False, score=chance, reason="verifier")
        return Verdict(accepted=True, score=chance, reason="ok")


def is_whole(tokens: Tokens) -> bool:
    """The net reads all of it and knows every token."""
    return tokens.count > 0 and not tokens.truncated and not tokens.unknown


def find_refusal(guards: Sequence[Guard], cached: Question, asked: Question) -> str | None:
    """The first objection, or None."""
    return next((reason for guard in guards if (reason := guard(cached, asked)) is not None), None)
