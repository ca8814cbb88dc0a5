"""The conversation of one simulated session, as its client sends it with every request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from router_extproc.cache.http_caching import Directives
from router_extproc.clock import Budget, Clock
from router_extproc.conversation.ask import read_ask
from router_extproc.dialects import DIALECTS
from router_extproc.llm.answer import ToolCall
from router_extproc.llm.ask import Ask
from router_extproc.llm.request import Contents, InferenceRequest, Turn
from router_extproc.pipeline.parsed_request import ParsedRequest, RawRequest
from router_extproc.protocol.headers import Headers

_DIALECT: Final = "openai_chat"
_TOOLS: Final = 8
_BUDGET_S: Final = 0.2
FINE: Final = "ok"
FAILS: Final = "Error: exit code 1"


@dataclass(slots=True)
class Conversation:
    """Its messages, and how many tokens they are."""

    tokens: int
    _before: list[Turn] = field(default_factory=list)
    _asked: str = ""
    _later: list[Turn] = field(default_factory=list)
    _ask: Ask | None = None

    @property
    def in_loop(self) -> bool:
        """The model has called tools and not answered yet."""
        return bool(self._later)

    def ask(self, text: str, tokens: int) -> None:
        """A human asks, after the last answer."""
        if self._asked:
            self._before += [Turn("user", self._asked), *self._later]
        self._asked, self._later, self._ask = text, [], None
        self.tokens += tokens

    def call(self, arguments: str, result: str, tokens: int) -> None:
        """The model calls a tool, which says something."""
        self._later += [Turn("assistant", "", (ToolCall("run", arguments),)), Turn("tool", result)]
        self.tokens += tokens

    def answer(self, tokens: int) -> None:
        """The model says its last word."""
        self._before += [Turn("user", self._asked), *self._later, Turn("assistant", "Done.")]
        self._asked, self._later = "", []
        self.tokens += tokens

    def read(self, clock: Clock) -> ParsedRequest:
        """The request for the next step, as it is parsed."""
        request = InferenceRequest(
            _DIALECT, "auto", self._asked, "", tuple(self._before), (), stream=True, stream_usage=False,
            prompt_is_last=not self._later, has_tools=True, later=tuple(self._later),
            contents=Contents(tools_offered=_TOOLS),
        )  # fmt: skip
        # What stands behind the last user message has no say in the ask.
        self._ask = self._ask or read_ask(request)
        return ParsedRequest(
            RawRequest(DIALECTS[_DIALECT], Headers(()), b""), {}, request, self._ask, None, Directives(), {},
            Budget.of(clock, _BUDGET_S), asked_s=clock.wall_s(),
        )  # fmt: skip
