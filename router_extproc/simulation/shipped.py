"""The scenarios that come with the package, and where a scenario is by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from router_extproc.errors import ConfigError
from router_extproc.section import did_you_mean

_FOLDER: Final = Path(__file__).parent / "scenarios"
SHIPPED: Final = tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


def find_scenario(name: str) -> Path:
    """The file of a shipped scenario, or of one of the user's own.

    Raises:
        ConfigError: there is neither.
    """
    if name in SHIPPED:
        return _FOLDER / f"{name}.yaml"
    path = Path(name)
    if path.is_file():
        return path
    hint = did_you_mean(name, SHIPPED)
    raise ConfigError("SCENARIO", f"no file and no shipped scenario '{name}'{hint}: {', '.join(SHIPPED)}")
