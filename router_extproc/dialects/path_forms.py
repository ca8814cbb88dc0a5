"""Paths under a prefix, as gateways and Azure have them: one reading for Envoy's routes and for the server.

`/openai/deployments/NAME/chat/completions` is Azure's form of `/v1/chat/completions`; it names the model.
Source: Azure OpenAI REST API reference; the openai package, lib/azure.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

#: The prefix under which Azure's form is read, too.
AZURE_PREFIX: Final = "/openai"
#: In front of what follows `/v1` elsewhere; a pattern of RE2 and of Python.
DEPLOYMENT: Final = f"{AZURE_PREFIX}/deployments/[^/]+"
#: What Azure's form leaves out.
VERSION: Final = "/v1"

_DEPLOYED: Final = re.compile(rf"{AZURE_PREFIX}/deployments/([^/?]+)(/.*)", re.DOTALL).fullmatch


@dataclass(frozen=True, slots=True)
class PlainPath:
    """A path as a pool reads it."""

    path: str
    #: The model that the path names; "": it names none.
    model: str = ""


@dataclass(frozen=True, slots=True)
class PathForms:
    """The forms in which paths are read beside their plain one."""

    prefixes: tuple[str, ...] = ()

    def plain(self, path: str) -> PlainPath:
        """The path without its prefix, its query kept."""
        deployed = _DEPLOYED(path) if AZURE_PREFIX in self.prefixes else None
        if deployed is not None:
            return PlainPath(VERSION + deployed[2], unquote(deployed[1]))
        for prefix in self.prefixes:
            if path.startswith(f"{prefix}/"):
                return PlainPath(path.removeprefix(prefix))
        return PlainPath(path)


#: Where nothing stands in front.
PLAIN_ONLY: Final = PathForms()
