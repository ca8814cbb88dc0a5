"""The net learns, and the same seed learns the same."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from router_extproc.training.heads.calibrate import find_temperature
from router_extproc.training.heads.net import Matrix, Net, Plan, gradients, new_net, softmax, train_net

PLAN = Plan(hidden=16, members=2, epochs=12, batch=32)


def blobs(rows: int) -> tuple[Matrix, NDArray[np.int64]]:
    """Three labels on a circle, with the middle one also inside: no straight line parts them."""
    generator = np.random.default_rng(3)
    targets = generator.integers(0, 3, rows)
    angle = targets * 2.1 + generator.normal(0, 0.2, rows)
    vectors = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.asarray(vectors, np.float32), np.asarray(targets, np.int64)


def test_net_learns_what_can_be_learned() -> None:
    vectors, targets = blobs(600)
    net = train_net(vectors, targets, 3, PLAN)
    assert (net.logits(vectors).argmax(axis=1) == targets).mean() > 0.95


def test_same_seed_learns_the_same() -> None:
    vectors, targets = blobs(100)
    first, second = (train_net(vectors, targets, 3, PLAN) for _ in range(2))
    assert np.array_equal(first.logits(vectors), second.logits(vectors))


def test_members_are_averaged_into_one_net() -> None:
    vectors, targets = blobs(100)
    assert train_net(vectors, targets, 3, PLAN).hidden_bias.shape == (32,)


def test_every_epoch_of_every_member_is_told() -> None:
    vectors, targets = blobs(50)
    told: list[int] = []
    train_net(vectors, targets, 3, PLAN, told.append)
    assert told == list(range(1, 25))


def test_gradients_are_those_of_the_loss() -> None:
    """Against differences, parameter by parameter, without dropout."""
    generator = np.random.default_rng(1)
    vectors, targets = blobs(8)
    wanted = np.eye(3, dtype=np.float32)[targets]
    plain = Plan(dropout_input=0.0, dropout_hidden=0.0)
    net = new_net(2, 5, 3, generator)
    net.output_kernel[:] = generator.normal(0, 1, (5, 3))
    found = gradients(net, vectors, wanted, plain, generator)
    for parameter, gradient in zip(net.parameters(), found, strict=True):
        place = tuple(0 for _ in parameter.shape)
        before, step = parameter[place], np.float32(1e-2)
        parameter[place] = before + step
        above = loss(net, vectors, wanted)
        parameter[place] = before - step
        below = loss(net, vectors, wanted)
        parameter[place] = before
        assert gradient[place] == pytest.approx((above - below) / (2 * step), abs=1e-3)


def loss(net: Net, vectors: Matrix, wanted: Matrix) -> float:
    return float(-(wanted * np.log(softmax(net.logits(vectors)))).sum(axis=1).mean())


def test_temperature_is_found_again() -> None:
    """Logits that are twice too sure need a temperature of two."""
    generator = np.random.default_rng(2)
    honest = generator.normal(0, 2, (20_000, 4)).astype(np.float32)
    chances = softmax(honest)
    targets = np.array([generator.choice(4, p=row / row.sum()) for row in chances.astype(np.float64)])
    assert find_temperature(honest * 2, targets) == pytest.approx(2.0, rel=0.05)
