"""Old conditions as `when` trees, with what cannot be asked folded away."""

from __future__ import annotations

from typing import Any

import pytest

from router_extproc.config.document import Document
from router_extproc.migration.old_file import Ledger, OldSection
from router_extproc.migration.vllm_sr.conditions import all_of, any_of, none_of, read_conditions
from router_extproc.migration.vllm_sr.draft import When

A: When = {"a": True}
B: When = {"b": True}
TESTS = {("keyword", "a"): A, ("domain", "b"): B, ("pii", "never"): False}


def leaf(kind: str, name: str) -> dict[str, Any]:
    return {"type": kind, "name": name}


def tree(operator: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"operator": operator, "conditions": list(parts)}


KEYWORD, DOMAIN, LOST = leaf("keyword", "a"), leaf("domain", "b"), leaf("kb", "x")


def read(node: dict[str, Any]) -> tuple[When, list[str]]:
    """The tree, and the paths of what was lost."""
    ledger = Ledger(Document(node), "old.yaml", {})
    return read_conditions(OldSection(node, "rules", ledger), TESTS), [
        item.path for item in ledger.not_carried
    ]


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (KEYWORD, A),
        (tree("AND", KEYWORD), A),
        (tree("and", KEYWORD, DOMAIN), {"all": [A, B]}),
        (tree("OR", KEYWORD, DOMAIN), {"any": [A, B]}),
        (tree("NOT", KEYWORD), {"not": A}),
        (
            tree("AND", tree("OR", KEYWORD, DOMAIN), tree("NOT", DOMAIN)),
            {"all": [{"any": [A, B]}, {"not": B}]},
        ),
        (tree("AND"), True),
        ({}, True),
        (tree("OR"), False),
    ],
)
def test_operators_become_words_of_rules(node: dict[str, Any], expected: When) -> None:
    assert read(node) == (expected, [])


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (tree("AND", KEYWORD, LOST), False),
        (tree("OR", KEYWORD, LOST), A),
        (tree("AND", KEYWORD, tree("NOT", LOST)), A),
        (tree("NOT", tree("AND", LOST, KEYWORD)), True),
    ],
)
def test_what_cannot_be_asked_never_holds_and_is_noted(node: dict[str, Any], expected: When) -> None:
    found, lost = read(node)
    assert found == expected
    assert len(lost) == 1


def test_a_not_of_two_conditions_never_matches_as_before() -> None:
    assert read(tree("NOT", KEYWORD, DOMAIN)) == (False, ["rules"])


def test_folding_knows_the_empty_cases() -> None:
    assert (all_of([]), any_of([]), none_of(True), none_of(A)) == (True, False, False, {"not": A})
