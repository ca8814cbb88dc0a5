"""Which dialect a request belongs to, and which endpoints are asked for inference."""

from __future__ import annotations

import pytest

from router_extproc.dialects import DIALECTS, INFERENCE_PATHS, find_dialect
from router_extproc.dialects.base import Dialect, Endpoint
from router_extproc.dialects.endpoints import inference_endpoints, served_by
from router_extproc.dialects.openai_chat import OpenAIChat

CHAT = "/v1/chat/completions"


class Listed(OpenAIChat):
    """A dialect that also lists models and counts tokens."""

    name = "listed"
    endpoints = (
        Endpoint("GET", "/v1/models", "listing"),
        Endpoint("POST", "/v1/count", "counting"),
        Endpoint("POST", "/v1/messages"),
    )


LISTED = Listed()
TWO: tuple[Dialect, ...] = (OpenAIChat(), LISTED)


def test_only_inference_is_decided_on() -> None:
    """Listings and counts reach the pools as they do without a router."""
    assert [endpoint.path for endpoint in inference_endpoints(LISTED)] == ["/v1/messages"]
    assert served_by(TWO, "GET", "/v1/models") is None
    assert served_by(TWO, "POST", "/v1/count") is None
    assert served_by(TWO, "POST", "/v1/messages") is LISTED


@pytest.mark.parametrize("path", [CHAT, CHAT + "?a=b", CHAT + "/", CHAT + "//?a=/b"])
def test_query_and_slashes_at_the_end_do_not_matter(path: str) -> None:
    assert find_dialect("POST", path) is DIALECTS["openai_chat"]


@pytest.mark.parametrize("path", [CHAT + "/x", CHAT[:-1], "/", "", "?" + CHAT, "/proxy" + CHAT, CHAT.upper()])
def test_other_paths_have_no_dialect(path: str) -> None:
    assert find_dialect("POST", path) is None


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "", "post"])
def test_other_methods_have_no_dialect(method: str) -> None:
    assert find_dialect(method, CHAT) is None


def test_paths_of_all_dialects_are_known() -> None:
    assert {CHAT, "/v1/completions", "/v1/messages", "/v1/embeddings"} <= set(INFERENCE_PATHS)
