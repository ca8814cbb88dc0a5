"""Checks of what `serve` opens: it would refuse to start, and says so before anything is opened.

Looks whether files are there and opens none. `read_config` leaves this out, because Envoy's configuration
may be rendered on a machine without models.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from router_extproc.config.check_selections import check_selection_files, own_signals
from router_extproc.config.model import Config
from router_extproc.errors import ConfigError
from router_extproc.models.shipped import shipped_labels
from router_extproc.signals.base import SignalSettings
from router_extproc.signals.context_length import ContextLengthSettings

#: In an encoder's folder.
ENCODER_FILE: Final = "model.onnx"
#: In a trained head's folder.
HEAD_FILE: Final = "manifest.json"
#: Signals that read the built-in encoder's task layers.
_OF_TASK_LAYERS: Final = frozenset({"complexity", "guard", "pii"})


def check_serving(config: Config) -> Iterator[ConfigError]:
    """Every problem that a start would end with."""
    if config.encoder.path is not None:
        yield from _check_folder("encoder.path", config.encoder.path, ENCODER_FILE)
    for key, model in config.models.items():
        yield from _check_file(f"models.{key}.tokenizer", model.tokenizer)
    for name, signal in config.signals.items():
        path = f"signals.{name}"
        if isinstance(signal, ContextLengthSettings):
            yield from _check_file(f"{path}.tokenizer", signal.tokenizer)
        yield from _check_head(path, signal)
        yield from _check_encoder_of(path, signal, config)
    for index, decision in enumerate(config.decisions):
        yield from check_selection_files(f"decisions[{index}]", decision, config)
    for signal in own_signals(config).values():
        yield from _check_encoder_of("decisions[].selection", signal, config)


def _check_file(path: str, file: str | None) -> Iterator[ConfigError]:
    if file is not None and not Path(file).is_file():
        yield ConfigError(path, f"no file '{file}'")


def _check_folder(path: str, folder: str, file: str) -> Iterator[ConfigError]:
    if not Path(folder).is_dir():
        yield ConfigError(path, f"no folder '{folder}'")
    elif not (Path(folder) / file).is_file():
        yield ConfigError(path, f"the folder '{folder}' has no {file}")


def _check_head(path: str, signal: SignalSettings) -> Iterator[ConfigError]:
    """A trained head in a folder; a shipped one is always there."""
    for field in signal.path_fields:
        named = getattr(signal, field)  # a field of the section, by its declared name
        if named is not None and "/" in named:
            yield from _check_folder(f"{path}.{field}", named, HEAD_FILE)


def _check_encoder_of(path: str, signal: SignalSettings, config: Config) -> Iterator[ConfigError]:
    """Shipped heads read the task layers, which only the built-in encoder without a prefix has."""
    other = _other_encoder(config)
    if other is None or not signal.needs_encoder:
        return
    model = signal.model_dump().get("model")
    if signal.type in _OF_TASK_LAYERS or model in shipped_labels():
        yield ConfigError(path, f"needs the built-in encoder, which {other} replaces")


def _other_encoder(config: Config) -> str | None:
    encoder = config.encoder
    given = {"path": encoder.path, "repo": encoder.repo, "prefix": encoder.prefix}
    return next((f"encoder.{key}" for key, value in given.items() if value), None)
