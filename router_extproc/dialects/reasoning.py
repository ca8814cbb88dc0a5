"""A decision's change of reasoning as edits of a request to a pool that fills a chat template.

Source: vLLM, "Reasoning Outputs": `chat_template_kwargs`, and the effort of each of its APIs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from router_extproc.llm.answer import JsonObject
from router_extproc.llm.changes import ReasoningChange
from router_extproc.llm.edits import Edit, Path, Set
from router_extproc.llm.reasoning import FAMILIES, EffortLevel, TemplateSwitch

_TEMPLATE: Final = "chat_template_kwargs"
#: What templates call the effort.
_EFFORT: Final = "reasoning_effort"


def reasoning_edits(
    document: JsonObject, change: ReasoningChange, family: str | None, *, effort: Path
) -> Iterator[Edit]:
    """What the family reads, where the client has said nothing of it or is overruled.

    effort: where the API says it, in at most one object: that is added where it is missing.
    """
    switch = next((known for name, known in FAMILIES.items() if name == family), None)
    if switch is None or (_says_how_to_reason(document, switch, effort) and not change.force):
        return
    match switch:
        case TemplateSwitch(name=name):
            yield from _put(document, (_TEMPLATE, name), change.on)
        case EffortLevel():
            yield from _put(document, effort, (change.effort or "high") if change.on else "low")


def _says_how_to_reason(document: JsonObject, switch: TemplateSwitch | EffortLevel, effort: Path) -> bool:
    """Whether the client has a wish of its own: a newer vLLM also makes switches of the effort."""
    own = _EFFORT if isinstance(switch, EffortLevel) else switch.name
    return _is_said(document, effort) or _is_said(document, (_TEMPLATE, own))


def _is_said(document: JsonObject, path: Path) -> bool:
    name, *inner = path
    value = document.get(str(name))
    for step in inner:
        value = value.get(str(step)) if isinstance(value, dict) else None
    return value is not None


def _put(document: JsonObject, path: Path, value: str | bool) -> Iterator[Edit]:  # noqa: FBT001 - the value
    name, *inner = path
    holder = document.get(str(name))
    if not inner or isinstance(holder, dict):
        # Beside the client's other members.
        yield Set(path, value)
    elif holder is None:
        yield Set((name,), {str(inner[0]): value})
