"""An explanation for people: the outcome, then what led to it.

It decides nothing; it prints what `admin.explained` says.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rich.markup import escape
from rich.table import Table

from router_extproc.cli.output import OUT

#: Scores that are shown of a signal that ranks several labels.
_SCORES_MAX = 3
#: Of one text; of a longer one both ends are shown.
_LINE_CHARS_MAX = 240
_EDGE_CHARS = 110

Json = dict[str, Any]  # a JSON object as `explained` makes it


def show(explanation: Json) -> None:
    """Print an explanation."""
    OUT.print(_headline(explanation))
    if "ask" in explanation:
        _show_ask(explanation["ask"])
    if "readings" not in explanation:
        return
    if "cache_status" in explanation:
        OUT.print(f"[dim]cache-status: {escape(explanation['cache_status'])}[/dim]")
        OUT.print(f"[dim]{_language(explanation)}[/dim]")
    OUT.print()
    if explanation["ignored"]:
        OUT.print(f"left out of the cache's keys: {_parts(explanation['ignored'])} of the system prompt\n")
    if explanation["not_made"]:
        OUT.print(f"this API has no place for: {', '.join(explanation['not_made'])}\n")
    heads = ("signal", "label", "score", "part", "time", "ranked")
    _table("signals", heads, map(_reading, explanation["readings"]))
    _table("rules", ("decision", "matched", "tests"), map(_rule, explanation["rules"]))
    _table("redacted", ("kind", "part", "values"), map(_redacted, explanation["redacted"]))
    _show_changes(explanation.get("changes", {"body": [], "headers": {}}))
    _table("models", ("model", "chosen", "reason", "compared by"), map(_model, explanation.get("models", ())))
    _table("cost", ("model", "estimate"), map(_cost, _paid(explanation)))
    _table(
        "cache candidates",
        ("fingerprint", "similarity", "score", "verdict"),
        map(_candidate, explanation["candidates"]),
    )
    _table("stages", ("stage", "time", "outcome"), map(_stage, explanation["stages"]))


def _show_changes(changes: Json) -> None:
    """What reaches the pool otherwise than the client wrote it."""
    heads = ("place", "change", "client's value", "new")
    _table("changes of the body", heads, map(_change, changes["body"]))
    _table("headers to the pool", ("name", "value"), changes["headers"].items())


def _show_ask(ask: Json) -> None:
    """What a human asked, and what of the request is no part of it."""
    OUT.print(f"[bold]ask[/bold]      {escape(_shortened(ask['text']))}")
    for text in ask["context"]:
        OUT.print(f"[dim]  behind {escape(_shortened(text))}[/dim]")
    for piece in ask["left_out"]:
        OUT.print(f"[dim]left out {escape(piece['kind'])}, {piece['chars']} characters[/dim]")


def _shortened(text: str) -> str:
    """In one line, its middle left out where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= _LINE_CHARS_MAX else f"{line[:_EDGE_CHARS]} … {line[-_EDGE_CHARS:]}"


def _paid(explanation: Json) -> list[tuple[str, float, str]]:
    """Every model with a price, and what the request would cost there, for how much."""
    answer = explanation.get("answer_tokens", 0)
    bought = f"about {explanation.get('prompt_tokens', 0)} tokens"
    bought = f"{bought} and an answer of {answer}" if answer else bought
    return [(model, cost, bought) for model, cost in explanation.get("costs", {}).items() if cost]


def _headline(explanation: Json) -> str:
    match explanation["outcome"]:
        case "answer":
            words = f"a fixed text, by decision {explanation['decision']}; no pool is asked"
            return f"[bold green]answer[/bold green]  {escape(words)}"
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
    if explanation.get("failover"):
        why += f"; if its pool fails: {', '.join(explanation['failover'])}"
    return (
        f"[bold cyan]forward[/bold cyan]  to {escape(target)}\n"
        f"         decision {escape(explanation['decision'])}, {escape(why)}"
    )


def _language(explanation: Json) -> str:
    code = explanation.get("language")
    if code is None:
        return "language: not read, because there was no semantic lookup"
    matched = "matched exactly only" if explanation["exact_only"] else "matched semantically"
    return f"language: {escape(str(code))}, {matched}"


def _parts(number: int) -> str:
    return "1 part" if number == 1 else f"{number} parts"


def _reading(reading: Json) -> tuple[str, ...]:
    ranked = sorted(reading["scores"].items(), key=lambda score: -score[1])[:_SCORES_MAX]
    scores = ", ".join(f"{label} {score:.2f}" for label, score in ranked)
    found = ", ".join(filter(None, (reading["label"], *reading.get("also", ()))))
    label, score = found or "(none)", f"{reading['score']:.3f}"
    took = f"{reading['took_ms']:.2f} ms"
    return reading["signal"], label, score, _part(reading), took, scores


def _part(reading: Json) -> str:
    """The part that the reading is about, and what of the parts it did not read."""
    left = f"{reading['left_chars']} characters not read" if reading.get("left_chars") else ""
    return ", ".join(word for word in (reading["part"], left, "late" if reading.get("late") else "") if word)


def _rule(rule: Json) -> tuple[str, ...]:
    tests = "\n".join(f"{'✓' if holds else '✗'} {test}" for test, holds in rule["tests"].items())
    matched = "yes" if rule["matched"] else "no"
    return rule["decision"], matched if rule.get("reached", True) else f"{matched}, not reached", tests


def _redacted(redacted: Json) -> tuple[str, ...]:
    return redacted["kind"], redacted["part"], str(redacted["count"])


def _change(change: Json) -> tuple[str, ...]:
    new = "" if change["value"] is None else json.dumps(change["value"], ensure_ascii=False)
    return change["path"], change["change"], change["before"], _shortened(new)


def _model(candidate: Json) -> tuple[str, ...]:
    numbers = ", ".join(f"{name} {value:.4g}" for name, value in candidate.get("numbers", {}).items())
    return candidate["model"], "yes" if candidate["chosen"] else "no", candidate["reason"], numbers


def _cost(paid: tuple[str, float, str]) -> tuple[str, ...]:
    model, cost, bought = paid
    return model, f"{cost:.6f} for {bought}"


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
