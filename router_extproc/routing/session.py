"""What a decision knows of the session that a request is part of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

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
    #: The human said that an answer was wrong, or the last tool loop got nowhere.
    wants_better: bool = False
    #: Tokens of its last request, estimated: its pool need not read them again.
    cached_tokens: int = 0
