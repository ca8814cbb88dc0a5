"""Whether the Envoys that send us streams were rendered from our configuration."""

from __future__ import annotations

from collections import deque
from typing import Final

import structlog

from router_extproc.clock import Clock
from router_extproc.llm.answer import JsonValue

#: An Envoy that was not seen for so long is gone.
FORGET_S: Final = 60.0
#: Other digests that are remembered, and warned of once each.
OTHERS_MAX: Final = 16
_SHOWN_CHARS: Final = 64


class EnvoyConfigWatch:
    """Compares each stream's digest with ours; warns once for each other one."""

    def __init__(self, expected: str, clock: Clock) -> None:
        self.expected = expected
        self._started: Final = expected
        #: What would have been rendered since, after reloads: the latest.
        self._fitting: Final[deque[str]] = deque(maxlen=OTHERS_MAX)
        self._clock: Final = clock
        self._log = structlog.get_logger()
        self._same_s: float | None = None
        #: Digest to when it was last seen.
        self._others_s: dict[str, float] = {}

    def expect(self, digest: str) -> None:
        """A reload has changed what would be rendered, as far as Envoy need not be rendered anew for it."""
        self.expected = digest
        if digest != self._started and digest not in self._fitting:
            self._fitting.append(digest)
        self._others_s.pop(digest, None)

    def seen(self, digest: str | None) -> None:
        """A stream began; None: its Envoy says nothing, because somebody else wrote its configuration."""
        if digest == self._started or digest in self._fitting:
            self._same_s = self._clock.monotonic_s()
        elif digest is not None:
            self._other(digest[:_SHOWN_CHARS])

    def _other(self, digest: str) -> None:
        if digest not in self._others_s:
            if len(self._others_s) >= OTHERS_MAX:
                self._others_s.clear()
            self._log.warning(
                "Envoy was rendered from another configuration: render again and restart it",
                expected=self.expected,
                seen=digest,
            )
        self._others_s[digest] = self._clock.monotonic_s()

    @property
    def matches(self) -> bool | None:
        """False: another one was seen in the last minute; None: nobody has said anything yet."""
        if self._current():
            return False
        return None if self._same_s is None else True

    def shown(self) -> dict[str, JsonValue]:
        """For operators."""
        others: list[JsonValue] = [*self._current()]
        return {"expected": self.expected, "matches": self.matches, "others": others}

    def _current(self) -> list[str]:
        oldest_s = self._clock.monotonic_s() - FORGET_S
        return [digest for digest, seen_s in self._others_s.items() if seen_s >= oldest_s]
