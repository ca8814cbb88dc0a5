"""Structured logs: JSON for machines or lines for people, without prompts, answers or keys.

Text from a client, a pool or another package never reaches a line: suspicious keys are refused, and of an
exception only its type and place are written, not its message.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, Literal, TextIO

import structlog

#: Keys whose values are never written, whatever they hold.
REFUSED_KEYS: Final = frozenset(
    {
        "answer", "api_key", "authorization", "body", "chunk", "content", "cookie", "headers", "message",
        "messages", "password", "prompt", "query", "question", "secret", "system", "text", "token",
    }
)  # fmt: skip
REFUSED: Final = "(not logged)"
#: Longer values are cut: names and reasons are short, texts are not.
VALUE_CHARS_MAX: Final = 300
#: Frames of an exception, the innermost last.
FRAMES_MAX: Final = 12

Event = MutableMapping[str, Any]  # structlog's event dictionary: any value a caller logs


def configure_logging(
    *,
    level: str,
    form: Literal["json", "console"],
    stream: TextIO | None = None,
    bound: Mapping[str, object] | None = None,
) -> None:
    """Set up structlog and the standard library's logging for this process.

    `bound` are facts that every line of the process carries, such as its worker.
    """
    out = stream or sys.stderr
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[_binder(bound or {}), *_processors(), _renderer(form, out)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_Foreign()], level=max(number, logging.WARNING), force=True)


def get_logger() -> structlog.typing.FilteringBoundLogger:
    """A logger as this process is set up to log when it is first used."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger


def _binder(bound: Mapping[str, object]) -> structlog.typing.Processor:
    def bind(_logger: object, _method: str, event: Event) -> Event:
        return {**bound, **event}

    return bind


def _processors() -> list[structlog.typing.Processor]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        place_exception,
        refuse_texts,
    ]


def _renderer(form: str, out: TextIO) -> structlog.typing.Processor:
    if form == "console":
        return structlog.dev.ConsoleRenderer(colors=out.isatty())
    return structlog.processors.JSONRenderer(sort_keys=True)


def refuse_texts(_logger: object, _method: str, event: Event) -> Event:
    """Take out the values of refused keys, and cut long ones."""
    for key, value in event.items():
        if key.lower() in REFUSED_KEYS:
            event[key] = REFUSED
        elif isinstance(value, str) and len(value) > VALUE_CHARS_MAX:
            event[key] = f"{value[:VALUE_CHARS_MAX]}…"
        elif isinstance(value, bytes | bytearray | BaseException):
            event[key] = type(value).__name__
    return event


def place_exception(_logger: object, _method: str, event: Event) -> Event:
    """Replace `exc_info` by the exception's type and frames: its message may quote a client."""
    error = _exception(event.pop("exc_info", None))
    if error is not None:
        frames = traceback.extract_tb(error.__traceback__)[-FRAMES_MAX:]
        event["error"] = type(error).__name__
        event["frames"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return event


def _exception(exc_info: object) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


class _Foreign(logging.Handler):
    """Other packages' warnings, without their text: only its template is theirs alone."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write where the record comes from; its template only when values are apart from it."""
        structlog.get_logger().log(
            min(max(record.levelno // 10 * 10, logging.DEBUG), logging.CRITICAL),
            "log of another package",
            logger=record.name,
            place=f"{record.filename}:{record.lineno}",
            template=record.msg if record.args and isinstance(record.msg, str) else None,
            exc_info=record.exc_info,
        )
