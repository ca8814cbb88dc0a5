"""Stored answers: lossless, versioned, never half read. The property over any answer is in tests/fuzz."""

from __future__ import annotations

from typing import Any  # JSON trees

import orjson
import pytest

from router_extproc.llm.answer import Answer, AnswerFacts
from router_extproc.llm.stored import VERSION, WITH_HEADERS, decode_document, decode_headers, encode_answer

DOCUMENT = {"id": "a1", "text": "tree\n\U0001f333\u2028\0", "x": [1, 2.5, None, {"b": 1, "a": True}]}


def answer(document: Any) -> Answer:
    return Answer(AnswerFacts("a1", "m", ()), document)


STORED = encode_answer(answer(DOCUMENT))


def test_document_comes_back_equal_and_in_its_order() -> None:
    """The order of members is part of a replay's bytes."""
    assert orjson.dumps(decode_document(STORED)) == orjson.dumps(DOCUMENT)


def test_facts_are_not_stored_beside_the_document_they_come_from() -> None:
    """They would hold every text twice."""
    assert VERSION + orjson.dumps(DOCUMENT) == STORED


def test_document_of_the_version_before_is_read() -> None:
    assert decode_document(b"\x01" + STORED[1:]) == DOCUMENT


@pytest.mark.parametrize("member", ["\ud800", 1 << 64, object()])
def test_what_json_cannot_hold_is_not_stored(member: Any) -> None:
    with pytest.raises(ValueError, match="cannot be stored"):
        encode_answer(answer({"a": member}))


@pytest.mark.parametrize("stored", [b"", b"{}", b"\x00{}", b"\x04{}"])
def test_other_versions_are_refused(stored: bytes) -> None:
    with pytest.raises(ValueError, match="version"):
        decode_document(stored)


@pytest.mark.parametrize("rest", [b"", b"null", b"[]", b"{", b"\xff", b"[" * 5000])
def test_damaged_bytes_are_refused(rest: bytes) -> None:
    with pytest.raises(ValueError, match="damaged"):
        decode_document(VERSION + rest)


def test_every_cut_is_refused() -> None:
    for end in range(len(STORED)):
        with pytest.raises(ValueError, match=r"damaged|version"):
            decode_document(STORED[:end])


def test_refusal_says_nothing_of_what_is_stored() -> None:
    with pytest.raises(ValueError, match="damaged") as refused:
        decode_document(STORED[:-1])
    assert refused.value.__cause__ is None
    assert "tree" not in str(refused.value)


HEADERS = {"access-control-allow-origin": "https://app.example", "access-control-expose-headers": "a, b"}
WITH = encode_answer(answer(DOCUMENT), HEADERS)


def test_headers_are_stored_before_the_document() -> None:
    """A hit reads them without reading the document twice."""
    assert WITH.partition(b"\n")[0] == WITH_HEADERS + orjson.dumps(HEADERS)
    assert (decode_document(WITH), decode_headers(WITH)) == (DOCUMENT, HEADERS)


def test_an_answer_without_headers_is_stored_as_before() -> None:
    """Workers of the version before read it during an update."""
    assert encode_answer(answer(DOCUMENT), {}) == STORED
    assert decode_headers(STORED) == {}


def test_every_cut_of_an_answer_with_headers_is_refused() -> None:
    for end in range(len(WITH)):
        with pytest.raises(ValueError, match=r"damaged|version"):
            decode_document(WITH[:end])


@pytest.mark.parametrize("rest", [b"", b"null\n{}", b"[\n{}", b"\xff\n{}"])
def test_damaged_headers_are_refused(rest: bytes) -> None:
    with pytest.raises(ValueError, match="damaged"):
        decode_headers(WITH_HEADERS + rest)


def test_a_header_that_is_no_text_is_left_out() -> None:
    assert decode_headers(WITH_HEADERS + b'{"a":1,"b":"c"}\n{}') == {"b": "c"}
