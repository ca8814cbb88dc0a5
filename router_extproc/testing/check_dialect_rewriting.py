"""The part of a dialect's contract that redaction needs: its texts, and answers whose texts are changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from router_extproc.dialects.base import Dialect, MakeFilter, TextFilter, TextForm
from router_extproc.dialects.json_strings import text_of
from router_extproc.testing.dialect_samples import DialectSamples, require, single_bytes, whole_answer


class Keeps:
    """Holds a whole text back until its end. Fits TextFilter."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """See TextFilter."""
        self._held += piece
        return ""

    def finish(self) -> str:
        """See TextFilter."""
        text, self._held = self._held, ""
        return text

    @property
    def holds(self) -> bool:
        """See TextFilter."""
        return bool(self._held)


class Loud(Keeps):
    """The whole text, in capitals, at its end. Fits TextFilter."""

    def finish(self) -> str:
        """See TextFilter."""
        return super().finish().upper()


class Passes:
    """Changes nothing. Fits TextFilter."""

    holds: Final = False

    def feed(self, piece: str) -> str:
        """See TextFilter."""
        return piece

    def finish(self) -> str:
        """See TextFilter."""
        return ""


def keep(form: TextForm) -> TextFilter:
    """A filter that holds all back."""
    del form
    return Keeps()


def loud(form: TextForm) -> TextFilter:
    """A filter that sends all in capitals, at its end."""
    del form
    return Loud()


def let_pass(form: TextForm) -> TextFilter:
    """A filter that changes nothing."""
    del form
    return Passes()


def rewritten(dialect: Dialect, content_type: str, body: bytes, make: MakeFilter) -> bytes:
    """The answer, byte by byte through a rewriter."""
    rewriter = dialect.rewrite_answer(content_type, make)
    if rewriter is None:
        raise AssertionError("an answer of a sample can be changed")
    return b"".join([rewriter.feed(piece, last=False) for piece in single_bytes(body)]) + rewriter.feed(
        b"", last=True
    )


def _check_its_texts(dialect: Dialect, samples: DialectSamples) -> None:
    body = samples.request
    texts = list(dialect.texts(body))
    said = [text_of(body[text.start : text.end].decode()) for text in texts]
    prompt = dialect.parse(body).prompt
    require(prompt in said, "the question is one of the texts")
    require(
        all(text.part == "user" for text, one in zip(texts, said, strict=True) if one == prompt), "its part"
    )
    require(dialect.parse(body).model not in said, "the model's name is no text")


def _check_what_does_not_change(dialect: Dialect, samples: DialectSamples) -> None:
    for content_type, body in samples.answers.items():
        passed = rewritten(dialect, content_type, body, let_pass)
        require(passed == body, "an answer in which nothing changes passes byte for byte")


def _check_what_is_held_back(dialect: Dialect, samples: DialectSamples) -> None:
    for content_type, body in samples.answers.items():
        held = rewritten(dialect, content_type, body, keep)
        got, wanted = whole_answer(dialect, content_type, held), whole_answer(dialect, content_type, body)
        require(got.facts == wanted.facts, "what is held back of a text follows before its end")
    require(dialect.rewrite_answer("image/png", let_pass) is None, "a picture is no answer of this API")


REWRITING_RULES: Final[tuple[Callable[[Dialect, DialectSamples], None], ...]] = (
    _check_its_texts,
    _check_what_does_not_change,
    _check_what_is_held_back,
)
