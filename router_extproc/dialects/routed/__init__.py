"""The APIs that are routed by the model they name, and nothing else: one entry each, registered here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from router_extproc.dialects.anthropic_messages import AnthropicMessages
from router_extproc.dialects.openai_chat import OpenAIChat
from router_extproc.dialects.routed.base import RoutedApi
from router_extproc.dialects.routed.counting import COUNT_TOKENS, CountedMessages
from router_extproc.dialects.routed.json_model import JsonModel
from router_extproc.dialects.routed.multipart import MultipartModel

_JSON: Final = JsonModel()
_FORM: Final = MultipartModel()
#: vLLM answers in OpenAI's form on all paths but Anthropic's.
_OPENAI: Final = OpenAIChat()
_ANTHROPIC: Final = AnthropicMessages()

_ALL: Final = (
    RoutedApi("cohere_embed", ("/v2/embed",), _JSON, _OPENAI, falls_back=False),
    RoutedApi(
        COUNT_TOKENS,
        ("/v1/messages/count_tokens",),
        _JSON,
        _ANTHROPIC,
        falls_back=False,
        decided_as=CountedMessages(),
    ),
    RoutedApi("rerank", ("/rerank", "/v1/rerank", "/v2/rerank"), _JSON, _OPENAI),
    RoutedApi("score", ("/score", "/v1/score", "/generative_scoring"), _JSON, _OPENAI),
    RoutedApi("classify", ("/classify",), _JSON, _OPENAI),
    RoutedApi("pooling", ("/pooling",), _JSON, _OPENAI, falls_back=False),
    RoutedApi("tokenize", ("/tokenize",), _JSON, _OPENAI, falls_back=False),
    RoutedApi("detokenize", ("/detokenize",), _JSON, _OPENAI, falls_back=False),
    RoutedApi("moderations", ("/v1/moderations",), _JSON, _OPENAI),
    RoutedApi("transcriptions", ("/v1/audio/transcriptions",), _FORM, _OPENAI),
    RoutedApi("translations", ("/v1/audio/translations",), _FORM, _OPENAI),
    RoutedApi("speech", ("/v1/audio/speech",), _JSON, _OPENAI),
    RoutedApi("images", ("/v1/images/generations",), _JSON, _OPENAI),
)

#: Registry name to API. A new one is one more entry of the list above.
ROUTED_APIS: Final[Mapping[str, RoutedApi]] = MappingProxyType({api.name: api for api in _ALL})

#: Where they are asked, by POST.
ROUTED_PATHS: Final = tuple(path for api in _ALL for path in api.paths)

_BY_PATH: Final = {path: api for api in _ALL for path in api.paths}


def find_routed(method: str, path: str) -> RoutedApi | None:
    """The API that this method and path are of; `path` may carry a query, and slashes at its end."""
    return _BY_PATH.get(path.partition("?")[0].rstrip("/")) if method == "POST" else None
