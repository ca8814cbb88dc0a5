"""Writes out Quora's pairs that the shipped verifier was never trained on, to judge it by.

The split is that of `pairs`, so a figure on these rows is of questions that training has not seen.

    python -m router_extproc.training.verifier.unseen --data ../shared/data --out unseen.jsonl
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import orjson

from router_extproc.training.verifier.pairs import read_pairs, split_pairs
from router_extproc.training.verifier.rows import FILES


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the rows; says how many."""
    parser = argparse.ArgumentParser(description="Write the pairs that the verifier has not seen.")
    parser.add_argument("--data", type=Path, required=True, help="the folder of rows")
    parser.add_argument("--out", type=Path, required=True, help="JSON Lines")
    chosen = parser.parse_args(arguments)
    split = split_pairs(read_pairs(chosen.data / FILES["qqp"], "qqp"))
    rows = [
        {"text_a": pair.cached, "text_b": pair.asked, "label": pair.label}
        for pair in (*split.dev, *split.health)
    ]
    chosen.out.write_bytes(b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows))
    print(f"{len(rows)} pairs")  # noqa: T201 - a command's result


if __name__ == "__main__":
    main()
