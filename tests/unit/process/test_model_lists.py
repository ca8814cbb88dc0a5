"""What is understood of a pool's list of models."""

from __future__ import annotations

import json

import pytest

from router_extproc.llm.listed_model import ListedModel
from router_extproc.process.model_lists import read_list


def test_names_and_windows_are_read_and_what_is_no_model_is_left_out() -> None:
    body = b"""{"object": "list", "data": [{"id": "org/a", "max_model_len": 4096}, {"id": "b"}, 7, {"id": 1},
        {"id": "c", "max_model_len": "long"}, {"id": "d", "max_model_len": true},
        {"id": "e", "max_model_len": -1}]}"""
    assert list(read_list(body)) == [ListedModel("org/a", 4096), *(ListedModel(name) for name in "bcde")]


@pytest.mark.parametrize("body", [b"{}", b"[]", b"null", b'{"data": {}}', b'{"data": null}'])
def test_what_is_no_list_has_no_models(body: bytes) -> None:
    assert list(read_list(body)) == []


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff"])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises((json.JSONDecodeError, UnicodeDecodeError)):
        list(read_list(body))
