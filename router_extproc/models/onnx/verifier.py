"""The cache's verifier: a calibrated cross-encoder over both questions, and guards with the last word.

It rejects a pair that it cannot read whole, and every pair that a guard refuses. The net takes nearly all of
the time, so it reads only what it may still accept: guards and figures about the words come first. Fits
`models.base.Verifier`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from router_extproc.equivalence import (
    GRAMMAR_GUARDS,
    GUARDS,
    QUESTION_CHARS_MAX,
    Guard,
    Question,
    read_question,
)
from router_extproc.equivalence.asking import same_extent
from router_extproc.equivalence.background import asked_apart
from router_extproc.equivalence.language import same_language
from router_extproc.equivalence.narrowing import same_breadth
from router_extproc.equivalence.numbers import same_numbers
from router_extproc.equivalence.order import same_roles
from router_extproc.equivalence.polarity import same_polarity
from router_extproc.equivalence.written import is_same_text, same_writing
from router_extproc.models.base import Verdict
from router_extproc.models.onnx.enough import Pair, enough_for
from router_extproc.models.onnx.lexical_features import read_evidence
from router_extproc.models.onnx.unlikely import Unlikely, read_figures
from router_extproc.models.onnx.window import Tokens, WindowTokenizer

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
    *GRAMMAR_GUARDS,
    same_breadth,
    same_language,
)
#: The guards that are evidence only. What a wider guard of theirs shares with a veto has been asked by then.
WEIGHED: tuple[Guard, ...] = tuple(guard for guard in GUARDS if guard not in VETOES)
#: The reason of a pair that is refused unread.
UNLIKELY = "unlikely"
#: Chance that is enough. The calibration's own threshold was chosen when no guard refused replaced words.
REPHRASED_CHANCE_MIN = 0.83
#: What is asked by itself has no vector of its own; the one of the whole text makes it no likelier than this.
ALONE_SIMILARITY = 0.9


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


#: The net cannot read both whole.
UNREADABLE = Verdict(accepted=False, score=0.0, reason="unreadable")


class Net(Protocol):
    """What judges two questions by their tokens. PairNet fits it."""

    def logit(self, cached: Sequence[int], asked: Sequence[int]) -> float:
        """What it says of them, by token ids; higher is likelier. Raises ModelError."""
        ...


class OnnxVerifier:
    """One net, its tokenizer and its calibration; safe to call from several threads."""

    def __init__(
        self,
        net: Net,
        tokenizer: WindowTokenizer,
        calibration: Calibration,
        *,
        chance_min: float,
        support_similarity_min: float | None = None,
        unlikely: Unlikely | None = None,
        reads_refused: bool = False,
    ) -> None:
        """`chance_min`: what is at least this likely to be right is accepted.

        support_similarity_min: see enough.SUPPORTED_CHANCE_MIN; None: similarities mean nothing here.
        unlikely: which pairs are refused unread; None: the net reads all that no guard refuses.
        reads_refused: the net reads refused pairs too. The verdicts are the same, the scores are the net's.
        """
        self._net: Final = net
        self._tokenizer: Final = tokenizer
        self._calibration: Final = calibration
        self._chance_min: Final = chance_min
        self._support_similarity_min: Final = support_similarity_min
        self._unlikely: Final = unlikely
        self._reads_refused: Final = reads_refused

    def verify(self, cached: str, asked: str, similarity: float) -> Verdict:
        """See models.base.Verifier; what costs least comes first.

        Raises:
            ModelError: the runtime failed.
        """
        if cached == asked:
            return Verdict(accepted=True, score=1.0, reason="ok")
        if max(len(cached), len(asked)) > QUESTION_CHARS_MAX:
            return Verdict(accepted=False, score=0.0, reason="too-long")
        pair = Pair(read_question(cached), read_question(asked), bound(similarity))
        # Every word is a token at least: guards, which take time in proportion to it, need not read so much.
        if max(len(pair.cached.tokens), len(pair.asked.tokens)) > WINDOW_TOKENS:
            return UNREADABLE
        return self._compare(pair)

    def _compare(self, pair: Pair) -> Verdict:
        veto = find_veto(pair)
        if veto is not None and not self._reads_refused:
            return Verdict(accepted=False, score=REFUSED_SHARE * self._unread_chance(pair), reason=veto)
        first, second = (self._tokenizer.read(each.text) for each in (pair.cached, pair.asked))
        if not (is_whole(first) and is_whole(second)):
            return UNREADABLE
        if veto is None and is_same_text(pair.cached, pair.asked):
            return Verdict(accepted=True, score=1.0, reason="ok")
        return self._weigh(pair, (first, second), veto)

    def _weigh(self, pair: Pair, tokens: tuple[Tokens, Tokens], veto: str | None) -> Verdict:
        """The verdict of evidence and net on two texts that the net can read."""
        objections = count_objections(pair) if veto is None else None
        evidence = read_evidence(pair.cached, pair.asked, objections=objections).tolist()
        refused = self._refuse_unlikely(pair, evidence) if veto is None else None
        if refused is not None and not self._reads_refused:
            return refused
        logit = self._net.logit(tokens[0].ids, tokens[1].ids)
        chance = self._calibration.chance(logit, pair.similarity, evidence)
        is_enough = objections is not None and self._enough(pair, objections) <= chance < self._chance_min
        if is_enough and self._holds_alone(pair):
            chance = self._chance_min
        verdict = self._verdict(chance, veto)
        return verdict if refused is None else replace(verdict, accepted=False, reason=refused.reason)

    def _refuse_unlikely(self, pair: Pair, evidence: Sequence[float]) -> Verdict | None:
        if self._unlikely is None:
            return None
        chance = self._unlikely.chance(read_figures(pair.cached, pair.asked, pair.similarity, evidence))
        if chance >= self._unlikely.chance_min:
            return None
        return Verdict(accepted=False, score=chance, reason=UNLIKELY)

    def _enough(self, pair: Pair, objections: int) -> float:
        """The chance that such a pair needs, by what else speaks for it."""
        least = self._support_similarity_min
        if least is None:
            return self._chance_min
        return enough_for(
            pair,
            otherwise=self._chance_min,
            objections=objections,
            is_close=pair.similarity >= least,
        )

    def _holds_alone(self, pair: Pair) -> bool:
        """Whether what both ask is a match without the background that they share, if they have one."""
        apart = asked_apart(pair.cached, pair.asked)
        if apart is None:
            return True
        first, second = self._tokenizer.read(apart.cached), self._tokenizer.read(apart.asked)
        if not (is_whole(first) and is_whole(second)):
            return False
        alone = Pair(
            read_question(apart.cached), read_question(apart.asked), min(pair.similarity, ALONE_SIMILARITY)
        )
        evidence = read_evidence(alone.cached, alone.asked, objections=count_objections(alone)).tolist()
        logit = self._net.logit(first.ids, second.ids)
        return self._calibration.chance(logit, alone.similarity, evidence) >= self._chance_min

    def _unread_chance(self, pair: Pair) -> float:
        """The chance if the net said neither yes nor no."""
        evidence = read_evidence(pair.cached, pair.asked, objections=1)
        return self._calibration.chance(0.0, pair.similarity, evidence.tolist())

    def _verdict(self, chance: float, veto: str | None) -> Verdict:
        if veto is not None:
            return Verdict(accepted=False, score=REFUSED_SHARE * chance, reason=veto, inferred=True)
        if chance < self._chance_min:
            return Verdict(accepted=False, score=chance, reason="verifier", inferred=True)
        return Verdict(accepted=True, score=chance, reason="ok", inferred=True)


def bound(similarity: float) -> float:
    """The similarity; -1 for what is none: the vectors were broken on their way."""
    return similarity if -1.0 <= similarity <= 1.0 else -1.0


def count_objections(pair: Pair) -> int:
    """How many of GUARDS object to a pair that no guard of VETOES refuses."""
    return sum(guard(pair.cached, pair.asked) is not None for guard in WEIGHED)


def is_whole(tokens: Tokens) -> bool:
    """The net reads all of it and knows every token."""
    return tokens.count > 0 and not tokens.truncated and not tokens.unknown


def find_veto(pair: Pair) -> str | None:
    """What a guard of VETOES objects to, in both or in what both ask beside a background that they share."""
    veto = find_refusal(VETOES, pair.cached, pair.asked)
    apart = asked_apart(pair.cached, pair.asked) if veto is None else None
    if apart is None or not (apart.cached and apart.asked):
        return veto
    return find_refusal(VETOES, read_question(apart.cached), read_question(apart.asked))


def find_refusal(guards: Sequence[Guard], cached: Question, asked: Question) -> str | None:
    """The first objection, or None."""
    return next((reason for guard in guards if (reason := guard(cached, asked)) is not None), None)
