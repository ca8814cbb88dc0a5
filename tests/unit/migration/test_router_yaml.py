"""The new file's text: comments in their places, texts that stay texts, and the list at the end."""

from __future__ import annotations

from router_extproc.config.document import load
from router_extproc.config.expand import expand
from router_extproc.migration.result import NotCarried
from router_extproc.migration.router_yaml import WIDTH, escape, write

HEAD = "Written by a test."


def test_a_comment_is_above_its_value_with_its_indent() -> None:
    text = write({"a": 1, "list": [{"name": "x"}]}, {"a": "First.", "list[0]": "Second."}, HEAD, ())
    assert text == "# Written by a test.\n\n# First.\na: 1\nlist:\n# Second.\n- name: x\n"


def test_what_is_written_reads_as_the_value() -> None:
    value = {
        "a": "off",
        "b": "1e3",
        "c": "x: # y\nz",
        "d": [True, 0.5, "ü", "\u2028", "${HOME}"],
        "e": {"f": None},
    }
    text = write(value, {"e.f": "A\nb"}, HEAD, ())
    assert load(text, "router.yaml").value == value


def test_a_foreign_text_cannot_leave_its_comment() -> None:
    """A description in the old file may hold any character."""
    text = write({"a": 1}, {"a": "one\r\ntwo\x85three\u2028four: evil"}, HEAD, ())
    assert load(text, "router.yaml").value == {"a": 1}


def test_lines_of_comments_are_not_too_long() -> None:
    text = write({"a": {"b": 1}}, {"a.b": "word " * 100}, "word " * 100, ())
    assert max(len(line) for line in text.splitlines()) <= WIDTH


def test_what_was_lost_is_listed_at_the_end_by_reason() -> None:
    lost = [
        NotCarried("x[0]", "it is gone", "nothing like it", "behaviour", 3),
        NotCarried("x[1]", "it is gone", "nothing like it", "behaviour", 4),
        NotCarried("y", "no need", "", "setting"),
    ]
    lines = write({"a": 1}, {}, HEAD, lost).splitlines()
    assert "# - x[0] (line 3), x[1] (line 4): it is gone. Nearest: nothing like it." in lines
    assert lines[-1] == "# - y: no need."


def test_an_escaped_text_is_not_read_from_the_environment() -> None:
    value = escape({"prompt": "Use ${HOME} and $${X}.", "n": [1, "${A}"]})
    assert expand(value, {}).value == {"prompt": "Use ${HOME} and $${X}.", "n": [1, "${A}"]}
    assert expand(value, {}).problems == []
