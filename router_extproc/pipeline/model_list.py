"""Answers `GET /v1/models` and `/v1/models/NAME`: every name that a request may ask for.

A list tells names and windows and nothing of pools; so it asks for no credentials.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote

from router_extproc.dialects import DIALECTS
from router_extproc.dialects.base import Rendered
from router_extproc.dialects.model_list import anthropic_list, anthropic_model, openai_list, openai_model
from router_extproc.errors import RequestError
from router_extproc.pipeline.mutations import READABLE, reject
from router_extproc.protocol.headers import Headers
from router_extproc.protocol.messages import ImmediateResponse
from router_extproc.routing.catalogue import Catalogue

PATH: Final = "/v1/models"
#: Sent by clients of the Anthropic API.
ANTHROPIC_HEADER: Final = "anthropic-version"
_METHODS: Final = frozenset({"GET", "HEAD"})
#: Of a query; what is behind them is not read.
_FIELDS_MAX: Final = 16
_DIALECT_OF: Final = {True: DIALECTS["anthropic_messages"], False: DIALECTS["openai_chat"]}


@dataclass(frozen=True, slots=True)
class ModelList:
    """The router's own list."""

    catalogue: Catalogue
    #: When the models are said to have been made.
    created_s: int

    def answer(self, method: str, path: str, headers: Headers) -> ImmediateResponse | None:
        """The answer to a request for the list or for one model; None: it is none."""
        spelled, _, query = path.partition("?")
        under = spelled.removeprefix(PATH)
        if method not in _METHODS or under == spelled or (under and not under.startswith("/")):
            return None
        anthropic = ANTHROPIC_HEADER in {name for name, _ in headers}
        try:
            name = unquote(under).strip("/")
            rendered = (
                self._one(name, anthropic=anthropic) if name else self._all(_read(query), anthropic=anthropic)
            )
        except RequestError as error:
            return reject(error, _DIALECT_OF[anthropic].render_error(error))
        pairs = (("content-type", rendered.content_type), READABLE)
        return ImmediateResponse(200, pairs, rendered.body, details="router_model_list")

    def _all(self, query: Mapping[str, str], *, anthropic: bool) -> Rendered:
        models = self.catalogue.listed()
        if anthropic:
            return anthropic_list(models, self.created_s, query)
        return openai_list(models, self.created_s)

    def _one(self, name: str, *, anthropic: bool) -> Rendered:
        model = self.catalogue.describe(name, self.catalogue.ask(name))
        return (anthropic_model if anthropic else openai_model)(model, self.created_s)


def _read(query: str) -> Mapping[str, str]:
    fields = parse_qsl("&".join(query.split("&")[:_FIELDS_MAX]), keep_blank_values=True)
    return dict(fields)
