"""Categories of the old file as labels of our domain head."""

from __future__ import annotations

from typing import Final

from router_extproc.migration.old_file import OldSection
from router_extproc.migration.vllm_sr.draft import Entry, When
from router_extproc.models.shipped import shipped_labels

#: The head that tells the 14 categories of MMLU-Pro apart, and our signal of it.
HEAD: Final = "mmlu14"
SIGNAL: Final = "domain"
#: What our head is documented with.
MIN_SCORE: Final = 0.5


def domain_signal(threshold: float | None) -> Entry:
    """The intent signal; `threshold` is that of the old classifier."""
    if threshold is None or not 0 <= threshold <= 1:
        return Entry({"type": "intent", "model": HEAD, "min_score": MIN_SCORE})
    comment = (
        "The threshold of the old classifier. Our head is another model: see what it says of your prompts"
        f" with `router-extproc explain`; {MIN_SCORE:g} is what it was made for."
    )
    return Entry(
        {"type": "intent", "model": HEAD, "min_score": threshold},
        comment if threshold != MIN_SCORE else "",
    )


def domain_test(category: OldSection) -> When:
    """Asks the domain signal for the labels that a category stands for; what has no label is noted."""
    mapped = category.texts("mmlu_categories")
    name = category.text("name") or ""
    labels = labels_of(mapped or (name,))
    unknown = [word for word in mapped if not labels_of((word,))]
    nearest = f"an intent signal with `examples:` of '{name}', or a head of your own (`router-extproc train`)"
    if not labels:
        category.lose("name", f"'{name}' is none of the categories that the head {HEAD} tells apart", nearest)
        return False
    if unknown:
        category.lose("mmlu_categories", f"the head {HEAD} has no label for {', '.join(unknown)}", nearest)
    return {SIGNAL: list(labels)}


def labels_of(words: tuple[str, ...]) -> tuple[str, ...]:
    """The head's labels among the words, however their spaces are written."""
    known = shipped_labels()[HEAD]
    plain = (word.strip().lower().replace("_", " ").replace("-", " ") for word in words)
    return tuple(dict.fromkeys(word for word in plain if word in known))
