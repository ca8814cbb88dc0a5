"""`conversation`: what is wrong with it is told, and what is right reaches the reader of asks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from router_extproc.config.read import read_config
from router_extproc.config.translate import router_policy_of
from router_extproc.testing.subjects import subject_of

SMALLEST = "version: 1\ndefault_model: a\nmodels: {a: {cluster: c}}\n"


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("{harness: [{kind: crm}]}", "conversation.harness[0]: write one of tags, starts and asks"),
        (
            "{harness: [{tags: [ok-tag]}, {starts: [abc]}]}",
            "conversation.harness[1].starts[0]: must be 4 to 200",
        ),
        ("{earlier_turns_max: 4}", "conversation.earlier_turns_max: must be <= 3"),
        ("{harnes: []}", "conversation.harnes: unknown key (did you mean 'harness'?)"),
    ],
)
def test_a_wrong_section_is_told(section: str, expected: str, problems: Callable[[str], list[str]]) -> None:
    assert any(found.startswith(expected) for found in problems(f"conversation: {section}\n"))


def test_patterns_of_the_configuration_are_read(tmp_path: Path) -> None:
    file = tmp_path / "router.yaml"
    file.write_text(
        f"{SMALLEST}conversation: {{earlier_turns_max: 0, harness: [{{kind: crm, tags: [crm]}}]}}\n"
    )
    reader = router_policy_of(read_config(file)).ask_reader
    ask = reader.read(subject_of("<crm>\nMr. X\n</crm>\nWhy?").request)
    assert (ask.text, reader.earlier_turns_max) == ("Why?", 0)
