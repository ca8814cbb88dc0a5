"""A decision's changes of parameters, as edits of the top level of a JSON body.

What an API calls its parameters, and what pools take where a request says nothing, is the dialect's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from router_extproc.llm.answer import JsonObject, JsonValue
from router_extproc.llm.changes import ParameterChanges
from router_extproc.llm.edits import Cap, Edit, Remove, Set


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What an API calls its parameters."""

    #: Each name of a parameter that has several, to all of them in one order.
    names: Mapping[str, Sequence[str]]
    #: What a pool takes where a request says nothing, of those parameters for which that may be more than a
    #: cap allows; by the first of its names.
    taken: Mapping[str, float]
    #: What may be added to a request; None: anything.
    known: frozenset[str] | None = None
    #: What a request cannot be without; by the first of its names.
    required: frozenset[str] = frozenset()

    def names_of(self, parameter: str) -> Sequence[str]:
        """All names of the parameter."""
        return self.names.get(parameter, (parameter,))


@dataclass(slots=True)
class _Wanted:
    """What a decision wants of one parameter."""

    #: As the operator calls it.
    name: str
    names: Sequence[str]
    #: None: more than any cap allows.
    set: bytes | None = None
    default: bytes | None = None
    max: float | None = None
    removed: bool = False

    def filling(self, taken: Mapping[str, float]) -> JsonValue:
        """What is written where the client says nothing; None: nothing."""
        if self.default is not None:
            return _capped(orjson.loads(self.default), self.max)
        of_the_pool = taken.get(self.names[0])
        exceeds = self.max is not None and of_the_pool is not None and of_the_pool > self.max
        return self.max if exceeds else None

    def new_names(self, vocabulary: Vocabulary) -> Sequence[str]:
        """Under which it is added to a request that does not have it."""
        name = self.name if self.name in self.names else self.names[0]
        return (name,) if vocabulary.known is None or name in vocabulary.known else ()


def parameter_edits(document: JsonObject, changes: ParameterChanges, vocabulary: Vocabulary) -> list[Edit]:
    """Edits by which the parameters become what the decision wants; none where they are that already.

    document: what the dialect read of the body; of a doubled member that is the last one.
    """
    wanted = _wanted(changes, vocabulary)
    edits = [edit for each in wanted for edit in _edits(document, each, vocabulary)]
    # Each member that is taken out costs a pass of its own, and those before it share one.
    return sorted(edits, key=lambda edit: isinstance(edit, Remove))


def _wanted(changes: ParameterChanges, vocabulary: Vocabulary) -> Sequence[_Wanted]:
    """By parameter, whatever name it has in each of the changes."""
    found: dict[str, _Wanted] = {}

    def of(name: str) -> _Wanted:
        names = vocabulary.names_of(name)
        return found.setdefault(names[0], _Wanted(name, names))

    for name, value in changes.set:
        of(name).set = value
    for name, value in changes.default:
        of(name).default = value
    for name, most in changes.max:
        of(name).max = most
    for name in changes.removed:
        of(name).removed = vocabulary.names_of(name)[0] not in vocabulary.required
    return tuple(found.values())


def _edits(document: JsonObject, wanted: _Wanted, vocabulary: Vocabulary) -> Iterator[Edit]:
    present = [name for name in wanted.names if name in document]
    places = present or wanted.new_names(vocabulary)
    if wanted.set is not None:
        yield from _write(places, orjson.loads(wanted.set))
        return
    says_something = not wanted.removed and any(document[name] is not None for name in present)
    filling = None if says_something else wanted.filling(vocabulary.taken)
    if filling is not None:
        yield from _write(places, filling)
    elif wanted.removed:
        yield from (Remove((name,)) for name in present)
    elif wanted.max is not None:
        # Also where the last of doubled members is null: another reader may take the first.
        yield from (Cap((name,), wanted.max) for name in present)


def _write(names: Sequence[str], value: JsonValue) -> Iterator[Edit]:
    yield from (Set((name,), value) for name in names)


def _capped(value: JsonValue, most: float | None) -> JsonValue:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return min(value, most) if is_number and most is not None else value  # type: ignore[type-var]
