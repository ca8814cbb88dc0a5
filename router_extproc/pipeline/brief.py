"""An explanation in one line: for operators' answers and for the request log.

It names decisions, signals and tests in the configuration's own words, with scores. Labels are left out:
those of some signals are what a client wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from router_extproc.pipeline.decision import Explanation
from router_extproc.routing.route import Route
from router_extproc.routing.selection.base import Choice

#: Of the line in an answer's header; what is longer is cut.
BRIEF_CHARS_MAX: Final = 1024
_CUT: Final = "..."


def brief(explanation: Explanation) -> str:
    """The line: decision, what held of its rule, scores, cache; visible ASCII only, as headers must be."""
    held = " and ".join(held_tests(explanation))
    scores = " ".join(f"{name}={score:g}" for name, score in scores_of(explanation).items())
    cache = explanation.cache + (f" ({explanation.cache_reason})" if explanation.cache_reason else "")
    parts = (
        ("decision", _decision(explanation)),
        ("because", held),
        ("chosen", _chosen(explanation)),
        ("scores", scores),
        ("cache", cache),
    )
    line = "; ".join(f"{name}: {text}" for name, text in parts if text)
    plain = "".join(each if " " <= each <= "~" else "?" for each in line)
    return plain if len(plain) <= BRIEF_CHARS_MAX else plain[: BRIEF_CHARS_MAX - len(_CUT)] + _CUT


def held_tests(explanation: Explanation) -> tuple[str, ...]:
    """The tests that held of the decision that took the request, as they are written."""
    route = explanation.route
    if route is None or not route.trace:
        return ()
    last = route.trace[-1]
    return tuple(test for test, held in last.tests.items() if held) if last.matched else ()


def scores_of(explanation: Explanation) -> Mapping[str, float]:
    """Signal to its score, of every reading that found something or came near it."""
    return {reading.name: round(reading.score, 3) for reading in explanation.readings if reading.score}


def compared_choice(explanation: Explanation) -> Choice | None:
    """How the model was chosen by comparing candidates; None: nothing was compared."""
    route = explanation.route
    choice = route.choice if isinstance(route, Route) else None
    return choice if choice is not None and choice.numbers else None


def _chosen(explanation: Explanation) -> str:
    choice = compared_choice(explanation)
    if choice is None:
        return ""
    model = choice.candidate.target.model
    numbers = " ".join(f"{name}={value:.4g}" for name, value in choice.numbers.get(model, {}).items())
    return f"{model} ({choice.reason}) {numbers}".rstrip()


def _decision(explanation: Explanation) -> str:
    return "" if explanation.route is None else explanation.route.decision
