"""The similarity signal: how near a prompt is to the nearest of some examples.

The score is the cosine itself, the number by which the cache looks for neighbours. Every group of examples
that is near enough is found. `intent` with examples answers another question: which of these labels it is, if
any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from pydantic import Field

from router_extproc.errors import ConfigError
from router_extproc.models.base import Classifiers
from router_extproc.signals.base import SignalSettings
from router_extproc.signals.classifier_signal import ClassifierSignal, likeliest

#: The label where the examples have no names.
SIMILAR: Final = "similar"
#: Examples of one signal: each is encoded at start and compared with every prompt.
EXAMPLES_MAX: Final = 2_000


class SimilaritySettings(SignalSettings):
    """How near the prompt is to one of these examples; the label is the group of the nearest."""

    type: Literal["similarity"]
    #: Example prompts, or groups of them by label.
    examples: tuple[str, ...] | dict[str, tuple[str, ...]] = Field(min_length=1)
    #: The cosine from which a group is found. With five examples a group this finds six of ten prompts of its
    #: kind, and takes one of fifty others (CLINC150, 12 groups among 60); 0.7 finds three and takes none.
    min_score: float = Field(default=0.55, ge=0, le=1)

    @property
    def needs_encoder(self) -> bool:
        """See SignalSettings."""
        return True

    @property
    def finds_several(self) -> bool:
        """See SignalSettings."""
        return len(self.groups()) > 1

    @property
    def ranks_labels(self) -> bool:
        """See SignalSettings."""
        return True

    def groups(self) -> Mapping[str, Sequence[str]]:
        """The examples by label."""
        return self.examples if isinstance(self.examples, dict) else {SIMILAR: self.examples}

    def problems(self, path: str) -> Iterator[ConfigError]:
        """See SignalSettings."""
        groups = self.groups()
        for label, examples in groups.items():
            if not any(example.strip() for example in examples):
                where = f"{path}.examples.{label}" if isinstance(self.examples, dict) else f"{path}.examples"
                yield ConfigError(where, "needs at least one example prompt")
        count = sum(map(len, groups.values()))
        if count > EXAMPLES_MAX:
            yield ConfigError(f"{path}.examples", f"has {count} examples; at most {EXAMPLES_MAX} are allowed")

    def labels(self) -> Sequence[str]:
        """See SignalSettings."""
        return tuple(self.groups())

    def open(self, name: str, classifiers: Classifiers) -> ClassifierSignal:
        """See SignalSettings."""
        nearest = classifiers.nearest(self.groups())
        return ClassifierSignal(name, nearest, likeliest, score_min=self.min_score, several=True)
