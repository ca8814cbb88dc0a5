"""A client's request as it was read, before any inference.

Whatever is wrong with a request is found here, so that nothing after it fails on what a client sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from router_extproc.cache.base import Fingerprint, Scope
from router_extproc.cache.decision_policy import CachePolicies, KeyRule
from router_extproc.cache.http_caching import Directives, read_directives
from router_extproc.cache.ignore import IgnoreRule
from router_extproc.cache.key import ContextDigest, Delivery, context_digest, fingerprint, piece_fingerprint
from router_extproc.cache.scope import scope_of
from router_extproc.cache.vary import VaryNames
from router_extproc.clock import Budget
from router_extproc.conversation.ask import AskReader
from router_extproc.dialects.base import Dialect
from router_extproc.llm.ask import Ask
from router_extproc.llm.request import InferenceRequest
from router_extproc.pipeline.answer_homes import AnswerHomes
from router_extproc.pipeline.caching.reuse import UNTIL_EXPIRY, Bypass, Reuse, ReuseRules
from router_extproc.pipeline.request_ids import NO_EXCHANGE, ExchangeStart
from router_extproc.protocol.headers import Headers
from router_extproc.protocol.names import FEEDBACK_HEADER
from router_extproc.routing.catalogue import Catalogue, Target
from router_extproc.routing.route import DEFAULT
from router_extproc.signals.base import Signal, Subject

#: Headers by which these APIs choose another behaviour, account or version, whatever a pool's `vary` says.
API_HEADERS: Final = (
    "anthropic-beta", "anthropic-version", "openai-beta", "openai-organization", "openai-project",
    "openai-version",
)  # fmt: skip


#: A request of more pieces is stored as a whole: the write token carries a key for each of them.
PIECES_MAX: Final = 256

#: What the rules in force are called among the names of signals.
_RULES: Final = "rules:"


@dataclass(frozen=True, slots=True)
class RawRequest:
    """One request of a known dialect, as it came."""

    dialect: Dialect
    headers: Headers
    body: bytes
    exchange: ExchangeStart = NO_EXCHANGE
    #: Of the body as the client sent it, which a pool gets without; "": it has none.
    coding: str = ""
    #: That its path names; "": the body names one.
    model: str = ""
    #: Nothing can be taken out of its answer.
    only_observed: bool = False


@dataclass(frozen=True, slots=True)
class PieceKeys:
    """The keys of a request's pieces, under which any request finds them."""

    context: ContextDigest
    #: In their order.
    fingerprints: tuple[Fingerprint, ...]
    #: As `Pieces.sizes`.
    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RequestKey:
    """Whose request it is under one rule for keys, and which."""

    scope: Scope
    fingerprint: Fingerprint
    #: Both of an entry's keys are made from it, so that a long conversation is hashed once.
    context: ContextDigest
    #: Parts of the system prompt that are left out of it.
    ignored: int = 0
    #: Of its pieces; None: it is asked for as a whole only.
    pieces: PieceKeys | None = None


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A request that was read."""

    raw: RawRequest
    #: Names in lower case; of a repeated header the values are joined by commas.
    headers: Mapping[str, str]
    request: InferenceRequest
    ask: Ask
    #: The only target that may answer; None: the request is to be routed.
    pinned: Target | None
    directives: Directives
    #: Under every rule that a decision may have, for the decision is known only later; none under a rule by
    #: which the request shares with nobody.
    keys: Mapping[KeyRule, RequestKey]
    budget: Budget
    #: Headers of pools' `vary` that are part of the keys.
    vary: tuple[str, ...] = ()
    #: Whether the cache may answer it, and for how long its answer may be reused.
    reuse: Reuse = UNTIL_EXPIRY
    #: When it came, in seconds since the Unix epoch.
    asked_s: float = 0.0
    #: The client named a real model, or an answer of one from which it is to go on.
    names_model: bool = False

    @property
    def subject(self) -> Subject:
        """What signals look at, before any inference."""
        return Subject(self.request, self.headers, None, self.ask, self.asked_s)

    def pinned_under(self, decision: str) -> Target | None:
        """As `pinned`; under the default decision no request names its model."""
        return None if decision == DEFAULT and not self.names_model else self.pinned

    @property
    def gives_feedback(self) -> bool:
        """The client says that the stored answer to this very request is wrong."""
        return self.headers.get(FEEDBACK_HEADER, "").strip().lower() == "wrong"


@dataclass(frozen=True, slots=True)
class RequestParser:
    """Reads requests."""

    catalogue: Catalogue
    cache_policies: CachePolicies
    #: Signals that read headers or the time: where they read the same, equal requests get equal decisions.
    key_signals: Sequence[Signal]
    #: What pools have said that their answers hang on.
    vary: VaryNames = field(default_factory=VaryNames)
    reuse_rules: ReuseRules = field(default_factory=ReuseRules)
    #: What else the decision hangs on beside the request: the rules in force, where some refuse; "": nothing.
    rules: str = ""
    ask_reader: AskReader = field(default_factory=AskReader.of)
    #: The target of virtual names where an API's answers must all be of one model.
    default: Target | None = None
    #: Who has given which answer; the same as the observer's.
    homes: AnswerHomes = field(default_factory=AnswerHomes)

    def read(self, raw: RawRequest, budget: Budget) -> ParsedRequest:
        """The request.

        Raises:
            RequestError: the client must change its request.
        """
        request = raw.dialect.parse(raw.body)
        asked = self.catalogue.ask(raw.model or request.model)
        if asked.name != request.model:
            # One name for all its spellings, in signals and in the cache's keys.
            request = replace(request, model=asked.name)
        headers, vary = joined_headers(raw.headers), self.vary.names
        directives = read_directives(raw.headers.get_all("cache-control"))
        ask, asked_s = self.ask_reader.read(request), budget.clock.wall_s()
        subject = Subject(request, headers, None, ask, asked_s)
        reuse = self.reuse_rules.of(subject)
        keys = self._keys(raw, subject, vary)
        directives = _within(directives, reuse)
        named = asked.target or self._home(request)
        pinned = self.default if request.by_name and named is None else named
        return ParsedRequest(
            raw,
            headers,
            request,
            ask,
            pinned,
            directives,
            keys,
            budget,
            vary,
            reuse,
            asked_s,
            names_model=named is not None,
        )

    def _home(self, request: InferenceRequest) -> Target | None:
        """Who gave the answer from which the request goes on: no other pool knows it."""
        model = self.homes.model_of(request.previous) if request.previous else None
        return None if model is None else self.catalogue.targets.get(model)

    def _keys(self, raw: RawRequest, subject: Subject, vary: tuple[str, ...]) -> dict[KeyRule, RequestKey]:
        request, headers = subject.request, subject.headers
        facts = [*self._routing_facts(subject)]
        delivery = _delivery(headers, vary)
        pairs = [(name, value.encode("utf-8", "surrogateescape")) for name, value in raw.headers]
        contexts: dict[IgnoreRule, tuple[ContextDigest, ContextDigest | None]] = {}
        keys: dict[KeyRule, RequestKey] = {}
        for rule in self.cache_policies.key_rules:
            scope, ignore = scope_of(rule.scope, pairs, request.body), rule.ignore
            if scope is None:
                continue
            if ignore not in contexts:
                contexts[ignore] = _contexts(request, delivery, ignore)
            context, of_pieces = contexts[ignore]
            key = fingerprint(scope, context, request.prompt, routing_facts=facts)
            pieces = None if of_pieces is None else _piece_keys(request, scope, of_pieces, facts)
            keys[rule] = RequestKey(scope, key, context, ignore.count(request.system_texts), pieces)
        return keys

    def _routing_facts(self, subject: Subject) -> Iterator[tuple[str, str]]:
        """What the decision hangs on beside the request's body."""
        for signal in self.key_signals:
            reading = signal.read(subject)
            yield reading.name, f"{reading.score:g}"
            yield from ((reading.name, label) for label in (reading.label or "", *reading.also))
        if self.rules:
            yield _RULES, self.rules


