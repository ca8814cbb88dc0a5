"""Edits: which paths there can be."""

from __future__ import annotations

import pytest

from router_extproc.llm.edits import Path, Remove, Set


@pytest.mark.parametrize("path", [(), ("",), ("a b",), ('a"',), (".a",), ("é",), ("a", -1), ("a\n",)])
def test_path_of_other_steps_than_names_and_places_is_refused(path: Path) -> None:
    """The editor finds names without reading strings, which only these names allow."""
    with pytest.raises(ValueError, match="not a path"):
        Remove(path)


@pytest.mark.parametrize("path", [("model",), ("messages", 0, "content"), ("x-y.z", "0")])
def test_path_leads_through_names_and_places(path: Path) -> None:
    assert Set(path, 1).path == path
