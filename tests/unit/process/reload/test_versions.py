"""Versions are numbered, kept for a while, and come back under a new number."""

from __future__ import annotations

from router_extproc.config.model import Config
from router_extproc.config.reload import Readable
from router_extproc.process.reload.versions import VERSIONS_MAX, PolicyVersion, VersionHistory


def config(default: str = "a") -> Config:
    models = {"a": {"cluster": "a"}, "b": {"cluster": "b"}}
    return Config.model_validate({"version": 1, "default_model": default, "models": models})


def history(*more: str) -> VersionHistory:
    versions = VersionHistory(PolicyVersion(1, config(), "start", 0.0))
    for default in more:
        versions.put_in_force(versions.next(Readable(config(default)), "file", 0.0))
    return versions


def test_the_first_version_has_nothing_to_go_back_to() -> None:
    assert history().back_to(None, 0.0) is None


def test_going_back_is_a_new_version_that_says_whose_content_it_is() -> None:
    versions = history("b")
    back = versions.back_to(None, 5.0)
    assert back is not None
    assert (back.number, back.content_of, back.config, back.cause) == (3, 1, config(), "rollback")


def test_going_back_twice_returns_to_where_one_was() -> None:
    versions = history("b")
    for number, content_of, default in ((3, 1, "a"), (4, 2, "b"), (5, 1, "a")):
        back = versions.back_to(None, 0.0)
        assert back is not None
        assert (back.number, back.content_of, back.config.default_model) == (number, content_of, default)
        versions.put_in_force(back)


def test_a_version_may_be_named() -> None:
    back = history("b", "b", "b").back_to(1, 0.0)
    assert back is not None
    assert back.content_of == 1


def test_only_the_latest_versions_are_kept() -> None:
    """Each holds a whole configuration."""
    versions = history(*["b"] * VERSIONS_MAX)
    assert len(versions.shown()) == VERSIONS_MAX
    assert versions.back_to(1, 0.0) is None
    assert versions.in_force.number == VERSIONS_MAX + 1


def test_the_version_in_force_is_nothing_to_go_back_to() -> None:
    assert history("b").back_to(2, 0.0) is None
