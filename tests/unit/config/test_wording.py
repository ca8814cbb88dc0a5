# ruff: noqa: E501, ISC004 - tables read best with one case in a line
from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import BeforeValidator, ValidationError, create_model
from pydantic_core import PydanticKnownError
from pydantic_core._pydantic_core import list_all_errors

from router_extproc.config.expand import Expanded
from router_extproc.config.wording import did_you_mean, misfits
from router_extproc.section import Section
from router_extproc.signals import SIGNALS

from .conftest import Problems

#: Of signals, as errors list them.
KINDS = ", ".join(f"'{kind}'" for kind in SIGNALS)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("semantic_cache: {ttl_seconds: -1}", "semantic_cache.ttl_seconds: must be > 0.0, got -1"),
        ("semantic_cache: {ttl: 3}", "semantic_cache.ttl: unknown key (did you mean 'ttl_seconds'?)"),
        ("limits: {message_timeout: 1}", "limits.message_timeout: unknown key (did you mean 'message_timeout_s'?)"),
        ("wrokers: 2", "wrokers: unknown key (did you mean 'workers'?)"),
        ("zzz: 2", "zzz: unknown key"),
        ("workers: 0", "workers: must be >= 1, got 0"),
        ("workers: 65", "workers: must be <= 64, got 65"),
        ("workers: 1.5", "workers: must be a whole number, got 1.5"),
        ("workers: two", "workers: must be a whole number, got 'two'"),
        ("workers: null", "workers: must be a whole number, got nothing"),
        ("workers: [1]", "workers: must be a whole number, got a list"),
        ("admin: 5", "admin: must be text, got 5"),
        ("admin: true", "admin: must be text, got true"),
        ("limits: {max_body_bytes: 9}", "limits.max_body_bytes: must be >= 1024, got 9"),
        ("limits: 5", "limits: must be a mapping (key: value), got 5"),
        ("virtual_models: auto", "virtual_models: must be a list, got 'auto'"),
        ("limits: {drain_s: soon}", "limits.drain_s: must be a number, got 'soon'"),
        ("semantic_cache: {enabled: perhaps}", "semantic_cache.enabled: must be true or false, got 'perhaps'"),
        (
            "semantic_cache: {eviction_policy: fifoo}",
            "semantic_cache.eviction_policy: must be 'fifo', 'lru' or 'lfu', got 'fifoo' (did you mean 'fifo'?)",
        ),
        ("semantic_cache: {scope: me}", "semantic_cache.scope: must be a mapping (key: value) or must be 'credentials' or 'shared', got 'me'"),
        ("semantic_cache: {scope: {header: [a]}}", "semantic_cache.scope.header: unknown key (did you mean 'headers'?)"),
        ("semantic_cache: {scope: {headers: []}}", "semantic_cache.scope: names nothing; write headers, members of the body, or shared"),
        ("signals: {a: {type: keyword, any: [x]}}", "signals.a.type: must be one of"
         f" {KINDS}, got 'keyword' (did you mean 'keywords'?)"),
        ("signals: {a: {any: [x]}}", f"signals.a.type: is required: one of {KINDS}"),
        ("signals: {a: {type: header}}", "signals.a.header: is required"),
        ("signals: {a: {type: keywords, any: [x], case: 1}}", "signals.a.case: unknown key (did you mean 'case_sensitive'?)"),
        ("decisions: [{name: 'a b', model: small}]", "decisions[0].name: must match ^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$, got 'a b'"),
        ("decisions: [{model: small}]", "decisions[0].name: is required"),
    ],
)  # fmt: skip
def test_a_misfit_says_where_why_and_what_instead(problems: Problems, section: str, expected: str) -> None:
    assert expected in problems(section + "\n")


def test_a_long_value_is_cut(problems: Problems) -> None:
    assert problems(f"workers: {'x' * 500}\n")[0].endswith("x…")


def test_a_union_is_not_blamed_when_a_part_of_it_is_wrong(problems: Problems) -> None:
    """`scope` fits the mapping; its `'shared'` branch has nothing to add."""
    assert problems("semantic_cache: {scope: {headers: [1]}}\n") == [
        "semantic_cache.scope.headers[0]: must be text, got 1"
    ]


def test_the_nearest_name_is_offered() -> None:
    assert did_you_mean("larg", ["small", "large"]) == " (did you mean 'large'?)"


def test_a_name_without_its_unit_finds_the_one_with_it() -> None:
    assert did_you_mean("ttl", ["enabled", "ttl_seconds"]) == " (did you mean 'ttl_seconds'?)"


def test_nothing_is_offered_when_nothing_is_near() -> None:
    assert did_you_mean("zebra", ["small", "large"]) == ""


# ── pydantic's own sentences ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", list_all_errors(), ids=lambda kind: kind["type"])
def test_no_sentence_of_pydantics_reaches_an_operator(kind: dict[str, Any]) -> None:
    """Also for kinds of error that no section has today: a new field may bring one."""
    error = failing(lambda _: _fail(kind))
    (misfit,) = misfits(error, Expanded({"odd": "x"}), Section)
    theirs = error.errors()[0]["msg"]
    assert misfit.problem.path.split(".")[0] == "odd"
    assert theirs.lower() not in str(misfit.problem).lower()
    assert "{" not in misfit.problem.problem
    assert not re.search(
        r"Input should|valid (string|integer|number)|pydantic|Value error", str(misfit.problem)
    )


def _fail(kind: dict[str, Any]) -> None:
    raise PydanticKnownError(kind["type"], kind["example_context"])


def test_a_sections_own_check_speaks_for_itself() -> None:
    (misfit,) = misfits(failing(_refuse), Expanded({"odd": "x"}), Section)
    assert str(misfit.problem) == "odd: needs a friend"


def _refuse(_: object) -> None:
    raise ValueError("needs a friend")


def failing(check: Callable[[object], object]) -> ValidationError:
    """What pydantic says when the check of a section's only field fails."""
    section = create_model("Odd", __base__=Section, odd=(Annotated[object, BeforeValidator(check)], ...))
    with pytest.raises(ValidationError) as caught:
        section.model_validate({"odd": "x"})
    return caught.value


@pytest.mark.parametrize("text", [".nan", ".inf", "1e999"])
def test_a_number_must_be_one(problems: Problems, text: str) -> None:
    """NaN passes every comparison that is written the wrong way round."""
    assert problems(f"limits: {{drain_s: {text}}}\n") != []
