"""Filters for the texts of one answer: secrets are masked first, then values are put back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from router_extproc.dialects.base import AnswerRewriter, Dialect, TextFilter, TextForm
from router_extproc.redaction.mask import Masker
from router_extproc.redaction.request import Redacted
from router_extproc.redaction.restore import Restorer, as_is, inside_json
from router_extproc.redaction.search import Search


def rewriter_of(redacted: Redacted, dialect: Dialect, content_type: str) -> AnswerRewriter | None:
    """What changes the answer to a redacted request; None: its answer is of a kind that cannot be changed."""
    return dialect.rewrite_answer(content_type, _Filters(redacted, Search(redacted.rule.mask)).make)


@dataclass(frozen=True, slots=True)
class _Filters:
    """Makes a filter for each text."""

    redacted: Redacted
    search: Search

    def make(self, form: TextForm) -> TextFilter:
        one, rule = self.redacted, self.redacted.rule
        filters: list[TextFilter] = []
        if rule.mask:
            filters.append(Masker(self.search, one.known, one.tally, form))
        if rule.restore and len(one.placeholders):
            spell = inside_json if form == "json" else as_is
            filters.append(Restorer(one.placeholders, one.tally, spell))
        return filters[0] if len(filters) == 1 else _Chain(filters)


class _Chain:
    """One filter after another."""

    def __init__(self, filters: Sequence[TextFilter]) -> None:
        self._filters = filters

    def feed(self, piece: str) -> str:
        """See TextFilter."""
        for each in self._filters:
            piece = each.feed(piece)
        return piece

    def finish(self) -> str:
        """See TextFilter."""
        rest = ""
        for each in self._filters:
            rest = each.feed(rest) + each.finish()
        return rest

    @property
    def holds(self) -> bool:
        """See TextFilter."""
        return any(each.holds for each in self._filters)
