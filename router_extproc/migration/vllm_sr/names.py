"""Names of the new file, made of names of the old one."""

from __future__ import annotations

import re
from typing import Final

#: What our configuration takes as the name of a decision (config/model.py).
NAME_CHARS_MAX: Final = 48
_OTHER: Final = re.compile(r"[^A-Za-z0-9_.-]+")


class Names:
    """Gives each thing a name of its own."""

    def __init__(self, *taken: str) -> None:
        self._taken: Final = set(taken)

    def new(self, wanted: str, *, prefix: str = "") -> str:
        """`wanted` in characters that a name may have; with the prefix, then with a number, where taken."""
        plain = plain_name(wanted)
        name = plain if plain not in self._taken else f"{prefix or 'another'}-{plain}"
        number = 2
        while name in self._taken:
            name, number = f"{plain}-{number}", number + 1
        self._taken.add(name)
        return name


def plain_name(text: str) -> str:
    """The text in letters, digits, `-`, `_` and `.`, beginning with a letter or digit."""
    return _OTHER.sub("-", text).strip("-_.")[:NAME_CHARS_MAX].strip("-_.") or "unnamed"
