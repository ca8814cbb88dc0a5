"""An entry of harness patterns says what is wrong with it, with its path."""

from __future__ import annotations

from typing import Any

import pytest

from router_extproc.conversation.entry import HarnessEntry


@pytest.mark.parametrize(
    ("entry", "path", "problem"),
    [
        ({}, "harness[0]", "one of tags, starts and asks"),
        ({"tags": ["abc"], "asks": ["task"]}, "harness[0]", "one of tags, starts and asks"),
        ({"tags": ["abc", "<abc>"]}, "harness[0].tags[1]", "without its angle brackets"),
        ({"asks": ["a b\n"]}, "harness[0].asks[0]", "without its angle brackets"),
        ({"tags": ["ab"]}, "harness[0].tags[0]", "name of a tag"),
        ({"starts": ["abc"]}, "harness[0].starts[0]", "4 to 200 characters"),
        ({"starts": [" abcd"]}, "harness[0].starts[0]", "start of a line"),
        ({"starts": ["ab\ncd"]}, "harness[0].starts[0]", "start of a line"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_path(entry: dict[str, Any], path: str, problem: str) -> None:
    (found,) = HarnessEntry.model_validate(entry).problems("harness[0]")
    assert found.path == path
    assert problem in found.problem


def test_a_right_entry_has_no_problem() -> None:
    entry = HarnessEntry(kind="crm", starts=("[crm] ",), line="Result:", until="[/crm]", beside="crm")
    assert list(entry.problems("harness[0]")) == []
