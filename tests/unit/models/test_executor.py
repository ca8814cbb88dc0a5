"""The executor bounds what runs and what waits, and survives whoever stops waiting."""

from __future__ import annotations

import asyncio
import threading

import pytest

from router_extproc.errors import ModelError, StageError, StageTimeout
from router_extproc.models.onnx.executor import InferenceExecutor

#: Never reached where things work.
PATIENCE_S = 10.0


async def test_result_of_the_job_comes_back() -> None:
    with InferenceExecutor() as executor:
        assert await executor.run(lambda: 6 * 7, timeout_s=PATIENCE_S) == 42


async def test_job_runs_off_the_event_loop() -> None:
    with InferenceExecutor() as executor:
        assert await executor.run(threading.get_ident, timeout_s=PATIENCE_S) != threading.get_ident()


async def test_error_of_the_job_passes_through() -> None:
    def fail() -> None:
        raise ModelError("encoder", "broken")

    with InferenceExecutor() as executor, pytest.raises(ModelError, match="broken"):
        await executor.run(fail, timeout_s=PATIENCE_S)


async def test_timeout_raised_by_the_job_is_not_taken_for_ours() -> None:
    def fail() -> None:
        raise TimeoutError("theirs")

    with InferenceExecutor() as executor, pytest.raises(TimeoutError, match="theirs"):
        await executor.run(fail, timeout_s=PATIENCE_S)


async def test_late_job_is_a_stage_timeout() -> None:
    release = threading.Event()
    with InferenceExecutor() as executor:
        with pytest.raises(StageTimeout):
            await executor.run(lambda: release.wait(PATIENCE_S), timeout_s=0.01)
        release.set()


async def test_job_over_the_bound_is_refused_at_once() -> None:
    release = threading.Event()
    with InferenceExecutor(threads=1, max_waiting=0) as executor:
        busy = asyncio.create_task(executor.run(lambda: release.wait(PATIENCE_S), timeout_s=PATIENCE_S))
        await asyncio.sleep(0)
        with pytest.raises(StageError, match="too many"):
            await executor.run(lambda: None, timeout_s=PATIENCE_S)
        release.set()
        assert await busy


async def test_finished_jobs_make_room() -> None:
    with InferenceExecutor(threads=1, max_waiting=0) as executor:
        results = [await executor.run(lambda: "done", timeout_s=PATIENCE_S) for _ in range(3)]
    assert results == ["done"] * 3


async def test_cancelled_job_that_waits_never_starts() -> None:
    release, started = threading.Event(), threading.Event()
    with InferenceExecutor(threads=1, max_waiting=1) as executor:
        busy = asyncio.create_task(executor.run(lambda: release.wait(PATIENCE_S), timeout_s=PATIENCE_S))
        await asyncio.sleep(0)
        waiting = asyncio.create_task(executor.run(started.set, timeout_s=PATIENCE_S))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        release.set()
        await busy
        await executor.run(lambda: None, timeout_s=PATIENCE_S)
    assert not started.is_set()


async def test_cancelled_job_gives_its_place_back() -> None:
    release = threading.Event()
    with InferenceExecutor(threads=1, max_waiting=1) as executor:
        busy = asyncio.create_task(executor.run(lambda: release.wait(PATIENCE_S), timeout_s=PATIENCE_S))
        await asyncio.sleep(0)
        for _ in range(5):
            with pytest.raises(StageTimeout):
                await executor.run(lambda: None, timeout_s=0.001)
        release.set()
        assert await busy


async def test_closed_executor_refuses() -> None:
    executor = InferenceExecutor()
    executor.close()
    for _ in range(100):
        with pytest.raises(StageError, match="closed"):
            await executor.run(lambda: None, timeout_s=PATIENCE_S)


async def test_a_job_knows_whether_others_wait() -> None:
    release = threading.Event()
    with InferenceExecutor() as executor:

        def job() -> bool:
            assert release.wait(PATIENCE_S)
            return executor.others_wait()

        first, second = (asyncio.create_task(executor.run(job, timeout_s=PATIENCE_S)) for _ in range(2))
        await asyncio.sleep(0)
        assert executor.others_wait()
        release.set()
        assert [await first, await second] == [True, False]
        assert not executor.others_wait()


async def test_a_job_that_never_began_waits_no_more() -> None:
    release = threading.Event()
    with InferenceExecutor() as executor:
        running = asyncio.create_task(executor.run(lambda: release.wait(PATIENCE_S), timeout_s=PATIENCE_S))
        await asyncio.sleep(0)
        with pytest.raises(StageTimeout):
            await executor.run(lambda: None, timeout_s=0.01)
        assert not executor.others_wait()
        release.set()
        assert await running
