"""The `sessions` section of a scenario: what agent sessions are like."""

from __future__ import annotations

from pydantic import Field

from router_extproc.section import Section


class SimulatedSessions(Section):
    """Agents that work with tools on what a human asks, one ask after the other.

    Means are of geometric distributions; every session has one topic and one ask at least.
    """

    #: In one repeat. Repeats have other seeds, each one more than that before.
    count: int = Field(default=40, ge=1, le=1000)
    repeats: int = Field(default=10, ge=2, le=100)
    #: Topics of one session, asks of one topic, and calls of one ask.
    topics_mean: float = Field(default=3.0, ge=1, le=20)
    asks_mean: float = Field(default=3.0, ge=1, le=20)
    calls_mean: float = Field(default=6.0, ge=1, le=50)
    #: Share of asks that go on with a topic and are of the same kind of prompt as the one before.
    same_kind: float = Field(default=0.85, ge=0, le=1)
    #: Of the system prompt with the tools, of what a human asks, and of what a tool says.
    system_tokens: int = Field(default=8000, ge=0, le=1_000_000)
    ask_tokens: int = Field(default=100, ge=1, le=100_000)
    result_tokens: int = Field(default=800, ge=1, le=100_000)
    #: Median time that a human takes for the next ask; the logarithm's spread is 1.
    pause_s: float = Field(default=120.0, gt=0, le=86_400)
    #: A pool has a session's prefix for so long after its last request.
    prefix_s: float = Field(default=300.0, ge=0, le=86_400)
    #: Of asks that a model fails: how often it stalls, which shows as `stalled_calls` failing calls and more.
    stalls: float = Field(default=0.4, ge=0, le=1)
    stalled_calls: int = Field(default=4, ge=2, le=50)
    #: Of answers that are wrong: how often the human notices.
    notices: float = Field(default=0.85, ge=0, le=1)
    #: How often the human lets one thing be tried.
    tries_max: int = Field(default=3, ge=1, le=10)
    #: A model's chance at a further try where it failed, as a share of its quality.
    second_chance: float = Field(default=0.3, ge=0, le=1)
    #: Of asks, how often they are read as of a kind that is drawn anew.
    misreads: float = Field(default=0.2, ge=0, le=1)
