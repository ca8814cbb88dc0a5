"""Replays a stream of questions through the real cache, and notes every hit.

The time of a lookup is the cache's own, in this process. A question is looked up before its answer is
stored, and only a miss stores one: nothing looks ahead.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from router_extproc.bench.stream import Labels, Truth
from router_extproc.cache.base import Entry, Fingerprint, Partition, Scope
from router_extproc.cache.digest import digest
from router_extproc.cache.key import context_digest, fingerprint, partition
from router_extproc.cache.near.tier import NearTier
from router_extproc.cache.semantic_cache import Hit, Query, SemanticCache
from router_extproc.clock import SystemClock
from router_extproc.evaluation.pairs import SIMILARITY_MIN, Question
from router_extproc.llm.request import InferenceRequest
from router_extproc.models.base import Encoder, Vector, Verdict, Verifier

#: A stream holds no more questions than this; nothing is evicted.
QUESTIONS_MAX: Final = 1_000_000
BYTES_MAX: Final = 2**36
#: No cosine is as high.
NEVER: Final = 2.0
_DIALECT: Final = "openai_chat"
_SCOPE: Final = Scope(digest(b"rx-replay", ()))
_DECISION: Final = "replay"
_TTL_S: Final = 1e9


class CosineVerifier:
    """Accepts whatever is similar enough: what a cache does that has a threshold only."""

    def __init__(self, similarity_min: float) -> None:
        """`similarity_min`: cosine from which the old answer is given."""
        self._similarity_min: Final = similarity_min

    def verify(self, cached: str, asked: str, similarity: float) -> Verdict:  # noqa: ARG002 - the port
        """See cache.verify.Verifier."""
        accepted = similarity >= self._similarity_min
        return Verdict(
            accepted=accepted, score=max(0.0, similarity), reason="ok" if accepted else "similarity"
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to decide what is a hit; without a verifier only the very same request is one."""

    name: str
    verifier: Verifier | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, read once for all rules."""

    text: str
    #: None: it can be matched exactly only.
    vector: Vector | None
    #: What the encoder took, in seconds.
    encoded_s: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a question was answered, and what the labels say of it."""

    kind: Literal["exact", "semantic"]
    truth: Truth


@dataclass(frozen=True, slots=True)
class Lookup:
    """What became of one question."""

    #: Seconds of key, encoder, search and verifier, as far as they were needed.
    seconds: float
    #: None: a miss.
    hit: Judgement | None


def read_question(text: str, encoder: Encoder) -> Asked:
    """The question as the semantic tier sees it, and how long it took to see it."""
    start = time.perf_counter()
    encoding = encoder.encode(text)
    took_s = time.perf_counter() - start
    return Asked(text, encoding.vector if Question(text, encoding).is_comparable else None, took_s)


async def replay(
    stream: Sequence[Asked],
    rule: Rule,
    labels: Labels,
    encoder_identity: str,
    *,
    on_question: Callable[[], None],
) -> list[Lookup]:
    """One lookup for every question, in order, in a cache of its own that starts empty."""
    replayed = _Replay(rule, labels, encoder_identity)
    lookups = []
    for asked in stream:
        lookups.append(await replayed.ask(asked))
        on_question()
    return lookups


class _Replay:
    """One cache, and what is asked of it."""

    def __init__(self, rule: Rule, labels: Labels, encoder_identity: str) -> None:
        self._clock: Final = SystemClock()
        near = NearTier(self._clock, max_entries=QUESTIONS_MAX, max_bytes=BYTES_MAX)
        self._by_meaning: Final = rule.verifier is not None
        self._cache: Final = SemanticCache(self._clock, near, rule.verifier or CosineVerifier(NEVER))
        self._labels: Final = labels
        self._encoder_identity: Final = encoder_identity

    async def ask(self, asked: Asked) -> Lookup:
        """Look the question up; after a miss, store an answer to it."""
        vector = asked.vector if self._by_meaning else None
        start = time.perf_counter()
        context = context_digest(request_of(asked.text))
        key = fingerprint(_SCOPE, context, asked.text)
        hit = self._cache.lookup.exact_near(key)
        encoded_s = asked.encoded_s if hit is None and self._by_meaning else 0.0
        part = partition(_SCOPE, context, decision=_DECISION, answerer="", encoder=self._encoder_identity)
        if hit is None and vector is not None:
            found = await self._cache.lookup.semantic(Query(_SCOPE, part, vector, asked.text, SIMILARITY_MIN))
            if isinstance(found, Hit):
                hit = found
                # As the pipeline does: the same words again need no second verdict.
                self._cache.lookup.note(key, hit)
        seconds = time.perf_counter() - start + encoded_s
        if hit is None:
            self._cache.store(self._entry(key, part, asked.text, vector))
            return Lookup(seconds, None)
        return Lookup(seconds, self._judge(hit, asked.text))

    def _judge(self, hit: Hit, asked: str) -> Judgement:
        # Exact only entries have no prompt; words that were noted have that of another question.
        if hit.entry.prompt in {"", asked}:
            return Judgement("exact", "right")
        return Judgement("semantic", self._labels.truth(hit.entry.prompt, asked))

    def _entry(self, key: Fingerprint, part: Partition, text: str, vector: Vector | None) -> Entry:
        now_s = self._clock.wall_s()
        return Entry(
            fingerprint=key,
            partition=part,
            scope=_SCOPE,
            vector=vector,
            prompt="" if vector is None else text,
            answer=b"",
            dialect=_DIALECT,
            model=_DECISION,
            decision=_DECISION,
            created_s=now_s,
            expires_s=now_s + _TTL_S,
        )


def request_of(text: str) -> InferenceRequest:
    """The question as a chat client would ask it, with nothing around it."""
    return InferenceRequest(
        dialect=_DIALECT,
        model="auto",
        prompt=text,
        system="",
        history=(),
        context=(),
        stream=False,
        stream_usage=False,
        prompt_is_last=True,
    )
