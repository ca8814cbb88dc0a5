"""The paths whose requests the server reads, as patterns for Envoy's routes and its filter of paths."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from envoy_data_plane.envoy.type.matcher.v3 import RegexMatchAndSubstitute, RegexMatcher

from router_extproc.dialects import DIALECTS
from router_extproc.dialects.endpoints import inference_endpoints
from router_extproc.dialects.path_forms import AZURE_PREFIX, DEPLOYMENT, VERSION
from router_extproc.dialects.routed import ROUTED_APIS
from router_extproc.dialects.routed.base import RendersErrors
from router_extproc.errors import RequestError

#: The list of models, and each of them.
MODEL_LIST_PATH: Final = r"/v1/models(/.*)?"

#: Envoy refuses a pattern whose RE2 program is longer than 100; that has about as many steps as characters.
PATTERN_CHARS_MAX: Final = 80

#: By which one form of errors is told from another.
OPENAI: Final = DIALECTS["openai_chat"]
_ANY_ERROR: Final = RequestError("")

#: A slash at the end names the same thing; Envoy has merged several of them into one.
FINAL_SLASH: Final = "/?"


@dataclass(frozen=True, slots=True)
class ReadPaths:
    """Paths whose requests the server reads, and whose errors have one form."""

    #: For the names of routes.
    name: str
    paths: tuple[str, ...]
    #: Whose error objects clients of these paths read.
    errors: RendersErrors
    #: Any model may answer what was not decided.
    falls_back: bool = False
    #: A pattern of what stands in front of each.
    before: str = ""
    #: What a pool gets in its place.
    base: str = ""

    @property
    def pattern(self) -> RegexMatcher:
        """All of them, each with a slash at its end or without."""
        return RegexMatcher(regex=self.before + _pattern(self.paths))

    @property
    def rewrite(self) -> RegexMatchAndSubstitute:
        """What a pool gets when the server has not said it."""
        if not self.before:
            return without_final_slash()
        plain = RegexMatcher(regex=f"^{self.before}(/.*?)/?$")
        return RegexMatchAndSubstitute(pattern=plain, substitution=rf"{self.base}\1")


def read_paths(prefixes: Sequence[str] = ()) -> tuple[ReadPaths, ...]:
    """Every path that is read: those of dialects one by one, those that are only routed in few patterns.

    prefixes: of `envoy.path_prefixes`.
    """
    before = prefix_pattern(prefixes)
    inference = [
        ReadPaths(endpoint.path, (endpoint.path,), dialect, falls_back=True, before=before)
        for dialect in DIALECTS.values()
        for endpoint in inference_endpoints(dialect)
    ]
    plain = (*inference, *_by_name(before))
    return (*plain, *_deployed(plain)) if AZURE_PREFIX in prefixes else plain


def prefix_pattern(prefixes: Sequence[str]) -> str:
    """One of the prefixes, or none."""
    return f"(?:{'|'.join(map(re.escape, prefixes))})?" if prefixes else ""


def _deployed(plain: Iterable[ReadPaths]) -> Iterator[ReadPaths]:
    """The same in Azure's form, each by itself: Azure has OpenAI's APIs only."""
    for read in plain:
        for path in read.paths:
            if read.errors.render_error(_ANY_ERROR) == OPENAI.render_error(_ANY_ERROR) and _versioned(path):
                rest = path.removeprefix(VERSION)
                yield replace(read, name=f"deployed {path}", paths=(rest,), before=DEPLOYMENT, base=VERSION)


def _versioned(path: str) -> bool:
    return path.startswith(f"{VERSION}/")


def _by_name(before: str) -> Iterator[ReadPaths]:
    """The paths of routed APIs, by the form of their errors and no longer than Envoy takes."""
    groups: list[tuple[RendersErrors, list[str]]] = []
    longest = PATTERN_CHARS_MAX - len(before)
    for api in ROUTED_APIS.values():
        for path in api.paths:
            fitting = (
                paths
                for errors, paths in groups
                if errors is api.errors and len(_pattern((*paths, path))) <= longest
            )
            group = next(fitting, None)
            if group is None:
                groups.append((api.errors, [path]))
            else:
                group.append(path)
    for number, (errors, paths) in enumerate(groups, 1):
        yield ReadPaths(f"by name {number}", tuple(paths), errors, before=before)


def _pattern(paths: Sequence[str]) -> str:
    alternatives = "|".join(map(re.escape, paths))
    return (f"({alternatives})" if len(paths) > 1 else alternatives) + FINAL_SLASH


def without_final_slash() -> RegexMatchAndSubstitute:
    """What a pool gets: it would redirect the client instead of answering."""
    return RegexMatchAndSubstitute(pattern=RegexMatcher(regex="/$"), substitution="")
