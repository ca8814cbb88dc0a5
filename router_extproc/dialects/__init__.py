"""The client APIs that are understood: one folder per dialect, registered here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from router_extproc.dialects.anthropic_messages import AnthropicMessages
from router_extproc.dialects.base import Dialect
from router_extproc.dialects.endpoints import inference_endpoints, served_by
from router_extproc.dialects.openai_chat import OpenAIChat
from router_extproc.dialects.openai_completions import OpenAICompletions
from router_extproc.dialects.openai_embeddings import OpenAIEmbeddings
from router_extproc.dialects.openai_responses import OpenAIResponses

_ALL: Final[tuple[Dialect, ...]] = (
    OpenAIChat(),
    AnthropicMessages(),
    OpenAICompletions(),
    OpenAIEmbeddings(),
    OpenAIResponses(),
)

#: Registry name to dialect. A new dialect is one more entry of the line above.
DIALECTS: Final[Mapping[str, Dialect]] = MappingProxyType({dialect.name: dialect for dialect in _ALL})
#: Where clients ask models, by POST.
INFERENCE_PATHS: Final = tuple(endpoint.path for dialect in _ALL for endpoint in inference_endpoints(dialect))


def find_dialect(method: str, path: str) -> Dialect | None:
    """The dialect whose inference request this is; None: it passes untouched."""
    return served_by(_ALL, method, path)
