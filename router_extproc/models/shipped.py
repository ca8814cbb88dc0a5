"""The heads that come with the package: their names and labels, for checks and hints.

Read from the manifests; no model is opened. A user's own head is known only once it is opened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources


@cache
def shipped_labels() -> Mapping[str, tuple[str, ...]]:
    """Labels by the head's name."""
    folder = resources.files("router_extproc.models").joinpath("artifacts")
    heads = (head for head in folder.iterdir() if head.is_dir()) if folder.is_dir() else ()
    manifests = {head.name: head.joinpath("manifest.json") for head in heads}
    read = {name: json.loads(file.read_text("utf-8")) for name, file in manifests.items() if file.is_file()}
    return {name: tuple(manifest["labels"]) for name, manifest in read.items() if "labels" in manifest}


def is_shipped_name(model: str) -> bool:
    """True when an intent signal's `model` means a shipped head, and not a folder."""
    return "/" not in model
