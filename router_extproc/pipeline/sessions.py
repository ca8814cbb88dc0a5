"""Follows sessions: says what is known of a request's session, and remembers what was decided.

A session here is one thread of a conversation: a client's side requests (a title, a subagent) begin
otherwise, so that they have models of their own even under one session header.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Final

from router_extproc.conversation.spoken_feedback import shipped_spoken_feedback
from router_extproc.llm.request import InferenceRequest, Turn
from router_extproc.pipeline.conversations import SessionNames, client_of, conversation_of, thread_of
from router_extproc.pipeline.parsed_request import ParsedRequest
from router_extproc.pipeline.remembered_sessions import RememberedSessions, SessionSeen
from router_extproc.routing.outcomes.live import LiveOutcomes
from router_extproc.routing.outcomes.seen import OutcomeBasis, OutcomeSeen
from router_extproc.routing.route import LocalReply, Route
from router_extproc.routing.selection.bandit import EXPECTED
from router_extproc.routing.selection.base import Choice
from router_extproc.routing.session import Session, Trouble
from router_extproc.signals.conversation import has_failed


@dataclass(frozen=True, slots=True)
class Following:
    """A request's session, as far as it is followed."""

    #: See Circumstances.
    conversation: bytes
    #: None: it is not followed.
    session: Session | None
    #: What is remembered if a decision takes the request, but for the model; None: nothing is.
    seen: SessionSeen | None = None
    #: How the last answer was, as the request tells; None: it does not, or nobody learns from it.
    outcome: OutcomeSeen | None = None


#: Of a request whose session makes no difference.
UNFOLLOWED: Final = Following(b"", None)


@dataclass(frozen=True, slots=True)
class SessionKeeper:
    """Looks sessions up, and writes them down."""

    #: None: no session is followed.
    remembered: RememberedSessions | None
    names: SessionNames
    idle_s: float
    writes: bool = True
    #: None: nothing is learned from how answers were.
    outcomes: LiveOutcomes | None = None

    def read_only(self) -> SessionKeeper:
        """The same, which remembers nothing more."""
        return replace(self, writes=False)

    def find(self, parsed: ParsedRequest) -> Following:
        """What is known of the request's session."""
        conversation = conversation_of(parsed, self.names)
        if self.remembered is None:
            return Following(conversation, None)
        key = self._key(conversation, parsed)
        known = self.remembered.find(key)
        begins = _begins(parsed.request)
        session = Session()
        if known is not None and (not begins or parsed.gives_feedback):
            session = _session_of(parsed, known, self.idle_s)
        seen = self._to_remember(parsed, key, known, begins=begins)
        outcome = None if seen is None or known is None else self._outcome(parsed, known, session)
        return Following(conversation, session, seen, outcome)

    def key_of(self, parsed: ParsedRequest) -> str:
        """Under which key the request's session is remembered."""
        return self._key(conversation_of(parsed, self.names), parsed)

    def _key(self, conversation: bytes, parsed: ParsedRequest) -> str:
        return (thread_of(conversation, parsed) if self.names else conversation).hex()

    def basis(self, parsed: ParsedRequest, choice: Choice | None, model: str) -> OutcomeBasis | None:
        """Of an outcome of this model's answer to the request; None: nobody learns from it."""
        expected = _expected(choice, model)
        if self.outcomes is None or expected is None:
            return None
        return OutcomeBasis(client_of(parsed, self.names), self.key_of(parsed), expected)

    def _outcome(self, parsed: ParsedRequest, known: SessionSeen, session: Session) -> OutcomeSeen | None:
        """Whether the session's last answer was good enough: a person who goes on says so by that."""
        goes_on = len(parsed.request.history) > known.turns and not session.in_loop
        is_told = bool(session.model) and (parsed.gives_feedback or goes_on)
        if self.outcomes is None or known.decision not in self.outcomes.learning or not is_told:
            return None
        basis = OutcomeBasis(client_of(parsed, self.names), known.key, known.expected)
        good = session.trouble is None
        return OutcomeSeen(known.decision, known.model, "heard", good, basis, parsed.asked_s)

    def note(self, going: Following, taken: Route | LocalReply, tokens: int) -> None:
        """Remember the model to which a decision sends the request."""
        if going.outcome is not None and self.outcomes is not None:
            self.outcomes.hear(going.outcome)
        seen, choice = going.seen, taken.choice if isinstance(taken, Route) else None
        if seen is not None and choice is not None and self.remembered is not None:
            model, session = choice.candidate.target.model, going.session
            stays = session is not None and session.model == model
            before = session.sent_tokens if session is not None and stays else 0
            seen = replace(seen, model=model, tokens=tokens, before_tokens=before)
            expected = _expected(choice, model)
            if expected is not None:
                seen = replace(seen, decision=taken.decision, expected=expected)
            self.remembered.note(seen)

    def _to_remember(
        self, parsed: ParsedRequest, key: str, known: SessionSeen | None, *, begins: bool
    ) -> SessionSeen | None:
        with_tools = parsed.request.contents.tools_offered > 0
        # Some agents ask for a title with the very words that the session begins with, beside it.
        beside = begins and not with_tools and known is not None and known.with_tools
        if not self.writes or (beside and not parsed.gives_feedback):
            return None
        with_tools = with_tools or (not begins and known is not None and known.with_tools)
        turns = len(parsed.request.history)
        return SessionSeen(key, "", parsed.asked_s, with_tools=with_tools, goes_on=not begins, turns=turns)


