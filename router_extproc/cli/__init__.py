"""The command line: `router-extproc COMMAND`, one file per command.

A command's module has a `typer.Typer` named `app` with one command or several; it is imported only when
it is asked for, so that `--help` is quick. Exit code 0 is success, 1 a problem found or a failure, 2
wrong usage or a bad configuration; errors go to stderr as one line each, without a traceback.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from keyword import iskeyword
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from router_extproc.errors import ConfigError, ConfigProblems, RouterError
from router_extproc.process import hangup

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2

#: Every command, with its line in `--help`; the module of the same name holds it.
COMMANDS: Final[Mapping[str, str]] = {
    "init": "Write a commented configuration for your pools.",
    "import": "Translate another router's configuration.",
    "serve": "Run the sidecar: route Envoy's requests and answer from the cache.",
    "check": "Check a configuration and list all its problems.",
    "explain": "Show what would happen to a prompt or a request file, and why.",
    "compare": "Say what a change of policy would do to recorded requests.",
    "envoy": "Render the Envoy configuration.",
    "models": "Build, fetch and list the models that read prompts.",
    "train": "Train an intent signal on your own labels.",
    "eval": "Measure signals and cache decisions on your own rows.",
    "reload": "Let a running sidecar work by its changed configuration, or by an earlier one.",
    "cache": "Inspect and change a running sidecar's cache: list, purge, export, warm.",
    "savings": "Show what routing and the cache of a running sidecar have saved.",
    "shadow": "Show how often the model of a shadow evaluation would have been good enough.",
    "simulate": "Show what routing does over made-up pools that fail, slow down or cost.",
    "bench": "Measure what the sidecar adds to plain Envoy.",
    "demo": "Start Envoy, the sidecar, Milvus Lite and two pools.",
}


#: Commands that run until they are told to stop: they answer SIGHUP as soon as they can.
LASTING: Final = frozenset({"serve", "demo"})


class _LazyGroup(TyperGroup):
    """Lists commands from `COMMANDS`; imports only the one that is run."""

    def __init__(self, **settings: Any) -> None:  # typer's own settings, handed on as they are
        super().__init__(**settings)
        for name, line in COMMANDS.items():
            self.add_command(TyperCommand(name, help=line))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command with its options, from its module (Any: typer keeps these types private)."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command if name is None else _load(name), rest


def _load(name: str) -> Any:  # typer keeps the type of commands private
    if name in LASTING:
        hangup.hold_back()
    # `import` is a word of Python's own.
    module = importlib.import_module(
        f"router_extproc.cli.{name}_" if iskeyword(name) else f"router_extproc.cli.{name}"
    )
    # Else the line ends of a docstring would stay in the help, whatever the terminal's width.
    module.app.rich_markup_mode = "markdown"
    return typer.main.get_command(module.app)


app = typer.Typer(
    cls=_LazyGroup,
    no_args_is_help=True,
    # A traceback with local variables could show prompts.
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:  # noqa: FBT001 - typer calls it so
    if asked:
        typer.echo(f"router-extproc {metadata.version('router-extproc')}")
        raise typer.Exit(OK)


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Semantic router and semantic cache for LLM traffic, as an Envoy external processor.

    Example: router-extproc check router.yaml
    """


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line; ends the process with the exit code."""
    try:
        app(args, prog_name="router-extproc")
    except ConfigProblems as problems:
        _print_problems(problem.located() for problem in problems.problems)
        sys.exit(USAGE)
    except ConfigError as problem:
        _print_problems([problem.located()])
        sys.exit(USAGE)
    except RouterError as error:
        _print_problems([str(error)])
        sys.exit(FAILED)


def _print_problems(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line, err=True)
