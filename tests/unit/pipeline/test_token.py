"""The write token survives its way through Envoy unchanged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from router_extproc.cache.base import Fingerprint, Partition, Scope
from router_extproc.pipeline.request_ids import ExchangeStart, RequestIds
from router_extproc.pipeline.token import EvaluationAsk, PiecesPlan, ShadowPlan, StorePlan, WriteToken
from router_extproc.testing.router import SEMANTIC

START = ExchangeStart(12.0)
PLAN = StorePlan(
    Fingerprint("f"),
    Partition("p"),
    Scope("s"),
    np.array([0.1, -0.7], np.float32),
    "wie groß? 🙂",
    SEMANTIC.store_rules,
    ("t",),
)


def test_token_comes_back_as_it_went() -> None:
    token = WriteToken("openai_chat", "small", "maths", 12.5, START, PLAN)
    back = WriteToken.decode(token.encode())
    assert back.plan is not None
    assert back.plan.vector is not None
    assert PLAN.vector is not None
    np.testing.assert_array_equal(back.plan.vector, PLAN.vector)
    assert back.encode() == token.encode()


def test_token_carries_where_each_piece_of_the_answer_is_stored() -> None:
    """In a third less than the digests as they are: the largest batch has 256 of them."""
    keys = tuple(Fingerprint(f"{number:064x}") for number in range(256))
    plan = replace(PLAN, vector=None, pieces=PiecesPlan(Partition("q"), keys, (3,) * 256), answers=256)
    encoded = WriteToken("openai_embeddings", "small", "default", 12.5, START, plan).encode()
    assert WriteToken.decode(encoded).plan == plan
    assert len(encoded) < 12 * 1024


def test_token_carries_what_is_to_be_compared() -> None:
    token = WriteToken("openai_chat", "small", "maths", 12.5, START, None, ShadowPlan(Fingerprint("f"), 0.97))
    assert WriteToken.decode(token.encode()) == token


def test_token_carries_the_request_for_another_model_and_shows_none_of_it() -> None:
    """Whatever its bytes are: a pool may accept what is no sound UTF-8."""
    ask = EvaluationAsk("large", "/v1/messages", (("x-api-key", "key"),), "größer".encode() + b"\xff")
    token = WriteToken("openai_chat", "small", "maths", 12.5, START, None, evaluation=ask)
    assert WriteToken.decode(token.encode()) == token
    assert "key" not in repr(token)
    assert "gr" not in repr(ask)


def test_token_carries_the_start_and_the_ids_of_its_exchange() -> None:
    ids = RequestIds("7f0c", "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", sampled=True)
    token = WriteToken("openai_chat", "small", "maths", 12.5, ExchangeStart(12.25, ids), None)
    assert WriteToken.decode(token.encode()).exchange == ExchangeStart(12.25, ids)


def test_token_carries_the_session() -> None:
    token = WriteToken("openai_chat", "small", "maths", 12.5, START, None, session="a" * 32)
    assert WriteToken.decode(token.encode()) == token


def test_token_of_the_version_before_is_refused() -> None:
    """In a rolling update another version's worker may observe the answer."""
    with pytest.raises(ValueError, match="another version"):
        WriteToken.decode('[3,"openai_chat","small","maths",12.5,null,null]')


def test_token_without_a_plan_only_measures() -> None:
    token = WriteToken("openai_chat", "small", "maths", 12.5, START, None)
    assert WriteToken.decode(token.encode()) == token


@pytest.mark.parametrize(
    "text",
    ["", "x", "3", "{}", "[1]", '[1,"d","m","d",0,7]', '[1,"d","m","d",0,{"vector":"§"}]', "[99,1,1,1,1,1]"],
)
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write token"):
        WriteToken.decode(text)
