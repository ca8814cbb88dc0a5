"""The ext_proc filters of both profiles, and what surrounds them in the HTTP connection manager.

The first filter, `router.buffer`, waits for the whole body of an inference request, so that neither a
slow client nor an unannounced oversize body ever reaches the server; the routes switch it on.

Everything here also goes into an Envoy that someone else owns. Every number comes from the router
configuration, so that Envoy and the server can never disagree about a limit.
Source: ext_proc.proto, processing_mode.proto, http_connection_manager.proto.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from envoy_data_plane.envoy.config.common.mutation_rules.v3 import (
    HeaderMutation,
    HeaderMutationRemoveOnMatch,
)
from envoy_data_plane.envoy.config.core.v3 import (
    BackoffStrategy,
    GrpcService,
    GrpcServiceEnvoyGrpc,
    HeaderValue,
    RetryPolicy,
    RetryPolicyRetryHostPredicate,
    TypedExtensionConfig,
)
from envoy_data_plane.envoy.extensions.common.matching.v3 import ExtensionWithMatcher
from envoy_data_plane.envoy.extensions.filters.common.matcher.action.v3 import SkipFilter
from envoy_data_plane.envoy.extensions.filters.http.buffer.v3 import Buffer
from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import (
    ExternalProcessor,
    MetadataOptions,
    MetadataOptionsMetadataNamespaces,
    ProcessingMode,
)
from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import (
    ProcessingModeBodySendMode as BodyMode,
)
from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import (
    ProcessingModeHeaderSendMode as HeaderMode,
)
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    HttpFilter,
)
from envoy_data_plane.envoy.extensions.http.early_header_mutation.header_mutation.v3 import (
    HeaderMutation as EarlyHeaderMutation,
)
from envoy_data_plane.envoy.extensions.retry.host.previous_hosts.v3 import PreviousHostsPredicate
from envoy_data_plane.envoy.type.matcher.v3 import (
    HttpResponseHeaderMatchInput,
    RegexMatcher,
    StringMatcher,
)
from envoy_data_plane.google.protobuf import Any as Packed
from envoy_data_plane.xds.core.v3 import TypedExtensionConfig as XdsExtension
from envoy_data_plane.xds.type.matcher.v3 import (
    Matcher,
    MatcherMatcherList,
    MatcherMatcherListFieldMatcher,
    MatcherMatcherListPredicate,
    MatcherMatcherListPredicateSinglePredicate,
    MatcherOnMatch,
)
from envoy_data_plane.xds.type.matcher.v3 import (
    StringMatcher as XdsStringMatcher,
)

from router_extproc.config.envoy_digest import envoy_digest
from router_extproc.config.failover import chains_of
from router_extproc.config.model import Config
from router_extproc.envoy_config.cors import cors_filters
from router_extproc.envoy_config.names import (
    ANSWER_ATTRIBUTES,
    BUFFER,
    DEBUG_HEADER_BEGINS,
    DECIDE,
    FEEDBACK_HEADER_BEGINS,
    HIT_PREFIX,
    INLINE,
    OBSERVE,
    SERVER_CLUSTER,
)
from router_extproc.envoy_config.paths import path_filter
from router_extproc.envoy_config.request_id import request_id_filter
from router_extproc.protocol.names import (
    CACHE_HEADER,
    CONFIG_HEADER,
    METADATA_NAMESPACE,
    OLD_SELECTED_MODEL_HEADER,
    ROLE_HEADER,
    ROUTER_HEADER_PREFIX,
)

_NAMESPACE = MetadataOptionsMetadataNamespaces(untyped=[METADATA_NAMESPACE])

#: How long Envoy keeps the observer's stream after the answer's end, so that the last chunks arrive.
DEFERRED_CLOSE_S = 5
RETRY_BACK_OFF_S = 0.001
HOST_ATTEMPTS = 32


def http_filters(config: Config) -> list[HttpFilter]:
    """The filters of the chosen profile, in the order in which Envoy must run them."""
    first = [*cors_filters(config), path_filter(config), request_id_filter(), _buffer(config)]
    if config.envoy.profile == "inline":
        return [*first, _inline(config)]
    return [*first, _decide(config), _observe(config)]


def early_header_mutation(config: Config) -> TypedExtensionConfig:
    """Takes the headers that a client must not send off before any filter sees them."""
    pattern = all_but(ROUTER_HEADER_PREFIX, FEEDBACK_HEADER_BEGINS, DEBUG_HEADER_BEGINS)
    ours = HeaderMutationRemoveOnMatch(key_matcher=StringMatcher(safe_regex=RegexMatcher(regex=pattern)))
    removals = [HeaderMutation(remove_on_match=ours)]
    removals += [HeaderMutation(remove=name) for name in config.envoy.strip_headers]
    if config.envoy.compatible_headers is not None:
        # A client must not choose the pool of a route that looks at it.
        removals += [HeaderMutation(remove=OLD_SELECTED_MODEL_HEADER)]
    return TypedExtensionConfig(
        name="envoy.http.early_header_mutation.header_mutation",
        typed_config=Packed.pack(EarlyHeaderMutation(mutations=removals)),
    )


def all_but(prefix: str, *rests: str) -> str:
    """RE2 for every name that begins with `prefix`, but none that goes on with one of `rests`.

    Envoy takes no pattern whose RE2 program is longer than 100, so they must be short, and none the beginning
    of another.
    """
    begun = sorted({rest[:end] for rest in rests for end in range(len(rest))})
    other = "|".join(f"{start}[^{_next(start, rests)}]" for start in begun)
    shorter = "|".join(start for start in begun if start)
    return f"{prefix}(?:(?:{other}).*|{shorter})?"


def _next(start: str, rests: Sequence[str]) -> str:
    """The characters with which a name goes on that is left alone so far."""
    return "".join(sorted({rest[len(start)] for rest in rests if rest.startswith(start)}))


def _buffer(config: Config) -> HttpFilter:
    limit = Buffer(max_request_bytes=config.limits.max_body_bytes)
    return HttpFilter(name=BUFFER, typed_config=Packed.pack(limit), disabled=True)


def _decide(config: Config) -> HttpFilter:
    mode = ProcessingMode(
        request_header_mode=HeaderMode.SEND,
        response_header_mode=HeaderMode.SKIP,
        request_body_mode=BodyMode.NONE,
        response_body_mode=BodyMode.NONE,
    )
    return _filter(DECIDE, _deciding(config, role="decide", mode=mode))


def _inline(config: Config) -> HttpFilter:
    mode = ProcessingMode(
        request_header_mode=HeaderMode.SEND,
        response_header_mode=HeaderMode.SEND,
        request_body_mode=BodyMode.NONE,
        response_body_mode=BodyMode.STREAMED,
        response_trailer_mode=HeaderMode.SEND,
    )
    processor = _deciding(config, role="inline", mode=mode)
    if chains_of(config):
        # Another pool than the chosen one may have answered: its token is the retrying filter's.
        processor.metadata_options = MetadataOptions(
            receiving_namespaces=_NAMESPACE, forwarding_namespaces=_NAMESPACE
        )
    processor.response_attributes = list(ANSWER_ATTRIBUTES)
    return _filter(INLINE, processor)


def _deciding(config: Config, *, role: str, mode: ProcessingMode) -> ExternalProcessor:
    longest_s = config.max_message_timeout_s()
    return ExternalProcessor(
        grpc_service=grpc_service(config, role),
        stat_prefix=role,
        failure_mode_allow=True,
        message_timeout=timedelta(seconds=config.limits.message_timeout_s),
        max_message_timeout=None if longest_s is None else timedelta(seconds=longest_s),
        processing_mode=mode,
        allow_mode_override=True,
        metadata_options=MetadataOptions(receiving_namespaces=_NAMESPACE),
    )


def _observe(config: Config) -> HttpFilter:
    mode = ProcessingMode(
        request_header_mode=HeaderMode.SKIP,
        response_header_mode=HeaderMode.SEND,
        request_body_mode=BodyMode.NONE,
        response_body_mode=BodyMode.STREAMED,
        response_trailer_mode=HeaderMode.SEND,
    )
    processor = ExternalProcessor(
        grpc_service=grpc_service(config, "observe"),
        stat_prefix="observe",
        failure_mode_allow=True,
        observability_mode=True,
        deferred_close_timeout=timedelta(seconds=DEFERRED_CLOSE_S),
        processing_mode=mode,
        response_attributes=list(ANSWER_ATTRIBUTES),
        metadata_options=MetadataOptions(forwarding_namespaces=_NAMESPACE),
    )
    return HttpFilter(name=OBSERVE, typed_config=Packed.pack(_unless_replayed(processor)))


def _unless_replayed(processor: ExternalProcessor) -> ExtensionWithMatcher:
    """The filter, but not for our own answers from the cache: a stream for each would cost as much again."""
    header = Packed.pack(HttpResponseHeaderMatchInput(header_name=CACHE_HEADER))
    return unless(
        processor,
        XdsExtension(name=CACHE_HEADER, typed_config=header),
        XdsStringMatcher(prefix=HIT_PREFIX),
    )


def unless(processor: ExternalProcessor, read: XdsExtension, value: XdsStringMatcher) -> ExtensionWithMatcher:
    """The filter, skipped where what is read has the value."""
    found = MatcherMatcherListPredicateSinglePredicate(input=read, value_match=value)
    skip = XdsExtension(name="skip", typed_config=Packed.pack(SkipFilter()))
    row = MatcherMatcherListFieldMatcher(
        predicate=MatcherMatcherListPredicate(single_predicate=found), on_match=MatcherOnMatch(action=skip)
    )
    inner = TypedExtensionConfig(name="envoy.filters.http.ext_proc", typed_config=Packed.pack(processor))
    return ExtensionWithMatcher(
        extension_config=inner, xds_matcher=Matcher(matcher_list=MatcherMatcherList(matchers=[row]))
    )


def _filter(name: str, processor: ExternalProcessor) -> HttpFilter:
    return HttpFilter(name=name, typed_config=Packed.pack(processor))


def grpc_service(config: Config, role: str) -> GrpcService:
    """The server, told for which filter it is asked."""
    return GrpcService(
        envoy_grpc=GrpcServiceEnvoyGrpc(cluster_name=SERVER_CLUSTER),
        retry_policy=_other_worker(),
        initial_metadata=[
            HeaderValue(key=ROLE_HEADER, value=role),
            HeaderValue(key=CONFIG_HEADER, value=envoy_digest(config)),
        ],
    )


def _other_worker() -> RetryPolicy:
    at_once = BackoffStrategy(base_interval=timedelta(seconds=RETRY_BACK_OFF_S))
    elsewhere = RetryPolicyRetryHostPredicate(
        name="envoy.retry_host_predicates.previous_hosts", typed_config=Packed.pack(PreviousHostsPredicate())
    )
    return RetryPolicy(
        retry_on="connect-failure,refused-stream",
        num_retries=1,
        retry_back_off=at_once,
        retry_host_predicate=[elsewhere],
        host_selection_retry_max_attempts=HOST_ATTEMPTS,
    )
