"""The write token: what the observer of an answer must know of its request.

It is not a secret and not a key: Envoy hands it from the deciding filter to the observing one as
dynamic metadata, which no client can write. The rule it keeps: it carries all that a store needs,
so that any worker may serve the observing stream.
"""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import orjson

from router_extproc.cache.base import Fingerprint, Partition, Scope
from router_extproc.cache.decision_policy import CachePolicy
from router_extproc.models.base import Vector
from router_extproc.pipeline.request_ids import NO_IDS, RequestIds

#: Raised when the fields change; a token of another version (rolling update) stores nothing.
VERSION = 3

#: Little-endian on every machine, so that workers of different hosts agree.
_VECTOR_TYPE = np.dtype("<f4")


@dataclass(frozen=True, slots=True)
class StorePlan:
    """What a new entry needs beside its answer."""

    fingerprint: Fingerprint
    partition: Partition
    scope: Scope
    #: None: exact matches only.
    vector: Vector | None
    #: The question, for verification; "" when vector is None.
    prompt: str
    policy: CachePolicy
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShadowPlan:
    """A stored answer that would have been the hit: to be compared with the one that comes."""

    fingerprint: Fingerprint
    #: The verifier's.
    score: float


@dataclass(frozen=True, slots=True)
class WriteToken:
    """One forwarded request, as its answer's observer sees it."""

    dialect: str
    #: The key in `models`.
    model: str
    decision: str
    #: When the request was forwarded, wall clock: another process may observe the answer.
    started_s: float
    #: None: measure the answer, do not store it.
    plan: StorePlan | None
    shadow: ShadowPlan | None = None
    ids: RequestIds = NO_IDS

    def encode(self) -> str:
        """The token as one short line of text."""
        head = [VERSION, self.dialect, self.model, self.decision, self.started_s]
        shadow = self.shadow and asdict(self.shadow)
        plan, ids = self.plan and _plan_fields(self.plan), self.ids
        members = [*head, plan, shadow, [ids.request_id, ids.trace_id, ids.span_id]]
        return orjson.dumps(members).decode()

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
    plan: dict[str, Any] | None,
    shadow: dict[str, Any] | None,
    ids: list[str],
) -> WriteToken:  # Any: the values of a JSON object we wrote
    to_compare = None if shadow is None else ShadowPlan(**shadow)
    to_store = None if plan is None else _plan_of(plan)
    return WriteToken(dialect, model, decision, started_s, to_store, to_compare, RequestIds(*ids))


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
        "policy": asdict(plan.policy),
        "tags": plan.tags,
    }


def _plan_of(fields: dict[str, Any]) -> StorePlan:  # Any: the values of a JSON object we wrote
    vector = fields.pop("vector")
    floats = None if vector is None else np.frombuffer(base64.b64decode(vector), _VECTOR_TYPE)
    return StorePlan(
        vector=None if floats is None else floats.astype(np.float32),
        policy=CachePolicy(**fields.pop("policy")),
        tags=tuple(fields.pop("tags")),
        **fields,
    )
