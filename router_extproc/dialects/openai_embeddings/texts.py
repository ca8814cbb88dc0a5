"""The texts of an embeddings request: what is embedded, and every string that is not known to be none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from router_extproc.dialects.base import BodyText, TextPart
from router_extproc.dialects.json_strings import Names
from router_extproc.dialects.texts import MESSAGES, StringForm, TextRules, find_texts

_INPUT: Final = "input"
_NO_TEXTS: Final = frozenset({("model",), ("encoding_format",), ("request_id",), ("cache_salt",)})
#: Of messages, which vLLM embeds, too.
_KINDS: Final = frozenset({"role", "type"})
_MEDIA: Final = frozenset(
    {"audio", "audio_url", "file", "image_embeds", "image_url", "input_audio", "video", "video_url"}
)


def texts_of(body: bytes) -> Iterator[BodyText]:
    """See dialects.base.RequestDialect.texts."""
    return find_texts(body, _RULES)


def _form(names: Names) -> StringForm:
    top, *below = names or ("",)
    if names in _NO_TEXTS:
        return "none"
    if top in {_INPUT, MESSAGES} and below and (below[-1] in _KINDS or not _MEDIA.isdisjoint(below)):
        return "none"
    return "text"


def _part(names: Names, role: TextPart) -> TextPart:
    """Whoever is said to speak: all of it is embedded."""
    del names, role
    return "user"


_RULES: Final = TextRules(_form, _part, {}, frozenset({_INPUT, MESSAGES}))
