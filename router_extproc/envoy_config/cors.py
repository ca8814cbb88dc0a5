"""`envoy.cors`: Envoy alone tells browsers which pages may read an answer, whoever made it.

Envoy's own CORS filter answers preflight requests, but takes no notice of a request whose route is a direct
response on its way in, as with `envoy.unread: deny`. So two header mutations do the rest: the one next to the
pools removes what pools and server say, the first one adds the headers for the pages that are allowed.
Source: cors.proto (CorsPolicy), cors_filter.cc; header_mutation.proto.
"""

from __future__ import annotations

from typing import Final

from envoy_data_plane.envoy.config.common.mutation_rules.v3 import HeaderMutation
from envoy_data_plane.envoy.config.core.v3 import HeaderValue, HeaderValueOption, TypedExtensionConfig
from envoy_data_plane.envoy.config.core.v3 import HeaderValueOptionHeaderAppendAction as AppendAction
from envoy_data_plane.envoy.extensions.common.matching.v3 import ExtensionWithMatcher
from envoy_data_plane.envoy.extensions.filters.common.matcher.action.v3 import SkipFilter
from envoy_data_plane.envoy.extensions.filters.http.cors.v3 import Cors, CorsPolicy
from envoy_data_plane.envoy.extensions.filters.http.header_mutation.v3 import HeaderMutation as Mutator
from envoy_data_plane.envoy.extensions.filters.http.header_mutation.v3 import Mutations
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import HttpFilter
from envoy_data_plane.envoy.type.matcher.v3 import HttpRequestHeaderMatchInput, RegexMatcher, StringMatcher
from envoy_data_plane.google.protobuf import Any as Packed
from envoy_data_plane.xds.core.v3 import TypedExtensionConfig as XdsExtension
from envoy_data_plane.xds.type.matcher.v3 import (
    Matcher,
    MatcherMatcherList,
    MatcherMatcherListFieldMatcher,
    MatcherMatcherListPredicate,
    MatcherMatcherListPredicatePredicateList,
    MatcherMatcherListPredicateSinglePredicate,
    MatcherOnMatch,
)
from envoy_data_plane.xds.type.matcher.v3 import StringMatcher as XdsStringMatcher

from router_extproc.config.cors import Cors as CorsSection
from router_extproc.config.model import Config
from router_extproc.envoy_config.header_values import set_header
from router_extproc.envoy_config.names import CORS, OTHER_PAGES, PAGES
from router_extproc.protocol.names import (
    ALLOW_CREDENTIALS_HEADER,
    ALLOW_ORIGIN_HEADER,
    ANY_ORIGIN,
    CACHE_HEADER,
    CACHE_STATUS_HEADER,
    DECISION_HEADER,
    EXPOSE_HEADERS_HEADER,
    MODEL_HEADER,
    OLD_CACHE_HIT_HEADER,
    OLD_CATEGORY_HEADER,
    OLD_DECISION_HEADER,
    OLD_FAST_RESPONSE_HEADER,
    OLD_MODEL_HEADER,
    OLD_REASONING_HEADER,
    ORIGIN_HEADER,
    SAVED_HEADER,
)

#: What a page may read beside the few headers that it always may.
EXPOSED: Final = (
    SAVED_HEADER,
    MODEL_HEADER,
    DECISION_HEADER,
    CACHE_HEADER,
    CACHE_STATUS_HEADER,
    "age",
    "retry-after",
    "x-request-id",
)
#: Likewise of vLLM Semantic Router.
OLD_EXPOSED: Final = (
    OLD_MODEL_HEADER,
    OLD_DECISION_HEADER,
    OLD_CATEGORY_HEADER,
    OLD_REASONING_HEADER,
    OLD_CACHE_HIT_HEADER,
    OLD_FAST_RESPONSE_HEADER,
)
#: How long a browser remembers what a preflight request brought, in seconds.
PREFLIGHT_S: Final = 600


def cors_filters(config: Config) -> list[HttpFilter]:
    """The filters before all others; none without `envoy.cors`."""
    cors = config.envoy.cors
    if cors is None:
        return []
    others = HttpFilter(name=OTHER_PAGES, typed_config=Packed.pack(_forget_pages()))
    return [
        _allow_pages(cors, exposed(config)),
        HttpFilter(name=CORS, typed_config=Packed.pack(Cors())),
        others,
    ]


