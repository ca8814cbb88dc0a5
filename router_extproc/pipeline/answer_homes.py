"""Which model gave an answer that its pool may keep: a request that goes on from it is answered there.

Only the pool that keeps an answer knows its id. Workers tell each other what they have seen
(process.shared_seen); the oldest answers are forgotten first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, TypeAlias

from router_extproc.llm.answer import Answer, Incomplete

#: Answers of which a worker knows who gave them; some 2 MB.
ANSWERS_MAX: Final = 10_000
#: Longer ids are nobody's.
ID_CHARS_MAX: Final = 128

#: The id of an answer, and the model that gave it.
Home: TypeAlias = tuple[str, str]


class AnswerHomes:
    """Ids of answers, and the models that gave them."""

    def __init__(self) -> None:
        self._models: Final[OrderedDict[str, str]] = OrderedDict()
        self._new: list[Home] = []

    def note(self, answer: Answer | Incomplete, model: str) -> None:
        """The model has given this answer; one that no pool keeps is passed over."""
        identity = _kept_id(answer)
        if identity and len(identity) <= ID_CHARS_MAX:
            self.learn([(identity, model)])
            self._new.append((identity, model))
            del self._new[:-ANSWERS_MAX]

    def learn(self, homes: Sequence[Home]) -> None:
        """Take over what any worker has seen."""
        for identity, model in homes:
            self._models[identity] = model
            self._models.move_to_end(identity)
            if len(self._models) > ANSWERS_MAX:
                self._models.popitem(last=False)

    def model_of(self, identity: str) -> str | None:
        """The model that gave the answer; None: it is not known here."""
        return self._models.get(identity)

    def take_new(self) -> Sequence[Home]:
        """What this worker has seen since it was last asked."""
        new, self._new = self._new, []
        return new

    @property
    def known(self) -> Sequence[Home]:
        """All of them, the oldest first."""
        return tuple(self._models.items())


def _kept_id(answer: Answer | Incomplete) -> str:
    if isinstance(answer, Incomplete):
        return answer.kept_id
    return answer.facts.id if answer.facts.is_kept else ""
