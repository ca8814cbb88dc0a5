"""Reads request bodies: small ones at once, large and compressed ones off the event loop, with more time.

A large body takes longer than any reply may, so Envoy is asked for time in proportion to its size: it must
not send a request on by another decision, to another model, because reading it took a while. Meanwhile the
event loop decides other clients' requests.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from router_extproc.clock import Budget, Clock
from router_extproc.errors import RETRY_AFTER_S, RequestError, RequestTooLarge, RouterUnavailable, StageError
from router_extproc.models.base import Inference, ResultT
from router_extproc.pipeline.coded_bodies import TOO_LARGE, decode_body
from router_extproc.pipeline.parsed_request import ParsedRequest, RawRequest, RequestParser

#: Larger bodies are read off the event loop; one of this size takes 2 ms or so.
LARGE_BODY_BYTES: Final = 256 * 1024
#: For reading a body, in turn with others: some 20 times what it takes alone on a slow core.
READ_S_PER_MIB: Final = 0.5
_MIB: Final = 1024 * 1024


def read_time_s(body_bytes: int) -> float:
    """How long a body of this size may take to be read, beside what every request may take; 0 for most."""
    return 0.0 if body_bytes <= LARGE_BODY_BYTES else READ_S_PER_MIB * math.ceil(body_bytes / _MIB)


@dataclass(frozen=True, slots=True)
class BodyReader:
    """Reads the bodies of one process."""

    executor: Inference
    #: Of a body without its coding.
    max_body_bytes: int

    def time_s(self, body_bytes: int, coding: str = "") -> float:
        """What Envoy is asked for beside the usual time; 0: the body is read at once.

        coding: its `content-encoding`; "": it has none.
        """
        return read_time_s(max(body_bytes, self.max_body_bytes) if coding else body_bytes)

    async def run(self, job: Callable[[], ResultT], body_bytes: int, coding: str) -> ResultT:
        """The result of reading a body of this size and coding.

        Raises:
            RequestError: the client must change its request, or wait until larger ones are read.
        """
        if body_bytes > self.max_body_bytes:
            raise RequestTooLarge(TOO_LARGE)
        time_s = self.time_s(body_bytes, coding)
        if not time_s:
            return job()
        try:
            return await self.executor.run(job, timeout_s=time_s)
        except StageError as error:
            raise RouterUnavailable("Too many large requests are being read.") from error

    def decoded(self, body: bytes, coding: str) -> bytes:
        """The body without its coding.

        Raises:
            RequestError: it is not of this coding, or would be too large.
        """
        return decode_body(body, coding, max_bytes=self.max_body_bytes) if coding else body

    async def read(
        self, raw: RawRequest, parser: RequestParser, clock: Clock, budget_s: float
    ) -> ParsedRequest:
        """The request. The budget of its stages begins when it is read, for reading has a time of its own.

        Raises:
            RequestError: as `run`.
        """

        def job() -> ParsedRequest:
            body = self.decoded(raw.body, raw.coding)
            plain = raw if body is raw.body else replace(raw, body=body)
            return parser.read(plain, Budget.of(clock, budget_s))

        parsed = await self.run(job, len(raw.body), raw.coding)
        if not self.time_s(len(raw.body), raw.coding):
            return parsed
        return replace(parsed, budget=Budget.of(clock, budget_s))


def retry_after(error: RequestError) -> Mapping[str, str]:
    """The header of a refusal that is over soon."""
    return {"retry-after": str(RETRY_AFTER_S)} if isinstance(error, RouterUnavailable) else {}
