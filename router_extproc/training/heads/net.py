"""A small classifier net over vectors, trained in numpy: seconds for ten thousand rows.

The same rows, plan and seed give the same net.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

#: How much of their past the running means of Adam keep, and what keeps it from dividing by zero.
BETA_FIRST = 0.9
BETA_SECOND = 0.999
EPSILON = np.float32(1e-8)


@dataclass(frozen=True, slots=True)
class Plan:
    """Size of the net, and how long and how fast it is trained."""

    hidden: int = 512
    #: Nets that are trained from different random starts and averaged into one.
    members: int = 2
    epochs: int = 30
    batch: int = 128
    #: Peak of the learning rate; it falls to zero along half a cosine.
    rate: float = 2e-3
    weight_decay: float = 0.05
    #: Share of inputs and of hidden units that are left out, at random, in each step.
    dropout_input: float = 0.1
    dropout_hidden: float = 0.5
    #: Share of the target that is spread over all labels.
    smoothing: float = 0.1
    seed: int = 7


@dataclass(frozen=True, slots=True)
class Net:
    """One hidden layer with ReLU: float32[n, dim] to logits float32[n, labels]."""

    hidden_kernel: Matrix
    hidden_bias: Matrix
    output_kernel: Matrix
    output_bias: Matrix

    def logits(self, vectors: Matrix) -> Matrix:
        """What the net says of each vector, before the softmax."""
        hidden = np.maximum(vectors @ self.hidden_kernel + self.hidden_bias, 0)
        return np.asarray(hidden @ self.output_kernel + self.output_bias, np.float32)

    def parameters(self) -> tuple[Matrix, ...]:
        """The arrays themselves, to be changed in place while training."""
        return (self.hidden_kernel, self.hidden_bias, self.output_kernel, self.output_bias)


def new_net(dim: int, hidden: int, labels: int, generator: np.random.Generator) -> Net:
    """A net that has learned nothing: random hidden units, no opinion."""
    spread = np.sqrt(2 / dim)
    kernel = generator.normal(0, spread, (dim, hidden)).astype(np.float32)
    return Net(
        kernel,
        np.zeros(hidden, np.float32),
        np.zeros((hidden, labels), np.float32),
        np.zeros(labels, np.float32),
    )


def train_net(
    vectors: Matrix,
    targets: NDArray[np.int64],
    labels: int,
    plan: Plan,
    on_epoch: Callable[[int], None] = lambda _: None,
) -> Net:
    """Fit a net; targets: int64[n], indices of labels. `on_epoch` gets the number of epochs done."""
    members = []
    for member in range(plan.members):
        tell = partial(tell_epochs, on_epoch, member * plan.epochs)
        own_plan = replace(plan, seed=plan.seed + member)
        members.append(train_member(vectors, targets, labels, own_plan, tell))
    return average(members)


def tell_epochs(on_epoch: Callable[[int], None], before: int, done: int) -> None:
    """Tell the epochs of one member on top of those before it."""
    on_epoch(before + done)


def average(members: Sequence[Net]) -> Net:
    """One net whose logits are the mean of the members' logits: their hidden units side by side."""
    share = np.float32(1 / len(members))
    return Net(
        np.concatenate([net.hidden_kernel for net in members], axis=1),
        np.concatenate([net.hidden_bias for net in members]),
        np.concatenate([net.output_kernel for net in members]) * share,
        np.asarray(np.mean([net.output_bias for net in members], axis=0), np.float32),
    )


