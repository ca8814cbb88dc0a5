"""What the pools say that they serve: adapters beside the configured models, and how much each model reads.

Asked in the background (`process.model_lists`), never on a request's way. What a pool said last holds until
it says something else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from router_extproc.llm.listed_model import ListedModel

#: Of one pool; further ones are not known.
MODELS_MAX: Final = 256
#: Longer names are not known.
NAME_CHARS_MAX: Final = 256


class PoolModels:
    """The lists of all pools, by cluster; of one worker."""

    def __init__(self) -> None:
        self._lists: Final[dict[str, Mapping[str, ListedModel]]] = {}

    def note(self, cluster: str, models: Sequence[ListedModel]) -> None:
        """Take a pool's list, which replaces the one before."""
        fitting = [model for model in models if model.name and len(model.name) <= NAME_CHARS_MAX]
        self._lists[cluster] = {model.name: model for model in fitting[:MODELS_MAX]}

    def of(self, cluster: str) -> Mapping[str, ListedModel]:
        """What the pool lists, by name; empty: nothing is known."""
        return self._lists.get(cluster, {})
