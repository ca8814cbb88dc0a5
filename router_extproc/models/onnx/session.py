"""Opens ONNX graphs in onnxruntime and runs them.

onnxruntime's exceptions become a ConfigError while opening and a ModelError while running.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_state

from router_extproc.errors import ConfigError, ModelError

#: onnxruntime's log levels: 3 is errors only.
LOG_ERRORS = 3
#: They share no base but Exception.
ORT_ERRORS = (
    ort_state.DeviceReset,
    ort_state.EPFail,
    ort_state.EngineError,
    ort_state.Fail,
    ort_state.InvalidArgument,
    ort_state.InvalidGraph,
    ort_state.InvalidProtobuf,
    ort_state.ModelLoadCanceled,
    ort_state.ModelLoaded,
    ort_state.ModelRequiresCompilation,
    ort_state.NoModel,
    ort_state.NoSuchFile,
    ort_state.NotFound,
    ort_state.NotImplemented,
    ort_state.RuntimeException,
)


#: What onnxruntime must not make of a graph on a CPU: the fused operator is six times slower than its parts
#: (see building.graph.residual_nodes).
SLOW_FUSIONS = "SkipLayerNormFusion"

#: Where graphs run unless configured otherwise.
CPU = ("CPUExecutionProvider",)


@dataclass(frozen=True, slots=True)
class Engine:
    """How graphs are run."""

    threads: int = 1
    #: onnxruntime's execution providers, the preferred one first.
    providers: Sequence[str] = CPU


ONE_THREAD = Engine()


def check_providers(providers: Sequence[str], *, where: str) -> None:
    """Raise ConfigError with those that are there, unless all of these are."""
    available = ort.get_available_providers()
    missing = [name for name in providers if name not in available]
    if missing:
        raise ConfigError(
            f"{where}.providers",
            f"this onnxruntime has no {', '.join(missing)} (available: {', '.join(available)})",
        )


def open_session(path: Path, *, engine: Engine = ONE_THREAD, where: str) -> ort.InferenceSession:
    """A session on the engine; `where` is the YAML path of the model.

    Raises:
        ConfigError: the file is no graph that this onnxruntime can run, or a provider is not there.
    """
    check_providers(engine.providers, where=where)
    options = options_of(engine)
    try:
        session = ort.InferenceSession(str(path), options, providers=list(engine.providers))
    except ORT_ERRORS as error:
        raise ConfigError(where, f"onnxruntime cannot open {path} ({type(error).__name__})") from error
    # onnxruntime falls back to the CPU without a word where a provider's own libraries are missing.
    if engine.providers[0] not in session.get_providers():
        raise ConfigError(f"{where}.providers", f"{engine.providers[0]} cannot start on this machine")
    return session


def options_of(engine: Engine) -> ort.SessionOptions:
    """What onnxruntime is told of a session on this engine."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = engine.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = LOG_ERRORS
    # Idle inference threads must sleep: spinning takes the cores from Envoy and the event loop.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if tuple(engine.providers) == CPU:
        options.add_session_config_entry("optimization.disable_specified_optimizers", SLOW_FUSIONS)
    return options


def run_session(
    session: ort.InferenceSession,
    outputs: Sequence[str],
    # Any: the element type differs by input.
    feeds: Mapping[str, NDArray[Any]],
    *,
    stage: str,
) -> list[NDArray[np.float32]]:
    """The named outputs for these inputs.

    Raises:
        ModelError: onnxruntime failed, or a result is not finite.
    """
    try:
        results: list[NDArray[np.float32]] = session.run(list(outputs), dict(feeds))
    except ORT_ERRORS as error:
        raise ModelError(stage, f"onnxruntime failed ({type(error).__name__})") from error
    if not all(np.isfinite(result).all() for result in results):
        raise ModelError(stage, "the graph gave numbers that are not finite")
    return results
