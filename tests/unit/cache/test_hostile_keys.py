"""Clients who choose every byte of a request: none of them reaches another one's partition."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from hypothesis import example, given
from hypothesis import strategies as st

from router_extproc.cache.base import Scope
from router_extproc.cache.key import context_digest, fingerprint, partition
from router_extproc.cache.scope import ClientScope, scope_of
from router_extproc.dialects import DIALECTS

#: What is put between fields somewhere, or ends a text or a JSON value.
DELIMITERS = [
    "",
    "a",
    "b",
    "\x00",
    "\n",
    "\n\n",
    "|",
    ":",
    ",",
    '"',
    '","',
    "]",
    "[",
    "}",
    "\\",
    "1",
    "\u2028",
]
TEXT = st.lists(st.sampled_from(DELIMITERS), max_size=4).map("".join)
ROLES = st.sampled_from(["system", "developer", "user", "assistant"])
TURNS = st.lists(st.tuples(ROLES, TEXT), max_size=3)
NAMES = ("x-user", "x-team")
HEADERS = st.lists(st.tuples(st.sampled_from([*NAMES, "x-other"]), TEXT.map(str.encode)), max_size=4)


def request_of(turns: list[tuple[str, str]], prompt: str, **members: Any) -> Any:
    messages = [{"role": role, "content": text} for role, text in (*turns, ("user", prompt))]
    return DIALECTS["openai_chat"].parse(
        json.dumps({"model": "auto", "messages": messages, **members}).encode()
    )


def values_of(headers: list[tuple[str, bytes]]) -> list[list[bytes]]:
    return [[value for given, value in headers if given == name] for name in NAMES]


@given(HEADERS, HEADERS)
@example([("x-user", b"a"), ("x-team", b"b")], [("x-user", b"ax-team"), ("x-team", b"b")])
@example([("x-user", b"a"), ("x-user", b"b")], [("x-user", b"a,b")])
def test_scopes_are_equal_only_for_equal_values(
    one: list[tuple[str, bytes]], other: list[tuple[str, bytes]]
) -> None:
    rule = ClientScope(NAMES)
    mine, theirs = scope_of(rule, one), scope_of(rule, other)
    assert (mine is None) == (not any(value.strip() for values in values_of(one) for value in values))
    assert mine is None or (mine == theirs) == (values_of(one) == values_of(other))


#: Turns, prompt, and something else that a client or a configuration chooses.
ASKED = st.tuples(TURNS, TEXT, TEXT)
Asked: TypeAlias = tuple[list[tuple[str, str]], str, str]


@given(ASKED, ASKED)
@example(
    ([("system", "a"), ("user", "b")], "q", "d"), ([("system", 'a"},{"role":"user","content":"b')], "q", "d")
)
@example(([("system", "a\nb")], "q", "d"), ([("system", "a"), ("system", "b")], "q", "d"))
def test_partitions_are_equal_only_for_equal_conversations(one: Asked, other: Asked) -> None:
    """The prompt is no part of it, so a client may choose it freely; nothing in it leaks into the rest."""
    scope = Scope("s")
    mine, theirs = (
        partition(
            scope, context_digest(request_of(turns, prompt)), decision=decision, answerer="a", encoder="e"
        )
        for turns, prompt, decision in (one, other)
    )
    # Without a text the prompt is no question that another one could be like.
    same = (one[0], bool(one[1].strip()), one[2]) == (other[0], bool(other[1].strip()), other[2])
    assert (mine == theirs) == same


@given(ASKED, ASKED)
def test_fingerprints_are_equal_only_for_equal_requests(one: Asked, other: Asked) -> None:
    scope = Scope("s")
    requests = [request_of(turns, prompt, unheard_of=value) for turns, prompt, value in (one, other)]
    mine, theirs = (fingerprint(scope, context_digest(each), each.prompt) for each in requests)
    assert (mine == theirs) == (one == other)
