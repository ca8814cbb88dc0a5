"""Edits a JSON body in place: only the spans that an edit means change.

White space, member order, escapes, number spelling and doubled members stay as the client sent them.
Edits are applied in their order; those that touch different places share one pass over the body.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, TypeAlias

import orjson

from router_extproc.dialects.json_body import JSON_STRING
from router_extproc.dialects.json_spans import Member, Span, Spans, members_between
from router_extproc.dialects.scalars import number
from router_extproc.llm.edits import (
    Add,
    AppendItem,
    AppendText,
    Cap,
    Edit,
    Path,
    PrependItem,
    PrependText,
    Remove,
    RemoveItems,
    Set,
)

#: The bytes that take the place of a span.
_Change: TypeAlias = tuple[Span, bytes]
#: From here on, a view costs less than a copy.
_LARGE_BYTES: Final = 1 << 14
#: The edits that put a member where there is none.
_PUTS: Final = (Set, Add)
#: An edit, and what is left of its path below the container in hand.
_Below: TypeAlias = tuple[Path, Edit]


def edit_json(body: bytes, edits: Sequence[Edit]) -> bytes:
    """The body with the edits applied; `body` is a JSON object that `read_object` accepts.

    Below the top level, only containers of at most 250 levels can be edited.
    """
    wanted = _at_the_top(edits)
    if wanted is not None:
        return _edit_top(body, wanted)
    for run in _runs(edits):
        body = _edit(body, run)
    return body


# ── the top level alone ───────────────────────────────────────────────────────────────────────


def _at_the_top(edits: Sequence[Edit]) -> Mapping[str, Set | Add] | None:
    """The edits by name if all set or add different top-level members, as those of most requests do."""
    wanted: dict[str, Set | Add] = {}
    for edit in edits:
        name = edit.path[0]
        if len(edit.path) > 1 or isinstance(name, int) or name in wanted or not isinstance(edit, _PUTS):
            return None
        wanted[name] = edit
    return wanted


def _edit_top(body: bytes, wanted: Mapping[str, Set | Add]) -> bytes:
    """What `_edit` does, in half of its time on a short body."""
    start = body.index(b"{")
    pieces: list[bytes | memoryview] = [body[: start + 1]]
    given, copied = set(), start + 1
    spans: Spans | None = None
    for name, _, value_start in members_between(body, start, len(body), tuple(wanted)):
        edit = wanted[name]
        given.add(name)
        if isinstance(edit, Set):
            pieces += (body[copied:value_start], orjson.dumps(edit.value))
            if string := JSON_STRING.match(body, value_start):
                copied = string.end()
            else:
                spans = spans or Spans(body)
                copied = spans.end(value_start)
    if len(given) < len(wanted):
        missing = [wanted[name] for name in wanted if name not in given]
        pieces.insert(1, _members(missing, b"," if given else Spans(body).comma(start)))
    # The rest may be nearly all of a large body: a view saves copying it twice.
    pieces.append(memoryview(body)[copied:] if len(body) > _LARGE_BYTES else body[copied:])
    return b"".join(pieces)


# ── which edits share a pass ──────────────────────────────────────────────────────────────────


def _runs(edits: Sequence[Edit]) -> Iterator[list[Edit]]:
    """The edits in their order, cut where one could see or move what another has changed."""
    run: list[Edit] = []
    for edit in edits:
        if any(_touch(edit, other) for other in run):
            yield run
            run = []
        run.append(edit)
    yield run


def _touch(one: Edit, other: Edit) -> bool:
    first, second = _reach(one), _reach(other)
    shared = min(len(first), len(second))
    return first[:shared] == second[:shared]


def _reach(edit: Edit) -> Path:
    """What the edit may move: taking one out moves the commas and the places beside it."""
    return edit.path[:-1] if isinstance(edit, Remove) else edit.path


# ── anywhere ──────────────────────────────────────────────────────────────────────────────────


def _edit(body: bytes, edits: Sequence[Edit]) -> bytes:
    """The body with one run of edits applied."""
    spans = Spans(body)
    below = [(edit.path, edit) for edit in edits if isinstance(edit.path[0], str)]
    changes = _in_object(spans, spans.top, list(spans.members(spans.top, _names(below))), below)
    pieces, copied = [], 0
    for (start, end), written in sorted(changes, key=lambda change: change[0]):
        pieces += [body[copied:start], written]
        copied = end
    return b"".join([*pieces, body[copied:]])


def _names(edits: Sequence[_Below]) -> tuple[str, ...]:
    """The member names that the paths begin with, each once, in order."""
    return tuple(dict.fromkeys(path[0] for path, _ in edits if isinstance(path[0], str)))


def _in_object(spans: Spans, start: int, found: Sequence[Member], edits: Sequence[_Below]) -> list[_Change]:
    """What changes in the object that starts here; `found`: its members that the paths name."""
    changes = _additions(spans, start, edits, {name for name, _, _ in found})
    removed = []
    for name, name_start, value_start in found:
        below = [(path[1:], edit) for path, edit in edits if path[0] == name]
        if _is_removal(below):
            removed.append((name_start, spans.end(value_start)))
        else:
            changes += _at_value(spans, value_start, below)
    return changes + [(span, b"") for span in spans.cuts(removed)]


def _is_removal(below: Sequence[_Below]) -> bool:
    """Whether the value itself goes: edits of the same place are never in one run, so it stands alone."""
    return len(below) == 1 and below[0][0] == () and isinstance(below[0][1], Remove)


def _additions(spans: Spans, start: int, edits: Sequence[_Below], given: Collection[str]) -> list[_Change]:
    """The members that are not there yet, right behind the opening brace."""
    missing = [
        edit for path, edit in edits if len(path) == 1 and isinstance(edit, _PUTS) and path[0] not in given
    ]
    return [((start + 1, start + 1), _members(missing, spans.comma(start)))] if missing else []


def _members(edits: Sequence[Set | Add], comma: bytes) -> bytes:
    """New first members of an object, and what parts them from the next one."""
    written = [orjson.dumps(edit.path[-1]) + b":" + orjson.dumps(edit.value) for edit in edits]
    return b",".join(written) + comma


def _at_value(spans: Spans, start: int, edits: Sequence[_Below]) -> list[_Change]:
    """What changes in the value that starts here."""
    path, edit = edits[0]
    if not path:
        return list(_leaf(spans, start, edit))
    match spans.first_byte(start):
        case b"{":
            edits = [(path, edit) for path, edit in edits if isinstance(path[0], str)]
            return _in_object(spans, start, list(spans.members(start, _names(edits))), edits)
        case b"[":
            return _in_list(spans, start, edits)
        case _:
            return []


def _in_list(spans: Spans, start: int, edits: Sequence[_Below]) -> list[_Change]:
    """What changes in the list that starts here."""
    last = max((path[0] for path, _ in edits if isinstance(path[0], int)), default=-1)
    changes: list[_Change] = []
    for place, span in enumerate(islice(spans.elements(start), last + 1)):
        below = [(path[1:], edit) for path, edit in edits if path[0] == place]
        if _is_removal(below):
            changes += [(cut, b"") for cut in spans.cuts([span])]
        elif below:
            changes += _at_value(spans, span[0], below)
    return changes


# ── one value ─────────────────────────────────────────────────────────────────────────────────


def _leaf(spans: Spans, start: int, edit: Edit) -> Iterator[_Change]:
    """The change to the value itself."""
    opening = spans.first_byte(start)
    match edit:
        case Set(value=value):
            yield (start, spans.end(start)), orjson.dumps(value)
        case Cap(most=most) if opening not in b"{[":
            span = (start, spans.end(start))
            said = number(orjson.loads(spans.body[slice(*span)]))
            # Also what is no number at all ("nan"): no pool may take it for a small one.
            if said is not None and not said <= most:
                yield span, orjson.dumps(most)
        case PrependText() | AppendText() if opening == b'"':
            yield _in_string(spans, start, edit)
        case PrependItem() | AppendItem() | RemoveItems() if opening == b"[":
            yield from _in_whole_list(spans, start, edit)
        case _:
            pass


def _in_string(spans: Spans, start: int, edit: PrependText | AppendText) -> _Change:
    at = start + 1 if isinstance(edit, PrependText) else spans.end(start) - 1
    return (at, at), orjson.dumps(edit.text)[1:-1]


def _in_whole_list(
    spans: Spans, start: int, edit: PrependItem | AppendItem | RemoveItems
) -> Iterator[_Change]:
    """The changes to a list that are no changes to one of its elements."""
    comma = spans.comma(start)
    match edit:
        case PrependItem(item=item):
            yield (start + 1, start + 1), orjson.dumps(item) + comma
        case AppendItem(item=item):
            at = spans.end(start) - 1
            yield (at, at), comma + orjson.dumps(item)
        case RemoveItems(items=items):
            removed = [span for place, span in enumerate(spans.elements(start)) if place in items]
            yield from ((cut, b"") for cut in spans.cuts(removed))
