from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from router_extproc.process import child as children
from router_extproc.process.child import Child, ChildEnded, first_of

ENDLESS = "import sys; print('ready', flush=True); sys.stdin.read()"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {ENDLESS}"


async def start(code: str, folder: Path) -> Child:
    return await Child.start("the child", [sys.executable, "-c", code], folder / "child.log")


async def until_ready(child: Child) -> None:
    async with asyncio.timeout(20):
        while "ready" not in child.tail():  # noqa: ASYNC110 - another process tells us nothing
            await asyncio.sleep(0.01)


async def test_a_child_that_ends_by_itself_is_reported_with_its_last_lines(tmp_path: Path) -> None:
    child = await start("import sys; print('cannot go on'); sys.exit(3)", tmp_path)
    with pytest.raises(ChildEnded, match=r"the child ended \(exit code 3\).*\n  cannot go on"):
        await child.watch()


async def test_a_child_that_was_killed_is_reported_with_the_signal(tmp_path: Path) -> None:
    child = await start("import os; os.kill(os.getpid(), 9)", tmp_path)
    with pytest.raises(ChildEnded, match="signal SIGKILL"):
        await child.watch()


async def test_only_the_last_lines_are_repeated(tmp_path: Path) -> None:
    child = await start("print('\\n'.join(f'line {n}' for n in range(9999)))", tmp_path)
    with pytest.raises(ChildEnded):
        await child.watch()
    assert child.tail().splitlines()[-1] == "  line 9998"
    assert len(child.tail().splitlines()) == children.TAIL_LINES


async def test_a_child_stops_when_asked(tmp_path: Path) -> None:
    child = await start(ENDLESS, tmp_path)
    await until_ready(child)
    await child.stop()
    await child.stop()
    with pytest.raises(ChildEnded, match="SIGTERM"):
        await child.watch()


async def test_a_child_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    child = await start(DEAF, tmp_path)
    await until_ready(child)
    await child.stop(within_s=0.05)
    with pytest.raises(ChildEnded, match="SIGKILL"):
        await child.watch()


async def test_a_child_that_ended_can_be_started_again(tmp_path: Path) -> None:
    child = await start("print('ready once more')", tmp_path)
    with pytest.raises(ChildEnded):
        await child.watch()
    first = child.pid
    await child.start_again()
    with pytest.raises(ChildEnded) as ended:
        await child.watch()
    assert (ended.value.code, child.pid != first) == (0, True)
    assert child.tail() == "  ready once more\n  ready once more"


async def test_the_first_result_wins_and_the_rest_is_cancelled() -> None:
    cancelled = asyncio.Event()

    async def never() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return "never"

    async def soon() -> str:
        await asyncio.sleep(0)
        return "soon"

    assert await first_of(never(), soon()) == "soon"
    assert cancelled.is_set()


async def test_the_first_failure_wins_too() -> None:
    async def fail() -> str:
        raise ChildEnded("the child", 1, "")

    with pytest.raises(ChildEnded):
        await first_of(asyncio.sleep(60, "never"), fail())