def _contexts(
    request: InferenceRequest, delivery: Delivery, ignore: IgnoreRule
) -> tuple[ContextDigest, ContextDigest | None]:
    """What the keys of the request have in common, and those of its pieces, where it has some."""
    whole, pieces = context_digest(request, delivery, ignore), request.pieces
    if pieces is None or len(pieces.keys) > PIECES_MAX:
        return whole, None
    return whole, context_digest(replace(request, context=pieces.context), delivery, ignore)


def _piece_keys(
    request: InferenceRequest, scope: Scope, context: ContextDigest, facts: Sequence[tuple[str, str]]
) -> PieceKeys | None:
    if request.pieces is None:
        return None
    keys = (piece_fingerprint(scope, context, key, routing_facts=facts) for key in request.pieces.keys)
    return PieceKeys(context, tuple(keys), request.pieces.sizes)


def _within(directives: Directives, reuse: Reuse) -> Directives:
    """The directives, with the age at which an answer to this request is too old."""
    if isinstance(reuse, Bypass):
        return directives
    freshness = directives.freshness
    max_age_s = reuse.age_limit_s(freshness.max_age_s)
    return replace(directives, freshness=replace(freshness, max_age_s=max_age_s))


def _delivery(headers: Mapping[str, str], vary: tuple[str, ...]) -> Delivery:
    named = [(name, headers[name]) for name in API_HEADERS if name in headers]
    learned = [(name, f"={headers[name]}" if name in headers else "") for name in vary]
    return Delivery(headers.get(":path", "").partition("?")[2], (*named, *learned))


def joined_headers(headers: Headers) -> dict[str, str]:
    """One value a name, repeated ones joined by commas (RFC 9110, section 5.2)."""
    joined: dict[str, str] = {}
    for name, value in headers:
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined
