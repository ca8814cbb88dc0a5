"""What a benchmark sends and how it reads its samples."""

from __future__ import annotations

import json
from itertools import islice

import orjson
import pytest

from router_extproc.bench.load import Call, Samples
from router_extproc.bench.prompts import Prompts, anew, question
from router_extproc.bench.stack import plain_bootstrap
from router_extproc.demo.configuration import packaged
from router_extproc.envoy_config.filters import http_filters


@pytest.mark.parametrize("tokens", [10, 32, 512])
def test_a_fresh_prompt_has_the_asked_length(tokens: int) -> None:
    """Each word is one token; the encoder adds two marks."""
    assert len(Prompts().fresh(tokens).split()) == tokens - 2


@pytest.mark.parametrize("tokens", [32, 128])
def test_a_fresh_question_has_the_asked_length(tokens: int) -> None:
    """Each word and mark is one token; the encoder adds two."""
    asked = Prompts().question(tokens)
    assert len(asked.replace("?", " ?").split()) == tokens - 2


def test_the_same_seed_gives_the_same_prompts() -> None:
    one, other = Prompts(seed=3), Prompts(seed=3)
    assert [one.fresh(20) for _ in range(5)] == [other.fresh(20) for _ in range(5)]


@pytest.mark.parametrize("tokens", [32, 128])
def test_a_rephrased_question_differs_only_at_its_end(tokens: int) -> None:
    questions = question(tokens)
    background = questions.asked.partition(" . ")[0]
    assert questions.rephrased.startswith(background)
    assert len({questions.asked, questions.rephrased, questions.opposite, questions.another}) == 4


def test_a_call_says_whose_it_is_and_what_may_be_kept() -> None:
    call = Call.chat("hi", tenant="a", keep=False)
    assert call.headers() == {"authorization": "Bearer a", "cache-control": "no-store"}
    assert json.loads(call.body or b"")["model"] == "auto"


@pytest.mark.parametrize(("share", "expected"), [(0.5, 3.0), (0.99, 4.0), (0.0, 1.0)])
def test_a_quantile_is_one_of_the_samples(share: float, expected: float) -> None:
    assert Samples(seconds=[4.0, 1.0, 3.0, 2.0]).quantile(share) == expected


def test_plain_envoy_has_none_of_our_filters() -> None:
    """Else the comparison would be with ourselves."""
    config = packaged()
    ours = [one.name for one in http_filters(config)]
    assert ours
    text = orjson.dumps(plain_bootstrap(config, "127.0.0.1:1")).decode()
    assert not [name for name in ours if name in text]


def test_a_wording_never_comes_twice_and_has_the_same_words() -> None:
    """A semantic hit notes its wording: the same one again would measure exact hits."""
    texts = list(islice(anew("who counts the birds near the lake?"), 1000))
    assert len(set(texts)) == 1000
    assert {" ".join(text.split()) for text in texts} == {"who counts the birds near the lake?"}
