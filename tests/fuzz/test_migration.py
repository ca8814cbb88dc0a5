"""Any damage to another router's file: it becomes a valid configuration, or is refused with its problems."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from router_extproc.config.document import dump, load
from router_extproc.config.examine import examine
from router_extproc.errors import ConfigProblems
from router_extproc.migration.vllm_sr import migrate

SAMPLES = Path(__file__).parents[1] / "samples" / "vllm_sr"
FILES = ["categories.yaml", "flat.yaml", "signals.yaml", "routing.yaml", "recipes.yaml"]
DOCUMENTS = {file: load((SAMPLES / file).read_text(encoding="utf-8"), file).value for file in FILES}

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=True),
    st.sampled_from(
        ["", "x", "${X}", "a: b", "../..", "\x85", "32K", "KK", "http://[", "é" * 300, "all", "default"]
    ),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


def damage(document: Any, path: list[int], value: object) -> Any:
    """A copy with another value at the place that the numbers lead to."""
    made = copy.deepcopy(document)
    here = made
    for number in path:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        key = keys[number % len(keys)]
        inner = here[key]
        if number == path[-1] or not isinstance(inner, dict | list) or not inner:
            here[key] = value
            return made
        here = inner
    return made


@pytest.mark.parametrize("file", FILES)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(path=st.lists(st.integers(0, 40), min_size=1, max_size=7), value=VALUES)
def test_a_damaged_file_is_moved_in_or_refused(
    file: str, path: list[int], value: object, tmp_path: Path
) -> None:
    old, new = tmp_path / "old.yaml", tmp_path / "router.yaml"
    old.write_text(dump(damage(DOCUMENTS[file], path, value)), encoding="utf-8")
    try:
        migration = migrate(old)
    except ConfigProblems:
        return
    new.write_text(migration.text, encoding="utf-8")
    assert examine(new, environ={"MILVUS_PASSWORD": "x"}).errors == ()
