"""The guard signal: a prompt tries to undo a model's rules or to take over its instructions.

The score is the chance of any of the chosen kinds; below `score_min` there is no label. Requests for harmful
content are a kind of their own, off by default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, Literal, TypeAlias

from pydantic import Field

from router_extproc.models.base import Classifiers
from router_extproc.signals.base import SignalSettings
from router_extproc.signals.classifier_signal import ClassifierSignal

#: The shipped head.
HEAD: Final = "guard"
BENIGN: Final = "benign"
#: What is looked for by default.
ATTACKS: Final = ("jailbreak", "injection")
#: The score that 1 % of benign prompts, most of them hard ones, are above (see the head's card).
SCORE_MIN: Final = 0.83

Kind: TypeAlias = Literal["jailbreak", "injection", "harmful_request"]


class GuardSettings(SignalSettings):
    """The kind of attack that the prompt is."""

    type: Literal["guard"]
    #: Which attacks count.
    kinds: tuple[Kind, ...] = Field(default=ATTACKS, min_length=1)
    #: Below it the reading has no label.
    min_score: float = Field(default=SCORE_MIN, ge=0, le=1)

    @property
    def needs_encoder(self) -> bool:
        """See SignalSettings."""
        return True

    @property
    def ranks_labels(self) -> bool:
        """See SignalSettings."""
        return True

    def labels(self) -> Sequence[str]:
        """See SignalSettings."""
        return self.kinds

    def open(self, name: str, classifiers: Classifiers) -> ClassifierSignal:
        """See SignalSettings."""
        classifier = classifiers.trained(HEAD, where=f"signals.{name}")
        return ClassifierSignal(
            name, classifier, partial(attack_of, kinds=self.kinds), score_min=self.min_score
        )


def attack_of(scores: Mapping[str, float], kinds: Sequence[str]) -> tuple[str, float]:
    """The likeliest of the kinds, and the chance of any of them."""
    likeliest = max(kinds, key=scores.__getitem__)
    return likeliest, min(1.0, sum(scores[kind] for kind in kinds))
