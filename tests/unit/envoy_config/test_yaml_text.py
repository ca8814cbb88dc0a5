from __future__ import annotations

import pytest
import yaml

from router_extproc.envoy_config.yaml_text import reason_of, write_yaml

TREE = {
    "name": "it's",
    "list": [{"name": "first", "size": 1}, {"size": 2.5, "on": True}, "plain", "1.2.3.4"],
    "empty": {},
    "nested": {"deep": {"text": 'say "hi"', "yes": "no", "line": "a\nb", "time": "0.200s", "none": []}},
}


def test_readers_get_back_what_was_written() -> None:
    assert yaml.safe_load(write_yaml(TREE, head="Head.", reasons={"size": "Because."})) == TREE


@pytest.mark.parametrize(
    "text", ["yes", "No", "on", "null", "1", "1e3", "", "a: b", "# x", "~", "0x1", "- a", "@x"]
)
def test_a_string_stays_a_string(text: str) -> None:
    """YAML 1.1 readers take many bare words for something else."""
    assert yaml.safe_load(write_yaml({"key": text}, head="", reasons={})) == {"key": text}


def test_a_reason_stands_above_its_key() -> None:
    lines = write_yaml({"limit": 5}, head="Head.", reasons={"limit": "Five fit."}).splitlines()
    assert lines == ["# Head.", "", "# Five fit.", "limit: 5"]


def test_a_reason_is_given_once() -> None:
    text = write_yaml({"a": {"limit": 5}, "b": {"limit": 5}}, head="", reasons={"limit": "Five fit."})
    assert text.count("Five fit.") == 1


def test_list_items_are_told_apart_by_name() -> None:
    tree = {"list": [{"name": "x", "limit": 1}, {"name": "y", "limit": 2}]}
    text = write_yaml(tree, head="", reasons={"y.limit": "Of y."})
    assert text.splitlines()[-2:] == ["  # Of y.", "  limit: 2"]


def test_the_reason_of_a_first_key_stands_above_its_dash() -> None:
    text = write_yaml({"list": [{"limit": 1}]}, head="", reasons={"limit": "One."})
    assert text.splitlines()[-2:] == ["  # One.", "- limit: 1"]


def test_the_longest_fitting_key_wins() -> None:
    reasons = {"c": "short", "b.c": "long"}
    assert reason_of(("a", "b", "c"), reasons) == "long"
    assert reason_of(("a", "x", "c"), reasons) == "short"
    assert reason_of(("a",), reasons) is None


def test_long_reasons_are_wrapped_at_their_indent() -> None:
    text = write_yaml({"a": {"b": 1}}, head="", reasons={"b": "word " * 40})
    assert max(map(len, text.splitlines())) <= 100
    assert all(line.startswith("  #") for line in text.splitlines()[3:-1])
