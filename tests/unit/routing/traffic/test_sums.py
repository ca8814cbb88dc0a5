"""How fast a pool is follows from sums that age and that workers add."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router_extproc.routing.traffic.answers import AnswerSeen, sums_of
from router_extproc.routing.traffic.sums import HALF_LIFE_S, SUM_MAX, Sums


def streamed(prompt: int, ttft_s: float, tokens: int = 100, per_token_s: float = 0.01) -> Sums:
    whole_s = ttft_s + tokens * per_token_s
    return sums_of(
        AnswerSeen(
            "m", "d", "ok", ttft_s=ttft_s, duration_s=whole_s, prompt_tokens=prompt, answer_tokens=tokens
        )
    )


def added(*each: Sums) -> Sums:
    return sum(each, Sums())


def test_time_to_the_first_content_grows_with_the_prompt() -> None:
    seen = added(
        *(streamed(prompt, 0.1 + prompt / 10_000) for prompt in (100, 1000, 4000, 8000) for _ in range(50))
    )
    assert seen.speed.ttft_s(8000) == pytest.approx(0.9, rel=0.1)
    assert seen.speed.ttft_s(200) == pytest.approx(0.12, abs=0.06)
    assert seen.speed.per_token_s == pytest.approx(0.01)
    assert seen.tokens == pytest.approx(100)


def test_few_answers_are_told_by_their_mean() -> None:
    """Two points make a line that says nonsense of prompts of other lengths."""
    speed = added(streamed(1000, 0.1), streamed(1010, 0.9)).speed
    assert speed.ttft_s(100_000) < 2.0
    assert speed.ttft_s(1000) == pytest.approx(0.5, abs=0.1)


def test_an_answer_in_one_piece_tells_the_time_of_a_token_only() -> None:
    seen = sums_of(AnswerSeen("m", "d", "ok", duration_s=2.0, answer_tokens=100))
    assert (seen.speed.ttft_s(1000), seen.speed.whole_s(1000, 50)) == (0.0, pytest.approx(1.0))


def test_older_answers_count_less_and_at_last_nothing() -> None:
    old = added(*(streamed(100, 1.0) for _ in range(8)))
    assert added(old.aged(4 * HALF_LIFE_S), *(streamed(100, 0.1) for _ in range(8))).speed.ttft_s(100) < 0.2
    assert old.known
    assert not old.aged(20 * HALF_LIFE_S).known
    assert old.aged(-5.0) == old


def test_a_failure_says_nothing_of_speed_and_counts_as_one() -> None:
    seen = added(
        *(sums_of(AnswerSeen("m", "d", "failed", duration_s=0.001, answer_tokens=5)),) * 3, streamed(1, 0.1)
    )
    assert (seen.error_share, seen.speed.ttft_s(1)) == (0.75, pytest.approx(0.1))
    late = sums_of(AnswerSeen("m", "d", "failed", timed_out=True))
    limited = sums_of(AnswerSeen("m", "d", "limited"))
    assert (late.timeouts, late.errors, limited.rate_limits, Sums().error_share) == (1.0, 0.0, 1.0, 0.0)


@pytest.mark.parametrize(
    "values",
    [[1.0], [*[0.0] * 11, -1.0], [*[0.0] * 11, math.nan], [*[0.0] * 11, math.inf], [*[0.0] * 11, True]],
)
def test_what_are_no_sums_is_refused(values: list[object]) -> None:
    with pytest.raises(ValueError, match="no sums"):
        Sums.of(values)


def test_sums_survive_being_written() -> None:
    seen = streamed(100, 0.5)
    assert Sums.of(list(seen.values)) == seen
    assert Sums.of([1e300] * 12).answers == SUM_MAX


TIMES = st.floats(0, 1e12, allow_nan=False)


@settings(max_examples=100, deadline=None, database=None)
@given(st.lists(st.tuples(TIMES, TIMES, st.integers(-5, 10**15), st.integers(-5, 10**15)), max_size=5))
def test_no_answer_makes_a_speed_that_is_not_a_number(answers: list[tuple[float, float, int, int]]) -> None:
    """A replica that lies can be slow or fast, and nothing worse."""
    seen = added(
        *(
            sums_of(
                AnswerSeen("m", "d", "ok", ttft_s=ttft, duration_s=whole, prompt_tokens=p, answer_tokens=n)
            )
            for ttft, whole, p, n in answers
        )
    )
    expected = seen.speed.whole_s(1000, 100)
    assert math.isfinite(expected)
    assert expected >= 0