def cors_policy(config: Config) -> dict[str, Packed]:
    """What the virtual host says to Envoy's CORS filter."""
    cors = config.envoy.cors
    if cors is None:
        return {}
    policy = CorsPolicy(
        allow_origin_string_match=[_origin(origin) for origin in cors.allow_origins],
        # Envoy then names what the page asks for; browsers take no "*" with credentials.
        allow_methods="*",
        allow_headers="*",
        expose_headers=", ".join(exposed(config)),
        max_age=str(PREFLIGHT_S),
        allow_credentials=cors.allow_credentials,
        forward_not_matching_preflights=False,
    )
    return {CORS: Packed.pack(policy)}


def _origin(origin: str) -> StringMatcher:
    if origin == ANY_ORIGIN:
        return StringMatcher(safe_regex=RegexMatcher(regex=".*"))
    return StringMatcher(exact=origin)


def exposed(config: Config) -> tuple[str, ...]:
    """What a page may read, with the headers of another router where they are asked for."""
    return EXPOSED if config.envoy.compatible_headers is None else (*EXPOSED, *OLD_EXPOSED)


def _allow_pages(cors: CorsSection, readable: tuple[str, ...]) -> HttpFilter:
    """Adds the headers to every answer for a page that is allowed."""
    headers = [set_header(ALLOW_ORIGIN_HEADER, f"%REQ({ORIGIN_HEADER})%")]
    headers += [set_header(EXPOSE_HEADERS_HEADER, ", ".join(readable))]
    headers += [set_header(ALLOW_CREDENTIALS_HEADER, "true")] if cors.allow_credentials else []
    mutator = Packed.pack(_mutator([HeaderMutation(append=header) for header in headers]))
    if ANY_ORIGIN in cors.allow_origins:
        return HttpFilter(name=PAGES, typed_config=mutator)
    inner = TypedExtensionConfig(name="envoy.filters.http.header_mutation", typed_config=mutator)
    matched = ExtensionWithMatcher(extension_config=inner, xds_matcher=_unless_from(cors.allow_origins))
    return HttpFilter(name=PAGES, typed_config=Packed.pack(matched))


def _forget_pages() -> Mutator:
    """Removes what pools and server said, and tells caches on the way that answers depend on the page."""
    told = (ALLOW_ORIGIN_HEADER, ALLOW_CREDENTIALS_HEADER, EXPOSE_HEADERS_HEADER)
    vary = HeaderValueOption(
        header=HeaderValue(key="vary", value=ORIGIN_HEADER),
        append_action=AppendAction.APPEND_IF_EXISTS_OR_ADD,
    )
    return _mutator([*(HeaderMutation(remove=name) for name in told), HeaderMutation(append=vary)])


def _mutator(mutations: list[HeaderMutation]) -> Mutator:
    return Mutator(mutations=Mutations(response_mutations=mutations))


def _unless_from(origins: tuple[str, ...]) -> Matcher:
    """Skips the filter for a request of another page, and of no page."""
    allowed = [_from(origin) for origin in origins]
    alternatives = MatcherMatcherListPredicatePredicateList(predicate=allowed)
    one = MatcherMatcherListPredicate(or_matcher=alternatives) if len(allowed) > 1 else allowed[0]
    skip = XdsExtension(name="skip", typed_config=Packed.pack(SkipFilter()))
    row = MatcherMatcherListFieldMatcher(
        predicate=MatcherMatcherListPredicate(not_matcher=one), on_match=MatcherOnMatch(action=skip)
    )
    return Matcher(matcher_list=MatcherMatcherList(matchers=[row]))


def _from(origin: str) -> MatcherMatcherListPredicate:
    header = Packed.pack(HttpRequestHeaderMatchInput(header_name=ORIGIN_HEADER))
    return MatcherMatcherListPredicate(
        single_predicate=MatcherMatcherListPredicateSinglePredicate(
            input=XdsExtension(name=ORIGIN_HEADER, typed_config=header),
            value_match=XdsStringMatcher(exact=origin),
        )
    )
