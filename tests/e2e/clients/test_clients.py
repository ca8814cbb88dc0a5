"""The clients that people use, with the router between them and a pool and without it: nothing differs.

Each case of each library is run against the pool itself, then twice through a real Envoy. The first time
the client gets the very same object or exception, and the pool the very same request. The second time a
complete answer comes from the cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest
from compare import error_kind, request_differences, shown, without_own, words
from outcomes import Library, Outcome

pytestmark = pytest.mark.clients

LIBRARIES: Final = (
    "openai_sdk",
    "anthropic_sdk",
    "langchain_client",
    "llama_index_client",
    "litellm_client",
    "instructor_client",
    "pydantic_ai_client",
    "javascript",
)
#: Cases in which the router answers without a pool, and in its own words where it refuses.
OWN_WORDS: Final = {
    "model_names": "the list of models is the router's own",
    "one_model": "likewise",
    "unknown_model": "the router knows all models, so no pool is asked for one that is none",
    "openai_unknown_model": "likewise",
    "no_messages": "a chat completion without messages can be no question",
}


#: Case to how many of its requests are asked again, because their answers are not stored.
NOT_STORED: Final = {
    # A call of a tool is an action; it is stored where an operator says so.
    "tool_call": 1,
    "tool_call_stream": 1,
    "tool_loop": 1,
    "tool_events": 1,
    "parsed_tool": 1,
    "structured_by_tool": 1,
    "structured": 1,
    "with_tool": 1,
    "by_tools": 1,
    "by_messages": 1,
    "partial": 1,
    "openai_tool_call": 1,
    "openai_tool_stream": 1,
    "anthropic_tool_use": 1,
    "ai_tool": 1,
    # The pool may keep the answer, which only a request with `store: false` rules out.
    "response_tool_loop": 2,
    "response_tool_stream": 1,
    "response_continued": 1,
    "responses": 1,
    "by_responses": 1,
    # APIs that are only routed.
    "count": 1,
    "anthropic_count": 1,
    "moderation": 1,
    "transcription": 1,
}
#: The same, where another library has a case of the name.
NOT_STORED_HERE: Final = {
    ("langchain_client", "structured"): 0,
    ("pydantic_ai_client", "by_messages"): 0,
}


@pytest.fixture(params=LIBRARIES)
def cases(request: pytest.FixtureRequest, library: Callable[[str], Library]) -> Library:
    return library(request.param)


def test_a_client_gets_the_same_as_without_the_router(cases: Library) -> None:
    differences = [
        f"{case}: {shown(outcome.direct)}\n became {shown(outcome.through)}"
        for case, outcome in cases.outcomes.items()
        if not _same_result(case, outcome)
    ]
    assert not differences, "\n".join(differences)


def test_a_pool_gets_the_same_as_without_the_router(cases: Library) -> None:
    differences = [
        f"{case}: {difference}"
        for case, outcome in cases.outcomes.items()
        if case not in OWN_WORDS
        for difference in _request_differences(outcome)
    ]
    assert not differences, "\n".join(differences)


def test_a_repeated_complete_answer_comes_from_the_cache(cases: Library) -> None:
    wrong = [
        f"{case}: the pool was asked {_asked_again(outcome)} times again, not {wanted}"
        for case, outcome in cases.outcomes.items()
        if _asked_again(outcome) != (wanted := _wanted_again(cases, case, outcome))
    ]
    assert not wrong, "\n".join(wrong)


def test_a_cached_answer_is_the_one_of_the_pool(cases: Library) -> None:
    differences = [
        f"{case}: {shown(outcome.through)}\n became {shown(outcome.again)}"
        for case, outcome in cases.outcomes.items()
        if not _same_again(case, outcome)
    ]
    assert not differences, "\n".join(differences)


def _same_result(case: str, outcome: Outcome) -> bool:
    if case in OWN_WORDS:
        return error_kind(outcome.direct) == error_kind(outcome.through)
    return outcome.direct == outcome.through


def _same_again(case: str, outcome: Outcome) -> bool:
    """A stream may be cut into other pieces; everything else is the same object, but for what is its own."""
    first, second = outcome.through, outcome.again
    if "error" in first or case in NOT_STORED:
        return error_kind(first) == error_kind(second)
    if isinstance(first["value"], list):
        return words(without_own(first)) == words(without_own(second))
    return bool(without_own(first) == without_own(second))


def _request_differences(outcome: Outcome) -> list[str]:
    direct, through = outcome.sent_direct, outcome.sent_through
    if len(through) < len(direct):
        return [f"{len(direct)} requests became {len(through)}"]
    return [each for pair in zip(direct, through, strict=False) for each in request_differences(*pair)]


def _asked_again(outcome: Outcome) -> int:
    return len(outcome.sent_through) - len(outcome.sent_direct)


def _wanted_again(cases: Library, case: str, outcome: Outcome) -> int:
    """Nothing that is complete; all that failed, and what is never stored."""
    if case in OWN_WORDS:
        return -len(outcome.sent_direct)
    if "error" in outcome.direct:
        return len(outcome.sent_direct)
    return NOT_STORED_HERE.get((cases.name, case), NOT_STORED.get(case, 0))
