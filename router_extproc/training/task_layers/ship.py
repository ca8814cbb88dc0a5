"""Makes the shipped task layers and their heads: trains, exports, judges, writes the cards.

Rows are read where they lie and never copied; what is shipped is what was judged. About an hour on two
cores.

    python -m router_extproc.training.task_layers.ship --data ../shared/data --work build/task_layers
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from router_extproc.models.onnx.heads import ARTIFACTS
from router_extproc.models.onnx.task_layers import ARTIFACT
from router_extproc.training.task_layers import cards
from router_extproc.training.task_layers.complexity_head import write_complexity_head
from router_extproc.training.task_layers.export import export_layers
from router_extproc.training.task_layers.heads import (
    DOMAIN,
    GUARD,
    judge_complexity_head,
    judge_guard_head,
    judge_labels,
    make_complexity_head,
    make_label_head,
)
from router_extproc.training.task_layers.judge import Judged, judge_names, judge_rows
from router_extproc.training.task_layers.rows import TaskRow, read_task_rows, texts_of
from router_extproc.training.task_layers.split import Split, split_rows
from router_extproc.training.task_layers.states import States, read_states
from router_extproc.training.task_layers.task_head import write_task_head
from router_extproc.training.task_layers.train import train_task_layers
from router_extproc.training.torch_net.bert import dump_weights


def main(arguments: Sequence[str] | None = None) -> None:
    """Train if need be, and write the artifacts."""
    parser = argparse.ArgumentParser(description="Train and ship the task layers and their heads.")
    parser.add_argument("--data", type=Path, required=True, help="the folder of rows")
    parser.add_argument("--work", type=Path, required=True, help="states and checkpoints; reused when there")
    parser.add_argument("--pause-file", type=Path, help="training sleeps while this file exists")
    chosen = parser.parse_args(arguments)
    rows = read_task_rows(chosen.data)
    states = read_states(texts_of(rows), chosen.work)
    split = split_rows(rows, states)
    net = train_task_layers(split, states, chosen.work, chosen.pause_file)
    ship(net_weights=dump_weights(net), split=split, states=states, artifacts=ARTIFACTS)


@dataclass(frozen=True, slots=True)
class Unseen:
    """The rows to judge on, by what they are for."""

    domain: Judged
    #: Those of `domain` whose solvers are known.
    failed: Judged
    routed: Judged
    guard: Judged
    spans: Judged


def ship(net_weights: cards.Weights, split: Split, states: States, artifacts: Path) -> None:
    """Export, judge, and write heads and cards."""
    folder = artifacts / ARTIFACT.name
    trunk = export_layers(net_weights, states, folder)
    unseen = read_unseen(split.unseen, states, folder)
    domain = make_label_head(DOMAIN, net_weights, of_kind(split.seen, "domain"), states, unseen.domain)
    guard = make_label_head(GUARD, net_weights, of_kind(split.seen, "guard"), states, unseen.guard)
    complexity = make_complexity_head(net_weights, split.seen, states, unseen.failed, unseen.routed)
    for name, head in (("mmlu14", domain), ("guard", guard)):
        write_task_head(artifacts / name, head, encoder=trunk.identity)
    write_complexity_head(artifacts / "complexity", complexity, encoder=trunk.identity)
    rows = cards.Rows(len(split.seen), len(split.unseen))
    cards.write_domain(artifacts / "mmlu14", judge_labels(DOMAIN, domain, unseen.domain), domain, rows)
    cards.write_guard(
        artifacts / "guard",
        judge_guard_head(guard, unseen.guard),
        judge_labels(GUARD, guard, unseen.guard),
        rows,
    )
    figures = judge_complexity_head(complexity, unseen.failed, unseen.routed)
    cards.write_complexity(artifacts / "complexity", figures, rows)
    cards.write_task_layers(folder, trunk, judge_names(unseen.spans), rows)


def of_kind(rows: Sequence[TaskRow], kind: str) -> list[TaskRow]:
    """The rows of one kind."""
    return [row for row in rows if row.kind == kind]


def read_unseen(rows: Sequence[TaskRow], states: States, folder: Path) -> Unseen:
    """What the artifact says of the unseen rows."""
    domain, routed, guard, spans = (
        judge_rows(of_kind(rows, kind), states, folder) for kind in ("domain", "routed", "guard", "spans")
    )
    known = [place for place, row in enumerate(domain.rows) if is_known(row)]
    return Unseen(domain, domain.part(known), routed, guard, spans)


def is_known(row: TaskRow) -> bool:
    """True when it is known whether the first solver failed."""
    return row.failed is not None and row.failed[0] == row.failed[0]


if __name__ == "__main__":
    main()
