"""Which paths reach a pool: one spelling of each, no operator's path, and what `envoy.other_paths` lets pass.

Envoy compares paths as they are written, servers decode them first. So the connection manager normalises
every path before anything reads it, and `router.paths` refuses what could still be read in two ways.
Source: http_connection_manager.proto; rbac.proto.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from envoy_data_plane.envoy.config.rbac.v3 import (
    Permission,
    PermissionSet,
    Policy,
    Principal,
    Rbac,
    RbacAction,
)
from envoy_data_plane.envoy.config.route.v3 import HeaderMatcher
from envoy_data_plane.envoy.extensions.filters.http.rbac.v3 import Rbac as PathFilter
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    HttpConnectionManagerPathWithEscapedSlashesAction as EscapedSlashes,
)
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    HttpFilter,
)
from envoy_data_plane.envoy.type.matcher.v3 import (
    PathMatcher,
    RegexMatcher,
    StringMatcher,
)
from envoy_data_plane.google.protobuf import Any as Packed

from router_extproc.config.model import Config
from router_extproc.envoy_config.names import PATHS
from router_extproc.envoy_config.pool_paths import INFERENCE_WORDS, OPERATOR_PATHS
from router_extproc.envoy_config.read_paths import ReadPaths, read_paths

#: Policies of the filter. Envoy puts their names into the code details of a refusal, and its access log.
AMBIGUOUS: Final = "router_ambiguous_path"
OPERATOR: Final = "router_operator_path"
OTHER: Final = "router_other_path"
#: Begins the names of those that only count.
UNREAD: Final = "router_unread_"

#: What a client of the API needs beside inference.
CLIENT_PATHS: Final = ("/v1/models", "/v1/models/*")

#: After normalising: a path parameter, an escape that is cut short, and escapes that one server decodes and
#: another does not: control characters (Python's `$` matches before a line feed), `#`, `%` (decoded twice),
#: `;`, `?`, `/`, `\`.
AMBIGUOUS_PATH: Final = r"(?i).*(;|%([^0-9a-f]|[0-9a-f]?$|.[^0-9a-f]|[01].|2[35f]|3[bf]|5c|7f)).*"

#: Behind an inference path: a space, a dot, ... A letter makes it another path (`/v1/completions_v2`).
CUT_OFF: Final = "([^a-z0-9/_-].*)?"


def normalised() -> dict[str, Any]:  # Any: fields of the connection manager
    """How the connection manager spells paths before anything reads them."""
    return {
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": EscapedSlashes.UNESCAPE_AND_FORWARD,
    }


def path_filter(config: Config) -> HttpFilter:
    """Refuses before any other filter reads, and counts what passes unread."""
    rules = Rbac(action=RbacAction.DENY, policies=_refused(config))
    unread = Rbac(action=RbacAction.DENY, policies=_unread(config))
    both = PathFilter(
        rules=rules,
        rules_stat_prefix="router",
        shadow_rules=unread,
        shadow_rules_stat_prefix="router_unread",
        track_per_rule_stats=True,
    )
    return HttpFilter(name=PATHS, typed_config=Packed.pack(both))


def _refused(config: Config) -> dict[str, Policy]:
    rules = {AMBIGUOUS: _policy(_any(_ambiguous(config)))}
    if config.envoy.other_paths == "pass":
        return rules | {OPERATOR: _policy(_any(_operator()))}
    return rules | {OTHER: _policy(Permission(not_rule=_any(_allowed(config))))}


def _ambiguous(config: Config) -> list[Permission]:
    """What no path may have, and what only looks like an inference path."""
    return [_odd(), *(_looks_like(read) for read in _of_dialects(config))]


def _odd() -> Permission:
    return _path(StringMatcher(safe_regex=RegexMatcher(regex=AMBIGUOUS_PATH)))


def _of_dialects(config: Config) -> list[ReadPaths]:
    return [read for read in read_paths(config.envoy.path_prefixes) if read.falls_back]


def _looks_like(read: ReadPaths) -> Permission:
    """The path in other letters, or with something behind it that a server may cut off."""
    alike = f"(?i){read.pattern.regex}{CUT_OFF}"
    return _all(
        [
            _path(StringMatcher(safe_regex=RegexMatcher(regex=alike))),
            Permission(not_rule=_read(read)),
        ]
    )


def _operator() -> list[Permission]:
    beginnings = [path for _, paths in OPERATOR_PATHS for path in paths]
    return [_path(StringMatcher(prefix=path, ignore_case=True)) for path in beginnings]


def _allowed(config: Config) -> list[Permission]:
    """Inference paths, and those that the operator lists."""
    return [*map(_read, _of_dialects(config)), *_others(config)]


def _others(config: Config) -> list[Permission]:
    other = config.envoy.other_paths
    listed = CLIENT_PATHS if isinstance(other, str) else other
    if isinstance(other, str):
        listed = tuple(prefix + path for prefix in ("", *config.envoy.path_prefixes) for path in listed)
    return list(map(_listed, listed))


def _listed(path: str) -> Permission:
    if path.endswith("/*"):
        return _path(StringMatcher(prefix=path.removesuffix("*")))
    return _path(StringMatcher(exact=path))


def _unread(config: Config) -> dict[str, Policy]:
    """POST to what asks a model, is not read by us, and is not refused either: by what its path holds.

    Envoy counts a path for the first of these names that takes it.
    """
    odd = Permission(not_rule=_odd())
    listed = [] if config.envoy.other_paths == "pass" else [_any(_others(config))]
    found: dict[str, Policy] = {}
    for name, word in INFERENCE_WORDS.items():
        read = [rule for each in _reads_with(word, config) for rule in _read_or_alike(each)]
        seen = _path(StringMatcher(contains=word, ignore_case=True))
        found[UNREAD + name] = _policy(_all([_post(), seen, odd, *read, *listed]))
    return found


def _reads_with(word: str, config: Config) -> Iterator[ReadPaths]:
    """What is read and may have the word in its path: the rest need not be compared."""
    prefixes = ("", *config.envoy.path_prefixes)
    for read in read_paths(config.envoy.path_prefixes):
        # A deployment may have any name.
        if read.base or any(word in (prefix + path).lower() for prefix in prefixes for path in read.paths):
            yield read


def _read_or_alike(read: ReadPaths) -> list[Permission]:
    rules = [_read(read), _looks_like(read)] if read.falls_back else [_read(read)]
    return [Permission(not_rule=rule) for rule in rules]


def _read(read: ReadPaths) -> Permission:
    return _path(StringMatcher(safe_regex=read.pattern))


def _post() -> Permission:
    return Permission(header=HeaderMatcher(name=":method", string_match=StringMatcher(exact="POST")))


def _path(matcher: StringMatcher) -> Permission:
    return Permission(url_path=PathMatcher(path=matcher))


def _any(rules: Iterable[Permission]) -> Permission:
    return Permission(or_rules=PermissionSet(rules=list(rules)))


def _all(rules: Iterable[Permission]) -> Permission:
    return Permission(and_rules=PermissionSet(rules=list(rules)))


def _policy(permission: Permission) -> Policy:
    return Policy(permissions=[permission], principals=[Principal(any=True)])
