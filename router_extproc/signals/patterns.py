r"""Regular expressions that take a time in proportion to the text, whatever the expression and the text are.

The engine is RE2: it has no look-around and no back-references, and refuses a pattern that grows too large.
`\w`, `\d` and `\b` mean ASCII; classes such as `\pL` mean Unicode.
"""

from __future__ import annotations

from typing import Final

import re2

from router_extproc.signals.texts import cut_middle

#: Characters of one pattern.
PATTERN_CHARS_MAX: Final = 1_000
#: Instructions of one compiled pattern; what repeats much inside repetitions has more.
INSTRUCTIONS_MAX: Final = 4_000
#: Characters times instructions: at worst each character asks every instruction, for some 15 ns each.
STEPS_MAX: Final = 2_000_000
#: Bytes that one pattern may use while it searches.
MEMORY_BYTES_MAX: Final = 1 << 20


class PatternError(ValueError):
    """The pattern cannot be used; says why."""


class Pattern:
    """One compiled pattern."""

    def __init__(self, pattern: str, *, case_sensitive: bool = False) -> None:
        """Raises PatternError for one that RE2 does not know, or that is too large."""
        if len(pattern) > PATTERN_CHARS_MAX:
            raise PatternError(f"has {len(pattern)} characters; at most {PATTERN_CHARS_MAX} are allowed")
        try:
            self._compiled: Final = re2.compile(
                pattern.encode("utf-8", "replace"), _options(case_sensitive=case_sensitive)
            )
        except re2.error as error:
            raise PatternError(f"is no pattern of RE2: {_reason(error)}") from error
        instructions = self._compiled.programsize
        if instructions > INSTRUCTIONS_MAX:
            raise PatternError("is too large: repeat less inside what is repeated")
        #: Longer texts are read at both ends.
        self.chars_max: Final = STEPS_MAX // max(1, instructions)

    def is_in(self, text: str) -> bool:
        """Whether the text, or both ends of one that is too long, has a match."""
        read = cut_middle(text, self.chars_max)
        return self._compiled.search(read.encode("utf-8", "replace")) is not None


def _options(*, case_sensitive: bool) -> re2.Options:
    options = re2.Options()
    options.case_sensitive = case_sensitive
    options.max_mem = MEMORY_BYTES_MAX
    # Only whether there is a match counts.
    options.never_capture = True
    options.log_errors = False
    return options


def _reason(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
