"""Both branches of a pass with task layers run beside each other, and an error in either is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import cast

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from router_extproc.errors import ModelError
from router_extproc.models.onnx.manifest import read_manifest
from router_extproc.models.onnx.task_layers import ARTIFACT, SplitGraph, TaskLayersManifest
from router_extproc.models.onnx.tensors import STATES

IDS = np.array([[5, 6, 7]], np.int64)
#: Seconds that a branch waits for the other one, which is there at once unless it waits, too.
MEETING_S = 5.0

Result = list[NDArray[np.float32]]


class Part:
    """A session that makes its outputs of what it is fed."""

    def __init__(self, make: Callable[[Mapping[str, NDArray[np.float32]]], Result]) -> None:
        self._make = make

    def run(
        self,
        outputs: Sequence[str],  # noqa: ARG002 - as onnxruntime has it
        feeds: Mapping[str, NDArray[np.float32]],
    ) -> Result:
        return self._make(feeds)

    def get_outputs(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(shape=[1, 3])]


def lower(feeds: Mapping[str, NDArray[np.float32]]) -> Result:
    (ids,) = feeds.values()
    return [ids.astype(np.float32) * 2]


def upper(feeds: Mapping[str, NDArray[np.float32]]) -> Result:
    return [feeds[STATES] + 1]


def tasks(feeds: Mapping[str, NDArray[np.float32]]) -> Result:
    return [feeds[STATES] - 1, feeds[STATES]]


def not_finite(feeds: Mapping[str, NDArray[np.float32]]) -> Result:
    return [feeds[STATES] * np.nan, feeds[STATES]]


def graph(
    upper: Callable[[Mapping[str, NDArray[np.float32]]], Result],
    tasks: Callable[[Mapping[str, NDArray[np.float32]]], Result],
    *,
    others_wait: bool = False,
) -> SplitGraph:
    parts = (cast("ort.InferenceSession", Part(make)) for make in (lower, upper, tasks))
    manifest = read_manifest(ARTIFACT, TaskLayersManifest, where="test")
    return SplitGraph(*parts, manifest, others_wait=lambda: others_wait)


@pytest.mark.parametrize("others_wait", [False, True])
def test_each_branch_reads_the_states(*, others_wait: bool) -> None:
    outputs = graph(upper, tasks, others_wait=others_wait).run_tasks(IDS)
    assert outputs.result.tolist() == [[11, 13, 15]]
    assert outputs.task_vector.tolist() == [[9, 11, 13]]
    assert outputs.tag_scores.tolist() == [[10, 12, 14]]


def test_the_branches_run_at_the_same_time() -> None:
    """Each waits for the other to have begun."""
    met = threading.Barrier(2, timeout=MEETING_S)

    def waiting(
        branch: Callable[[Mapping[str, NDArray[np.float32]]], Result],
    ) -> Callable[[Mapping[str, NDArray[np.float32]]], Result]:
        def run(feeds: Mapping[str, NDArray[np.float32]]) -> Result:
            met.wait()
            return branch(feeds)

        return run

    assert graph(waiting(upper), waiting(tasks)).run_tasks(IDS).result.tolist() == [[11, 13, 15]]


def test_they_take_turns_on_one_thread_while_other_passes_wait() -> None:
    threads: list[int] = []

    def noted(
        branch: Callable[[Mapping[str, NDArray[np.float32]]], Result],
    ) -> Callable[[Mapping[str, NDArray[np.float32]]], Result]:
        def run(feeds: Mapping[str, NDArray[np.float32]]) -> Result:
            threads.append(threading.get_ident())
            return branch(feeds)

        return run

    graph(noted(upper), noted(tasks), others_wait=True).run_tasks(IDS)
    assert threads == [threading.get_ident()] * 2


@pytest.mark.parametrize(("one", "other"), [(not_finite, tasks), (upper, not_finite)])
def test_an_error_of_either_branch_is_told_and_the_next_pass_is_whole(
    one: Callable[[Mapping[str, NDArray[np.float32]]], Result],
    other: Callable[[Mapping[str, NDArray[np.float32]]], Result],
) -> None:
    broken = graph(one, other)
    for _ in range(2):
        with pytest.raises(ModelError, match="not finite"):
            broken.run_tasks(IDS)
    if one is upper:
        assert broken.run(IDS).tolist() == [[11, 13, 15]]
