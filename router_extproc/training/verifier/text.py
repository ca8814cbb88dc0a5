"""The words of the verifier's card; figures are filled in by `ship_verifier`.

Limits are as easy to find as figures, and what was tried and did not help is said as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from router_extproc.equivalence import GUARDED_SIMILARITY_MIN
from router_extproc.models.onnx.enough import SUPPORTED_CHANCE_MIN


@dataclass(frozen=True, slots=True)
class CardFigures:
    """What is measured when the artifact is made."""

    table: str
    table_net: str
    table_alone: str
    table_vetoes: str
    chance_min: float
    chance_min_alone: float
    calibration_error: float
    size_bytes: int
    latency_s: float
    int8_difference: float


TEXT = """# verifier: does a stored answer fit another question?

Reads the cached question and the asked one, and gives the chance that the answer to the first is
right for the second. It runs only for candidates that the search found similar, and decides about
them together with guards (numbers and units; how both are written; negation and opposites; swapped roles; a
question inside much other text; language).

MiniLM's embeddings and first two layers read each question by itself, unchanged, as in the encoder.
The upper four layers read both together and were trained, with a small net over both mean vectors
and their cosine. Its logit, the encoder's cosine and seven figures about the words of both
questions go through a logistic calibration.

`upper.onnx` is shipped: the trained layers, int8, {size_bytes:,} bytes. `models build` joins them
with the lower layers of the packaged MiniLM (23 MB on disk). A pair of 2 x 16 tokens takes
{latency_ms:.1f} ms on one thread (median). int8 moves the logit by {int8_difference:.2f} on average.

## Learned from

- Quora Question Pairs, development rows (Quora's terms, research use; labels are noisy)
- PAWS-Wiki, development rows (free use, credit Google)
- Banking77 pairs, 4,000 (derived from PolyAI's Banking77, CC BY 4.0)
- pairs made of their questions: 18,500 hard negatives (another number, unit, place, language, animal or
  other word of its kind; the opposite; negation; swapped roles; a narrower scope; another question about
  the same thing) and 10,900 hard positives (other frames, manners, case, spelling, synonyms, contractions,
  numbers in words, word order). The word lists were written for this project.

Never trained on: RQE (medical questions, CC BY 4.0), every Quora group about health, and a
further 6 % of Quora's and PAWS's groups. Questions that are joined by any chain of pairs, or differ only
in case and punctuation, are on one side of the split.

## How it was judged

At the default operating point, 95 % intervals: a chance of {chance_min:.2f}, or of {support_min:.2f}
where the cosine is at least {support_similarity:.2f} and none of the five guards objects. Quora is
judged across four folds of the calibration; the made pairs come from questions that were never
trained on. "False hits" is the share of pairs with label 0 that are accepted.

{table}

Mean distance between the chance and the share that is right, on Quora: {calibration_error:.3f} (ECE).

Without that support, at the same chance:

{table_net}

With an encoder other than the built-in one the cosine is left out (chance {chance_min_alone:.2f}):

{table_alone}

With all five guards as vetoes and without support, at the same chance (fewer hits, about the same precision):

{table_vetoes}

## Limits

- English. Each question up to 128 tokens; longer ones get no semantic hit.
- Questions, not documents: it has seen few instructions and no code.
- Quora's labels contradict each other for near-identical questions: precision above about 0.95
  cannot be measured on them.
- A third round of training (220 steps, pairs seen before) and the average of both nets improved
  nothing beyond noise and cost recall on health. The next things to try are more labelled pairs and
  longer training on other subjects. Training the two lower layers as well was not compared.
- It does not know facts: "the largest planet" and "Jupiter" are different questions to it.
- The goal of precision 0.93 on unseen medical questions is not shown: on Quora's health pairs,
  whose labels are noisy, it is 0.91 at the default point.
- RQE's negatives are easy (other questions at random); its precision says little. The health pairs
  of Quora are the harder test.
- Questions whose answer changes with time are left to the cache (TTL).
"""


def write_text(figures: CardFigures) -> str:
    """The card."""
    return TEXT.format(
        size_bytes=figures.size_bytes,
        latency_ms=figures.latency_s * 1e3,
        int8_difference=figures.int8_difference,
        chance_min=figures.chance_min,
        support_min=SUPPORTED_CHANCE_MIN,
        support_similarity=GUARDED_SIMILARITY_MIN,
        chance_min_alone=figures.chance_min_alone,
        calibration_error=figures.calibration_error,
        table=figures.table,
        table_net=figures.table_net,
        table_alone=figures.table_alone,
        table_vetoes=figures.table_vetoes,
    )
