"""`router-extproc check`: all problems of a configuration at once, what is doubtful, and what is in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from router_extproc.cli import FAILED, OK, USAGE
from router_extproc.cli.output import ERR, OUT, JsonOption, print_json
from router_extproc.config.document import dump
from router_extproc.config.effective import effective
from router_extproc.config.examine import Report, examine
from router_extproc.config.schema import json_schema
from router_extproc.config.warnings.base import ConfigWarning
from router_extproc.equivalence.languages import known_codes
from router_extproc.errors import ConfigError, ConfigProblems
from router_extproc.process.milvus_lite import lite_problems

app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class _Finding:
    """One line of the result."""

    severity: Literal["error", "warning"]
    found: ConfigError | ConfigWarning


@app.command(epilog="Example: router-extproc check router.yaml --strict")
def check(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="The configuration.", show_default=False)
    ] = None,
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Count warnings as errors.")] = False,
    in_force: Annotated[
        bool, typer.Option("--effective", help="Print the configuration in force, with defaults filled in.")
    ] = False,
    schema: Annotated[
        bool,
        typer.Option("--schema", help="Print the JSON schema of configurations, for editors; needs no FILE."),
    ] = False,
    probes: Annotated[
        Path | None,
        typer.Option(
            metavar="PROBES.jsonl",
            help="Also decide these prompts: rows with `text` (or `messages`, `request`) and the expected"
            " `decision` or `model`.",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Check a configuration and list all its problems.

    Each problem is printed with its file, line and YAML path. Warnings say what is dangerous, useless or half
    broken. Exit code 0: it can be served. 1: a probe is decided otherwise. 2: it has errors (with --strict
    also warnings).
    """
    if schema:
        print_json(json_schema())
        raise typer.Exit(OK)
    if file is None:
        raise typer.BadParameter("Missing argument: name the configuration file", param_hint="FILE")
    report, findings = _examine(file, strict=strict)
    failed = any(finding.severity == "error" for finding in findings)
    probed = None
    if probes is not None and report is not None and not report.errors:
        # It opens models, which takes seconds: only who has probes waits for them.
        from router_extproc.cli.probes import failed_probes  # noqa: PLC0415

        probed = failed_probes(report.accepted(), probes)
    if in_force and report is not None and not report.errors:
        _print_effective(report, json=json)
        _print_findings(findings)
    elif json:
        shown = {"ok": not failed, "problems": [_as_json(finding) for finding in findings]}
        print_json(shown if probed is None else shown | {"probes": probed[0], "failed_probes": probed[1]})
    else:
        _print_findings(findings)
        _print_languages(report)
        _print_summary(file, findings)
        _print_probes(probed)
    if failed:
        raise typer.Exit(USAGE)
    raise typer.Exit(FAILED if probed is not None and probed[1] else OK)


def _examine(file: Path, *, strict: bool) -> tuple[Report | None, Sequence[_Finding]]:
    try:
        report = examine(file)
    except ConfigProblems as error:
        return None, [_Finding("error", problem) for problem in error.problems]
    warned: Literal["error", "warning"] = "error" if strict else "warning"
    files = () if report.config is None or report.errors else lite_problems(report.config)
    errors = [_Finding("error", error) for error in (*report.errors, *report.located(files))]
    return report, [*errors, *(_Finding(warned, warning) for warning in report.warnings)]


def _as_json(finding: _Finding) -> dict[str, object]:
    found, mark = finding.found, finding.found.mark
    return {
        "severity": finding.severity,
        "path": found.path,
        "problem": found.problem,
        "file": None if mark is None else mark.file,
        "line": None if mark is None else mark.line,
        "column": None if mark is None else mark.column,
    }


def _print_effective(report: Report, *, json: bool) -> None:
    value = effective(report.accepted(), report.sources)
    if json:
        print_json(value)
    else:
        typer.echo(dump(value), nl=False)


def _print_findings(findings: Sequence[_Finding]) -> None:
    for finding in findings:
        ERR.print(finding.found.located(), markup=False)


def _print_languages(report: Report | None) -> None:
    """In which languages the cache finds other words."""
    if report is None or report.config is None or report.errors or not report.config.semantic_cache.enabled:
        return
    listed = report.config.semantic_cache.languages
    codes = known_codes() if listed is None else listed
    text = f"matched semantically: {', '.join(codes) or 'none'}; other languages exactly only"
    OUT.print(f"semantic_cache.languages: {text}", markup=False)


def _print_probes(probed: tuple[int, list[str]] | None) -> None:
    if probed is None:
        return
    number, wrong = probed
    for line in wrong:
        ERR.print(line, markup=False)
    OUT.print(f"probes: {number - len(wrong)} of {number} as expected", markup=False)


def _print_summary(file: Path, findings: Sequence[_Finding]) -> None:
    errors = sum(finding.severity == "error" for finding in findings)
    counts = [_count(errors, "problem"), _count(len(findings) - errors, "warning")]
    text = ", ".join(count for count in counts if count)
    if errors:
        ERR.print(f"{file}: {text}", markup=False, style="bold red")
    else:
        OUT.print(f"{file}: {text or 'no problem found'}", markup=False)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number > 1 else ''}" if number else ""
