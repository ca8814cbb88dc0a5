"""How models are told to reason, family by family."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from router_extproc.llm.answer import JsonValue
from router_extproc.routing.reasoning import reasoning_members


@pytest.mark.parametrize(
    ("family", "wanted", "members"),
    [
        ("qwen3", True, {"chat_template_kwargs": {"enable_thinking": True}}),
        ("deepseek", False, {"chat_template_kwargs": {"thinking": False}}),
        ("gpt_oss", True, {"reasoning_effort": "high"}),
        ("gpt_oss", False, {"reasoning_effort": "low"}),
        ("other", True, {}),
        (None, True, {}),
        ("qwen3", None, {}),
    ],
)
def test_each_family_has_its_own_members(
    family: str | None,
    wanted: bool | None,  # noqa: FBT001 - a case
    members: Mapping[str, JsonValue],
) -> None:
    assert reasoning_members(family, wanted) == members
