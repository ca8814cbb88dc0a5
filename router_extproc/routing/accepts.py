"""What requests ask of the model that answers them, beside text, and which candidates can do it.

What a model accepts is known exactly; how long a request is, is an estimate. So a request that no candidate
accepts is refused, and one that seems too long for all of them goes to the one that reads most: its pool
counts exactly, and says so in words that clients know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from router_extproc.llm.request import Contents
from router_extproc.routing.catalogue import Target
from router_extproc.routing.selection.base import Candidate

#: What a model accepts beside plain text.
Content: TypeAlias = Literal["image", "audio", "file", "tools", "json"]


@dataclass(frozen=True, slots=True)
class Demands:
    """What one request asks for."""

    contents: frozenset[Content] = frozenset()
    #: Estimated, of the whole request; 0 where no model has a limit.
    tokens: int = 0

    @classmethod
    def of(cls, contents: Contents, tokens: int = 0) -> Demands:
        """Those of a request that is made of this."""
        counts: dict[Content, int | bool] = {
            "image": contents.images,
            "audio": contents.audio,
            "file": contents.files,
            "tools": contents.tools_offered,
            "json": contents.json_asked,
        }
        return cls(frozenset(content for content, count in counts.items() if count), tokens)

    def missing(self, target: Target) -> frozenset[Content]:
        """What the target does not accept of it."""
        return frozenset() if target.accepts is None else self.contents - target.accepts

    def fits(self, target: Target) -> bool:
        """Whether the target reads as much."""
        return target.context_tokens is None or self.tokens <= target.context_tokens


NO_DEMANDS: Final = Demands()


def able(candidates: Sequence[Candidate], demands: Demands) -> Sequence[Candidate]:
    """The candidates that can answer, in their order; empty when none accepts what the request has."""
    if demands == NO_DEMANDS:
        return candidates
    accepting = [each for each in candidates if not demands.missing(each.target)]
    long_enough = [each for each in accepting if demands.fits(each.target)]
    if long_enough or not accepting:
        return long_enough
    return [max(accepting, key=_reads)]


def missing(targets: Sequence[Target], demands: Demands) -> frozenset[Content]:
    """What none of the targets accepts; where each lacks something else, all of what they lack."""
    lacking = [demands.missing(target) for target in targets]
    return frozenset.intersection(*lacking) or frozenset[Content]().union(*lacking)


def _reads(candidate: Candidate) -> int:
    # No candidate without a limit gets here: it reads everything.
    return candidate.target.context_tokens or 0
