"""What a decision knows of the session that a request is part of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

#: Why a dearer model is to answer: the client said so by its header; the human said it in words ("that's
#: wrong"); the last tool loop got nowhere.
Trouble: TypeAlias = Literal["feedback", "complaint", "stalled"]
#: The same, or the selection chose a dearer one.
UpReason: TypeAlias = Literal["need", "feedback", "complaint", "stalled"]
#: What a choice means for its session: it begins; it keeps its model; it goes to a dearer one, or to one that
#: is not dearer; its model takes no request now.
Move: TypeAlias = Literal["new", "stay", "up", "down", "away"]


@dataclass(frozen=True, slots=True)
class Session:
    """One session as it is when a request of it comes; says nothing of who or what was asked."""

    #: That its last request was sent to; "": it begins.
    model: str = ""
    #: The model has asked for tools, and has not said its last word since.
    in_loop: bool = False
    #: It was quiet for so long that no pool still has its prefix.
    is_idle: bool = False
    #: The ask names a topic of its own.
    new_topic: bool = False
    #: Why its model is not enough; None: nothing says so.
    trouble: Trouble | None = None
    #: Tokens of its last request, estimated.
    sent_tokens: int = 0
    #: Of these, what its pool need not read again.
    cached_tokens: int = 0
    #: How many requests each of its asks has come to: for so many, a choice holds.
    requests_per_ask: float = 1.0
