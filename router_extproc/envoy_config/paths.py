"""Which paths reach a pool: one spelling of each, no operator's path, and what `envoy.other_paths` lets pass.

Envoy compares paths as they are written, servers decode them first. So the connection manager normalises
every path before anything reads it, and `router.paths` refuses what could still be read in two ways.
Source: http_connection_manager.proto; rbac.proto; vLLM's entrypoints/serve and entrypoints/openai.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
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
    RegexMatchAndSubstitute,
    RegexMatcher,
    StringMatcher,
)
from envoy_data_plane.google.protobuf import Any as Packed

from router_extproc.config.model import Config
from router_extproc.dialects import DIALECTS
from router_extproc.dialects.endpoints import inference_endpoints
from router_extproc.dialects.path_forms import AZURE_PREFIX, DEPLOYMENT, VERSION
from router_extproc.dialects.routed import ROUTED_APIS
from router_extproc.dialects.routed.base import RendersErrors
from router_extproc.envoy_config.names import PATHS
from router_extproc.errors import RequestError

#: Policies of the filter. Envoy puts their names into the code details of a refusal, and its access log.
AMBIGUOUS: Final = "router_ambiguous_path"
OPERATOR: Final = "router_operator_path"
OTHER: Final = "router_other_path"
UNREAD: Final = "router_unread_inference"

#: What is administrative in vLLM's HTTP server, as the beginning of a path: `/reset_` is every such path.
#: Some are there in its development mode only (VLLM_SERVER_DEV_MODE=1), which people do switch on.
OPERATOR_PATHS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("they stop the pool for everybody", ("/sleep", "/wake_up", "/pause", "/resume", "/abort_request")),
    ("they add and remove adapters", ("/v1/load_lora_adapter", "/v1/unload_lora_adapter")),
    (
        "they replace the weights",
        (
            "/init_weight",
            "/start_weight",
            "/start_draft_weight",
            "/update_weight",
            "/finish_weight",
            "/shutdown_weight",
            "/weight_",
        ),
    ),
    ("they empty the prefix cache", ("/reset_", "/release_kv_cache")),
    ("they run any method in the pool's workers", ("/collective_rpc",)),
    ("they change how many processes serve", ("/scale_elastic_ep", "/fault_tolerance")),
    ("they write traces to the pool's disk", ("/start_profile", "/stop_profile")),
    (
        "they reveal how the pool is run, and other people's load",
        (
            "/metrics",
            "/server_info",
            "/load",
            "/tokenizer_info",
            "/get_world_size",
            "/kv_event_sources",
            "/is_sleeping",
            "/is_paused",
            "/is_scaling_elastic_ep",
        ),
    ),
    ("chat completions under another name, which no dialect reads", ("/invocations",)),
)

#: Found in a path: it asks a model, whatever its API. `/v1/responses/compact`, `/inference/v1/generate`, ...
INFERENCE_WORDS: Final = (
    "/completions",
    "/messages",
    "/responses",
    "/generat",
    "/embeddings",
    "/audio/",
    "/images/",
    "/pooling",
    "/classify",
    "/score",
    "/rerank",
)

#: What a client of the API needs beside inference.
CLIENT_PATHS: Final = ("/v1/models", "/v1/models/*")

#: The list of models, and each of them.
MODEL_LIST_PATH: Final = r"/v1/models(/.*)?"

#: After normalising: a path parameter, an escape that is cut short, and escapes that one server decodes and
#: another does not: control characters (Python's `$` matches before a line feed), `#`, `%` (decoded twice),
#: `;`, `?`, `/`, `\`.
AMBIGUOUS_PATH: Final = r"(?i).*(;|%([^0-9a-f]|[0-9a-f]?$|.[^0-9a-f]|[01].|2[35f]|3[bf]|5c|7f)).*"

#: Behind an inference path: a space, a dot, ... A letter makes it another path (`/v1/completions_v2`).
CUT_OFF: Final = "([^a-z0-9/_-].*)?"

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


def normalised() -> dict[str, Any]:  # Any: fields of the connection manager
    """How the connection manager spells paths before anything reads them."""
    return {
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": EscapedSlashes.UNESCAPE_AND_FORWARD,
    }


def without_final_slash() -> RegexMatchAndSubstitute:
    """What a pool gets: it would redirect the client instead of answering."""
    return RegexMatchAndSubstitute(pattern=RegexMatcher(regex="/$"), substitution="")


def path_filter(config: Config) -> HttpFilter:
    """Refuses before any other filter reads, and counts what passes unread."""
    rules = Rbac(action=RbacAction.DENY, policies=_refused(config))
    unread = Rbac(action=RbacAction.DENY, policies={UNREAD: _policy(_unread(config))})
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
    odd = _path(StringMatcher(safe_regex=RegexMatcher(regex=AMBIGUOUS_PATH)))
    return [odd, *(_looks_like(read) for read in _of_dialects(config))]


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
    other = config.envoy.other_paths
    listed = CLIENT_PATHS if isinstance(other, str) else other
    if isinstance(other, str):
        listed = tuple(prefix + path for prefix in ("", *config.envoy.path_prefixes) for path in listed)
    return [*map(_read, _of_dialects(config)), *map(_listed, listed)]


def _listed(path: str) -> Permission:
    if path.endswith("/*"):
        return _path(StringMatcher(prefix=path.removesuffix("*")))
    return _path(StringMatcher(exact=path))


def _unread(config: Config) -> Permission:
    """POST to what asks a model, is not read by us, and is not refused either."""
    words = [_path(StringMatcher(contains=word, ignore_case=True)) for word in INFERENCE_WORDS]
    read = [_read(each) for each in read_paths(config.envoy.path_prefixes)]
    others = [Permission(not_rule=each) for each in (*read, *_ambiguous(config))]
    listed = [] if config.envoy.other_paths == "pass" else [_any(_allowed(config))]
    return _all([_post(), _any(words), *others, *listed])


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
