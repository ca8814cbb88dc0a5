"""Fits the kernel that expects quality: a ridge regression towards each model's mean.

How hard a prompt is for all models, and by how much each does better or worse than the others there, are
fitted apart: a choice goes by the second, which is the noisier one and so is shrunk more strongly.

Shapes: x is float64[rows, inputs], s float64[rows, models] with NaN where there is no score.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from router_extproc.models.onnx.quality import KernelParts

Matrix = NDArray[np.float64]
Groups = NDArray[np.int64]
#: Prompts that others are compared with; more take longer and say little more.
LANDMARKS: Final = 800
FOLDS: Final = 4
SEED: Final = 1
#: Keeps the equations solvable.
_RIDGE: Final = 1e-4


@dataclass(frozen=True, slots=True)
class KernelPlan:
    """How near a prompt must be to count, and how strongly means are preferred."""

    gamma: float
    #: Of what all models have in common.
    ridge: float
    #: Of what tells them apart.
    ridge_apart: float


#: Tried on rows that were not trained on; few rows want the later ones.
PLANS: Final = tuple(
    KernelPlan(gamma, ridge, ridge) for gamma in (0.45, 0.15) for ridge in (1.2, 4.0, 12.0, 40.0)
)
#: Then tried with the best of them: by how much more strongly differences between models are shrunk.
APART: Final = (1.0, 3.0, 10.0)


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of all rows, and where one kind of them ends and the next begins."""

    x: Matrix
    #: Numbers of each kind: the vectors', the task layers', the features'.
    kinds: Sequence[int]


def fit_kernel(inputs: Inputs, s: Matrix, groups: Groups) -> tuple[KernelParts, KernelPlan]:
    """The kernel of these rows, by the plan that is best on held-back groups."""
    shift, scale = _scaling(inputs)
    x = (inputs.x - shift) * scale
    landmarks = x[_landmark_rows(len(x))]
    plan = _find_plan(x, s, groups, landmarks)
    means, weights = _solve(_near(x, landmarks, plan.gamma), _near(landmarks, landmarks, plan.gamma), s, plan)
    arrays = (shift, scale, landmarks, weights, means)
    return KernelParts(*(np.asarray(each, np.float32) for each in arrays)), plan


def expect(parts: KernelParts, plan: KernelPlan, x: Matrix) -> Matrix:
    """What a kernel expects of rows, float64[rows, models]."""
    near = _near((x - parts.shift) * parts.scale, parts.landmarks.astype(np.float64), plan.gamma)
    return np.clip(parts.means + near @ parts.weights, 0, 1)


def folds_of(groups: Groups, folds: int) -> NDArray[np.int64]:
    """The fold of each row; a group is in one."""
    names, places = np.unique(groups, return_inverse=True)
    order = np.random.default_rng(SEED).permutation(len(names))
    return order[places] % folds


def _scaling(inputs: Inputs) -> tuple[Matrix, Matrix]:
    """What makes every input about as large, and every kind of inputs count alike."""
    x = inputs.x
    deviation = x.std(axis=0)
    scale = np.empty(x.shape[1])
    start = 0
    for count in inputs.kinds:
        kind = slice(start, start + count)
        floor = 1e-3 * x[:, kind].std() + 1e-9
        # What hardly ever differs is no news of many deviations when it does.
        scale[kind] = np.where(deviation[kind] > floor, 1 / (deviation[kind] + floor), 0) / np.sqrt(count)
        start += count
    return x.mean(axis=0), scale


def _landmark_rows(rows: int) -> NDArray[np.int64]:
    chosen = np.random.default_rng(SEED).permutation(rows)[:LANDMARKS]
    return np.sort(chosen)


def _near(x: Matrix, landmarks: Matrix, gamma: float) -> Matrix:
    squares = (x**2).sum(axis=1)[:, None] + (landmarks**2).sum(axis=1) - 2 * x @ landmarks.T
    return np.asarray(np.exp(-gamma * np.maximum(squares, 0)), np.float64)


def _find_plan(x: Matrix, s: Matrix, groups: Groups, landmarks: Matrix) -> KernelPlan:
    """The plan with the smallest error on groups that were not trained on."""
    folds = folds_of(groups, FOLDS)
    best = _best_of(PLANS, x, s, folds, landmarks)
    closer = [replace(best, ridge_apart=best.ridge * factor) for factor in APART]
    return _best_of(closer, x, s, folds, landmarks)


def _best_of(
    plans: Sequence[KernelPlan], x: Matrix, s: Matrix, folds: NDArray[np.int64], landmarks: Matrix
) -> KernelPlan:
    """The first of those with the smallest error."""
    errors: dict[KernelPlan, float] = {}
    for gamma in dict.fromkeys(plan.gamma for plan in plans):
        near, own = _near(x, landmarks, gamma), _near(landmarks, landmarks, gamma)
        for plan in (each for each in plans if each.gamma == gamma):
            errors[plan] = sum(_errors(near, own, s, folds, plan))
    return min(errors, key=errors.__getitem__)


def _errors(
    near: Matrix, own: Matrix, s: Matrix, folds: NDArray[np.int64], plan: KernelPlan
) -> Iterator[float]:
    """The sum of squared errors of each fold."""
    for fold in range(FOLDS):
        test = folds == fold
        means, weights = _solve(near[~test], own, s[~test], plan)
        yield float(np.nansum((means + near[test] @ weights - s[test]) ** 2))


def _solve(near: Matrix, own: Matrix, s: Matrix, plan: KernelPlan) -> tuple[Matrix, Matrix]:
    """Means and weights; models that lack scores of the same rows are solved together."""
    known = ~np.isnan(s)
    means = np.where(known, s, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    gram = near.T @ near
    shared, common = _solve_shared(near, gram + plan.ridge * own, s - means)
    weights = np.repeat(shared, s.shape[1], axis=1)
    for columns in _alike(known):
        rows = known[:, columns[0]]
        target = (s - means - common)[rows][:, columns]
        counted = gram if rows.all() else near[rows].T @ near[rows]
        weights[:, columns] += _weights(near[rows], counted + plan.ridge_apart * own, target)
    return means, weights


def _solve_shared(near: Matrix, equations: Matrix, above: Matrix) -> tuple[Matrix, Matrix]:
    """What all models have in common: its weights, float64[landmarks, 1], and its part in each row.

    `above`: scores above the means. In a row that lacks scores that part is what the weights expect: the mean
    of the few that it has would leave nothing to tell models apart.
    """
    known = ~np.isnan(above)
    counts = known.sum(axis=1, keepdims=True)
    common = np.where(known, above, 0).sum(axis=1, keepdims=True) / np.maximum(counts, 1)
    shared = _weights(near, equations, common)
    return shared, np.where(counts == above.shape[1], common, near @ shared)


def _weights(near: Matrix, equations: Matrix, target: Matrix) -> Matrix:
    """The weights that come near the target, float64[landmarks, columns]."""
    solved = np.linalg.solve(equations + _RIDGE * np.eye(len(equations)), near.T @ target)
    return np.asarray(solved, np.float64)


def _alike(known: NDArray[np.bool_]) -> list[list[int]]:
    """Models by the rows that have scores of them."""
    found: dict[bytes, list[int]] = {}
    for column in range(known.shape[1]):
        found.setdefault(known[:, column].tobytes(), []).append(column)
    return list(found.values())
