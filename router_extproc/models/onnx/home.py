"""Where models that were built or fetched on this machine are kept: each in a folder with a manifest.

Shipped heads are inside the package (`router_extproc/models/artifacts`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from router_extproc.errors import ConfigError

#: The encoder that `models build` makes. Names model, precision and recipe: change the number whenever
#: the vectors change.
IDENTITY = "all-MiniLM-L6-v2-int8-1"
#: How the graphs are written. Change the number whenever they run otherwise and give the same: an earlier
#: version on this machine goes on with its own, and what the cache holds is found all the same.
GRAPHS = "graphs2"
#: The files of an encoder's folder.
MODEL_NAME = "model.onnx"
TOKENIZER_NAME = "tokenizer.json"
#: Names the folder that replaces the default one.
HOME_VARIABLE = "ROUTER_EXTPROC_HOME"
#: Builds them all.
BUILD_COMMAND = "router-extproc models build"


def home(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of this user's models: $ROUTER_EXTPROC_HOME, else ~/.cache/router-extproc."""
    chosen = environ.get(HOME_VARIABLE)
    return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "router-extproc"


def models_folder(root: Path) -> Path:
    """The folder below `root` that holds one folder for each model."""
    return root / "models"


def built_name(identity: str) -> str:
    """The name of the folder with the built graphs of an encoder, of task layers or of a verifier."""
    return f"{identity}-{GRAPHS}"


def not_built(model: str, folder: Path, *, where: str) -> ConfigError:
    """The error of a model that `models build` would have put into the folder."""
    return ConfigError(where, f"{model} not been built ({folder} is missing): run `{BUILD_COMMAND}`")


def pulled_name(repo: str, revision: str = "main") -> str:
    """The name of a pulled encoder's folder."""
    flat = repo.replace("/", "--")
    return flat if revision == "main" else f"{flat}@{revision.replace('/', '--')}"
