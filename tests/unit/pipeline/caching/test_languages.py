"""A request's language decides what the cache may answer it with, and is reported."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_extproc.cache.language_verifier import LanguageVerifier
from router_extproc.equivalence.languages import Languages, Told, read_known
from router_extproc.models.base import Encoding
from router_extproc.pipeline.decision import Forward, Replay
from router_extproc.testing.client import Client, chat
from router_extproc.testing.fake_encoder import FakeEncoder
from router_extproc.testing.router import AcceptingVerifier, FakeRouter, fake_router

KNOWN = read_known()
KEY = "Bearer one"


class AlikeEncoder(FakeEncoder):
    """All texts have one vector, and it does not know Chinese characters."""

    def encode(self, text: str, *, tasks: bool = False) -> Encoding:
        encoding = super().encode("alike", tasks=tasks)
        return encoding if text.isascii() else replace(encoding, tokens=3, unknown_tokens=2)


def router_of(*codes: str) -> FakeRouter:
    languages = Languages.of(KNOWN, codes)
    verifier = LanguageVerifier(languages, AcceptingVerifier())
    return fake_router(encoder=AlikeEncoder(), verifier=verifier, languages=languages)


async def second_of(router: FakeRouter, first: str, second: str) -> str | None:
    client = Client(router)
    await client.ask(chat(first), authorization=KEY)
    return (await client.send(chat(second), authorization=KEY)).cache


def told(router: FakeRouter) -> Told | None:
    decision = router.reports.decisions[-1].decision
    assert isinstance(decision, Forward | Replay)
    return decision.explanation.language


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ("Wo ist der Bahnhof?", "Hallo, wo ist der Bahnhof, bitte?", "de"),
        ("怎么打开蓝牙", "请问怎么打开蓝牙", "zh"),
    ],
)
async def test_harmless_words_of_a_listed_language_hit(first: str, second: str, code: str) -> None:
    router = router_of("en", code)
    assert await second_of(router, first, second) == "hit-semantic"
    assert told(router) == Told(code, is_matched=True)


async def test_in_a_language_that_is_not_listed_they_miss() -> None:
    router = router_of("en", "fr")
    assert await second_of(router, "Wo ist der Bahnhof?", "Hallo, wo ist der Bahnhof, bitte?") == "miss"
    assert told(router) == Told("de", is_matched=False)


async def test_the_same_words_hit_in_every_language() -> None:
    router = router_of("en")
    assert await second_of(router, "Hvor er toget?", "hvor er toget") == "hit-semantic"
    assert told(router) is not None


async def test_words_in_a_script_of_combined_signs_have_no_vector() -> None:
    """They are not read whole: other words would pass for the same."""
    assert await second_of(router_of("en"), "यह कहाँ है?", "यह  कहाँ है") == "miss"


class CountingEncoder(AlikeEncoder):
    """Counts what it encodes."""

    def __init__(self) -> None:
        super().__init__()
        self.encoded: list[str] = []

    def encode(self, text: str, *, tasks: bool = False) -> Encoding:
        self.encoded.append(text)
        return super().encode(text, tasks=tasks)


async def encoded_of(first: str, second: str, *codes: str) -> tuple[str | None, list[str]]:
    """What the cache did for the second question, and what the encoder read for both."""
    languages, encoder = Languages.of(KNOWN, codes), CountingEncoder()
    verifier = LanguageVerifier(languages, AcceptingVerifier())
    router = fake_router(encoder=encoder, verifier=verifier, languages=languages)
    return await second_of(router, first, second), encoder.encoded


@pytest.mark.parametrize(
    ("first", "second", "codes", "hit"),
    [
        ("Hvor er toget?", "Hvor er bussen?", ("en", "de"), False),
        ("Hvor er toget?", "HVOR ER TOGET", ("en", "de"), True),
        ("Wo ist der Bahnhof?", "Wo ist der Flughafen?", ("en", "fr"), False),
        ("How do I cook rice?", "How can I cook rice?", ("de",), False),
        ("How do I cook rice?", "how do i cook rice", ("de",), True),
        ("Πού είναι το τρένο;", "πού είναι το τρένο", ("en",), True),
    ],
)
async def test_what_only_the_same_words_answer_is_found_without_the_encoder(
    first: str,
    second: str,
    codes: tuple[str, ...],
    hit: bool,  # noqa: FBT001
) -> None:
    """An encoder pass would find neighbours that are all refused."""
    cache, encoded = await encoded_of(first, second, *codes)
    assert (cache, encoded) == ("hit-semantic" if hit else "miss", [])


async def test_a_language_that_is_matched_is_encoded() -> None:
    first, second = "Wo ist der Bahnhof?", "Hallo, wo ist der Bahnhof, bitte?"
    cache, encoded = await encoded_of(first, second, "en", "de")
    assert (cache, encoded) == ("hit-semantic", [first, second])
