"""Finds in a text that is JSON itself: they are replaced inside its strings."""

from __future__ import annotations

from router_extproc.redaction.json_text import JsonText, Place, PlainText, readable


def test_what_is_no_json_is_read_as_it_is() -> None:
    assert isinstance(readable("{not json", is_json=True), PlainText)
    assert isinstance(readable('{"a": 1}', is_json=False), PlainText)


def test_strings_are_searched_as_they_are_read() -> None:
    text = r'{"to": "jo\u0040example.com\n"}'
    read = readable(text, is_json=True)
    assert read.searched == '{"to": "jo@example.com\n"}'
    start = read.searched.index("jo@")
    [place] = read.places(start, start + len("jo@example.com"))
    assert text[place.start : place.end] == r"jo\u0040example.com"
    assert place.value == "jo@example.com"


def test_a_number_becomes_a_string() -> None:
    text = '{"card": 4111111111111111}'
    read = JsonText(text)
    assert list(read.places(9, 25)) == [Place(9, 25, "4111111111111111", bare=True)]


def test_a_find_across_two_strings_is_parted() -> None:
    read = JsonText('["ab", "cd"]')
    assert [place.value for place in read.places(3, 9)] == ["b", "c"]
