"""The layers of this package, and its imports as they stand in the source.

Read from the text of the modules, not from a run, so that an import inside a function counts too. Run as
a program (`make layers`) it prints the picture: each layer with its packages, what each of them imports,
and every import that breaks a rule.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import router_extproc

PACKAGE: Final = "router_extproc"
ROOT: Final = Path(router_extproc.__file__).parent

#: From the values that know nothing to the commands that know everything: what each layer is, and the
#: packages and modules in it. A module imports its own layer and those below.
LAYERS: Final[Sequence[tuple[str, tuple[str, ...]]]] = (
    (
        "values, plain rules over two texts",
        (
            "llm",
            "clock",
            "address",
            "cancellation",
            "errors",
            "extras",
            "section",
            "equivalence",
            "private_files",
            "file_access",
            "socket_folders",
        ),
    ),
    (
        "sans-IO core; client APIs; what a human asked; encoder, classifiers, verifier",
        ("protocol", "dialects", "conversation", "models", "_pb"),
    ),
    ("semantic cache; signals; gRPC edge", ("cache", "signals", "server")),
    ("readings and traffic to a route; what is replaced in a request", ("routing", "redaction")),
    ("what happens to one request, and what is learned from its answer", ("pipeline",)),
    ("configuration; telemetry", ("config", "telemetry")),
    (
        "admin port; what is put together; evaluation; simulation; Envoy's YAML; moving in",
        ("admin", "app", "evaluation", "simulation", "envoy_config", "migration"),
    ),
    ("processes; training; test aids", ("process", "training", "testing")),
    ("demo; bench; commands", ("demo", "bench", "cli", "__main__")),
)
#: Package or module to the number of its layer.
LAYER: Final[Mapping[str, int]] = {name: number for number, (_, names) in enumerate(LAYERS) for name in names}


@dataclass(frozen=True)
class House:
    """Every module of the package, by its dotted name inside it, and its syntax tree."""

    modules: Mapping[str, ast.Module]

    @classmethod
    def read(cls, root: Path = ROOT) -> House:
        """The package as it stands on disk, without what is generated."""
        return cls({name: tree for name, tree in _modules(root) if not under(name, "_pb")})

    @cached_property
    def imported(self) -> Mapping[str, frozenset[str]]:
        """Of each module: the dotted names of all that it imports, names of `from` imports included."""
        return {name: frozenset(_imported(tree)) for name, tree in self.modules.items()}

    def own(self, name: str) -> set[str]:
        """Our own modules that the module imports."""
        inside = {
            other.removeprefix(f"{PACKAGE}.")
            for other in self.imported[name]
            if other.startswith(f"{PACKAGE}.")
        }
        return {other for other in inside if other in self.modules or under(other, "_pb")}

    @cached_property
    def arrows(self) -> Counter[tuple[str, str]]:
        """How many modules of one package import modules of another one."""
        return Counter(
            (home(name), home(other))
            for name in self.modules
            for other in self.own(name)
            if home(other) != home(name)
        )


def under(name: str, prefix: str) -> bool:
    """True when the dotted name is the prefix, or lies below it."""
    return name == prefix or name.startswith(f"{prefix}.")


def home(name: str) -> str:
    """The package, or the top-level module, that a module belongs to."""
    return name.split(".", maxsplit=1)[0]


def upward(house: House) -> list[str]:
    """Every import of a module by a lower layer."""
    return sorted(
        f"{name} imports {other}"
        for name in house.modules
        for other in house.own(name)
        if name and LAYER[home(other)] > LAYER[home(name)]
    )


def mutual(house: House) -> list[str]:
    """Every two packages that import each other."""
    return sorted(
        f"{one} and {other} import each other"
        for one, other in house.arrows
        if one < other and (other, one) in house.arrows
    )


def picture(house: House) -> Iterator[str]:
    """The layers from the top down; behind each package, what it imports and by how many imports."""
    sizes = Counter(home(name) for name in house.modules)
    for number, (what, names) in reversed(list(enumerate(LAYERS))):
        yield f"L{number}  {what}"
        for name in names:
            used = sorted(
                ((other, count) for (one, other), count in house.arrows.items() if one == name),
                key=lambda arrow: (-LAYER[arrow[0]], arrow[0]),
            )
            told = ", ".join(f"{other} {count}" for other, count in used) or "nothing"
            yield f"    {name:<15}{sizes[name]:>4} modules  -> {told}"
    broken = [*upward(house), *mutual(house)]
    yield from broken or ["no import goes up, and no two packages import each other"]


def _modules(root: Path) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts).removesuffix("__init__").rstrip(".")
        yield name, ast.parse(path.read_text(encoding="utf-8"))


def _imported(tree: ast.Module) -> Iterable[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def main() -> int:
    """Print the picture; 1 when an import breaks a rule."""
    house = House.read()
    print(*picture(house), sep="\n")  # noqa: T201 - a program's output
    return 1 if upward(house) or mutual(house) else 0


if __name__ == "__main__":
    sys.exit(main())
