"""Which model gave an answer that its pool may keep: a request that goes on from it is answered there.

Only the pool that keeps an answer knows its id. What one worker has seen, it alone knows, and only for as
long as it runs; the oldest answers are forgotten first.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from router_extproc.llm.answer import Answer, Incomplete

#: Answers of which a worker knows who gave them; some 2 MB.
ANSWERS_MAX: Final = 10_000
#: Longer ids are nobody's.
ID_CHARS_MAX: Final = 128


class AnswerHomes:
    """Ids of answers, and the models that gave them."""

    def __init__(self) -> None:
        self._models: Final[OrderedDict[str, str]] = OrderedDict()

    def note(self, answer: Answer | Incomplete, model: str) -> None:
        """The model has given this answer; one that no pool keeps is passed over."""
        identity = _kept_id(answer)
        if not identity or len(identity) > ID_CHARS_MAX:
            return
        self._models[identity] = model
        self._models.move_to_end(identity)
        if len(self._models) > ANSWERS_MAX:
            self._models.popitem(last=False)

    def model_of(self, identity: str) -> str | None:
        """The model that gave the answer; None: it is not known here."""
        return self._models.get(identity)


def _kept_id(answer: Answer | Incomplete) -> str:
    if isinstance(answer, Incomplete):
        return answer.kept_id
    return answer.facts.id if answer.facts.is_kept else ""
