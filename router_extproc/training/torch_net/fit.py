"""The training loop: seeded, resumable, with a progress bar.

It takes a net, numbered batches and one loss. Which rows are in step N depends on the seed alone, so that
a run that was stopped resumes at the same step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.progress import track
from torch import Tensor, nn

#: Looked at this often while the pause file exists, seconds.
PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast to train."""

    steps: int
    #: Highest learning rate of the pre-trained weights; new ones take `head_factor` times it.
    rate: float
    head_factor: float = 5.0
    #: Share of the steps in which the rate grows from 0; after it falls to 0 in a straight line.
    warmup: float = 0.06
    weight_decay: float = 0.01
    gradient_max: float = 1.0
    #: Saved here every `save_steps`; a run that finds it goes on from it.
    checkpoint: Path | None = None
    save_steps: int = 200
    #: While this file exists, training sleeps: the machine is needed for something else.
    pause_file: Path | None = None
    #: Report the mean loss every so many steps.
    report_steps: int = 50


#: The loss of step N.
Loss = Callable[[int], Tensor]


def fit(net: nn.Module, loss: Loss, plan: Plan, report: Callable[[str], None] = print) -> None:
    """Train in place; the net is in evaluation mode afterwards."""
    optimizer = make_optimizer(net, plan)
    done = restore(net, optimizer, plan)
    net.train()
    recent: list[float] = []
    for step in steps_left(done, plan.steps):
        wait_while_paused(plan.pause_file)
        set_rate(optimizer, rate_at(step, plan))
        recent.append(take_step(net, optimizer, loss(step), plan))
        if (step + 1) % plan.report_steps == 0:
            report(f"step {step + 1}/{plan.steps}: loss {sum(recent) / len(recent):.4f}")
            recent.clear()
        if plan.checkpoint and (step + 1) % plan.save_steps == 0:
            save(net, optimizer, step + 1, plan.checkpoint)
    net.eval()


def steps_left(done: int, steps: int) -> Iterable[int]:
    """The steps to take, shown as a progress bar."""
    return track(range(done, steps), description="training", total=steps - done)


def make_optimizer(net: nn.Module, plan: Plan) -> torch.optim.Optimizer:
    """AdamW; weights outside the encoder layers are new and learn faster."""
    trained = [(name, weight) for name, weight in net.named_parameters() if weight.requires_grad]
    groups = [
        {"params": [weight for name, weight in trained if name.startswith("trunk.") is old], "factor": factor}
        for old, factor in ((True, 1.0), (False, plan.head_factor))
    ]
    return torch.optim.AdamW(
        groups, lr=plan.rate, weight_decay=plan.weight_decay, betas=(0.9, 0.98), fused=True
    )


def rate_at(step: int, plan: Plan) -> float:
    """The learning rate of a step: up, then down to 0."""
    rise = max(1, int(plan.steps * plan.warmup))
    if step < rise:
        return plan.rate * (step + 1) / rise
    return plan.rate * (plan.steps - step) / (plan.steps - rise)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give every group its share of the rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["factor"]


def take_step(net: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor, plan: Plan) -> float:
    """One update; the loss as a number."""
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), plan.gradient_max)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    value: float = loss.item()
    return value


def wait_while_paused(pause_file: Path | None) -> None:
    """Sleep until the file is gone."""
    while pause_file is not None and pause_file.exists():
        time.sleep(PAUSE_S)


def save(net: nn.Module, optimizer: torch.optim.Optimizer, done: int, path: Path) -> None:
    """Write the state beside its place, then move it there: a checkpoint is never half written."""
    scratch = path.with_suffix(".part")
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict(), "done": done}, scratch)
    scratch.replace(path)


def restore(net: nn.Module, optimizer: torch.optim.Optimizer, plan: Plan) -> int:
    """Steps that an earlier run has done; its state is loaded."""
    if plan.checkpoint is None or not plan.checkpoint.exists():
        return 0
    state = torch.load(plan.checkpoint, weights_only=True)
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    done: int = state["done"]
    return done
