"""A file with a broken line is refused, with the numbers of all its broken lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from router_extproc.errors import ConfigError, ConfigProblems
from router_extproc.evaluation.rows import PROBLEMS_SHOWN_MAX, read_answers, read_labels, read_rows


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rows.jsonl"


def problems_of(file: Path) -> list[str]:
    with pytest.raises(ConfigProblems) as refused:
        read_rows(file, required=("text",))
    return [str(problem).removeprefix(str(file)) for problem in refused.value.problems]


def test_rows_keep_order_and_line_numbers(file: Path) -> None:
    file.write_text('{"text": "a"}\n\n{"text": "b"}\n')
    assert [(row.line, row.text("text")) for row in read_rows(file, required=("text",))] == [
        (1, "a"),
        (3, "b"),
    ]


def test_line_separators_inside_a_text_do_not_end_the_row(file: Path) -> None:
    file.write_text('{"text": "a\u2028b"}\n', encoding="utf-8")
    assert read_rows(file, required=("text",))[0].text("text") == "a\u2028b"


def test_lone_surrogate_is_a_text_like_any(file: Path) -> None:
    file.write_text('{"text": "\\ud800"}')
    assert read_rows(file, required=("text",))[0].text("text") == "\ud800"


def test_every_broken_line_is_named(file: Path) -> None:
    file.write_bytes(b'{"text": "a"}\nnope\n[1]\n{"text": 1}\n{}\n\xff\n' + b"[" * 100_000)
    assert problems_of(file) == [
        ":2: is no JSON",
        ":3: is no JSON object",
        ":4: needs text in text",
        ":5: needs text in text",
        ":6: is no JSON",
        ":7: is no JSON",
    ]


def test_many_broken_lines_are_counted(file: Path) -> None:
    file.write_text("nope\n" * (PROBLEMS_SHOWN_MAX + 7))
    assert problems_of(file)[-1] == ": and 7 more lines like these"


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_file_without_rows_is_refused(file: Path, content: str) -> None:
    file.write_text(content)
    with pytest.raises(ConfigError, match="has no rows"):
        read_rows(file, required=("text",))


def test_file_that_is_not_there_is_refused(file: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_rows(file, required=("text",))


def test_row_without_label_has_none(file: Path) -> None:
    file.write_text('{"text": "a", "label": "x"}\n{"text": "b"}\n{"text": "c", "label": null}')
    assert read_labels(file, read_rows(file, required=("text",))) == ["x", None, None]


def test_label_that_is_no_text_is_refused(file: Path) -> None:
    file.write_text('{"text": "a"}\n{"text": "b", "label": 3}')
    with pytest.raises(ConfigProblems, match=":2: label must be text"):
        read_labels(file, read_rows(file, required=("text",)))


def test_answers_are_yes_no_or_unknown(file: Path) -> None:
    file.write_text('{"label": 1}\n{"label": 0}\n{"label": true}\n{}')
    assert read_answers(file, read_rows(file, required=())) == [True, False, True, None]


@pytest.mark.parametrize("label", ["2", '"1"', "[1]", "{}"])
def test_other_answers_are_refused(file: Path, label: str) -> None:
    file.write_text(f'{{"label": {label}}}')
    with pytest.raises(ConfigProblems, match=":1: label must be 0 or 1"):
        read_answers(file, read_rows(file, required=()))
