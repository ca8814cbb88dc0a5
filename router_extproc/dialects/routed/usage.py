"""The usage that an answer of a routed API tells: in vLLM's objects of scores, labels and ranks a member."""

from __future__ import annotations

from typing import Final

from router_extproc.dialects.base import AnswerProgress
from router_extproc.dialects.members import NotUnderstoodError
from router_extproc.dialects.openai_objects import checked_usage, usage_of
from router_extproc.dialects.readers import answer_object
from router_extproc.llm.answer import Incomplete, Usage

#: Why such an answer is not stored.
NOT_READ: Final = "not_read"
#: Longer answers are numbers and texts for the most part: their usage is not worth the reading.
ANSWER_BYTES_MAX: Final = 256 << 10


class UsageReader:
    """Fits dialects.base.AnswerReader; without content there is no first piece of it."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._too_large = False

    def feed(self, chunk: bytes) -> AnswerProgress:
        """See AnswerReader."""
        self._too_large = self._too_large or len(self._held) + len(chunk) > ANSWER_BYTES_MAX
        if self._too_large:
            self._held.clear()
        else:
            self._held += chunk
        return AnswerProgress(started=False)

    def finish(self) -> Incomplete:
        """See AnswerReader."""
        return Incomplete(NOT_READ, self._usage())

    def _usage(self) -> Usage | None:
        # Sound is no object, and costs a look at its first byte.
        if not self._held.startswith(b"{"):
            return None
        try:
            return usage_of({"usage": checked_usage(answer_object(bytes(self._held)).get("usage"))})
        except NotUnderstoodError:
            return None
