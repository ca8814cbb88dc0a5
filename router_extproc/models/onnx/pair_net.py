"""The verifier's net in its two parts: the lower one reads a question by itself, the upper one reads both.

What the lower part makes of a question does not depend on the other one, so it is kept for the next pair: the
asked question is read once for all its candidates, and a stored one that is often a candidate is not read
again. That is a fifth of the time for each of the two.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from router_extproc.models.onnx.session import run_session
from router_extproc.models.onnx.tensors import ASKED, CACHED, HIDDEN, INPUT_IDS, LOGIT

STAGE = "verifier"
#: What is kept at most, in each process: 1.5 KB a token, so some 170 questions of 32 tokens.
STATES_BYTES_MAX: Final = 8 * 2**20

#: float32[1, tokens, dim].
States: TypeAlias = NDArray[np.float32]


class PairNet:
    """Both graphs, and what was read lately; safe to call from several threads."""

    def __init__(
        self, lower: ort.InferenceSession, upper: ort.InferenceSession, *, bytes_max: int = STATES_BYTES_MAX
    ) -> None:
        """`bytes_max`: of the states that are kept."""
        self._lower: Final = lower
        self._upper: Final = upper
        self._kept: Final = KeptStates(bytes_max)

    def logit(self, cached: Sequence[int], asked: Sequence[int]) -> float:
        """See verifier.Net."""
        feeds = {CACHED: self._read(cached), ASKED: self._read(asked)}
        (logit,) = run_session(self._upper, [LOGIT], feeds, stage=STAGE)
        return float(logit[0])

    def _read(self, ids: Sequence[int]) -> States:
        key = np.array(ids, np.int32).tobytes()
        states = self._kept.get(key)
        if states is None:
            feeds = {INPUT_IDS: np.array([ids], np.int32)}
            (states,) = run_session(self._lower, [HIDDEN], feeds, stage=STAGE)
            self._kept.put(key, states)
        return states


class KeptStates:
    """States by token ids; those that were not used for longest leave first."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max: Final = bytes_max
        self._states: Final[OrderedDict[bytes, States]] = OrderedDict()
        self._size_bytes = 0
        self._lock: Final = threading.Lock()

    @property
    def size_bytes(self) -> int:
        """Size of what is kept."""
        return self._size_bytes

    def get(self, key: bytes) -> States | None:
        """The states of these ids, if they are still here."""
        with self._lock:
            states = self._states.get(key)
            if states is not None:
                self._states.move_to_end(key)
            return states

    def put(self, key: bytes, states: States) -> None:
        """Keep them; the bound holds afterwards."""
        with self._lock:
            replaced = self._states.pop(key, None)
            self._size_bytes += states.nbytes - (0 if replaced is None else replaced.nbytes)
            self._states[key] = states
            while self._size_bytes > self._bytes_max:
                _, gone = self._states.popitem(last=False)
                self._size_bytes -= gone.nbytes
