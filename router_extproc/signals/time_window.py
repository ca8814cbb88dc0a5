"""The time window signal: the request came within these hours of these days, by the clock of one place.

It goes by local time, so on the days on which clocks change a window is an hour shorter or longer; an hour
that comes twice is inside both times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, ConfigDict, Field

from router_extproc.errors import ConfigError
from router_extproc.models.base import Classifiers
from router_extproc.signals.base import Reading, SignalSettings, Subject

#: The label of a request inside the window.
INSIDE: Final = "inside"
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS: Final = 24
_MINUTES: Final = 60
_DAY_MINUTES: Final = _HOURS * _MINUTES
_TIME: Final = re.compile(r"(\d{1,2}):(\d{2})")


def _quoted(value: object) -> object:
    """YAML reads an unquoted 18:30 as the number of its minutes; 8 was never a time."""
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    if _MINUTES <= value <= _DAY_MINUTES:
        return f"{value // _MINUTES:02d}:{value % _MINUTES:02d}"
    return str(value)


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


_Time = Annotated[str, BeforeValidator(_quoted)]


class TimeWindowSettings(SignalSettings):
    """Matches when the request comes within these hours of these days."""

    model_config = ConfigDict(serialize_by_alias=True)

    type: Literal["time_window"]
    #: Whose clock counts: a name of the time zone database, for example Europe/Berlin.
    zone: str = "UTC"
    #: Days (`sat`) and runs of days (`mon-fri`). A window over midnight belongs to the day on which it
    #: begins.
    days: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(default=("mon-sun",), min_length=1)
    #: HH:MM, the first minute inside.
    begin: _Time = Field(default="00:00", alias="from")
    #: HH:MM, the first minute outside; before `from`: of the next day.
    to: _Time = "24:00"

    @property
    def in_key(self) -> bool:
        """See SignalSettings."""
        return True

    def problems(self, path: str) -> Iterator[ConfigError]:
        """See SignalSettings."""
        if _zone(self.zone) is None:
            yield ConfigError(
                f"{path}.zone", f"no time zone named '{self.zone}'; write one like Europe/Berlin"
            )
        for index, days in enumerate(self.days):
            if read_days(days) is None:
                problem = f"'{days}' is no day; write one of {', '.join(DAYS)}, or a run such as mon-fri"
                yield ConfigError(f"{path}.days[{index}]", problem)
        times = {"from": self.begin, "to": self.to}
        for key, time in times.items():
            if read_time(time) is None:
                yield ConfigError(
                    f"{path}.{key}", f"must be HH:MM in quotes, from 00:00 to 24:00, got '{time}'"
                )
        begin, end = read_time(self.begin), read_time(self.to)
        if begin == end is not None or (begin, end) == (_DAY_MINUTES, 0):
            yield ConfigError(f"{path}.to", "is the same as from; leave both out for whole days")

    def labels(self) -> Sequence[str]:
        """See SignalSettings."""
        return (INSIDE,)

    @property
    def reads_texts(self) -> bool:
        """See SignalSettings."""
        return False

    def open(self, name: str, classifiers: Classifiers) -> TimeWindowSignal:  # noqa: ARG002 - needs none
        """See SignalSettings."""
        zone = _zone(self.zone)
        days = [read_days(each) for each in self.days]
        begin, end = read_time(self.begin), read_time(self.to)
        if zone is None or begin is None or end is None or None in days:
            raise ConfigError(f"signals.{name}", "is no time window")
        numbers = frozenset[int]().union(*filter(None, days))
        return TimeWindowSignal(name, zone, numbers, begin, end)


class TimeWindowSignal:
    """Tells whether the request came within the window. Fits signals.base.Signal."""

    needs_encoding = False
    needs_tasks = False

    def __init__(self, name: str, zone: ZoneInfo, days: frozenset[int], begin: int, end: int) -> None:
        """`days` count from Monday, 0; `begin` and `end` are minutes of a day, the end outside the window."""
        self.name = name
        self._zone = zone
        self._days = days
        self._begin = begin
        self._end = end

    def read(self, subject: Subject) -> Reading:
        """See signals.base.Signal."""
        inside = self._is_inside(datetime.fromtimestamp(subject.asked_s, self._zone))
        return Reading(self.name, INSIDE, 1.0) if inside else Reading(self.name, None, 0.0)

    def _is_inside(self, now: datetime) -> bool:
        minute = now.hour * _MINUTES + now.minute
        today = now.weekday()
        yesterday = (today - 1) % len(DAYS)
        if self._begin < self._end:
            return today in self._days and self._begin <= minute < self._end
        return (today in self._days and minute >= self._begin) or (
            yesterday in self._days and minute < self._end
        )


def read_time(text: str) -> int | None:
    """Minutes since midnight of HH:MM; None: it is none. 24:00 is the end of the day."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hours, minutes = int(match[1]), int(match[2])
    whole = hours * _MINUTES + minutes
    return whole if minutes < _MINUTES and whole <= _DAY_MINUTES else None


def read_days(text: str) -> frozenset[int] | None:
    """The days of `sat` or `mon-fri`, counted from Monday, 0; None: they are none."""
    first, dash, last = text.strip().lower().partition("-")
    if first not in DAYS or (dash and last not in DAYS):
        return None
    begin, end = DAYS.index(first), DAYS.index(last or first)
    # A run may go over the end of the week: fri-mon.
    return frozenset((begin + offset) % len(DAYS) for offset in range((end - begin) % len(DAYS) + 1))


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
