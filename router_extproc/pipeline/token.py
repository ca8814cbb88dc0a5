"""The write token: what the observer of an answer must know of its request.

Envoy hands it from the deciding filter to the observing one as dynamic metadata, which no client can read or
write. It carries all that a store and a report need, so any worker may serve the observing stream. Inside one
process it is a value; `mutations` encodes it, the observer decodes it.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from router_extproc.cache.base import Fingerprint, Partition, Scope
from router_extproc.cache.decision_policy import StoreRules
from router_extproc.cache.digest import DIGEST_CHARS
from router_extproc.models.base import Vector
from router_extproc.pipeline.request_ids import ExchangeStart, RequestIds
from router_extproc.routing.outcomes.seen import OutcomeBasis

#: Raised when the fields change; a token of another version (rolling update) stores nothing.
VERSION = 10

#: Little-endian on every machine, so that workers of different hosts agree.
_VECTOR_TYPE = np.dtype("<f4")


@dataclass(frozen=True, slots=True)
class PiecesPlan:
    """Where the answers to a request's pieces are stored, each for itself."""

    partition: Partition
    fingerprints: tuple[Fingerprint, ...]
    #: In what proportion they share its usage.
    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StorePlan:
    """What a new entry consists of beside its answer."""

    fingerprint: Fingerprint
    partition: Partition
    scope: Scope
    #: None: exact matches only.
    vector: Vector | None
    #: The question, for verification; "" when vector is None.
    prompt: str
    rules: StoreRules
    tags: tuple[str, ...] = ()
    #: Headers of `vary` that are part of the keys: an answer that hangs on others is not stored.
    vary: tuple[str, ...] = ()
    #: None: the answer is stored as a whole.
    pieces: PiecesPlan | None = None
    #: How many answers must have come; 0: any number.
    answers: int = 0


@dataclass(frozen=True, slots=True)
class ShadowPlan:
    """The entry that would have been the hit, to be compared with the pool's answer."""

    fingerprint: Fingerprint
    #: The verifier's.
    score: float


@dataclass(frozen=True, slots=True)
class Failover:
    """That the request may go, or has gone, from one pool to the next."""

    #: Envoy's cluster that tries them, which no model has.
    chain: str
    #: The model that was asked first and did not answer; "": the token's own.
    first: str = ""
    #: The fingerprint of requests that wait for this answer, where it is not stored under that; "": it is.
    waited: str = ""


@dataclass(frozen=True, slots=True)
class EvaluationAsk:
    """The request as another model is asked, too, once the answer is complete."""

    #: Who is asked: a key in `models`.
    model: str
    path: str
    #: May hold the client's credential.
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    #: Of its outcome; None: nobody learns from that.
    basis: OutcomeBasis | None = None


@dataclass(frozen=True, slots=True)
class WriteToken:
    """One forwarded request, as its answer's observer sees it."""

    dialect: str
    #: The key in `models`.
    model: str
    decision: str
    #: When the request was forwarded, wall clock: another process may observe the answer.
    started_s: float
    exchange: ExchangeStart
    #: None: measure the answer, do not store it.
    plan: StorePlan | None
    shadow: ShadowPlan | None = None
    #: None: only its own pool is asked.
    failover: Failover | None = None
    #: None: no other model is asked, too.
    evaluation: EvaluationAsk | None = None
    #: Who is counted for its answer; "": nobody asked for tenants.
    tenant: str = ""
    #: The key of the session that it is part of; "": it is not followed.
    session: str = ""

    def encode(self) -> str:
        """The token as one short line of text."""
        head = [VERSION, self.dialect, self.model, self.decision, self.started_s]
        began, ids = self.exchange.started_s, self.exchange.ids
        exchange = [began, ids.request_id, ids.trace_id, ids.span_id, ids.sampled]
        plan = self.plan and _plan_fields(self.plan)
        ask = self.evaluation and _ask_fields(self.evaluation)
        tail = [plan, self.shadow, self.failover, ask, self.tenant, self.session]
        return orjson.dumps([*head, exchange, *tail]).decode()

    @classmethod
    def decode(cls, text: str) -> WriteToken:
        """The token that `encode` wrote.

        Raises:
            ValueError: another version, or not a token.
        """
        try:
            version, *fields = orjson.loads(text)
            if version == VERSION:
                return _token_of(*fields)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError("not a write token") from error
        raise ValueError("a write token of another version")


