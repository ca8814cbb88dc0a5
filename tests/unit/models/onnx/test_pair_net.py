"""What the lower part of the verifier's net made of a question is kept, within a bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from router_extproc.models.onnx.pair_net import KeptStates, PairNet
from router_extproc.models.onnx.tensors import ASKED, CACHED, INPUT_IDS

#: Bytes of the states of one token here.
TOKEN_BYTES = 4


class Lower:
    """A session: a token's state is the token; remembers what it read."""

    def __init__(self) -> None:
        self.read: list[list[int]] = []

    def run(
        self,
        outputs: Sequence[str],  # noqa: ARG002 - as onnxruntime has it
        feeds: Mapping[str, NDArray[np.int32]],
    ) -> list[NDArray[np.float32]]:
        ids = feeds[INPUT_IDS]
        self.read.append(ids[0].tolist())
        return [ids[..., np.newaxis].astype(np.float32)]


class Upper:
    """A session: the logit is the sum of the cached states less that of the asked ones."""

    def run(
        self,
        outputs: Sequence[str],  # noqa: ARG002 - as onnxruntime has it
        feeds: Mapping[str, NDArray[np.float32]],
    ) -> list[NDArray[np.float32]]:
        return [np.array([feeds[CACHED].sum() - feeds[ASKED].sum()], np.float32)]


def net(lower: Lower, *, tokens_max: int = 100) -> PairNet:
    sessions = (cast("ort.InferenceSession", session) for session in (lower, Upper()))
    return PairNet(*sessions, bytes_max=tokens_max * TOKEN_BYTES)


def test_both_questions_are_read_and_compared() -> None:
    assert net(Lower()).logit([1, 2], [7]) == -4.0


def test_the_asked_question_is_read_once_for_all_its_candidates() -> None:
    lower = Lower()
    pairs = net(lower)
    assert [pairs.logit([1], [7]), pairs.logit([2, 3], [7])] == [-6.0, -2.0]
    assert lower.read == [[1], [7], [2, 3]]


def test_a_question_is_the_same_on_either_side() -> None:
    """What was asked is stored next, and is then a candidate."""
    lower = Lower()
    pairs = net(lower)
    assert [pairs.logit([1], [7]), pairs.logit([7], [1])] == [-6.0, 6.0]
    assert lower.read == [[1], [7]]


def test_what_was_not_used_for_longest_leaves_first() -> None:
    kept = KeptStates(3 * TOKEN_BYTES)
    one, two = (np.zeros((1, tokens, 1), np.float32) for tokens in (1, 2))
    kept.put(b"a", one)
    kept.put(b"b", one)
    kept.get(b"a")
    kept.put(b"c", two)
    assert [kept.get(key) is not None for key in (b"a", b"b", b"c")] == [True, False, True]
    assert kept.size_bytes == 3 * TOKEN_BYTES


def test_states_that_are_put_twice_count_once() -> None:
    kept = KeptStates(10 * TOKEN_BYTES)
    for _ in range(2):
        kept.put(b"a", np.zeros((1, 2, 1), np.float32))
    assert kept.size_bytes == 2 * TOKEN_BYTES


def test_a_question_larger_than_the_bound_is_read_each_time() -> None:
    lower = Lower()
    pairs = net(lower, tokens_max=1)
    assert [pairs.logit([1, 2], [7]) for _ in range(2)] == [-4.0, -4.0]
    assert lower.read.count([1, 2]) == 2
