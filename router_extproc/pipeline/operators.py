"""Requests of operators: known by a token in a header that no pool gets, and told what others are not.

Whatever else operators are to be told goes here, beside the version: as dynamic metadata of a request that is
forwarded (Envoy's route makes headers of it), and as headers of an answer of ours.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from router_extproc.pipeline.brief import brief
from router_extproc.pipeline.decision import Explanation
from router_extproc.protocol.headers import HeaderMutation, Headers
from router_extproc.protocol.messages import BodyReply, ImmediateResponse
from router_extproc.protocol.names import (
    DEBUG_HEADER,
    EXPLAIN_HEADER,
    EXPLAIN_KEY,
    METADATA_NAMESPACE,
    VERSION_HEADER,
    VERSION_KEY,
)


@dataclass(frozen=True, slots=True)
class DebugHeader:
    """What a request says of whose it is."""

    #: The header is there, right or wrong.
    sent: bool = False
    is_operators: bool = False


NOT_SENT: Final = DebugHeader()


@dataclass(frozen=True, slots=True)
class Operators:
    """Knows operators' requests, and tells them more."""

    #: None: no request is an operator's.
    token: str | None = field(default=None, repr=False)
    #: Of the policy that decides.
    policy_version: int = 1

    def read(self, headers: Headers) -> DebugHeader:
        """Whose request this is; takes the same time however much of a token is right."""
        given = headers.get_all(DEBUG_HEADER)
        if not given:
            return NOT_SENT
        same = hmac.compare_digest(given[0].encode("utf-8", "surrogateescape"), (self.token or "").encode())
        return DebugHeader(sent=True, is_operators=same and len(given) == 1 and self.token is not None)

    def tell(
        self,
        reply: BodyReply | ImmediateResponse,
        header: DebugHeader,
        explanation: Explanation | None = None,
    ) -> BodyReply | ImmediateResponse:
        """The reply without the token and, to an operator, with the policy's version and why."""
        if not header.sent:
            return reply
        if isinstance(reply, ImmediateResponse):
            return self.answer(reply, header, explanation)
        return _forwarded(reply, self._told(header, explanation))

    def answer(
        self, reply: ImmediateResponse, header: DebugHeader, explanation: Explanation | None = None
    ) -> ImmediateResponse:
        """The same of an answer of ours."""
        more = tuple((_HEADERS[key], value) for key, value in self._told(header, explanation).items())
        return replace(reply, headers=(*reply.headers, *more)) if more else reply

    def _told(self, header: DebugHeader, explanation: Explanation | None) -> dict[str, str]:
        if not header.is_operators:
            return {}
        told = {VERSION_KEY: str(self.policy_version)}
        return told if explanation is None else told | {EXPLAIN_KEY: brief(explanation)}


NO_OPERATORS: Final = Operators()


def without_token(headers: Headers) -> Headers:
    """The headers as everything behind the protocol sees them: no key and no log may hold the token."""
    return Headers(tuple(pair for pair in headers if pair[0] != DEBUG_HEADER))


#: What is told to the header that tells it.
_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {VERSION_KEY: VERSION_HEADER, EXPLAIN_KEY: EXPLAIN_HEADER}
)


def _forwarded(reply: BodyReply, told: Mapping[str, str]) -> BodyReply:
    mutation = reply.mutation
    own = reply.dynamic_metadata.get(METADATA_NAMESPACE, {})
    return replace(
        reply,
        mutation=HeaderMutation(mutation.overwrite, (*mutation.remove, DEBUG_HEADER)),
        dynamic_metadata={**reply.dynamic_metadata, METADATA_NAMESPACE: {**own, **told}},
    )
