"""What the supervisor and a worker say about a reload survives the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_extproc.config.model import Config
from router_extproc.errors import ConfigError, Mark
from router_extproc.process.reload.messages import (
    Abandon,
    Adopt,
    Answer,
    Ask,
    Commit,
    Message,
    Prepare,
    Prepared,
    read,
    read_version,
    write,
    write_version,
)
from router_extproc.process.reload.versions import PolicyVersion

SECRET = "correct-horse-battery-staple"
VERSION = PolicyVersion(
    7,
    Config.model_validate(
        {
            "version": 1,
            "default_model": "a",
            "models": {"a": {"cluster": "a"}},
            "admin": {"token": SECRET},
        }
    ),
    "rollback",
    12.5,
    content_of=3,
)


@pytest.mark.parametrize(
    "message",
    [
        Prepare(VERSION),
        Prepare(replace(VERSION, shadow=VERSION.config)),
        Adopt(VERSION),
        Prepared(7),
        Commit(7),
        Abandon(7),
        Ask(2, "rollback", 3),
        Ask(1, "state"),
        Answer(2, {"result": "refused", "problems": []}),
    ],
)
def test_a_message_is_read_as_it_was_written(message: Message) -> None:
    assert read(write(message)) == message


def test_a_problem_keeps_its_path_and_its_place() -> None:
    problem = ConfigError("models.a", "is wrong", mark=Mark("router.yaml", 3, 5))
    told = read(write(Prepared(1, (problem, ConfigError("", "of no file")))))
    assert isinstance(told, Prepared)
    assert [each.located() for each in told.problems] == ["router.yaml:3: models.a: is wrong", "of no file"]


def test_a_starting_worker_gets_the_version_with_its_secrets_and_its_number() -> None:
    received = read_version(write_version(VERSION))
    assert received == VERSION
    assert received.config.admin.token == SECRET


@pytest.mark.parametrize("text", [b"[]", b"{}", b'{"kind": "perish"}', b"not JSON"])
def test_anything_else_is_no_message(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whichever
        read(text)


def test_a_version_shows_no_secret() -> None:
    assert SECRET not in repr(VERSION)
    assert SECRET not in str(VERSION.shown())
