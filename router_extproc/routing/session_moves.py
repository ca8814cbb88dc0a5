"""Keeps a session on its model: a switch costs the prefix cache, and inside a tool loop more than that.

A model that goes on from another one's calls may not know their tools' habits, and pools refuse signed
reasoning that is not their own. So inside a loop nothing moves a session but a model that takes no requests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from router_extproc.llm.price import FREE, Price
from router_extproc.routing.selection.base import Candidate, Choice, Circumstances
from router_extproc.routing.selection.worth import ANSWER_TOKENS
from router_extproc.routing.session import Session, Trouble

IN_LOOP: Final = "it is inside a tool loop"
SAME_TOPIC: Final = "its topic goes on"
SAVES_LESS: Final = "a switch saves less than the prefix that is read anew"
DEAREST: Final = "no candidate is dearer"
BETTER: Final = "the next dearer one"
TROUBLES: Final[Mapping[Trouble, str]] = {
    "feedback": "an answer was wrong",
    "complaint": "the human says that it was wrong",
    "stalled": "the tool loop got nowhere",
}


def keep_session(
    choice: Choice, candidates: Sequence[Candidate], known: Circumstances, *, by_need: bool
) -> Choice:
    """The choice, or the session's own model in its place; `candidates`: of which the choice is one.

    by_need: the choice follows from what is asked, so that a session moves when its need does. Any other
    choice holds outside tool loops.
    """
    session = known.session
    if session is None:
        return choice
    current = _current(session, candidates, known)
    if current is None:
        return replace(choice, move="away" if session.model else "new")
    if session.in_loop:
        return _stay(choice, current, IN_LOOP)
    if by_need and session.trouble is not None:
        return _better(choice, current, candidates, session.trouble)
    why = _why_not_down(choice.candidate, current, session, known) if by_need else None
    if why is not None:
        return _stay(choice, current, why)
    return _moved(choice, current)


def _why_not_down(
    chosen: Candidate, current: Candidate, session: Session, known: Circumstances
) -> str | None:
    """Why the session does not go to a candidate that is not dearer; None: nothing holds it."""
    if session.is_idle or _rank(chosen) > _rank(current):
        return None
    if not session.new_topic:
        return SAME_TOPIC
    return SAVES_LESS if _saving(chosen, current, session, known) <= 0 else None


def _moved(choice: Choice, current: Candidate) -> Choice:
    if choice.candidate == current:
        return replace(choice, move="stay")
    if _rank(choice.candidate) > _rank(current):
        return replace(choice, move="up", up_reason="need")
    return replace(choice, move="down")


def _current(session: Session, candidates: Sequence[Candidate], known: Circumstances) -> Candidate | None:
    """The session's model, where it takes this request."""
    up = (each for each in candidates if not known.traffic.is_down(each.target.cluster))
    return next((each for each in up if each.target.model == session.model), None)


def _stay(choice: Choice, current: Candidate, why: str) -> Choice:
    if choice.candidate == current:
        return replace(choice, move="stay")
    told = f"session: stays on {current.target.model} because {why}"
    return replace(choice, candidate=current, reason=told, move="stay")


def _better(choice: Choice, current: Candidate, candidates: Sequence[Candidate], trouble: Trouble) -> Choice:
    """The choice if it is dearer than the session's model; else the next dearer candidate."""
    if _rank(choice.candidate) > _rank(current):
        return replace(choice, move="up", up_reason=trouble)
    dearer = [
        each for each in candidates if _rank(each) > _rank(current) and each.target.model not in choice.barred
    ]
    why = TROUBLES[trouble]
    if not dearer:
        return _stay(choice, current, f"{why}, and {DEAREST}")
    told = f"session: {why}: {BETTER}"
    return replace(choice, candidate=min(dearer, key=_rank), reason=told, move="up", up_reason=trouble)


def _saving(chosen: Candidate, current: Candidate, session: Session, known: Circumstances) -> float:
    """What the requests of the next ask cost less with the chosen one, which first reads the whole prompt.

    Either pool reads what is new in each of them, and has the rest from the one before.
    """
    seen = known.traffic.of(current.target.model).tokens
    answer = ANSWER_TOKENS if seen is None else seen
    count, tokens = max(1.0, session.requests_per_ask), known.tokens
    kept = min(session.cached_tokens, tokens)
    stays = count * _cost(current, tokens, answer, kept)
    goes = _cost(chosen, tokens, answer, 0) + (count - 1) * _cost(chosen, tokens, answer, kept)
    return stays - goes


def _cost(candidate: Candidate, tokens: int, answer: float, kept: int) -> float:
    """Of one request; what a pool has read costs nothing where no price is known for it."""
    price = _price(candidate)
    if price.cached_input_per_mtok is None:
        price = replace(price, cached_input_per_mtok=0.0)
    return price.of_tokens(tokens, answer, kept)


def _price(candidate: Candidate) -> Price:
    return candidate.price or FREE


def _rank(candidate: Candidate) -> float:
    """How dear it is: a thousand tokens read count as much as a thousand written."""
    price = _price(candidate)
    return price.input_per_mtok + price.output_per_mtok
