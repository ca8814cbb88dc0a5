"""The claim signal reads what Envoy has verified, and nothing from anything else."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import pytest

from router_extproc.models.onnx.classifiers import EncoderClassifiers
from router_extproc.signals.base import Reading
from router_extproc.signals.claim import PAYLOAD_CHARS_MAX, VALUES_MAX, ClaimSettings
from router_extproc.testing.subjects import subject_of

CLAIMS = {
    "tier": "gold",
    "realm_access": {"roles": ["admin", "dev", "admin"], "level": 3},
    "https://example.com/plan": "free",
    "beta": True,
    "trial": False,
    "ratio": 0.5,
    "nothing": None,
    "address": {"country": "DE"},
    "empty": "",
    "mixed": [{"a": 1}, None, "kept", ["no"]],
    "long": "x" * 300,
    "a.b": "whole name",
    "a": {"b": "inner"},
}


def encoded(payload: object, *, padded: bool = False) -> str:
    text = urlsafe_b64encode(json.dumps(payload).encode()).decode()
    return text if padded else text.rstrip("=")


def read(claim: str, header: str) -> Reading:
    settings = ClaimSettings(type="claim", claim=claim, header="X-JWT-Payload")
    signal = settings.open("tier", EncoderClassifiers(None))
    return signal.read(subject_of("hi", headers={"x-jwt-payload": header}))


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize(
    ("claim", "labels"),
    [
        ("tier", ["gold"]),
        ("realm_access.roles", ["admin", "dev"]),
        ("realm_access.level", ["3"]),
        ("https://example.com/plan", ["free"]),
        ("beta", ["true"]),
        ("trial", ["false"]),
        ("ratio", ["0.5"]),
        ("mixed", ["kept"]),
        ("a.b", ["whole name"]),
        ("nothing", []),
        ("address", []),
        ("empty", []),
        ("long", []),
        ("absent", []),
        ("tier.inner", []),
        ("realm_access.", []),
        ("realm_access.absent", []),
    ],
)
def test_the_claims_values_are_the_labels(claim: str, labels: list[str], padded: bool) -> None:  # noqa: FBT001
    reading = read(claim, encoded(CLAIMS, padded=padded))
    found = [] if reading.label is None else [reading.label, *reading.also]
    assert found == labels


@pytest.mark.parametrize(
    "header",
    [
        "",
        "not base64!",
        "YQ",
        encoded(["gold"]),
        encoded("gold"),
        encoded({"tier": "gold"}) + ", " + encoded({"tier": "free"}),
        urlsafe_b64encode(b"[" * 10_000).decode(),
        urlsafe_b64encode(b'{"tier": "\xff"}').decode(),
        "é" * 40,
        encoded({"tier": "gold", "pad": "x" * PAYLOAD_CHARS_MAX}),
        "x" * 1_000_000,
    ],
    ids=[
        "none",
        "text",
        "no JSON",
        "list",
        "string",
        "twice",
        "deep",
        "no UTF-8",
        "no ASCII",
        "long",
        "1 MB",
    ],
)
def test_what_is_no_payload_has_no_claim(header: str) -> None:
    """A client must not choose its tier by sending something odd; nor must it cost anything."""
    assert read("tier", header) == Reading("tier", None, 0.0)


def test_a_claim_has_a_bounded_number_of_labels() -> None:
    reading = read("groups", encoded({"groups": [f"g{number}" for number in range(200)]}))
    assert len(reading.also) == VALUES_MAX - 1


def test_a_header_of_the_routers_own_is_refused() -> None:
    (problem,) = ClaimSettings(type="claim", claim="tier", header="X-Router-Tier").problems("signals.t")
    assert problem.path == "signals.t.header"
