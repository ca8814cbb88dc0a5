"""What every form of the old file is read into: parts of a router.yaml, each with the comment above it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from router_extproc.llm.answer import JsonValue

#: A `when` tree of our configuration; True: every request, False: none.
When: TypeAlias = bool | dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Entry:
    """One model, signal, decision or section of the new file."""

    value: Mapping[str, JsonValue]
    #: Why it is written so; empty: it speaks for itself.
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision of the new file, before it has its place among the others."""

    name: str
    priority: int
    when: When
    #: Everything beside name, priority and when.
    keys: Mapping[str, JsonValue]
    #: YAML path in the old file.
    origin: str
    comment: str = ""
    #: Among equal priorities, the higher comes first.
    certainty: float = 0.0


@dataclass(frozen=True, slots=True)
class Models:
    """The models and the pools that serve them."""

    #: By the name that clients and decisions use.
    models: Mapping[str, Entry] = field(default_factory=dict)
    #: Envoy's clusters, by name.
    clusters: Mapping[str, Entry] = field(default_factory=dict)

    def reasons(self, model: str) -> bool:
        """True when the model's reasoning can be switched."""
        return model in self.models and "reasoning" in self.models[model].value


@dataclass(frozen=True, slots=True)
class Signals:
    """The signals, and how a condition of the old file is asked."""

    signals: Mapping[str, Entry] = field(default_factory=dict)
    #: By type and name of the old condition; False: it cannot be asked, so it never holds.
    tests: Mapping[tuple[str, str], When] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """A whole configuration, not yet written."""

    form: str
    default_model: str
    virtual_models: tuple[str, ...]
    models: Models
    signals: Mapping[str, Entry]
    #: In the order in which they are tried.
    decisions: tuple[Decision, ...]
    cache: Entry
    #: HOST:PORT of Envoy's listener; None: the usual one.
    listen: str | None = None
