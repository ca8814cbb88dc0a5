"""Labels given as example prompts: classifiers without training. They fit `models.base.Classifier`.

`ExampleClassifier` tells which label it is: a prompt that is near no example scores low for every label, and
what the scores lack to one is the chance of "none of them". `NearestExamples` tells how near the nearest
example of each label is. With dozens of rows a label, a trained head is better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from router_extproc.models.base import Encoder, Encoding, Vector

#: Likeness is this share of the cosine to the label's centre, and for the rest to its nearest
#: example. Measured on CLINC150 and on the MMLU categories with 3 to 8 examples a label: the mean of
#: both is as good as the better one for narrow labels and for broad ones.
CENTRE_SHARE = 0.5
#: Likeness at which "none of them" is as likely as the label; and how fast that changes. With a
#: score of 0.5 asked, 95 to 98 % of narrow intents are labelled and 10 to 20 % of other commands
#: for the same assistant; broad topics are labelled in 33 to 41 % of cases, and hardly ever wrongly.
NONE_LIKENESS = 0.3
TEMPERATURE = 0.06


class ExampleClassifier:
    """Compares a vector with the examples of every label."""

    reads_tasks = False

    def __init__(self, examples: Mapping[str, Sequence[Vector]]) -> None:
        """Every label has at least one vector; vectors of zeros (texts without tokens) match nothing."""
        self._labels = tuple(examples)
        self._nearest = [np.stack(list(vectors)) for vectors in examples.values()]
        self._centres = np.stack([centre_of(vectors) for vectors in self._nearest])

    @classmethod
    def of(cls, examples: Mapping[str, Sequence[str]], encoder: Encoder) -> ExampleClassifier:
        """Encodes the example prompts; at start, not per request."""
        return cls(_vectors(examples, encoder))

    @property
    def labels(self) -> Sequence[str]:
        """See models.base.Classifier."""
        return self._labels

    def scores(self, encoding: Encoding) -> Mapping[str, float]:
        """See models.base.Classifier."""
        vector = encoding.vector
        nearest = np.array([float((vectors @ vector).max()) for vectors in self._nearest])
        likeness = CENTRE_SHARE * (self._centres @ vector) + (1 - CENTRE_SHARE) * nearest
        raised = np.exp((np.append(likeness, NONE_LIKENESS) - likeness.max()) / TEMPERATURE)
        shares = raised / raised.sum()
        return dict(zip(self._labels, shares[:-1].tolist(), strict=True))


class NearestExamples:
    """The cosine of a vector to the nearest example of every label; below 0 it counts as 0."""

    reads_tasks = False

    def __init__(self, examples: Mapping[str, Sequence[Vector]]) -> None:
        """Every label has at least one vector."""
        self._labels = tuple(examples)
        self._vectors = np.concatenate([np.stack(list(vectors)) for vectors in examples.values()])
        #: Where each label's examples begin.
        self._starts = np.cumsum([0, *(len(vectors) for vectors in examples.values())][:-1])

    @classmethod
    def of(cls, examples: Mapping[str, Sequence[str]], encoder: Encoder) -> NearestExamples:
        """Encodes the example prompts; at start, not per request."""
        return cls(_vectors(examples, encoder))

    @property
    def labels(self) -> Sequence[str]:
        """See models.base.Classifier."""
        return self._labels

    def scores(self, encoding: Encoding) -> Mapping[str, float]:
        """See models.base.Classifier."""
        nearest = np.maximum.reduceat(self._vectors @ encoding.vector, self._starts)
        return dict(zip(self._labels, np.clip(nearest, 0.0, 1.0).tolist(), strict=True))


def _vectors(examples: Mapping[str, Sequence[str]], encoder: Encoder) -> dict[str, list[Vector]]:
    return {
        label: [encoding.vector for encoding in encoder.encode_many(list(prompts))]
        for label, prompts in examples.items()
    }


def centre_of(vectors: NDArray[np.float32]) -> Vector:
    """The mean direction, of length 1 (zeros stay zeros)."""
    mean = vectors.mean(axis=0)
    length = float(np.linalg.norm(mean))
    return np.asarray(mean / length if length else mean, np.float32)
