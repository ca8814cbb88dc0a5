"""The real server and pipeline on fakes, in a process of its own that a test may kill or stop.

`python -m router_extproc.testing.served_router LISTEN EVENTS MAX_EXCHANGES [CERT KEY [CA]]` serves on LISTEN,
by TLS with a certificate, and appends what it sees to the file EVENTS, one JSON object a line. A prompt with
the name of one of its decisions is taken by it; one with the word "maths" goes to the large pool.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from router_extproc.cache.scope import SharedScope
from router_extproc.dialects.path_forms import PathForms
from router_extproc.llm.changes import ParameterChanges, RequestChanges, SurroundSystemPrompt
from router_extproc.pipeline.old_headers import OldHeaders
from router_extproc.process.stop_requests import stop_requests
from router_extproc.protocol.driver import DeferredReply, ExchangeDriver
from router_extproc.protocol.events import (
    AnswerChunk,
    AnswerStarted,
    BodyReceived,
    BodyTooLarge,
    RequestStarted,
)
from router_extproc.protocol.messages import BodyReply, HeadersReply, ImmediateResponse
from router_extproc.protocol.modes import Role
from router_extproc.protocol.names import METADATA_NAMESPACE, TOKEN_KEY
from router_extproc.routing.actions import AnswerText, Block, Redaction
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.rules import ALWAYS, read_rule
from router_extproc.routing.selection.base import Candidate
from router_extproc.server.base import Outcome
from router_extproc.server.credentials import ServerTls
from router_extproc.server.serve import ServerSettings, running
from router_extproc.server.servicer import StreamLimits
from router_extproc.signals.keywords import KeywordsSignal
from router_extproc.testing.json_lines import JsonLinesFile
from router_extproc.testing.router import LARGE, SEMANTIC, SMALL, fake_router

#: Set in the environment: answers have the old router's headers, and a keyword is their category.
OLD_HEADERS = "SERVED_ROUTER_OLD_HEADERS"

#: Set in the environment: paths are read behind these prefixes, too, with a space between them.
PREFIXES = "SERVED_ROUTER_PREFIXES"

#: What a request ends with whose decision is late, and by how much.
SLOW: Final = b"take your time"
SLOW_S: Final = 1.5
SLOW_SEEN_BYTES: Final = 100


class Journal:
    """Writes down streams and events; also the server's counter."""

    def __init__(self, path: Path) -> None:
        self._file = JsonLinesFile(path)

    def note(self, role: Role, event: str, **facts: object) -> None:
        """One line."""
        self._file.append({"role": role.value, "event": event, **facts})

    def opened(self, role: Role) -> None:
        """See server.base.StreamCounter."""
        self.note(role, "opened")

    def closed(self, role: Role, outcome: Outcome) -> None:
        """See server.base.StreamCounter."""
        self.note(role, "closed", outcome=outcome)


class WatchedDriver:
    """Passes every call on, and writes it down."""

    def __init__(self, role: Role, driver: ExchangeDriver, journal: Journal) -> None:
        self._role, self._driver, self._journal = role, driver, journal

    async def on_request_headers(self, event: RequestStarted) -> HeadersReply | ImmediateResponse:
        """See ExchangeDriver."""
        names = sorted({name for name, _ in event.headers})
        self._note("request headers", path=event.headers.get(":path"), names=names)
        return await self._driver.on_request_headers(event)

    async def on_request_body(
        self, event: BodyReceived | BodyTooLarge
    ) -> BodyReply | ImmediateResponse | DeferredReply:
        """See ExchangeDriver."""
        self._note("request body", bytes=len(event.body) if isinstance(event, BodyReceived) else None)
        if isinstance(event, BodyReceived) and SLOW in event.body[-SLOW_SEEN_BYTES:]:
            await asyncio.sleep(SLOW_S)
        return await self._driver.on_request_body(event)

    def on_answer_headers(self, event: AnswerStarted) -> HeadersReply | ImmediateResponse:
        """See ExchangeDriver."""
        token = event.metadata.get(METADATA_NAMESPACE, {}).get(TOKEN_KEY)
        cluster, details = event.origin.cluster, event.origin.details
        self._note(
            "answer headers", status=event.status, token=token is not None, cluster=cluster, details=details
        )
        return self._driver.on_answer_headers(event)

    def on_answer_chunk(self, event: AnswerChunk) -> bytes | None:
        """See ExchangeDriver."""
        self._note("answer chunk", body=event.body.decode("utf-8", "replace"), last=event.last)
        return self._driver.on_answer_chunk(event)

    def on_closed(self, *, clean: bool) -> None:
        """See ExchangeDriver."""
        self._note("over", clean=clean)
        self._driver.on_closed(clean=clean)

    def _note(self, event: str, **facts: object) -> None:
        self._journal.note(self._role, event, **facts)


#: Of requests that say "research".
CHANGES: Final = RequestChanges(
    SurroundSystemPrompt(before="Answer briefly."),
    ParameterChanges(
        (("temperature", b"0"),), (("max_tokens", b"1024"),), (("n", 1),), removed=("logprobs",)
    ),
    headers=(("x-team", "research"),),
)
PRIVATE: Final = Redaction(("EMAIL_ADDRESS", "PHONE_NUMBER"), ("API_KEY",))
#: Each takes the requests that say its name.
_DECISIONS: Final = (
    RoutingDecision("maths", 1, ALWAYS, (Candidate(LARGE),), None),
    RoutingDecision("research", 1, ALWAYS, (Candidate(LARGE),), CHANGES),
    RoutingDecision("forbidden", 9, ALWAYS, (), None, action=Block("Not here.", 451), takes_pinned=True),
    RoutingDecision("opening", 1, ALWAYS, (), None, action=AnswerText("From 9 to 17.")),
    RoutingDecision("private", 1, ALWAYS, (Candidate(SMALL),), None, redaction=PRIVATE),
)


def _decision(decision: RoutingDecision) -> tuple[KeywordsSignal, RoutingDecision]:
    name = decision.name
    return KeywordsSignal(name, [name]), replace(decision, rule=read_rule({name: True}))


async def main(listen: str, events: Path, limits: StreamLimits, tls: ServerTls | None) -> None:
    """Serve until SIGTERM."""
    signals, decisions = zip(*map(_decision, _DECISIONS), strict=True)
    # Clients of these tests have no keys.
    policy = replace(SEMANTIC, scope=SharedScope())
    router = fake_router(
        signals=signals,
        decisions=decisions,
        cache_policy=policy,
        own_cache_policies={"private": replace(policy, mode="off")},
        feedback="all",
        old_headers=OldHeaders(("maths",)) if OLD_HEADERS in os.environ else None,
        path_forms=PathForms(tuple(os.environ.get(PREFIXES, "").split())),
    )
    journal = Journal(events)
    settings = ServerSettings(listen, limits, drain_s=0.2, tls=tls)

    def drive(role: Role) -> WatchedDriver:
        return WatchedDriver(role, router.parts.drive(role), journal)

    async with stop_requests() as stop, router.background, running(settings, drive, journal):
        await stop.wait()


if __name__ == "__main__":
    files = [Path(argument) for argument in sys.argv[5:]]
    bounds = StreamLimits(max_exchanges=int(sys.argv[3]), max_body_bytes=int(sys.argv[4]))
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), bounds, ServerTls(*files) if files else None))
