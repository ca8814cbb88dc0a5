"""The claim signal: what a verified token says of the client, for example its tier or its groups.

Envoy's JWT filter verifies the token and forwards its payload in a header (`forward_payload_header`), as
base64url of a JSON object. The signal verifies nothing: the header must be one that only Envoy can set
(`envoy.strip_headers`).
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

import orjson
from pydantic import Field

from router_extproc.errors import ConfigError
from router_extproc.llm.answer import JsonValue
from router_extproc.models.base import Classifiers
from router_extproc.protocol.names import ROUTER_HEADER_PREFIX
from router_extproc.signals.base import Reading, SignalSettings, Subject
from router_extproc.signals.header import is_label

#: Characters of a payload that is read; longer ones have no claims.
PAYLOAD_CHARS_MAX: Final = 16_384
#: Values of one claim that are labels; further ones are not.
VALUES_MAX: Final = 64


class ClaimSettings(SignalSettings):
    """What a verified token says under one claim is the label."""

    type: Literal["claim"]
    #: The claim's name, with dots on the way inwards: realm_access.roles. A name that has dots itself is
    #: found, too.
    claim: str = Field(min_length=1, max_length=256)
    #: The header in which Envoy forwards the payload, in any case.
    header: str = Field(default="x-jwt-payload", min_length=1)

    @property
    def finds_several(self) -> bool:
        """See SignalSettings: a claim may be a list."""
        return True

    @property
    def in_key(self) -> bool:
        """See SignalSettings."""
        return True

    def problems(self, path: str) -> Iterator[ConfigError]:
        """See SignalSettings."""
        if self.header.lower().startswith(ROUTER_HEADER_PREFIX):
            problem = "x-router-* headers are removed from requests; it would never match"
            yield ConfigError(f"{path}.header", problem)

    @property
    def reads_texts(self) -> bool:
        """See SignalSettings."""
        return False

    def open(self, name: str, classifiers: Classifiers) -> ClaimSignal:  # noqa: ARG002 - needs none
        """See SignalSettings."""
        return ClaimSignal(name, self.claim, self.header)


class ClaimSignal:
    """The claim's value, or the first of several; a number or a boolean as JSON writes it. Fits Signal."""

    needs_encoding = False
    needs_tasks = False

    def __init__(self, name: str, claim: str, header: str) -> None:
        """`header` in any case."""
        self.name = name
        self._claim = claim
        self._header = header.lower()

    def read(self, subject: Subject) -> Reading:
        """See signals.base.Signal; what is no payload, or does not have the claim, has no label."""
        found = claim_values(subject.headers.get(self._header, ""), self._claim)
        if not found:
            return Reading(self.name, None, 0.0)
        return Reading(self.name, found[0], 1.0, dict.fromkeys(found, 1.0), also=found[1:])


def claim_values(header: str, claim: str) -> tuple[str, ...]:
    """The values of a claim in a header with a payload, each once, in their order."""
    (values,) = claims_of(header, (claim,))
    return values


def claims_of(header: str, claims: Sequence[str]) -> list[tuple[str, ...]]:
    """The values of several claims in it."""
    payload = read_payload(header)
    return [tuple(dict.fromkeys(_labels(_member(payload, claim))))[:VALUES_MAX] for claim in claims]


def read_payload(header: str) -> Mapping[str, JsonValue]:
    """The claims in a header's value; none in one that is absent, too long or malformed."""
    value = header.strip()
    if not 0 < len(value) <= PAYLOAD_CHARS_MAX:
        return {}
    try:
        # Envoy leaves the padding out unless it is told otherwise.
        payload = orjson.loads(urlsafe_b64decode(value.rstrip("=") + "=" * (-len(value.rstrip("=")) % 4)))
    except (ValueError, binascii.Error):
        return {}
    return payload if isinstance(payload, dict) else {}


def _member(claims: Mapping[str, JsonValue], path: str) -> JsonValue:
    """The value under the whole name, or on the way that its dots describe; None: there is none."""
    if path in claims:
        return claims[path]
    name, _, rest = path.partition(".")
    inner = claims.get(name)
    return _member(inner, rest) if rest and isinstance(inner, dict) else None


def _labels(value: JsonValue) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        label = _label(item)
        if is_label(label):
            yield label


def _label(value: JsonValue) -> str:
    if isinstance(value, bool | int | float):
        return orjson.dumps(value).decode()
    return value.strip() if isinstance(value, str) else ""
