"""What the admin server needs from the process that it shows; it knows nothing else of the process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from router_extproc.llm.answer import JsonValue
from router_extproc.pipeline.explain import RequestExplained


@dataclass(frozen=True, slots=True)
class Health:
    """How the process is."""

    #: It may be sent requests.
    ready: bool
    #: It was asked to stop and finishes what it has.
    draining: bool = False
    #: What an operator wants to see: models, backend, workers.
    detail: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """A request as a client would send it, to be decided but not sent."""

    method: str
    path: str
    #: Names in lower case.
    headers: tuple[tuple[str, str], ...]
    body: bytes


class PolicyControl(Protocol):
    """What operators may do with the policy of the whole sidecar; answers are JSON objects."""

    async def state(self) -> JsonValue:
        """The version in force, those that are kept, and how reloads ended; None: nobody answers."""
        ...

    async def reload(self) -> JsonValue:
        """What became of the file as it is now: `result`, the version in force, `problems`."""
        ...

    async def rollback(self, to: int | None) -> JsonValue:
        """The same of an earlier version's content; None: of the last."""
        ...


class Operations(Protocol):
    """What operators may ask of the process."""

    async def metrics(self) -> bytes:
        """All workers' Prometheus text."""
        ...

    def savings(self) -> JsonValue:
        """What was saved, of all workers together and, where state is kept, since that began."""
        ...

    def evaluations(self) -> JsonValue:
        """How shadow evaluations ended, of all workers likewise."""
        ...

    async def health(self) -> Health:
        """The health now; never raises."""
        ...

    async def explain(self, question: Question) -> RequestExplained | None:
        """What would be decided; None: nothing is understood at this method and path.

        Looks into the cache, stores nothing, and counts in no metric.
        """
        ...

    def refused(self, reason: str) -> None:
        """Count a request that the port did not answer; `reason` is one of `admin.access.REASONS`."""
        ...
