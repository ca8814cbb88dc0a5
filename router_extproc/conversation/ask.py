"""Reads the ask of a request: the newest thing that a human asked, and the earlier turns that it leans on.

Tool calls, their results and the beginning of an answer come after the ask and have no say in it, so every
request of one tool loop has the same ask.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Final

from router_extproc.conversation.entry import HarnessEntry
from router_extproc.conversation.harness import Harness
from router_extproc.conversation.leaning import FollowUps, shipped_follow_ups
from router_extproc.conversation.strip import LinesLeft, Stripped, strip
from router_extproc.llm.ask import Ask, LeftOut
from router_extproc.llm.request import InferenceRequest

#: Earlier user turns that an ask may lean on.
EARLIER_TURNS_MAX: Final = 3
#: User turns among which they are looked for.
LOOKED_AT_MAX: Final = 64
#: Characters of an earlier turn; of a longer one its beginning and its end.
CONTEXT_CHARS_MAX: Final = 600
_CONTEXT_TAIL_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class AskReader:
    """Reads asks."""

    harness: Harness
    follow_ups: FollowUps
    #: 0: no ask leans on any.
    earlier_turns_max: int = EARLIER_TURNS_MAX

    @classmethod
    def of(
        cls, entries: Iterable[HarnessEntry] = (), earlier_turns_max: int = EARLIER_TURNS_MAX
    ) -> AskReader:
        """With the package's own patterns, and those of further entries."""
        patterns = [pattern for entry in entries for pattern in entry.patterns()]
        harness = shipped_harness().with_more(patterns) if patterns else shipped_harness()
        return cls(harness, shipped_follow_ups(), earlier_turns_max)

    def read(self, request: InferenceRequest) -> Ask:
        """The ask of a request; its last user message as it is where no human asked anything."""
        turns = _UserTurns(request, self.harness)
        left_out: Counter[str] = Counter()
        for place, turn in enumerate(turns.newest_first()):
            for piece in turn.left_out:
                left_out[piece.kind] += piece.chars
            if turn.text.strip():
                judged = self.follow_ups.judge(turn.text) if self._may_lean(request) else "alone"
                context = () if judged == "alone" else self._context(turns)
                gist = self.follow_ups.gist(turn.text) if context else ""
                told = tuple(LeftOut(kind, chars) for kind, chars in left_out.items())
                plain = not place and not told
                return Ask(
                    turn.text, context, told, plain, has_topic=judged != "empty", gist=gist, skipped=place
                )
        return Ask(request.prompt, is_plain=not left_out)

    def _may_lean(self, request: InferenceRequest) -> bool:
        """There is an earlier question: most requests have none, and their words need not be judged."""
        return self.earlier_turns_max > 0 and any(turn.role == "user" for turn in request.history)

    def _context(self, turns: _UserTurns) -> tuple[str, ...]:
        """The earlier turns that an ask leans on, back to the one that stands alone: it names the topic."""
        leaning: list[str] = []
        for turn in islice(turns.newest_first(), LOOKED_AT_MAX):
            judged = self.follow_ups.judge(turn.text) if turn.text.strip() else "empty"
            if judged == "alone":
                kept = leaning[: self.earlier_turns_max - 1]
                return tuple(_cut(each) for each in (turn.text, *reversed(kept)))
            if judged == "leaning":
                leaning.append(turn.text)
        return tuple(_cut(each) for each in reversed(leaning[: self.earlier_turns_max]))


@cache
def shipped_harness() -> Harness:
    """The patterns of the package's own file."""
    text = (files(__package__) / "data" / "harness.toml").read_text(encoding="utf-8")
    entries = (HarnessEntry.model_validate(entry) for entry in tomllib.loads(text)["harness"])
    return Harness(tuple(pattern for entry in entries for pattern in entry.patterns()))


def read_ask(request: InferenceRequest) -> Ask:
    """The ask of a request, by the package's own patterns."""
    return AskReader.of().read(request)


class _UserTurns:
    """The user turns of a request without what clients put there, each read once."""

    def __init__(self, request: InferenceRequest, harness: Harness) -> None:
        self._texts = _texts(request)
        self._harness = harness
        self._lines = LinesLeft()

    def newest_first(self) -> Iterator[Stripped]:
        """The next ones; what was given is not given again."""
        for text in self._texts:
            yield strip(text, self._harness, self._lines)


def _texts(request: InferenceRequest) -> Iterator[str]:
    yield request.prompt
    for turn in reversed(request.history):
        if turn.role == "user":
            yield turn.text


def _cut(text: str) -> str:
    """The text, or the beginning and the end of a longer one."""
    if len(text) <= CONTEXT_CHARS_MAX:
        return text
    return f"{text[: CONTEXT_CHARS_MAX - _CONTEXT_TAIL_CHARS]}\n{text[-_CONTEXT_TAIL_CHARS:]}"
