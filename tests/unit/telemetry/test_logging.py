from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from router_extproc.telemetry.logging import REFUSED, REFUSED_KEYS, configure_logging, get_logger

Lines = Callable[[], list[dict[str, object]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What was logged, as JSON."""
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging(level="info", form="json", stream=stream, bound={"worker": 1})
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_has_time_level_event_and_what_is_bound(lines: Lines) -> None:
    get_logger().info("serving", address="unix:/run/0.sock")
    line = lines()[0]
    assert (line["event"], line["level"], line["worker"]) == ("serving", "info", 1)
    assert str(line["timestamp"]).endswith("Z")


def test_less_than_the_level_is_left_out(lines: Lines) -> None:
    get_logger().debug("detail")
    assert lines() == []


@pytest.mark.parametrize("key", sorted(REFUSED_KEYS))
def test_a_key_that_smells_of_text_is_refused(lines: Lines, key: str) -> None:
    get_logger().info("decided", **{key.upper(): "what a client wrote"})
    assert lines()[0][key.upper()] == REFUSED


def test_a_long_value_is_cut(lines: Lines) -> None:
    get_logger().info("decided", reason="x" * 1000)
    assert len(str(lines()[0]["reason"])) == 301


def test_bytes_and_errors_are_named_by_their_type(lines: Lines) -> None:
    get_logger().info("decided", raw=b"what a client wrote", cause=ValueError("what a client wrote"))
    assert (lines()[0]["raw"], lines()[0]["cause"]) == ("bytes", "ValueError")


def test_an_exceptions_message_is_not_logged(lines: Lines) -> None:
    """Parsers quote what they could not parse."""
    try:
        json.loads("what a client wrote")
    except ValueError:
        get_logger().exception("stream failed")
    line = lines()[0]
    assert line["error"] == "JSONDecodeError"
    assert "wrote" not in json.dumps(line)
    assert any("json" in str(frame) for frame in list(line["frames"]))  # type: ignore[call-overload] # JSON


def test_an_exception_may_be_handed_over_as_such(lines: Lines) -> None:
    get_logger().error("stream failed", exc_info=ValueError("what a client wrote"))
    assert lines()[0]["error"] == "ValueError"


def test_an_exception_may_come_as_the_standard_librarys_triple(lines: Lines) -> None:
    error = ValueError("what a client wrote")
    get_logger().error("stream failed", exc_info=(type(error), error, None))
    get_logger().error("stream failed", exc_info=(None, None, None))
    assert [line.get("error") for line in lines()] == ["ValueError", None]


def test_without_an_exception_nothing_is_said_of_one(lines: Lines) -> None:
    get_logger().error("stream failed", exc_info=True)
    assert "error" not in lines()[0]


# ── other packages ────────────────────────────────────────────────────────────────────────────


def test_another_packages_warning_keeps_its_template_but_not_its_values(lines: Lines) -> None:
    logging.getLogger("another.package").warning("cannot insert %s", "what a client wrote")
    line = lines()[0]
    assert (line["logger"], line["level"]) == ("another.package", "warning")
    assert line["template"] == "cannot insert %s"
    assert "wrote" not in json.dumps(line)


def test_another_packages_ready_made_text_is_left_out(lines: Lines) -> None:
    """An f-string cannot be told from its values."""
    logging.getLogger("another.package").error("cannot insert what a client wrote")
    assert lines()[0]["template"] is None


def test_another_packages_chatter_is_left_out(lines: Lines) -> None:
    logging.getLogger("another.package").info("connected")
    assert lines() == []


def test_a_level_of_its_own_is_rounded_down(lines: Lines) -> None:
    logging.getLogger("x").log(35, "odd")
    assert lines()[0]["level"] == "warning"


def test_the_console_form_is_for_people() -> None:
    stream = io.StringIO()
    configure_logging(level="info", form="console", stream=stream)
    get_logger().info("serving", address="here")
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()
    assert "serving" in stream.getvalue()
    assert not stream.getvalue().startswith("{")
