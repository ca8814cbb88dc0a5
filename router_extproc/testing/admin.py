"""The admin port over a fake router, for tests of what operators ask of the cache.

Its metrics, health and explain are empty.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

from router_extproc.admin.access import Access
from router_extproc.admin.base import Health, PolicyControl, Question
from router_extproc.admin.cache.operations import CacheOperations, CacheParts, Setting
from router_extproc.admin.peers import PURGE_S, Peers
from router_extproc.admin.server import AdminServer
from router_extproc.cache.decision_policy import CachePolicies
from router_extproc.dialects import DIALECTS
from router_extproc.llm.answer import JsonValue
from router_extproc.pipeline.caching.warming import Warmer
from router_extproc.pipeline.costs import Account, Amounts
from router_extproc.pipeline.evaluation.outcomes import Outcomes, Pair
from router_extproc.pipeline.explain import RequestExplained
from router_extproc.telemetry.evaluation_report import evaluation_report
from router_extproc.telemetry.saved_report import saved_report
from router_extproc.testing.fake_encoder import FakeEncoder
from router_extproc.testing.router import SEMANTIC, FakeRouter

#: What the port asks for, where it asks.
TOKEN: Final = "correct-horse-battery-staple"  # noqa: S105 - opens nothing
MAX_BODY_BYTES: Final = 64 * 1024
_WAIT_S: Final = 10.0


class NoOperations:
    """Says nothing but these metrics. Fits admin.base.Operations."""

    #: What `/metrics` says.
    exposition = b""
    #: What has cost something.
    accounts: Mapping[Account, Amounts] = MappingProxyType({})
    #: How evaluations have ended.
    evaluated: Mapping[Pair, Outcomes] = MappingProxyType({})

    async def metrics(self) -> bytes:
        """See Operations."""
        return self.exposition

    def savings(self) -> JsonValue:
        """See Operations."""
        return saved_report(self.accounts)

    def evaluations(self) -> JsonValue:
        """See Operations."""
        return evaluation_report(self.evaluated)

    async def health(self) -> Health:
        """See Operations."""
        return Health(ready=True)

    async def explain(self, question: Question) -> RequestExplained | None:  # noqa: ARG002 - the port
        """See Operations."""
        return None

    def refused(self, reason: str) -> None:
        """See Operations."""


def cache_operations(
    router: FakeRouter, worker: int = 0, peers: Mapping[int, Path] | None = None, *, purge_s: float = PURGE_S
) -> CacheOperations:
    """The desk over a router's cache, as worker `worker` that speaks for those with these sockets."""
    warmer = Warmer(router.parts.pipeline, DIALECTS["openai_chat"], router.clock, 2**20)
    setting = Setting(worker, CachePolicies(SEMANTIC), FakeEncoder().dim, "auto", shared=False)
    parts = CacheParts(router.cache, warmer, router.savings, router.evidence)
    return CacheOperations(parts, router.clock, setting, Peers(peers or {}, purge_s))


def admin_server(
    operations: CacheOperations | None,
    address: str = "127.0.0.1:0",
    access: Access | None = None,
    policy: PolicyControl | None = None,
    metrics: bytes = b"",
    *,
    accounts: Mapping[Account, Amounts] = MappingProxyType({}),
    evaluated: Mapping[Pair, Outcomes] = MappingProxyType({}),
) -> AdminServer:
    """A server that is not started yet."""
    none = NoOperations()
    none.exposition, none.accounts, none.evaluated = metrics, accounts, evaluated
    return AdminServer(
        none,
        address,
        max_body_bytes=MAX_BODY_BYTES,
        cache=operations,
        policy=policy,
        access=access,
    )


@contextmanager
def admin_in_thread(
    operations: CacheOperations | None,
    access: Access | None = None,
    policy: PolicyControl | None = None,
    metrics: bytes = b"",
    *,
    accounts: Mapping[Account, Amounts] = MappingProxyType({}),
    evaluated: Mapping[Pair, Outcomes] = MappingProxyType({}),
) -> Iterator[str]:
    """HOST:PORT of a server that answers while the block runs code that waits for it."""
    loop = asyncio.new_event_loop()
    server = admin_server(
        operations, access=access, policy=policy, metrics=metrics, accounts=accounts, evaluated=evaluated
    )
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(_WAIT_S)
        yield f"127.0.0.1:{server.port}"
    finally:
        asyncio.run_coroutine_threadsafe(server.aclose(), loop).result(_WAIT_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_WAIT_S)
        loop.close()
