"""On which model each session is, as a value that workers share and keep over a restart."""

from __future__ import annotations

from typing import Final

from pydantic import TypeAdapter

from router_extproc.llm.answer import JsonValue
from router_extproc.pipeline.remembered_sessions import RememberedSessions, SessionSeen

_SESSIONS: Final = TypeAdapter(list[SessionSeen])


class SharedSessions:
    """The sessions that were seen last; fits process.sharing.SharedValue."""

    name = "sessions"
    everywhere = True

    def __init__(self, sessions: RememberedSessions) -> None:
        self._sessions: Final = sessions

    def collect(self) -> list[JsonValue]:
        """See SharedValue; what was seen in one round is one event."""
        new = self._sessions.take_new()
        return [_SESSIONS.dump_python(list(new), mode="json")] if new else []

    def apply(self, event: JsonValue) -> None:
        """See SharedValue."""
        self._sessions.learn(_SESSIONS.validate_python(event))

    def kept(self) -> JsonValue:
        """See SharedValue."""
        kept: JsonValue = _SESSIONS.dump_python(list(self._sessions.known), mode="json")
        return kept

    def take_back(self, kept: JsonValue) -> None:
        """See SharedValue; what this worker has seen meanwhile stays."""
        self.apply(kept)
