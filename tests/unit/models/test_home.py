"""Where this user's models are."""

from __future__ import annotations

from pathlib import Path

from router_extproc.models.onnx.home import HOME_VARIABLE, home, models_folder


def test_variable_names_the_home() -> None:
    assert home({HOME_VARIABLE: "/srv/models"}) == Path("/srv/models")


def test_empty_variable_counts_as_none() -> None:
    assert home({HOME_VARIABLE: ""}) == Path.home() / ".cache" / "router-extproc"


def test_models_are_below_the_home() -> None:
    assert models_folder(Path("/srv")) == Path("/srv/models")
