"""Recorded requests: rows of every form, and HTTP archives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any  # JSON

import pytest

from router_extproc.cli.recorded import PATH, Recorded, read_archive, read_recorded
from router_extproc.config.model import Config
from router_extproc.errors import ConfigError, ConfigProblems

CONFIG = Config.model_validate({"version": 1, "default_model": "m", "models": {"m": {"cluster": "c"}}})
MESSAGES = [{"role": "user", "content": "Hi"}]


def rows(tmp_path: Path, *lines: object) -> list[Recorded]:
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines))
    return read_recorded(file, CONFIG)


def archive(tmp_path: Path, request: object) -> Path:
    file = tmp_path / "recorded.har"
    file.write_text(json.dumps({"log": {"entries": [{"request": request}]}}))
    return file


def har_request(**members: Any) -> dict[str, Any]:
    return {
        "method": "POST",
        "url": "https://api.example/v1/chat/completions?api-version=1",
        "headers": [{"name": "X-Tier", "value": "gold"}, {"name": ":method", "value": "POST"}],
        "postData": {"mimeType": "application/json", "text": '{"model": "auto"}'},
        **members,
    }


def test_a_prompt_becomes_a_request_to_be_routed(tmp_path: Path) -> None:
    (one,) = rows(tmp_path, {"text": "Hi"})
    assert json.loads(one.body) == {"model": "auto", "messages": MESSAGES}
    assert (one.line, one.path, one.headers) == (1, PATH, ())


def test_messages_are_a_conversation(tmp_path: Path) -> None:
    (one,) = rows(tmp_path, {"messages": MESSAGES, "headers": {"X-Tier": "gold"}})
    assert json.loads(one.body)["messages"] == MESSAGES
    assert one.headers == (("x-tier", "gold"),)


def test_a_whole_body_is_taken_as_it_is(tmp_path: Path) -> None:
    (one,) = rows(tmp_path, {"request": {"model": "large", "messages": MESSAGES}, "path": "/v2"})
    assert json.loads(one.body)["model"] == "large"
    assert one.path == "/v2"


@pytest.mark.parametrize("row", [{}, {"text": 3}, {"messages": "Hi"}, {"request": []}])
def test_a_row_that_asks_nothing_is_named_with_its_line(tmp_path: Path, row: object) -> None:
    with pytest.raises(ConfigProblems, match=r"rows\.jsonl:2: needs text"):
        rows(tmp_path, {"text": "Hi"}, row)


@pytest.mark.parametrize(
    "row",
    [
        '{"text": "\\ud83d"}',
        '{"text": "Hi", "headers": {"x-tier": "\\ud83d"}}',
        '{"text": "Hi", "path": "/\\ud83d"}',
        '{"request": ' + '{"a": ' * 400 + "1" + "}" * 401,
    ],
)
def test_a_row_that_no_client_can_send_is_named_with_its_line(tmp_path: Path, row: str) -> None:
    """JSON may spell half of a surrogate pair; a request cannot hold it."""
    path = tmp_path / "rows.jsonl"
    path.write_text(row)
    with pytest.raises(ConfigProblems, match=r"rows\.jsonl:1: has text that is no Unicode"):
        read_recorded(path, CONFIG)


@pytest.mark.parametrize("more", [{"path": 3}, {"headers": []}])
def test_a_row_with_a_broken_path_or_headers_is_refused(tmp_path: Path, more: dict[str, Any]) -> None:
    with pytest.raises(ConfigProblems, match="path must be text, and headers an object"):
        rows(tmp_path, {"text": "Hi", **more})


def test_an_archive_keeps_path_headers_and_body(tmp_path: Path) -> None:
    one = read_archive(archive(tmp_path, har_request()), 1)
    assert one.path == "/v1/chat/completions?api-version=1"
    assert one.headers == (("x-tier", "gold"),)
    assert one.body == b'{"model": "auto"}'


def test_an_archive_may_hold_a_header_value_that_is_a_number(tmp_path: Path) -> None:
    """Some recorders write `content-length` so."""
    one = read_archive(archive(tmp_path, har_request(headers=[{"name": "X-Tier", "value": 7}])), 1)
    assert one.headers == (("x-tier", "7"),)


@pytest.mark.parametrize(
    "request_",
    [har_request(postData=None), har_request(postData={"text": {}}), har_request(headers=3), "GET /"],
)
def test_an_archive_without_a_body_is_refused(tmp_path: Path, request_: object) -> None:
    with pytest.raises(ConfigError, match="has no request with a body as entry 1"):
        read_archive(archive(tmp_path, request_), 1)


def test_a_missing_entry_and_a_missing_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="as entry 2"):
        read_archive(archive(tmp_path, har_request()), 2)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_archive(tmp_path / "nothing.har", 1)
