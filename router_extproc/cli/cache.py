"""`router-extproc cache`: look into the cache of a running sidecar, and change it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from router_extproc.cli import FAILED
from router_extproc.cli.admin_port import DEFAULT_ADMIN, AdminPort
from router_extproc.cli.admin_token import TokenFile, token_given
from router_extproc.cli.cache_lines import STANDARD, export_to, send_lines
from router_extproc.cli.cache_options import (
    Admin,
    Decision,
    Entry,
    Header,
    Model,
    OlderThan,
    Scope,
    Tag,
    given,
    hex_digits,
    selector_of,
)
from router_extproc.cli.cache_shown import (
    entries_table,
    evidence_table,
    savings_line,
    states_table,
    words,
    worth_table,
)
from router_extproc.cli.header_option import read_header
from router_extproc.cli.output import ERR, OUT, JsonOption, print_json

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Inspect and change the cache of a running sidecar.",
    epilog="Example: router-extproc cache list --model large",
)


@app.command(epilog="Example: router-extproc cache stats --json")
def stats(*, admin: Admin = DEFAULT_ADMIN, token_file: TokenFile = None, json: JsonOption = False) -> None:
    """Show what each worker's cache holds, and the state of its backend.

    Exit code 1: a worker does not answer, or its backend is away.
    """
    with AdminPort(admin, token_given(token_file)) as port:
        workers = port.get("/cache")["workers"]
    if json:
        print_json(workers)
    else:
        OUT.print(states_table(workers))
    away = [
        state is None or (state["backend"] or {"ready": True})["ready"] is False for state in workers.values()
    ]
    raise typer.Exit(FAILED if any(away) else 0)


@app.command(epilog="Example: router-extproc cache report --limit 20")
def report(
    *,
    limit: Annotated[int, typer.Option(help="Number of entries to show.", min=1, max=1000)] = 10,
    admin: Admin = DEFAULT_ADMIN,
    token_file: TokenFile = None,
    json: JsonOption = False,
) -> None:
    """Show what hits have saved since the start: tokens, money, and the most valuable entries.

    Exit code 1: a worker does not answer, so its hits are missing.
    """
    with AdminPort(admin, token_given(token_file)) as port:
        told = port.get("/cache/report", {"limit": limit})
    if json:
        print_json(told)
    else:
        OUT.print(savings_line(told["total"]), markup=False)
        OUT.print(worth_table(told["entries"]))
    for worker in told["silent_workers"]:
        ERR.print(f"worker {worker}: does not answer", markup=False)
    raise typer.Exit(FAILED if told["silent_workers"] else 0)


@app.command(epilog="Example: router-extproc cache evidence")
def evidence(*, admin: Admin = DEFAULT_ADMIN, token_file: TokenFile = None, json: JsonOption = False) -> None:
    """Show how often hits were wrong, by decision, with an exact 95 % interval.

    Needs semantic_cache.shadow_rate. Exit code 1: a worker does not answer, so its comparisons are missing.
    """
    with AdminPort(admin, token_given(token_file)) as port:
        told = port.get("/cache/evidence")
    if json:
        print_json(told)
    else:
        OUT.print(evidence_table(told["decisions"]))
    for worker in told["silent_workers"]:
        ERR.print(f"worker {worker}: does not answer", markup=False)
    raise typer.Exit(FAILED if told["silent_workers"] else 0)


@app.command("wrong", hidden=True, deprecated=True, epilog="Now: router-extproc cache feedback 3fa9c1")
@app.command(epilog="Example: router-extproc cache feedback 3fa9c1")
def feedback(
    entry: Annotated[
        str, typer.Argument(help="First digits of the entry's fingerprint.", show_default=False)
    ],
    *,
    admin: Admin = DEFAULT_ADMIN,
    token_file: TokenFile = None,
    json: JsonOption = False,
) -> None:
    """Report an entry whose answer is wrong: purge it in every worker, and count it as evidence.

    Exit code 1: a worker or the backend could not be reached; run it again.
    """
    with AdminPort(admin, token_given(token_file)) as port:
        told = port.take_feedback(hex_digits(entry))
    if json:
        print_json(told)
    else:
        OUT.print(f"{told['purged']} purged", markup=False)
    for worker, problem in told["problems"].items():
        ERR.print(f"worker {worker}: {problem}", markup=False)
    raise typer.Exit(FAILED if told["problems"] else 0)


@app.command("list", epilog="Example: router-extproc cache list --model large --older-than 3600")
def listentries(
    *,
    scope: Scope = None,
    header: Header = None,
    model: Model = None,
    decision: Decision = None,
    tag: Tag = None,
    older_than: OlderThan = None,
    limit: Annotated[int, typer.Option(help="Number of entries on a page.", min=1, max=1000)] = 50,
    after: Annotated[
        str | None, typer.Option(help="Where the previous page ended.", show_default=False)
    ] = None,
    admin: Admin = DEFAULT_ADMIN,
    token_file: TokenFile = None,
    json: JsonOption = False,
) -> None:
    """List entries, newest first, without questions and answers."""
    with AdminPort(admin, token_given(token_file)) as port:
        wanted = selector_of(port, scope, header, model, decision, tag, older_than)
        page = port.get("/cache/entries", {**wanted, "limit": limit, **given(after=after)})
    if json:
        print_json(page)
        return
    OUT.print(entries_table(page["entries"]))
    shown, next_page = len(page["entries"]), page["after"]
    more = "" if next_page is None else f"; next page: --after {next_page}"
    ERR.print(f"{shown} of {page['total']} entries{more}", markup=False)


@app.command(epilog="Example: router-extproc cache show 3fa9c1")
def show(
    entry: Annotated[
        str, typer.Argument(help="First digits of the entry's fingerprint.", show_default=False)
    ],
    *,
    admin: Admin = DEFAULT_ADMIN,
    token_file: TokenFile = None,
    json: JsonOption = False,
) -> None:
    """Show one entry with its question and its answer."""
    with AdminPort(admin, token_given(token_file)) as port:
        shown = port.get(f"/cache/entries/{hex_digits(entry)}")
    if json:
        print_json(shown)
        return
    for name, value in shown.items():
        OUT.print(f"{name}: {words(name, value)}", markup=False)


@app.command(epilog="Example: router-extproc cache purge --tag maths --dry-run")
def purge(
    *,
    scope: Scope = None,
    header: Header = None,
    model: Model = None,
    decision: Decision = None,
    tag: Tag = None,
    older_than: OlderThan = None,
    entry: Entry = None,
    everything: Annotated[bool, typer.Option("--all", help="Purge every entry.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be purged.")] = False,
    admin: Admin = DEFAULT_ADMIN,
    token_file: TokenFile = None,
    json: JsonOption = False,
) -> None:
    """Purge the entries that match all given options, in every worker and in the backend.

    Answers to requests from before the purge are not stored, either. Exit code 1: a worker or the backend
    could not be reached; run it again.
    """
    with AdminPort(admin, token_given(token_file)) as port:
        wanted = selector_of(port, scope, header, model, decision, tag, older_than) | given(entry=entry)
        if everything == bool(wanted):
            raise typer.BadParameter("name what to purge, or give --all, but not both")
        report = port.purge({**wanted, "all": everything, "dry_run": dry_run})
    if json:
        print_json(report)
    else:
        OUT.print(f"{report['purged']} {'would be purged' if dry_run else 'purged'}", markup=False)
    for worker, problem in report["problems"].items():
        ERR.print(f"worker {worker}: {problem}", markup=False)
    raise typer.Exit(FAILED if report["problems"] else 0)


@app.command(epilog="Example: router-extproc cache export --output cache.jsonl")
def export(
    *,
    scope: Scope = None,
    header: Header = None,
    model: Model = None,
    decision: Decision = None,
    tag: Tag = None,
    older_than: OlderThan = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write; - is stdout.")] = STANDARD,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
    admin: Admin = DEFAULT_ADMIN,
    token_file: TokenFile = None,
) -> None:
    """Write entries as JSON Lines, with questions and answers, to a file that only you can read.

    Exit code 1: the export broke off, and no file is left. 2: the file exists already.
    """
    with AdminPort(admin, token_given(token_file)) as port:
        wanted = selector_of(port, scope, header, model, decision, tag, older_than)
        if output == STANDARD:
            count = port.export(wanted, sys.stdout.buffer)
        else:
            count = export_to(output, lambda file: port.export(wanted, file), overwrite=force)
    ERR.print(f"{count} entries", markup=False)


@app.command("import", epilog="Example: router-extproc cache import cache.jsonl")
def importentries(
    file: Annotated[
        Path, typer.Argument(help="File that `cache export` wrote; - is stdin.", show_default=False)
    ],
    *,
    renew: Annotated[
        bool, typer.Option("--renew", help="Restart their TTL; needed for purged or expired entries.")
    ] = False,
    admin: Admin = DEFAULT_ADMIN,
    token_file: TokenFile = None,
    json: JsonOption = False,
) -> None:
    """Store exported entries again.

    Exit code 1: a line was refused.
    """
    path = f"/cache/import?renew={str(renew).lower()}"
    port = AdminPort(admin, token_given(token_file))
    send_lines(file, port, path, "importing", json=json)


@app.command(epilog="Example: router-extproc cache warm questions.jsonl -H 'authorization: Bearer …'")
def warm(
    file: Annotated[
        Path, typer.Argument(help="JSON Lines of questions and answers; - is stdin.", show_default=False)
    ],
    *,
    header: Annotated[
        list[str] | None,
        typer.Option("--header", "-H", help="Header of the client who should find them, 'name: value'."),
    ] = None,
    admin: Admin = DEFAULT_ADMIN,
    token_file: TokenFile = None,
    json: JsonOption = False,
) -> None:
    """Store known answers, so that the first client who asks gets a hit.

    A line is {"question": …, "answer": …}, optionally with system, model (what clients ask for), headers, and
    decision (the line is refused when the router decides otherwise); a logged conversation {"messages": […]}
    that ends with the assistant's answer; or a logged {"request": …, "answer": …}. Exit code 1: a line was
    refused.
    """
    with_headers = dict(read_header(text) for text in header or ())
    port = AdminPort(admin, token_given(token_file))
    send_lines(file, port, "/cache/warm", "warming", json=json, headers=with_headers)
