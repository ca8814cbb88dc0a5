"""What a decision changes in a request: the sections `system_prompt`, `parameters` and `reasoning`."""

from __future__ import annotations

from typing import Final, TypeAlias

from pydantic import Field, JsonValue, StrictFloat, StrictInt

from router_extproc.llm.changes import Effort
from router_extproc.section import Section

#: A decision's own texts (an answer, a message, a system prompt) are no longer than this.
TEXT_CHARS_MAX: Final = 32_768
#: Parameters in each of the four lists, and headers of one decision.
PARAMETERS_MAX: Final = 32
HEADERS_MAX: Final = 8


class SystemPrompt(Section):
    """Text beside the client's system prompt, or in its place."""

    #: In front of the client's, a blank line between them.
    prepend: str | None = Field(default=None, min_length=1, max_length=TEXT_CHARS_MAX)
    #: Behind the client's, a blank line between them.
    append: str | None = Field(default=None, min_length=1, max_length=TEXT_CHARS_MAX)
    #: In the place of all of the client's system messages.
    replace: str | None = Field(default=None, min_length=1, max_length=TEXT_CHARS_MAX)


class Parameters(Section):
    """Members of the request's body beside the conversation."""

    #: Whatever the client says.
    set: dict[str, JsonValue] = Field(default_factory=dict, max_length=PARAMETERS_MAX)
    #: Where the client says nothing.
    default: dict[str, JsonValue] = Field(default_factory=dict, max_length=PARAMETERS_MAX)
    #: A larger number becomes this one.
    max: dict[str, StrictInt | StrictFloat] = Field(default_factory=dict, max_length=PARAMETERS_MAX)
    #: Taken out.
    remove: tuple[str, ...] = Field(default=(), max_length=PARAMETERS_MAX)


class ReasoningSwitch(Section):
    """Whether a model reasons, and how much."""

    #: False: it answers at once.
    on: bool = True
    #: None: the model's own. Families that know only on and off make nothing of it.
    effort: Effort | None = None
    #: Also where the client says something else.
    force: bool = False


#: true and false are the short forms of {on: …}.
Reasoning: TypeAlias = bool | ReasoningSwitch
