"""A time window goes by the clock of its zone, over midnight and over changes of the clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from router_extproc.models.onnx.classifiers import EncoderClassifiers
from router_extproc.signals.time_window import INSIDE, TimeWindowSettings, read_days
from router_extproc.testing.subjects import subject_of

OFFICE = {"zone": "Europe/Berlin", "days": ["mon-fri"], "from": "08:00", "to": "18:00"}
NIGHT = {"zone": "Europe/Berlin", "days": ["fri", "sat"], "from": "22:00", "to": "06:00"}
EARLY = {"zone": "Europe/Berlin", "from": "01:00", "to": "03:00"}
#: 2026-11-27 is a Friday.


def settings_of(**section: object) -> TimeWindowSettings:
    return TimeWindowSettings.model_validate({"type": "time_window", **section})


def label_at(
    section: dict[str, object], moment: str, zone: str = "Europe/Berlin", fold: int = 0
) -> str | None:
    settings = settings_of(**section)
    assert list(settings.problems("signals.t")) == []
    asked_s = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()
    signal = settings.open("t", EncoderClassifiers(None))
    return signal.read(replace(subject_of("hi"), asked_s=asked_s)).label


@pytest.mark.parametrize(
    ("section", "moment", "inside"),
    [
        (OFFICE, "2026-11-27T08:00", True),
        (OFFICE, "2026-11-27T17:59:59", True),
        (OFFICE, "2026-11-27T18:00", False),
        (OFFICE, "2026-11-27T07:59:59", False),
        (OFFICE, "2026-11-28T12:00", False),
        (NIGHT, "2026-11-27T21:59", False),
        (NIGHT, "2026-11-27T22:00", True),
        (NIGHT, "2026-11-28T05:59", True),
        (NIGHT, "2026-11-28T06:00", False),
        (NIGHT, "2026-11-29T05:59", True),
        (NIGHT, "2026-11-29T23:00", False),
        (NIGHT, "2026-11-27T05:00", False),
        ({}, "2026-11-27T03:00", True),
        ({"days": "sat-sun"}, "2026-11-29T23:59", True),
        ({"days": ["fri-mon"]}, "2026-11-30T00:00", True),
        ({"days": ["fri-mon"]}, "2026-12-01T12:00", False),
        ({"from": "12:00", "zone": "Europe/Berlin"}, "2026-11-27T23:59", True),
        ({"to": "12:00", "zone": "Europe/Berlin"}, "2026-11-27T12:00", False),
    ],
)
def test_a_moment_is_inside_by_its_local_time(
    section: dict[str, object], moment: str, *, inside: bool
) -> None:
    assert label_at(section, moment) == (INSIDE if inside else None)


def test_a_moment_counts_by_the_clock_of_the_zone_and_not_of_the_client() -> None:
    assert label_at(OFFICE, "2026-11-27T07:30", zone="UTC") == INSIDE
    assert label_at(OFFICE, "2026-11-27T07:30", zone="America/New_York") == INSIDE
    assert label_at(OFFICE, "2026-11-27T12:30", zone="America/New_York") is None


def test_the_same_hour_in_summer_is_another_moment() -> None:
    """18:00 in Berlin is 17:00 UTC in winter and 16:00 UTC in summer."""
    assert label_at(OFFICE, "2026-11-27T16:30", zone="UTC") == INSIDE
    assert label_at(OFFICE, "2026-07-03T16:30", zone="UTC") is None


def test_an_hour_that_comes_twice_is_inside_both_times_and_one_that_is_left_out_harms_nothing() -> None:
    assert [label_at(EARLY, "2026-10-25T02:30", fold=fold) for fold in (0, 1)] == [INSIDE, INSIDE]
    assert label_at(EARLY, "2026-03-29T03:00") is None
    assert label_at(EARLY, "2026-03-29T01:59") == INSIDE


def test_hours_without_quotes_are_what_was_meant() -> None:
    """YAML reads 18:30 as the number 1110."""
    settings = settings_of(**{"from": "08:00", "to": 1110})
    assert (settings.begin, settings.to) == ("08:00", "18:30")
    assert settings.model_dump()["from"] == "08:00"


@pytest.mark.parametrize(
    ("section", "path", "words"),
    [
        ({"zone": "Berlin"}, "signals.t.zone", "no time zone named 'Berlin'"),
        ({"zone": "../etc/passwd"}, "signals.t.zone", "no time zone"),
        ({"zone": ""}, "signals.t.zone", "no time zone"),
        ({"days": ["mon", "freitag"]}, "signals.t.days[1]", "'freitag' is no day"),
        ({"days": ["mon-"]}, "signals.t.days[0]", "is no day"),
        ({"from": "8 am"}, "signals.t.from", "must be HH:MM"),
        ({"to": "24:01"}, "signals.t.to", "must be HH:MM"),
        ({"to": "12:60"}, "signals.t.to", "must be HH:MM"),
        ({"from": 8}, "signals.t.from", "must be HH:MM in quotes"),
        ({"to": 1800}, "signals.t.to", "must be HH:MM in quotes"),
        ({"from": "08:00", "to": "8:00"}, "signals.t.to", "is the same as from"),
        ({"from": "24:00", "to": "00:00"}, "signals.t.to", "is the same as from"),
    ],
)
def test_what_is_no_window_is_refused_with_its_path(
    section: dict[str, object], path: str, words: str
) -> None:
    (problem,) = settings_of(**section).problems("signals.t")
    assert problem.path == path
    assert words in problem.problem


def test_runs_of_days_may_go_over_the_end_of_the_week() -> None:
    assert read_days("sat-mon") == {5, 6, 0}
    assert read_days("wed") == {2}
