"""Every member of every recorded request and answer, as something else than it should be.

What a dialect cannot read it refuses; it never fails. A list in the place of a name cannot even be looked up.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from router_extproc.dialects import DIALECTS
from router_extproc.dialects.base import Dialect
from router_extproc.errors import MalformedRequest
from router_extproc.llm.answer import Answer, Incomplete

SAMPLES: Final = Path(__file__).parents[1] / "samples"
#: In the place of each member in turn.
ODD: Final[tuple[Any, ...]] = ([], {}, [[]], [{}], {"a": []}, 1, -1, 1.5, True, None, "x")
#: Members that few samples have, beside those of each.
MORE: Final[dict[str, Any]] = {
    "metadata": {"user_id": "u"},
    "reasoning": {"effort": "low"},
    "response_format": {"type": "json_object"},
    "stop": ["a"],
    "store": False,
    "stream_options": {"include_usage": True},
    "temperature": 1,
    "text": {"format": {"type": "json_schema"}},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "tool_choice": "auto",
    "tools": [{"type": "function", "function": {"name": "f"}}],
}
ROOM_BYTES: Final = 2**20


def samples(kind: str) -> list[Any]:
    """Each recorded file of this kind, with its dialect."""
    return [
        pytest.param(dialect, path, id=f"{dialect.name}/{path.name}")
        for dialect in DIALECTS.values()
        for path in sorted((SAMPLES / dialect.name).glob(f"*.{kind}.json"))
    ]


# Any: JSON of any kind.
def changed(value: Any, odd: Any) -> Iterator[Any]:
    """The document with each of its members replaced in turn, and all of it."""
    yield odd
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from ({**value, name: other} for other in changed(inner, odd))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from ([*value[:place], other, *value[place + 1 :]] for other in changed(inner, odd))


@pytest.mark.parametrize(("dialect", "path"), samples("request"))
def test_a_request_with_an_odd_member_is_read_or_refused(dialect: Dialect, path: Path) -> None:
    document = {**MORE, **json.loads(path.read_text(encoding="utf-8"))}
    read = refused = 0
    for odd in ODD:
        for each in changed(document, odd):
            body = json.dumps(each).encode()
            try:
                request = dialect.parse(body)
            except MalformedRequest:
                refused += 1
                continue
            read += 1
            assert request.body_bytes == len(body)
            assert all(0 <= text.start <= text.end <= len(body) for text in dialect.texts(body))
    assert read
    assert refused


@pytest.mark.parametrize(("dialect", "path"), samples("answer"))
def test_an_answer_with_an_odd_member_is_read_or_incomplete(dialect: Dialect, path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    for odd in ODD:
        for each in changed(document, odd):
            reader = dialect.read_answer("application/json", max_answer_bytes=ROOM_BYTES)
            reader.feed(json.dumps(each).encode())
            assert isinstance(reader.finish(), Answer | Incomplete)
