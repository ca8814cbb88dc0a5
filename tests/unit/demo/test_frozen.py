"""A child that runs and does not answer is ended; one that answers is left alone."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from router_extproc.demo.frozen import kill_when_frozen
from router_extproc.process.child import Child, ChildEnded
from router_extproc.process.watch import Patience
from router_extproc.testing.stack import free_address

PATIENCE_S = 30


async def test_a_child_that_stops_answering_is_killed(tmp_path: Path) -> None:
    address = free_address()
    command = [sys.executable, "-m", "http.server", address.partition(":")[2], "--bind", "127.0.0.1"]
    child = await Child.start("the child", command, tmp_path / "log")
    # One question without an answer is enough.
    patience = Patience(start_s=PATIENCE_S, silent_s=0.5)
    watching = asyncio.create_task(kill_when_frozen(child, f"http://{address}/", patience, beat_s=0.05))
    async with asyncio.timeout(PATIENCE_S):
        while " 200 " not in (tmp_path / "log").read_text():  # noqa: ASYNC110 - another process tells us nothing
            await asyncio.sleep(0.05)
        assert not watching.done()
        os.kill(child.pid, signal.SIGSTOP)
        with pytest.raises(ChildEnded, match="SIGKILL"):
            await watching