#: Where no decision has a choice.
NO_SESSIONS: Final = SessionKeeper(None, SessionNames(), 0.0)


def _expected(choice: Choice | None, model: str) -> float | None:
    """The quality that a selection which learns from outcomes has expected of a model."""
    return None if choice is None else choice.numbers.get(model, {}).get(EXPECTED)


def _begins(request: InferenceRequest) -> bool:
    return not request.history and not request.later


def _session_of(parsed: ParsedRequest, known: SessionSeen, idle_s: float) -> Session:
    request, ask = parsed.request, parsed.ask
    return Session(
        known.model,
        in_loop=_in_loop(parsed),
        is_idle=parsed.asked_s - known.at_s >= idle_s,
        new_topic=ask.has_topic and not ask.context,
        trouble=_trouble(parsed, known),
        sent_tokens=known.tokens,
        cached_tokens=known.kept_tokens,
        requests_per_ask=_requests_per_ask(request),
    )


def _in_loop(parsed: ParsedRequest) -> bool:
    """Whether the model has not said its last word: clients put results and reminders into user messages."""
    request = parsed.request
    after_results = bool(request.history) and request.history[-1].role == "tool"
    return bool(request.later) or parsed.ask.skipped > 0 or after_results


def _trouble(parsed: ParsedRequest, known: SessionSeen) -> Trouble | None:
    """Why the session's model is not enough."""
    if parsed.gives_feedback:
        return "feedback"
    history = parsed.request.history
    if known.turns == len(history):
        # The same request again: what it says was heard.
        return None
    if shipped_spoken_feedback().says_wrong(parsed.ask.text):
        return "complaint"
    return "stalled" if _got_nowhere(history) else None


def _requests_per_ask(request: InferenceRequest) -> float:
    """How many answers of a model each message of a human has come to so far."""
    roles = Counter(turn.role for turn in request.history)
    return roles["assistant"] / max(1, roles["user"])


def _got_nowhere(history: Sequence[Turn]) -> bool:
    """Whether the tool loop before the ask ended with errors in a row, or with a failing call made again."""
    loop = list(takewhile(lambda turn: turn.role != "user", reversed(history)))
    failed = [has_failed(turn) for turn in loop if turn.role == "tool"]
    calls = [(call.name, call.arguments) for turn in loop for call in reversed(turn.tool_calls)]
    in_a_row = len(failed) > 1 and all(failed[:2])
    again = bool(failed) and failed[0] and calls.count(calls[0]) > 1 if calls else False
    return in_a_row or again
