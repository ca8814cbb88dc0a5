"""What a service manager is told, and when nobody is."""

from __future__ import annotations

import os

import pytest

from router_extproc.process.notify import Notifier


def test_without_a_service_manager_nobody_is_told() -> None:
    notifier = Notifier.of({})
    notifier.say("READY=1")
    assert notifier == Notifier(None, None)


def test_a_manager_that_cannot_be_reached_is_no_reason_to_fail() -> None:
    Notifier("/nowhere/at/all").say("READY=1")


@pytest.mark.parametrize("environ", [{}, {"WATCHDOG_PID": str(os.getpid())}])
def test_the_interval_is_the_services(environ: dict[str, str]) -> None:
    assert Notifier.of({"WATCHDOG_USEC": "30000000", **environ}).watchdog_s == 30


@pytest.mark.parametrize("usec", ["", "0", "soon", "-1"])
def test_an_interval_that_is_none_is_not_kept(usec: str) -> None:
    assert Notifier.of({"WATCHDOG_USEC": usec}).watchdog_s is None


def test_another_processs_watchdog_is_not_ours() -> None:
    """A worker inherits the supervisor's environment."""
    assert Notifier.of({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}).watchdog_s is None
