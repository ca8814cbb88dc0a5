"""The fail-over plan: how a request that is forwarded looks for each model that may be asked after its own.

Envoy hands it from the deciding filter to the retrying one as dynamic metadata, which no client can read or
write. It holds what differs, not the request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from router_extproc.cache.base import Fingerprint, Partition
from router_extproc.pipeline.failover.patch import Patch, Piece
from router_extproc.protocol.headers import Pair
from router_extproc.routing.failover import chain_name

#: Raised when the fields change; a plan of another version (rolling update) is not carried out.
VERSION: Final = 1
#: A request for which more would have to be written anew goes to no other pool.
WRITTEN_BYTES_MAX: Final = 16 * 1024

_NONE_STORED: Final = Fingerprint("")
_NO_PARTITION: Final = Partition("")


@dataclass(frozen=True, slots=True)
class Alternative:
    """One model that may be asked, and the request for it."""

    model: str
    cluster: str
    #: Of the body that was written for the first model.
    patch: Patch
    #: Keys under which its answer is stored; "": it is not.
    fingerprint: Fingerprint = _NONE_STORED
    partition: Partition = _NO_PARTITION
    #: That are other ones for this model, x-router-model left aside.
    headers: tuple[Pair, ...] = ()


@dataclass(frozen=True, slots=True)
class FailoverPlan:
    """All of them, in the order in which they are asked."""

    #: The model for which the body was written, and its pool.
    first: str
    cluster: str
    #: Of that body.
    body_bytes: int
    alternatives: tuple[Alternative, ...]

    @property
    def chain(self) -> str:
        """Envoy's cluster that tries their pools one after another."""
        return chain_name((self.cluster, *(each.cluster for each in self.alternatives)))

    @property
    def models(self) -> tuple[str, ...]:
        """Who is asked next, in this order."""
        return tuple(each.model for each in self.alternatives)

    def with_headers(self, headers: Callable[[str], tuple[Pair, ...]]) -> FailoverPlan:
        """The same with more headers, which are other ones for each model."""
        told = (replace(each, headers=(*each.headers, *headers(each.model))) for each in self.alternatives)
        return replace(self, alternatives=tuple(told))

    def of(self, cluster: str) -> Alternative | None:
        """The request for this pool; None: nobody has written one."""
        return next((each for each in self.alternatives if each.cluster == cluster), None)

    def encode(self) -> str:
        """The plan as one line of text."""
        return orjson.dumps(
            [
                VERSION,
                self.first,
                self.cluster,
                self.body_bytes,
                [_fields(each) for each in self.alternatives],
            ]
        ).decode()

    @classmethod
    def decode(cls, text: str) -> FailoverPlan:
        """The plan that `encode` wrote.

        Raises:
            ValueError: another version, or not a plan.
        """
        try:
            version, first, cluster, body_bytes, alternatives = orjson.loads(text)
            if version == VERSION:
                read = tuple(_alternative_of(*each) for each in alternatives)
                return cls(first, cluster, body_bytes, read)
        except (ValueError, TypeError) as error:
            raise ValueError("not a fail-over plan") from error
        raise ValueError("a fail-over plan of another version")


def _fields(each: Alternative) -> list[object]:
    # Any byte is one character of Latin-1: a difference may begin inside a character of UTF-8.
    pieces = [[piece.start, piece.length, piece.written.decode("latin-1")] for piece in each.patch]
    return [each.model, each.cluster, pieces, each.fingerprint, each.partition, each.headers]


def _alternative_of(  # noqa: PLR0917 - the members of the list, in their order
    model: str, cluster: str, pieces: list[Any], fingerprint: str, partition: str, headers: list[list[str]]
) -> Alternative:  # Any: the values of a JSON array that we wrote
    patch = tuple(Piece(start, length, written.encode("latin-1")) for start, length, written in pieces)
    pairs = tuple((name, value) for name, value in headers)
    return Alternative(model, cluster, patch, Fingerprint(fingerprint), Partition(partition), pairs)