def _token_of(  # noqa: PLR0917 - the members of the list, in their order
    dialect: str,
    model: str,
    decision: str,
    started_s: float,
    exchange: list[Any],
    plan: dict[str, Any] | None,
    shadow: dict[str, Any] | None,
    failover: dict[str, Any] | None,
    evaluation: list[Any] | None,
    tenant: str,
    session: str,
) -> WriteToken:  # Any: the values of a JSON array and objects that we wrote
    began_s, *ids = exchange
    to_store = None if plan is None else _plan_of(plan)
    to_compare = None if shadow is None else ShadowPlan(**shadow)
    start = ExchangeStart(began_s, RequestIds(*ids))
    going_on = None if failover is None else Failover(**failover)
    ask = None if evaluation is None else _ask_of(*evaluation)
    head = (dialect, model, decision, started_s, start)
    return WriteToken(*head, to_store, to_compare, going_on, ask, tenant, session)


def _ask_fields(ask: EvaluationAsk) -> list[object]:
    # Any byte is one character of Latin-1: a body need not be sound UTF-8.
    return [ask.model, ask.path, ask.headers, ask.body.decode("latin-1"), ask.basis]


def _ask_of(
    model: str,
    path: str,
    headers: list[list[str]],
    body: str,
    basis: dict[str, Any] | None,
) -> EvaluationAsk:  # Any: the values of a JSON object we wrote
    pairs = tuple((name, value) for name, value in headers)
    outcome = None if basis is None else OutcomeBasis(**basis)
    return EvaluationAsk(model, path, pairs, body.encode("latin-1"), outcome)


def _plan_fields(plan: StorePlan) -> dict[str, object]:
    vector = plan.vector
    return {
        "fingerprint": plan.fingerprint,
        "partition": plan.partition,
        "scope": plan.scope,
        "vector": None
        if vector is None
        else base64.b64encode(vector.astype(_VECTOR_TYPE).tobytes()).decode(),
        "prompt": plan.prompt,
        "rules": plan.rules,
        "tags": plan.tags,
        "vary": plan.vary,
        "pieces": plan.pieces and _pieces_fields(plan.pieces),
        "answers": plan.answers,
    }


def _pieces_fields(pieces: PiecesPlan) -> list[object]:
    # Half a page for a batch of the largest size, in each message to the observer.
    digests = base64.b64encode(bytes.fromhex("".join(pieces.fingerprints))).decode()
    return [pieces.partition, digests, pieces.sizes]


def _plan_of(fields: dict[str, Any]) -> StorePlan:  # Any: the values of a JSON object we wrote
    vector = fields.pop("vector")
    pieces = fields.pop("pieces")
    floats = None if vector is None else np.frombuffer(base64.b64decode(vector), _VECTOR_TYPE)
    return StorePlan(
        vector=None if floats is None else floats.astype(np.float32),
        rules=StoreRules(**fields.pop("rules")),
        tags=tuple(fields.pop("tags")),
        vary=tuple(fields.pop("vary")),
        pieces=None if pieces is None else _pieces_of(*pieces),
        **fields,
    )


def _pieces_of(partition: str, digests: str, sizes: list[int]) -> PiecesPlan:
    told = base64.b64decode(digests).hex()
    parts = (told[start : start + DIGEST_CHARS] for start in range(0, len(told), DIGEST_CHARS))
    return PiecesPlan(Partition(partition), tuple(map(Fingerprint, parts)), tuple(sizes))
