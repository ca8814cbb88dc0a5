"""Remembers on which model each session is, for a bounded number of them.

Keys are digests that hold who asks, so that no client finds another one's session. A client that names a
new session with every request only pushes out others that have begun, never those that go on.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from router_extproc.llm.answer import Usage

#: Sessions of which one request was seen, and sessions that go on; some 3 MB each.
BEGUN_MAX: Final = 10_000
GOING_MAX: Final = 10_000
#: Of a key in hexadecimal, and of a model's name: nothing longer is taken over from another worker.
KEY_CHARS: Final = 32
MODEL_CHARS_MAX: Final = 256
TOKENS_MAX: Final = 2**40
#: Whose pools are known to tell what they had kept.
MODELS_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class SessionSeen:
    """One session after its last request."""

    #: Digest in hexadecimal.
    key: str
    #: The configuration's name of the model that was chosen.
    model: str
    #: When, in seconds since the Unix epoch.
    at_s: float
    #: Of the request, estimated; 0: nobody counts them.
    tokens: int = 0
    #: The request offered tools.
    with_tools: bool = False
    #: It was not the first one.
    goes_on: bool = False
    #: Turns before the ask in its last request.
    turns: int = 0
    #: Of the request before that, if the same model got it: what its pool may have kept.
    before_tokens: int = 0
    #: How much of that it had kept, by the usage of its last answer, from 0 to 1; None: nobody has told.
    kept_share: float | None = None
    #: That decided it; "": nothing is learned from how its answer was.
    decision: str = ""
    #: Quality that was expected of the model for it.
    expected: float = 0.0

    @property
    def kept_tokens(self) -> int:
        """How much of the last request the pool is expected to have kept; all, where nobody has told."""
        return self.tokens if self.kept_share is None else round(self.kept_share * self.tokens)


class RememberedSessions:
    """The sessions that were seen last; used where the event loop runs."""

    def __init__(self) -> None:
        self._begun: Final[OrderedDict[str, SessionSeen]] = OrderedDict()
        self._going: Final[OrderedDict[str, SessionSeen]] = OrderedDict()
        self._new: dict[str, SessionSeen] = {}
        #: Models whose pools tell in their usage what they had kept.
        self._telling: Final[dict[str, None]] = {}

    def find(self, key: str) -> SessionSeen | None:
        """The session as it was after its last request; None: it is not known."""
        return self._going.get(key) or self._begun.get(key)

    def note(self, seen: SessionSeen) -> None:
        """A request of this session was decided here."""
        self._put(seen)
        self._new.pop(seen.key, None)
        self._new[seen.key] = seen
        if len(self._new) > BEGUN_MAX:
            del self._new[next(iter(self._new))]

    def answered(self, key: str, model: str, usage: Usage, started_s: float) -> None:
        """This model has answered a request of the session, forwarded at `started_s` (wall clock)."""
        if usage.cached_tokens > 0 and len(self._telling) < MODELS_MAX:
            self._telling[model] = None
        seen = self.find(key)
        if seen is not None and seen.model != model and seen.decision and seen.at_s <= started_s:
            # Another model has answered in its place: how that answer was says nothing of this one.
            self.note(replace(seen, decision=""))
        if seen is None or seen.model != model or not seen.before_tokens or seen.at_s > started_s:
            return
        if model not in self._telling:
            return
        # The pool counts otherwise than is estimated here: only shares of its numbers are compared.
        cached = max(0, usage.cached_tokens) / max(1, usage.prompt_tokens) * seen.tokens
        self.note(replace(seen, kept_share=min(1.0, cached / seen.before_tokens)))

    def learn(self, sessions: Sequence[SessionSeen]) -> None:
        """Take over what another worker has seen; what is known later than that stays."""
        for seen in sessions:
            known = self.find(seen.key)
            if _is_sound(seen) and (known is None or _is_news(seen, known)):
                self._put(seen)

    def take_new(self) -> Sequence[SessionSeen]:
        """What was noted since it was last asked, each session once."""
        new, self._new = self._new, {}
        return tuple(new.values())

    @property
    def known(self) -> Sequence[SessionSeen]:
        """All of them, those that go on last."""
        return (*self._begun.values(), *self._going.values())

    def _put(self, seen: SessionSeen) -> None:
        self._begun.pop(seen.key, None)
        self._going.pop(seen.key, None)
        sessions, most = (self._going, GOING_MAX) if seen.goes_on else (self._begun, BEGUN_MAX)
        sessions[seen.key] = seen
        if len(sessions) > most:
            sessions.popitem(last=False)


def _is_news(seen: SessionSeen, known: SessionSeen) -> bool:
    """Whether it is of a later request, or of the answer to the same one."""
    told = seen.kept_share is not None and known.kept_share is None
    told = told or (bool(known.decision) and not seen.decision)
    return known.at_s < seen.at_s or (known.at_s == seen.at_s and told)


def _is_sound(seen: SessionSeen) -> bool:
    """Whether it can be true, and is no larger than what is written here."""
    named = 0 < len(seen.model) <= MODEL_CHARS_MAX and len(seen.decision) <= MODEL_CHARS_MAX
    short = len(seen.key) == KEY_CHARS and named
    counts = (seen.tokens, seen.before_tokens, seen.turns)
    share = 0.0 if seen.kept_share is None else seen.kept_share
    sized = all(0 <= count <= TOKENS_MAX for count in counts) and 0 <= share <= 1 and 0 <= seen.expected <= 1
    return short and sized and 0 <= seen.at_s < float("inf")
