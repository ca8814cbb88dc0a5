"""An explanation for people: the outcome, then what led to it.

It decides nothing; it prints what `admin.explained` says.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.markup import escape
from rich.table import Table

from router_extproc.cli.output import OUT

#: Scores that are shown of a signal that ranks several labels.
_SCORES_MAX = 3

Json = dict[str, Any]  # a JSON object as `explained` makes it


def show(explanation: Json) -> None:
    """Print an explanation."""
    OUT.print(_headline(explanation))
    if explanation["outcome"] == "reject":
        return
    OUT.print(f"[dim]cache-status: {escape(explanation['cache_status'])}[/dim]")
    OUT.print(f"[dim]{_language(explanation)}[/dim]\n")
    if explanation["ignored"]:
        OUT.print(f"left out of the cache's keys: {_parts(explanation['ignored'])} of the system prompt\n")
    _table("signals", ("signal", "label", "score", "ranked"), map(_reading, explanation["readings"]))
    _table("rules", ("decision", "matched", "tests"), map(_rule, explanation["rules"]))
    _table(
        "cache candidates",
        ("fingerprint", "similarity", "score", "verdict"),
        map(_candidate, explanation["candidates"]),
    )
    _table("stages", ("stage", "time", "outcome"), map(_stage, explanation["stages"]))


def _headline(explanation: Json) -> str:
    match explanation["outcome"]:
        case "reject":
            words = f"{explanation['status']} {explanation['code']}: {explanation['message']}"
            return f"[bold red]reject[/bold red]  {escape(words)}"
        case "replay":
            whose = f"first answered by {explanation['model']} (decision {explanation['decision']})"
            words = f"{explanation['cache']}, {explanation['age_s']} s old, {whose}"
            return f"[bold green]replay[/bold green]  {escape(words)}"
    why = f"cache {explanation['cache']}"
    if explanation["cache_reason"]:
        why += f" ({explanation['cache_reason']})"
    target = f"{explanation['model']} as {explanation['served_name']} in cluster {explanation['cluster']}"
    return (
        f"[bold cyan]forward[/bold cyan]  to {escape(target)}\n"
        f"         decision {escape(explanation['decision'])}, {escape(why)}"
    )


def _language(explanation: Json) -> str:
    code = explanation.get("language")
    if code is None:
        return "language: not read, because the cache was not asked for other words"
    matched = "matched exactly only" if explanation["exact_only"] else "matched semantically"
    return f"language: {escape(str(code))}, {matched}"


def _parts(number: int) -> str:
    return "1 part" if number == 1 else f"{number} parts"


def _reading(reading: Json) -> tuple[str, ...]:
    ranked = sorted(reading["scores"].items(), key=lambda score: -score[1])[:_SCORES_MAX]
    scores = ", ".join(f"{label} {score:.2f}" for label, score in ranked)
    return reading["signal"], reading["label"] or "(none)", f"{reading['score']:.3f}", scores


def _rule(rule: Json) -> tuple[str, ...]:
    tests = "\n".join(f"{'✓' if holds else '✗'} {test}" for test, holds in rule["tests"].items())
    return rule["decision"], "yes" if rule["matched"] else "no", tests


def _candidate(candidate: Json) -> tuple[str, ...]:
    verdict = "accepted" if candidate["accepted"] else f"refused: {candidate['reason']}"
    return (
        candidate["fingerprint"][:12],
        f"{candidate['similarity']:.3f}",
        f"{candidate['score']:.3f}",
        verdict,
    )


def _stage(stage: Json) -> tuple[str, ...]:
    outcome = f"{stage['outcome']}: {stage['reason']}" if stage["reason"] else stage["outcome"]
    return stage["stage"], f"{stage['duration_ms']:.2f} ms", outcome


def _table(title: str, heads: Iterable[str], rows: Iterable[tuple[str, ...]]) -> None:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for head in heads:
        table.add_column(head, header_style="dim")
    for row in rows:
        table.add_row(*map(escape, row))
    if table.row_count:
        OUT.print(table)
        OUT.print()
