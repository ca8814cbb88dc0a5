"""Requests of APIs that are only routed: to the pool of the model they name, and nothing else happens."""

from __future__ import annotations

import json

import pytest

from router_extproc.dialects.routed import ROUTED_APIS, ROUTED_PATHS
from router_extproc.dialects.routed.usage import NOT_READ
from router_extproc.llm.answer import Usage
from router_extproc.llm.changes import ReasoningChange, RequestChanges
from router_extproc.pipeline.decision import Forward
from router_extproc.pipeline.explain import RequestExplained
from router_extproc.protocol.headers import Headers
from router_extproc.protocol.messages import BodyReply
from router_extproc.protocol.modes import Role
from router_extproc.routing.actions import Block
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.rules import ALWAYS
from router_extproc.routing.selection.base import Candidate
from router_extproc.testing.client import Client
from router_extproc.testing.router import LARGE, FakeRouter, fake_router

FORM_TYPE = "multipart/form-data; boundary=b"


def body_of(path: str, model: str | None) -> bytes:
    """A request of the API, with a file where it has one."""
    if not path.startswith("/v1/audio/t"):
        return json.dumps({"prompt": "x"} | ({} if model is None else {"model": model})).encode()
    file = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n\x00\xff\r\n'
    field = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\n' + (model or "").encode() + b"\r\n"
    return file + (b"" if model is None else field) + b"--b--\r\n"


@pytest.fixture
def client() -> Client:
    return Client(fake_router())


@pytest.mark.parametrize("path", ROUTED_PATHS)
async def test_a_named_model_is_served_by_its_own_pool(client: Client, path: str) -> None:
    sent = await client.send(body_of(path, "large"), path=path, content_type=FORM_TYPE)
    names = ("x-router-cluster", "x-router-model", "x-router-decision")
    assert [sent.sent_header(name) for name in names] == ["vllm_large", "large", "pinned"]
    assert sent.forwarded.body == body_of(path, "large").replace(b"large", b"tiny-large")
    assert sent.cache == "bypass"


@pytest.mark.parametrize("path", ROUTED_PATHS)
async def test_a_virtual_name_is_the_default_model(client: Client, path: str) -> None:
    sent = await client.send(body_of(path, "auto"), path=path, content_type=FORM_TYPE)
    assert (sent.sent_header("x-router-cluster"), sent.sent_header("x-router-decision")) == (
        "vllm_small",
        "default",
    )
    assert sent.forwarded.body == body_of(path, "auto").replace(b"auto", b"tiny-small")


@pytest.mark.parametrize("path", ROUTED_PATHS)
async def test_no_name_passes_untouched_to_the_default_pool(client: Client, path: str) -> None:
    sent = await client.send(body_of(path, None), path=path, content_type=FORM_TYPE)
    assert sent.sent_header("x-router-cluster") == "vllm_small"
    assert sent.forwarded.body is None


@pytest.mark.parametrize("path", ROUTED_PATHS)
async def test_an_unknown_name_is_the_apis_own_error(client: Client, path: str) -> None:
    sent = await client.send(body_of(path, "none"), path=path, content_type=FORM_TYPE)
    assert sent.immediate.status == 404
    assert json.loads(sent.immediate.body)["error"]["message"] == "The requested model does not exist here."
    if path == "/v1/messages/count_tokens":
        assert json.loads(sent.immediate.body)["type"] == "error"


@pytest.mark.parametrize("path", ["/tokenize", "/v1/audio/transcriptions"])
@pytest.mark.parametrize("body", [b"", b"{", b"\x00", b'--b\r\nContent-Disposition: form-data; name="model"'])
async def test_what_cannot_be_read_is_the_pools_to_refuse(client: Client, path: str, body: bytes) -> None:
    sent = await client.send(body, path=path, content_type=FORM_TYPE)
    assert sent.sent_header("x-router-cluster") == "vllm_small"
    assert sent.forwarded.body is None


async def test_a_served_name_needs_no_edit(client: Client) -> None:
    sent = await client.send(body_of("/tokenize", "tiny-large"), path="/tokenize")
    assert sent.sent_header("x-router-model") == "large"
    assert sent.forwarded.body is None


async def test_no_decision_is_asked() -> None:
    """An API that is only routed is not read, so no rule can hold, and no change can be made in it."""
    changing = RoutingDecision(
        "all", 1, ALWAYS, (Candidate(LARGE),), RequestChanges(ReasoningChange(on=True))
    )
    blocking = RoutingDecision("none", 2, ALWAYS, (), None, action=Block("no", 403), takes_pinned=True)
    client = Client(fake_router(decisions=(changing, blocking)))
    sent = await client.send(body_of("/tokenize", "auto"), path="/tokenize")
    assert sent.sent_header("x-router-decision") == "default"


@pytest.mark.parametrize(
    ("path", "cluster"),
    [("/rerank", "vllm_small"), ("/tokenize", "vllm_large"), ("/v2/embed", "vllm_large")],
)
async def test_a_fallback_answers_only_where_its_answer_means_the_same(path: str, cluster: str) -> None:
    """Tokens and vectors of another model are silently wrong; a refusal is not."""
    router = fake_router(fallbacks={"large": "small"})
    for _ in range(9):
        router.traffic.heard("vllm_large", "upstream_reset_before_response_started{connection_failure}")
    sent = await Client(router).send(body_of(path, "large"), path=path)
    assert sent.sent_header("x-router-cluster") == cluster


@pytest.mark.parametrize("role", [Role.DECIDE, Role.INLINE])
async def test_it_is_reported_like_any_other(client: Client, role: Role) -> None:
    sent = await client.send(body_of("/tokenize", "large"), path="/tokenize", role=role)
    (report,) = client.router.reports.decisions
    assert (report.dialect, report.body_bytes) == ("tokenize", len(body_of("/tokenize", "large")))
    assert isinstance(report.decision, Forward)
    assert report.decision.explanation.cache_reason == "routed-only"
    assert isinstance(sent.to_body, BodyReply)


async def test_its_answer_is_reported_unread(client: Client) -> None:
    sent = await client.send(body_of("/tokenize", "large"), path="/tokenize")
    client.answer(sent, b'{"count": 1, "usage": {"prompt_tokens": 3}}')
    (report,) = client.router.reports.answers
    assert (report.dialect, report.model, report.status) == ("tokenize", "large", 200)
    assert (report.stored, report.incomplete, report.ttft_s) == ("not-asked", NOT_READ, None)
    assert report.usage == Usage(3, 0)


async def test_it_is_explained_like_any_other() -> None:
    router: FakeRouter = fake_router()
    asked = ("POST", "/v1/audio/transcriptions", Headers((("content-type", FORM_TYPE),)))
    body = body_of("/v1/audio/transcriptions", "large")
    whole = await router.application.explain_whole(*asked, body)
    assert isinstance(whole, RequestExplained)
    assert whole.decision == await router.application.explain(*asked, body)
    assert isinstance(whole.decision, Forward)
    assert whole.decision.route.target.model == "large"
    assert await router.application.explain_whole("POST", "/v1/files", Headers(()), body) is None


def test_every_api_has_a_name_for_metrics() -> None:
    assert all(name.isidentifier() and name.islower() for name in ROUTED_APIS)
