"""Runs the task layers: fine-tuned upper layers on the lower ones of the encoder, in one pass.

The encoder's own vectors stay as they are without the task layers.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Literal

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from pydantic import Field

from router_extproc.models.onnx.encoder import STAGE, TaskOutputs
from router_extproc.models.onnx.heads import ARTIFACTS
from router_extproc.models.onnx.home import built_name, home, models_folder, not_built
from router_extproc.models.onnx.manifest import Manifest, read_manifest
from router_extproc.models.onnx.session import ONE_THREAD, Engine, open_session, run_session
from router_extproc.models.onnx.tensors import INPUT_IDS, STATES, TAG_SCORES, TASK_VECTOR, VECTOR

#: The shipped part: the upper layers of the tasks.
ARTIFACT = ARTIFACTS / "task_layers"
#: Token ids to token states; states to the encoder's vector; states to what the tasks read.
LOWER_NAME, UPPER_NAME, TASKS_NAME = "lower.onnx", "upper.onnx", "tasks.onnx"


class TaskLayersManifest(Manifest):
    """Task layers: `tasks.onnx`, and beside it, once built, both parts of the encoder."""

    format: Literal["router-extproc trunk 1"] = "router-extproc trunk 1"
    identity: str
    #: The encoder whose lower layers they read.
    encoder: str
    #: Layers that come from it.
    shared_layers: int = Field(ge=1)
    #: Kinds of names, in the order of the tags.
    names: tuple[str, ...]


class SplitGraph:
    """Three sessions over the parts of one encoder. Fits models.onnx.encoder.TaskGraph.

    The encoder's upper layers run on a second thread beside the task layers, which read the same states: a
    pass takes as long as the longer of both. Not while other passes wait: then no processor is free, and to
    take turns costs a seventh of the throughput (docs/measurements/performance.md).
    """

    def __init__(
        self,
        lower: ort.InferenceSession,
        upper: ort.InferenceSession,
        tasks: ort.InferenceSession,
        manifest: TaskLayersManifest,
        *,
        others_wait: Callable[[], bool],
    ) -> None:
        """`others_wait`: whether further passes are due."""
        self._lower, self._upper, self._tasks = lower, upper, tasks
        self._others_wait: Final = others_wait
        # Its thread starts with the first pass, so after the worker was forked.
        self._beside: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="inference-upper")
        self.dim = int(upper.get_outputs()[0].shape[-1])
        self.task_identity = manifest.identity
        self.names = manifest.names

    def run(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """See Graph."""
        return self._finish(self._begin(ids))

    def run_tasks(self, ids: NDArray[np.int64]) -> TaskOutputs:
        """See TaskGraph."""
        states = self._begin(ids)
        finished = None if self._others_wait() else self._beside.submit(self._finish, states)
        vector, tags = run_session(self._tasks, [TASK_VECTOR, TAG_SCORES], {STATES: states}, stage=STAGE)
        result = self._finish(states) if finished is None else finished.result()
        return TaskOutputs(result, vector, tags)

    def _begin(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        (states,) = run_session(self._lower, [STATES], {INPUT_IDS: ids.astype(np.int32)}, stage=STAGE)
        return states

    def _finish(self, states: NDArray[np.float32]) -> NDArray[np.float32]:
        (vector,) = run_session(self._upper, [VECTOR], {STATES: states}, stage=STAGE)
        return vector


def open_task_graph(
    *,
    engine: Engine = ONE_THREAD,
    others_wait: Callable[[], bool] = lambda: False,
    where: str = "encoder",
) -> SplitGraph:
    """The built-in encoder with its task layers; `others_wait`: see SplitGraph.

    Raises:
        ConfigError: it has not been built, or is damaged.
    """
    shipped = read_manifest(ARTIFACT, TaskLayersManifest, where=where)
    folder = models_folder(home()) / built_name(shipped.identity)
    if not folder.is_dir():
        raise not_built("the task layers have", folder, where=where)
    manifest = read_manifest(folder, TaskLayersManifest, where=where)
    lower, upper, tasks = (
        open_session(folder / name, engine=engine, where=where)
        for name in (LOWER_NAME, UPPER_NAME, TASKS_NAME)
    )
    return SplitGraph(lower, upper, tasks, manifest, others_wait=others_wait)
