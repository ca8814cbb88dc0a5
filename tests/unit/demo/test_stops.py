"""What signals ask of the demo."""

from __future__ import annotations

import asyncio
import os
import signal

from router_extproc.demo.stops import Stops

PATIENCE_S = 20


async def test_the_first_signal_asks_to_stop_and_the_second_to_stop_at_once() -> None:
    stops, said = Stops(), list[str]()
    with stops.listening(said.append):
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.wait_for(stops.asked.wait(), PATIENCE_S)
        assert not stops.at_once.is_set()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(stops.at_once.wait(), PATIENCE_S)
    assert said == []


async def test_a_hang_up_is_refused_with_a_word() -> None:
    stops, said = Stops(), asyncio.Queue[str]()
    with stops.listening(said.put_nowait):
        os.kill(os.getpid(), signal.SIGHUP)
        assert "SIGHUP ignored" in await asyncio.wait_for(said.get(), PATIENCE_S)
    assert not stops.asked.is_set()
