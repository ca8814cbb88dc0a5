"""What requests ask of the model that answers them, beside text, and which candidates can do it.

What a model accepts is known exactly, and so is a length that was counted by its own tokenizer. Any other
length is an estimate: one that is surely too long for all candidates is refused, and one that only seems so
goes to the one that reads most, whose pool counts exactly and says so in words that clients know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from router_extproc.llm.request import Contents
from router_extproc.routing.actions import OverLong
from router_extproc.routing.catalogue import Target
from router_extproc.routing.selection.base import Candidate

#: What a model accepts beside plain text; "json": of a given schema, too.
Content: TypeAlias = Literal["image", "audio", "file", "tools", "json", "json_object"]

#: Of an estimated length, the share that the request surely has: texts that people write have fewer than
#: eight bytes a token.
_ESTIMATED_SURELY: Final = 0.5
#: Of a counted one: of long texts only a part is counted, and chat templates differ.
_COUNTED_SURELY: Final = 0.9


@dataclass(frozen=True, slots=True)
class Demands:
    """What one request asks for."""

    contents: frozenset[Content] = frozenset()
    #: Estimated, of the whole request; 0 where no model has a limit.
    tokens: int = 0
    #: For the longest answer that it allows, in the same window.
    answer_tokens: int = 0
    #: Of the whole request as models count, by their tokenizers; those that were asked.
    counted: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        contents: Contents,
        tokens: int = 0,
        answer_tokens: int = 0,
    ) -> Demands:
        """Those of a request that is made of this."""
        counts: dict[Content, int | bool] = {
            "image": contents.images,
            "audio": contents.audio,
            "file": contents.files,
            "tools": contents.tools_offered,
            "json": contents.schema_asked,
            "json_object": contents.json_asked and not contents.schema_asked,
        }
        wanted = frozenset(content for content, count in counts.items() if count)
        return cls(wanted, tokens, answer_tokens)

    def missing(self, target: Target) -> frozenset[Content]:
        """What the target does not accept of it."""
        if target.accepts is None:
            return frozenset()
        lacking = self.contents - target.accepts
        return lacking - {"json_object"} if "json" in target.accepts else lacking

    def needs(self, target: Target) -> int:
        """About how many tokens of the target's window it takes, its answer included."""
        return self._prompt(target) + self.answer_tokens

    def fits(self, target: Target) -> bool:
        """Whether the target reads as much."""
        return target.context_tokens is None or self.needs(target) <= target.context_tokens

    def is_surely_too_long(self, target: Target) -> bool:
        """Whether it does not fit into the target's window, however inexact its length is known."""
        share = _COUNTED_SURELY if target.tokenizer in self.counted else _ESTIMATED_SURELY
        surely = self._prompt(target) * share + self.answer_tokens
        return target.context_tokens is not None and surely > target.context_tokens

    def _prompt(self, target: Target) -> int:
        return self.counted.get(target.tokenizer or "", self.tokens)


NO_DEMANDS: Final = Demands()


def able(candidates: Sequence[Candidate], demands: Demands) -> Sequence[Candidate]:
    """The candidates that can answer, in their order; empty when none can."""
    if demands == NO_DEMANDS:
        return candidates
    accepting = [each for each in candidates if not demands.missing(each.target)]
    long_enough = [each for each in accepting if demands.fits(each.target)]
    if long_enough or not accepting:
        return long_enough
    longest = max(accepting, key=lambda each: _reads(each.target))
    return [] if demands.is_surely_too_long(longest.target) else [longest]


def missing(targets: Sequence[Target], demands: Demands) -> frozenset[Content]:
    """What none of the targets accepts; where each lacks something else, all of what they lack."""
    lacking = [demands.missing(target) for target in targets]
    return frozenset.intersection(*lacking) or frozenset[Content]().union(*lacking)


def too_long(targets: Sequence[Target], demands: Demands) -> OverLong | None:
    """By how much it is too long for those that accept the rest of it; None: none does."""
    accepting = [target for target in targets if not demands.missing(target)]
    if not accepting:
        return None
    longest = max(accepting, key=_reads)
    prompt = demands.needs(longest) - demands.answer_tokens
    return OverLong(prompt, demands.answer_tokens, _reads(longest))


def _reads(target: Target) -> int:
    # No target without a limit gets here: it reads everything.
    return target.context_tokens or 0
