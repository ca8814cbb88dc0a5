"""How `router-extproc cache` shows what it was told: tables for people.

Only an entry that was asked for by its fingerprint shows what was said.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from rich.markup import escape
from rich.table import Column, Table

from router_extproc.cli.output import ERR, OUT, print_json

#: Refused lines that are named; the rest are counted.
NAMED_MAX: Final = 20
_DIGITS: Final = 12


def tell(report: Mapping[str, Any], *, json: bool) -> None:  # Any: JSON
    """What became of an import or a warming, and which lines were refused why."""
    if json:
        print_json(report)
    else:
        counts = (f"{report[name]} {name}" for name in ("stored", "expired", "purged") if report[name])
        OUT.print(", ".join(counts) or "0 stored", markup=False)
    refused = report["refused"]
    for each in refused[:NAMED_MAX]:
        ERR.print(f"line {each['line']}: {each['problem']}", markup=False)
    if len(refused) > NAMED_MAX:
        ERR.print(f"and {len(refused) - NAMED_MAX} more lines", markup=False)


def states_table(workers: Mapping[str, Any]) -> Table:  # Any: JSON
    """The state of each worker's cache."""
    table = Table("worker", "near entries", "near MB", "queued", "backend", "backend entries", box=None)
    for worker, state in workers.items():
        if state is None:
            table.add_row(worker, "does not answer")
            continue
        backend = state["backend"] or {"ready": None, "entries": None, "detail": ""}
        ready = {True: "ready", False: f"away: {backend['detail']}", None: "none"}[backend["ready"]]
        sizes = (str(state["near_entries"]), f"{state['near_bytes'] / 1e6:.1f}", str(state["queued"]))
        table.add_row(worker, *sizes, escape(ready), str(backend["entries"] or 0))
    return table


def entries_table(entries: Iterable[Mapping[str, Any]]) -> Table:  # Any: JSON
    """A page of entries, without what was said."""
    # Digits that were cut off could not be given back to another command.
    entry, scope = (Column(name, min_width=_DIGITS, no_wrap=True) for name in ("entry", "scope"))
    table = Table(entry, "age", "left", "model", "decision", "match", "bytes", scope, "tags", box=None)
    now_s = time.time()
    for each in entries:
        table.add_row(
            each["fingerprint"][:_DIGITS],
            f"{max(0, now_s - each['created_s']):.0f} s",
            f"{max(0, each['expires_s'] - now_s):.0f} s",
            escape(each["model"]),
            escape(each["decision"]),
            "semantic" if each["semantic"] else "exact",
            str(each["answer_bytes"]),
            each["scope"][:_DIGITS],
            escape(", ".join(each["tags"])),
        )
    return table


def savings_line(total: Mapping[str, Any]) -> str:  # Any: JSON
    """What all hits saved, in a sentence."""
    tokens = f"{total['prompt_tokens']} prompt and {total['completion_tokens']} completion tokens"
    line = f"{total['hits']} hits saved {tokens}, {total['cost']:.4f} at the prices of models.*.cost"
    unmeasured = total["unmeasured_hits"]
    return line if not unmeasured else f"{line}; {unmeasured} hits without usage are not in the tokens"


def worth_table(entries: Iterable[Mapping[str, Any]]) -> Table:  # Any: JSON
    """The most valuable entries, without what was said."""
    entry = Column("entry", min_width=_DIGITS, no_wrap=True)
    table = Table(entry, "hits", "tokens", "cost", "model", "decision", box=None)
    for each in entries:
        tokens = each["prompt_tokens"] + each["completion_tokens"]
        counts = (str(each["hits"]), str(tokens), f"{each['cost']:.4f}")
        names = (escape(each["model"]), escape(each["decision"]))
        table.add_row(each["fingerprint"][:_DIGITS], *counts, *names)
    return table


def evidence_table(decisions: Mapping[str, Any]) -> Table:  # Any: JSON
    """How often each decision's hits were wrong."""
    table = Table(
        "decision", "comparisons", "different", "false hits", "95 % interval", "score needed", box=None
    )
    for name, known in decisions.items():
        lower, upper = known["interval"]
        rate = "unknown" if known["false_hit_rate"] is None else f"{known['false_hit_rate']:.2%}"
        needed = "any" if known["score_min"] is None else f"{known['score_min']:.3f}"
        counts = (str(known["comparisons"]), str(known["wrong"]))
        limits = f"{lower:.2%} to {upper:.2%}"
        table.add_row(escape(name), *counts, rate, limits, "no hits yet" if known["closed"] else needed)
    return table


def words(name: str, value: Any) -> str:  # Any: JSON
    """A member of a whole entry; of an answer, its texts."""
    if name == "answer" and value is not None:
        texts = (choice["content"] or "(tool calls)" for choice in value["choices"])
        return "\n".join(texts)
    return str(value)
