"""What a decision changes in a request on its way to the pool, in neutral words.

A dialect turns the changes of the body into edits of its own API's members (`dialects.base`); headers go to
the pool as they are. Every value is frozen, so that equal changes have equal digests in the cache's keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

#: How hard a model shall think.
Effort: TypeAlias = Literal["low", "medium", "high"]


@dataclass(frozen=True, slots=True)
class SurroundSystemPrompt:
    """Put text in front of the client's system prompt, or behind it; "": nothing."""

    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class ReplaceSystemPrompt:
    """Put a text in the place of the client's system prompt, all of it."""

    text: str


SystemPromptChange: TypeAlias = SurroundSystemPrompt | ReplaceSystemPrompt


@dataclass(frozen=True, slots=True)
class ParameterChanges:
    """Changes of named members of the body; a parameter that an API spells in two ways is one.

    Values are JSON bytes.
    """

    #: Whatever the client says.
    set: tuple[tuple[str, bytes], ...] = ()
    #: Where the client says nothing, or null.
    default: tuple[tuple[str, bytes], ...] = ()
    #: Larger numbers become this one.
    max: tuple[tuple[str, int | float], ...] = ()
    #: The client's value is taken out.
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReasoningChange:
    """Switch the model's reasoning, or say how much of it there shall be."""

    on: bool
    effort: Effort | None = None
    #: Also where the client says something else.
    force: bool = False


@dataclass(frozen=True, slots=True)
class RequestChanges:
    """Everything that one decision changes."""

    system_prompt: SystemPromptChange | None = None
    parameters: ParameterChanges = ParameterChanges()
    reasoning: ReasoningChange | None = None
    #: Name in lower case and value; a client's header of the name is overwritten.
    headers: tuple[tuple[str, str], ...] = ()


#: The client's request reaches the pool as it is, but for the model's name.
NO_CHANGES: Final = RequestChanges()
