"""What answers have shown, in sums of which the older part counts less and less.

Sums of several workers can be added, so all of them come to the same means.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

#: After so long, an answer counts half.
HALF_LIFE_S: Final = 30.0
#: No sum grows beyond, whatever a replica says of its answers.
SUM_MAX: Final = 1e12
#: Below that, nothing is known any more.
KNOWN_MIN: Final = 0.05
#: Of how many answers' weight the slope over the prompt's length is pulled to zero: few answers of about one
#: length say nothing of it.
_SLOPE_PRIOR: Final = 5.0


@dataclass(frozen=True, slots=True)
class Sums:
    """Decayed sums over answers; each of them not negative."""

    #: Whole answers, and such as pools failed.
    answers: float = 0.0
    errors: float = 0.0
    timeouts: float = 0.0
    rate_limits: float = 0.0
    #: Of streamed answers: how many, thousands of prompt tokens, seconds to the first content, products.
    timed: float = 0.0
    prompt: float = 0.0
    ttft: float = 0.0
    prompt_squared: float = 0.0
    prompt_ttft: float = 0.0
    #: Seconds and tokens from the first content to the end (of an answer in one piece: from the request).
    writing: float = 0.0
    written: float = 0.0
    #: Answers whose tokens are known.
    measured: float = 0.0

    def __add__(self, other: Sums) -> Sums:
        return Sums(*(min(SUM_MAX, mine + its) for mine, its in zip(self.values, other.values, strict=True)))

    @property
    def values(self) -> tuple[float, ...]:
        """The sums in their order."""
        return tuple(getattr(self, field.name) for field in fields(self))

    @classmethod
    def of(cls, values: Sequence[object]) -> Sums:
        """The sums that `values` told.

        Raises:
            ValueError: not so many, or no numbers, or some below zero.
        """
        if len(values) != len(fields(cls)) or not all(map(_is_sum, values)):
            raise ValueError("no sums")
        return cls(*(min(SUM_MAX, float(value)) for value in values if isinstance(value, int | float)))

    def aged(self, by_s: float) -> Sums:
        """The same after so many seconds."""
        share = half(by_s)
        return Sums(*(value * share for value in self.values))

    def at_most(self, answers: float) -> Sums:
        """The same with the weight of so many answers, if it has more."""
        share = min(1.0, answers / self.answers) if self.answers else 1.0
        return Sums(*(value * share for value in self.values))

    @property
    def known(self) -> bool:
        """Whether some answer's time still counts."""
        return self.timed > KNOWN_MIN or self.written > KNOWN_MIN

    @property
    def error_share(self) -> float:
        """Of answers, how many failed; 0 where nothing is known."""
        failed = self.errors + self.timeouts
        asked = failed + self.answers
        return failed / asked if asked > KNOWN_MIN else 0.0

    @property
    def tokens(self) -> float | None:
        """Of an answer; None: not known."""
        return self.written / self.measured if self.measured > KNOWN_MIN else None

    @property
    def speed(self) -> Speed:
        """How fast the pool was."""
        per_token = self.writing / self.written if self.written > KNOWN_MIN else 0.0
        if self.timed <= KNOWN_MIN:
            return Speed(0.0, 0.0, per_token)
        mean_prompt, mean_ttft = self.prompt / self.timed, self.ttft / self.timed
        spread = max(0.0, self.prompt_squared / self.timed - mean_prompt**2)
        shared = self.prompt_ttft / self.timed - mean_prompt * mean_ttft
        # With few answers, or all of about one length, the mean tells more than a line through them.
        slope = max(0.0, shared / (spread + (1.0 + mean_prompt**2) * _SLOPE_PRIOR / self.timed))
        return Speed(max(0.0, mean_ttft - slope * mean_prompt), slope, per_token)


@dataclass(frozen=True, slots=True)
class Speed:
    """How long a pool takes, in seconds."""

    #: To the first content of an answer to a prompt without tokens, and for each thousand tokens of it.
    first_s: float
    per_kilotoken_s: float
    #: For each token of an answer.
    per_token_s: float

    def ttft_s(self, prompt_tokens: float) -> float:
        """To the first content."""
        return self.first_s + self.per_kilotoken_s * prompt_tokens / 1000

    def whole_s(self, prompt_tokens: float, answer_tokens: float) -> float:
        """To the end of the answer."""
        return self.ttft_s(prompt_tokens) + self.per_token_s * answer_tokens


def half(by_s: float) -> float:
    """What an answer still counts after so many seconds; 1 where a clock went back."""
    return float(0.5 ** (max(0.0, by_s) / HALF_LIFE_S))


def _is_sum(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and value >= 0
