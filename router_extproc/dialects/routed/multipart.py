"""The model of a request whose body is multipart/form-data: its field "model".

The field may stand before or behind a file of any size, which is skipped, not read.
Source: RFC 7578; RFC 2046, section 5.1.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

#: Delimiters that are looked at; servers refuse as many fields (Starlette reads 1000).
PARTS_MAX: Final = 1000
#: Of one part.
HEADER_BYTES_MAX: Final = 16 << 10
#: RFC 2046 allows 70.
BOUNDARY_CHARS_MAX: Final = 250

_MODEL: Final = b"model"
_FORM: Final = "multipart/form-data"
_LINE_END: Final = b"\r\n"
#: Behind the boundary in a delimiter; two hyphens end the body.
_TAIL: Final = re.compile(rb"--|[ \t]*\r\n")
_BOUNDARY: Final = re.compile(r';\s*boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))', re.IGNORECASE)
_ESCAPED: Final = re.compile(r"\\(.)")
_DISPOSITION: Final = re.compile(
    rb"^content-disposition[ \t]*:[ \t]*form-data[ \t]*(;[^\r\n]*)", re.IGNORECASE | re.MULTILINE
)
_PARAMETER: Final = re.compile(
    rb';[ \t]*([a-z*]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))', re.IGNORECASE
)
_LENGTH: Final = re.compile(rb"^content-length[ \t]*:[ \t]*(\d+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Part:
    """Where one part stands in a body."""

    #: Of its header lines.
    header: int
    #: Of its content, as in slices.
    start: int
    end: int


class MultipartModel:
    """Fits ModelPlace."""

    def read(self, body: bytes, content_type: str) -> str | None:
        """See ModelPlace; of a field that is there several times the last counts, as servers read it."""
        fields = _model_fields(body, content_type)
        if not fields:
            return None
        name = body[fields[-1].start : fields[-1].end].decode("utf-8", "replace")
        return name or None

    def rename(self, body: bytes, content_type: str, name: str) -> bytes:
        """See ModelPlace; a field that is there several times gets the name each time."""
        new, view, copied = name.encode(), memoryview(body), 0
        pieces: list[bytes | memoryview] = []
        for field in _model_fields(body, content_type):
            length = _LENGTH.search(body, field.header, field.start)
            if length is not None:
                pieces += [view[copied : length.start(1)], str(len(new)).encode()]
                copied = length.end(1)
            pieces += [view[copied : field.start], new]
            copied = field.end
        return b"".join([*pieces, view[copied:]])


def _model_fields(body: bytes, content_type: str) -> list[_Part]:
    boundary = _boundary_of(content_type)
    return [] if boundary is None else [part for part in _parts(body, boundary) if _is_model(body, part)]


def _boundary_of(content_type: str) -> bytes | None:
    """What parts the body; None: it is no form."""
    found = _BOUNDARY.search(content_type)
    if found is None or content_type.partition(";")[0].strip().lower() != _FORM:
        return None
    quoted, plain = found.groups()
    boundary = plain or _ESCAPED.sub(r"\1", quoted)
    fits = 0 < len(boundary) <= BOUNDARY_CHARS_MAX
    return boundary.encode("utf-8", "surrogateescape") if fits else None


def _parts(body: bytes, boundary: bytes) -> Iterator[_Part]:
    """The whole parts; what is cut off is none."""
    for (_, header), (end, _) in pairwise(_delimiters(body, _LINE_END + b"--" + boundary)):
        # The line end of the delimiter is the first half of an empty line, where a part has no header.
        searched = header - len(_LINE_END)
        blank = body.find(2 * _LINE_END, searched, min(end, searched + HEADER_BYTES_MAX))
        if blank >= 0:
            yield _Part(header, blank + 2 * len(_LINE_END), end)


def _delimiters(body: bytes, line: bytes) -> Iterator[tuple[int, int]]:
    """Where delimiters begin and end; a line that only begins like one is content."""
    # The very first has no line end before it.
    at = -len(_LINE_END) if body.startswith(line[len(_LINE_END) :]) else body.find(line)
    for _ in range(PARTS_MAX):
        if at == -1:
            return
        tail = _TAIL.match(body, at + len(line))
        if tail is not None:
            yield at, tail.end()
        at = body.find(line, at + len(line))


def _is_model(body: bytes, part: _Part) -> bool:
    """Whether it is the field, and no file of that name."""
    disposition = _DISPOSITION.search(body, part.header, part.start)
    if disposition is None:
        return False
    named = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(disposition[1])}
    return named.get(b"name") == _MODEL and not any(name.startswith(b"filename") for name in named)
