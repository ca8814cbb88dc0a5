"""Labels given as example prompts: a classifier without training.

It is not a trained head: with a dozen examples a label it knows what they are like, no more. The rule
it keeps: a prompt that is like no example gets low scores everywhere; the rest of the probability is
"none of these".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from router_extproc.models.base import Encoder, Vector

#: Cosine at which a prompt is as likely to be meant by a label as by none.
NONE_SIMILARITY = 0.45
#: Softmax temperature over cosines: 0.06 above NONE_SIMILARITY gives about 0.73 against none.
TEMPERATURE = 0.06


class ExampleClassifier:
    """Scores a label by its nearest example. Fits models.base.Classifier; scores may sum to less than 1."""

    def __init__(self, labels: Sequence[str], vectors: NDArray[np.float32], owners: Sequence[int]) -> None:
        """vectors: float32[examples, dim] of length 1; owners: each example's index in labels."""
        self._labels = tuple(labels)
        self._vectors = vectors
        self._owners = np.asarray(owners)

    @classmethod
    def of(cls, examples: Mapping[str, Sequence[str]], encoder: Encoder) -> ExampleClassifier:
        """Encodes every example once; blocks."""
        pairs = [(index, text) for index, texts in enumerate(examples.values()) for text in texts]
        encodings = encoder.encode_many([text for _, text in pairs])
        vectors = np.stack([encoding.vector for encoding in encodings])
        return cls(tuple(examples), vectors, [owner for owner, _ in pairs])

    @property
    def labels(self) -> Sequence[str]:
        """See models.base.Classifier."""
        return self._labels

    def scores(self, vector: Vector) -> Mapping[str, float]:
        """See models.base.Classifier; what is missing to one is "none of these"."""
        cosines = self._vectors @ vector
        nearest = np.array([cosines[self._owners == index].max() for index in range(len(self._labels))])
        weights = np.exp((np.append(nearest, NONE_SIMILARITY) - 1.0) / TEMPERATURE)
        shares = weights / weights.sum()
        return dict(zip(self._labels, shares[:-1].tolist(), strict=True))
