"""The filter by which every answer says the id of its request, whoever made it.

A pool's own id stays: what it logs is found by that one.
Source: header_mutation.proto; http_connection_manager.proto, preserve_external_request_id.
"""

from __future__ import annotations

from envoy_data_plane.envoy.config.common.mutation_rules.v3 import HeaderMutation
from envoy_data_plane.envoy.config.core.v3 import HeaderValue, HeaderValueOption
from envoy_data_plane.envoy.config.core.v3 import HeaderValueOptionHeaderAppendAction as AppendAction
from envoy_data_plane.envoy.extensions.filters.http.header_mutation.v3 import HeaderMutation as Mutator
from envoy_data_plane.envoy.extensions.filters.http.header_mutation.v3 import Mutations
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import HttpFilter
from envoy_data_plane.google.protobuf import Any as Packed

from router_extproc.envoy_config.names import REQUEST_ID
from router_extproc.protocol.names import REQUEST_ID_HEADER


def request_id_filter() -> HttpFilter:
    """The filter; it sees every answer, also of filters before it."""
    tell = HeaderValueOption(
        header=HeaderValue(key=REQUEST_ID_HEADER, value=f"%REQ({REQUEST_ID_HEADER})%"),
        append_action=AppendAction.ADD_IF_ABSENT,
    )
    mutations = Mutations(response_mutations=[HeaderMutation(append=tell)])
    return HttpFilter(name=REQUEST_ID, typed_config=Packed.pack(Mutator(mutations=mutations)))