def train_member(
    vectors: Matrix, targets: NDArray[np.int64], labels: int, plan: Plan, on_epoch: Callable[[int], None]
) -> Net:
    """Fit one net from one random start."""
    generator = np.random.default_rng(plan.seed)
    # Vectors have length 1: their elements are brought to about 1, and the scale goes into the net.
    scale = np.float32(np.sqrt(vectors.shape[1]))
    net = new_net(vectors.shape[1], plan.hidden, labels, generator)
    wanted = soften(np.eye(labels, dtype=np.float32)[targets], plan.smoothing)
    optimizer = Adam(net.parameters(), plan.weight_decay)
    for epoch in range(plan.epochs):
        for progress, rows in batches(len(vectors), plan.batch, generator):
            rate = plan.rate * (1 + np.cos(np.pi * (epoch + progress) / plan.epochs)) / 2
            inputs = vectors[rows] * scale
            optimizer.step(gradients(net, inputs, wanted[rows], plan, generator), rate)
        on_epoch(epoch + 1)
    return Net(net.hidden_kernel * scale, net.hidden_bias, net.output_kernel, net.output_bias)


def soften(wanted: Matrix, smoothing: float) -> Matrix:
    """Targets with a share spread over all labels."""
    return np.asarray(wanted * (1 - smoothing) + smoothing / wanted.shape[1], np.float32)


def batches(
    rows: int, size: int, generator: np.random.Generator
) -> Iterator[tuple[float, NDArray[np.int64]]]:
    """One epoch in random order: the share of it that is done, and the rows of the next step."""
    order = generator.permutation(rows)
    for start in range(0, rows, size):
        yield start / rows, order[start : start + size]


def gradients(
    net: Net, inputs: Matrix, wanted: Matrix, plan: Plan, generator: np.random.Generator
) -> tuple[Matrix, ...]:
    """Of the mean cross-entropy, by parameter, with dropout."""
    inputs = inputs * keep(inputs.shape, plan.dropout_input, generator)
    mask = keep((len(inputs), net.hidden_kernel.shape[1]), plan.dropout_hidden, generator)
    hidden = np.maximum(inputs @ net.hidden_kernel + net.hidden_bias, 0) * mask
    error = (softmax(hidden @ net.output_kernel + net.output_bias) - wanted) / len(inputs)
    back = (error @ net.output_kernel.T) * mask * (hidden > 0)
    return (inputs.T @ back, back.sum(axis=0), hidden.T @ error, error.sum(axis=0))


def keep(shape: tuple[int, ...], dropout: float, generator: np.random.Generator) -> Matrix:
    """Zero for what is left out, and for the rest what makes up for it."""
    return np.asarray(
        (generator.random(shape, np.float32) >= dropout).astype(np.float32) / (1 - dropout), np.float32
    )


def softmax(logits: Matrix) -> Matrix:
    """Each row as shares of one."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float32)


class Adam:
    """Adam with decoupled weight decay on the kernels. Source: Loshchilov and Hutter, 2019."""

    def __init__(self, parameters: Sequence[Matrix], weight_decay: float) -> None:
        self._moments = [Moments(parameter, weight_decay) for parameter in parameters]
        self._steps = 0

    def step(self, gradients: Sequence[Matrix], rate: float) -> None:
        """Move every parameter, in place."""
        self._steps += 1
        step_size = rate * np.sqrt(1 - BETA_SECOND**self._steps) / (1 - BETA_FIRST**self._steps)
        for moments, gradient in zip(self._moments, gradients, strict=True):
            moments.step(gradient, rate, float(step_size))


class Moments:
    """One parameter with the running means of its gradient and of the gradient's square."""

    def __init__(self, parameter: Matrix, weight_decay: float) -> None:
        self._parameter = parameter
        self._weight_decay = weight_decay if parameter.ndim > 1 else 0.0
        self._first = np.zeros_like(parameter)
        self._second = np.zeros_like(parameter)

    def step(self, gradient: Matrix, rate: float, step_size: float) -> None:
        """Move the parameter, in place."""
        self._first += (1 - BETA_FIRST) * (gradient - self._first)
        self._second += (1 - BETA_SECOND) * (gradient * gradient - self._second)
        self._parameter *= np.float32(1 - rate * self._weight_decay)
        self._parameter -= np.float32(step_size) * self._first / (np.sqrt(self._second) + EPSILON)
