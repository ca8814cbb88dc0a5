"""The glossary, kept: words that say nothing, or that have a better one, are in no name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import router_extproc
from router_extproc.config import model
from router_extproc.config.model import Section

ROOT = Path(router_extproc.__file__).parent
VAGUE = {"util", "utils", "common", "helper", "helpers", "manager", "handler", "data", "info", "ctx", "misc"}
#: What this project once called what the field has a word for, and that word.
PRIVATE = {
    "board": "join",
    "chore": "background task",
    "chores": "background tasks",
    "complain": "feedback",
    "complaint": "feedback",
    "complaints": "feedback",
    "desk": "cache operations",
    "doubt": "shadow sampling",
    "flight": "pending answer",
    "flights": "coalescing",
    "inquiry": "parsed request",
    "lane": "direction",
    "pace": "hit timing",
    "recalled": "cache result",
    "seat": "worker address",
    "splice": "edit json",
    "trial": "shadow comparison",
    "trials": "shadow comparisons",
    "trunk": "task layers",
    "understander": "signal stage",
    "understanding": "signal stage",
    "unfinished": "deferred reply",
}
#: Envoy's own words.
FOREIGN = {"_connection_manager", "_overload_manager"}
#: Times and sizes of the guide's own files, which are accepted as they stand.
GUIDES_OWN = {"timeout", "similarity_threshold", "ttl_seconds", "max_entries", "dimension"}
UNITS = ("_s", "_bytes", "_tokens", "_mtok", "_entries", "_exchanges", "_requests", "_rate", "_min", "_max")
UNITLESS = {
    "rate",
    "version",
    "priority",
    "port",
    "workers",
    "threads",
    "min",
    "max",
    "M",
    "efConstruction",
    "min_score",
    "similarity_floor",
}


@cache
def names() -> tuple[tuple[str, str], ...]:
    """Of modules, classes and functions, each with its file."""
    return tuple(_names())


def _names() -> Iterator[tuple[str, str]]:
    for path in sorted(ROOT.rglob("*.py")):
        if "_pb" in path.parts:
            continue
        yield str(path.relative_to(ROOT)), path.stem
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield str(path.relative_to(ROOT)), node.name


def words(name: str) -> set[str]:
    """add_handler, MessageHandler: in words."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def test_no_name_uses_a_word_that_says_nothing() -> None:
    vague = {(path, name) for path, name in names() if name not in FOREIGN and words(name) & VAGUE}
    assert not vague


def test_no_name_uses_a_private_word_where_the_field_has_one() -> None:
    private = {(path, name, PRIVATE[word]) for path, name in names() for word in words(name) & PRIVATE.keys()}
    assert private == set()


def test_no_docstring_of_a_module_follows_the_former_formula() -> None:
    """It said of each module what it is not, and which rule it keeps: mostly noise."""
    formula = re.compile(r"\bIt is not an? |\bThe rules? (it|they) keeps?\b")
    found = [
        path
        for path in sorted(ROOT.rglob("*.py"))
        if formula.search(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")
    ]
    assert found == []


def sections() -> Iterator[type[Section]]:
    for value in vars(model).values():
        if isinstance(value, type) and issubclass(value, Section):
            yield value


def test_numbers_of_the_configuration_carry_their_unit() -> None:
    bare = {
        (section.__name__, name)
        for section in sections()
        for name, field in section.model_fields.items()
        if field.annotation in (int, float, int | None, float | None)
        and not name.endswith(UNITS)
        and name not in UNITLESS | GUIDES_OWN
    }
    assert not bare
