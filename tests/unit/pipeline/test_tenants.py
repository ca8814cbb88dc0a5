"""For which tenant a request is counted."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import pytest

from router_extproc.pipeline.tenants import OTHER, Tenants, tenant_of
from router_extproc.testing.client import Client, answer_json, chat
from router_extproc.testing.router import fake_router

BY_HEADER = Tenants("x-team", frozenset({"search", "ads"}))
BY_CLAIM = Tenants("x-jwt-payload", frozenset({"search", "7"}), "org.team")


def payload(claims: object) -> str:
    return urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("value", "tenant"),
    [("search", "search"), (" ads ", "ads"), ("Search", OTHER), ("", OTHER), ("search, ads", OTHER)],
)
def test_a_listed_value_is_a_tenant_and_all_else_is_other(value: str, tenant: str) -> None:
    assert BY_HEADER.of({"x-team": value}) == tenant


def test_without_the_header_it_is_other() -> None:
    assert BY_HEADER.of({}) == BY_CLAIM.of({}) == OTHER


@pytest.mark.parametrize(
    ("claims", "tenant"),
    [
        ({"org": {"team": "search"}}, "search"),
        ({"org": {"team": ["guests", "search"]}}, "search"),
        ({"org.team": 7}, "7"),
        ({"org": {"team": "guests"}}, OTHER),
        ({"org": "search"}, OTHER),
        (["search"], OTHER),
    ],
)
def test_a_claim_tells_the_tenant(claims: object, tenant: str) -> None:
    assert BY_CLAIM.of({"x-jwt-payload": payload(claims)}) == tenant


def test_nobody_asked_for_tenants() -> None:
    assert tenant_of(None, {"x-team": "search"}) == ""


async def test_answers_and_hits_are_counted_for_their_tenants() -> None:
    """An answer is its asker's, a hit on it the next one's."""
    client = Client(fake_router(tenants=BY_HEADER))
    client.answer(await client.send(chat(), x_team="search"), answer_json())
    await client.send(chat(), x_team="nobody")
    (answer,), (_, hit) = client.router.reports.answers, client.router.reports.decisions
    assert (answer.tenant, getattr(hit.decision, "tenant", None)) == ("search", OTHER)


async def test_a_request_that_is_only_routed_has_its_tenant_too() -> None:
    client = Client(fake_router(tenants=BY_HEADER))
    sent = await client.send({"model": "small", "prompt": "x"}, path="/tokenize", x_team="ads")
    client.answer(sent, b"{}")
    assert [report.tenant for report in client.router.reports.answers] == ["ads"]
