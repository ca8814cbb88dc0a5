"""What is judged was not trained on, nor anything like it."""

from __future__ import annotations

import numpy as np

from router_extproc.training.task_layers.rows import TaskRow
from router_extproc.training.task_layers.split import Split, split_rows
from router_extproc.training.task_layers.states import States

WORDS = ("bread", "trees", "birds", "rocks", "ships", "roads", "songs", "books", "lakes", "stars")


def rows_of(*, judged: bool = True) -> list[TaskRow]:
    """Questions of one task, and the same ones with options as rows of another."""
    plain = [
        TaskRow(
            f"who counts {one} near {two}?",
            "domain",
            "a",
            judged=judged,
            question=f"who counts {one} near {two}?",
        )
        for one in WORDS
        for two in WORDS
    ]
    return [
        *plain,
        *(TaskRow(f"{row.text}\nA. x", "routed", "b", question=row.question.upper()) for row in plain),
    ]


def split(rows: list[TaskRow]) -> Split:
    """With vectors that are all unlike."""
    vectors = np.eye(len(rows), dtype=np.float32)
    place = {row.text: index for index, row in enumerate(rows)}
    empty = np.zeros(0, np.int32)
    return split_rows(
        rows, States(empty.astype(np.float16), empty.astype(np.int64), vectors, empty, empty, place)
    )


def test_a_question_is_on_one_side_whatever_task_it_is_of() -> None:
    made = split(rows_of())
    seen, unseen = ({row.question.casefold() for row in part} for part in (made.seen, made.unseen))
    assert unseen
    assert not seen & unseen


def test_every_row_is_on_one_side() -> None:
    rows = rows_of()
    made = split(rows)
    assert len(made.seen) + len(made.unseen) == len(rows)


def test_rows_that_are_never_judged_are_seen() -> None:
    made = split(rows_of(judged=False))
    assert {row.kind for row in made.unseen} == {"routed"}
