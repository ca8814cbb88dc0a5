"""Turns what pydantic found into problems an operator can act on: path, reason, hint.

Every word is ours: a kind of error without words of its own gets those of `_OTHERWISE`, never pydantic's.
No message repeats a secret or a value that came from the environment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from router_extproc.config.expand import Expanded, join
from router_extproc.config.shape import keys_at
from router_extproc.config.sources import SECRET_KEYS
from router_extproc.errors import ConfigError
from router_extproc.section import Section, did_you_mean

_HIDDEN_KEYS: Final = SECRET_KEYS | {"username"}
_GOT_MAX: Final = 60

#: For a kind of error that no section of ours can have today.
_OTHERWISE: Final = "does not have the expected form"
#: A section's own checks: what they say is ours.
_OWN_WORDS: Final = frozenset({"value_error", "assertion_error"})
#: Kinds that only follow from another error, which is told itself.
_FOLLOWS: Final = frozenset({"default_factory_not_called"})
#: pydantic's error type to our words; {name} are fields of the error's context.
_WORDS: Final[Mapping[str, str]] = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "bytes_type": "must be text",
    "dict_type": "must be a mapping (key: value)",
    "enum": "must be {expected}",
    "finite_number": "must be a finite number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "frozen_dict_type": "must be a mapping (key: value)",
    "frozen_set_type": "must be a list",
    "greater_than": "must be > {gt}",
    "greater_than_equal": "must be >= {ge}",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number of at most 4,300 digits",
    "int_type": "must be a whole number",
    "invalid_key": "must have text keys",
    "iterable_type": "must be a list",
    "less_than": "must be < {lt}",
    "less_than_equal": "must be <= {le}",
    "list_type": "must be a list",
    "literal_error": "must be {expected}",
    "mapping_type": "must be a mapping (key: value)",
    "model_attributes_type": "must be a mapping (key: value)",
    "model_type": "must be a mapping (key: value)",
    "multiple_of": "must be a multiple of {multiple_of}",
    "none_required": "must be empty",
    "recursion_loop": "must not contain itself",
    "recursion_depth_exceeded": "is nested too deeply",
    "set_type": "must be a list",
    "string_not_ascii": "must be ASCII text",
    "string_pattern_mismatch": "must match {pattern}",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must not be empty",
    "string_type": "must be text",
    "string_unicode": "must be text",
    "too_long": "must have at most {max_length} items",
    "too_short": "must not be empty",
    "tuple_type": "must be a list",
    "union_tag_invalid": "must be one of {expected_tags}",
}


@dataclass(frozen=True, slots=True)
class Misfit:
    """A place whose value does not fit its section, and why."""

    keys: tuple[str | int, ...]
    problem: ConfigError


def misfits(error: ValidationError, expanded: Expanded, section: type[Section]) -> tuple[Misfit, ...]:
    """One for each wrong place, in the order in which the sections name their keys."""
    found: dict[tuple[str | int, ...], list[str]] = {}
    for details in _causes(error.errors(include_url=False)):
        keys = _keys(details, expanded.value)
        hidden = _path(keys) in expanded.secret_paths or bool(_HIDDEN_KEYS.intersection(keys[-1:]))
        found.setdefault(keys, []).append(_reason(details, keys, section, hidden=hidden))
    return tuple(
        Misfit(keys, ConfigError(_path(keys), _either(reasons)))
        for keys, reasons in found.items()
        if not _is_covered(keys, reasons, found)
    )


def _causes(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    return [details for details in errors if details["type"] not in _FOLLOWS] or errors


def _keys(details: ErrorDetails, document: object) -> tuple[str | int, ...]:
    """The keys of the document on the way to the error: pydantic's own union tags left out."""
    keys: list[str | int] = []
    here: Any = document  # YAML: any nesting of dicts, lists and scalars
    for key in details["loc"]:
        if _has(here, key):
            keys.append(key)
            here = here[key]
    if details["type"] == "missing":
        keys.append(details["loc"][-1])
    if details["type"].startswith("union_tag"):
        # pydantic writes the name as a literal: 'by'.
        keys.append(str(details.get("ctx", {}).get("discriminator", "type")).strip("'"))
    return tuple(keys)


def _has(here: object, key: str | int) -> bool:
    if isinstance(here, list):
        return isinstance(key, int) and key < len(here)
    return isinstance(here, dict) and key in here


def _path(keys: Sequence[str | int]) -> str:
    path = ""
    for key in keys:
        path = join(path, key)
    return path


def _reason(details: ErrorDetails, keys: Sequence[str | int], section: type[Section], *, hidden: bool) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if kind == "missing":
        return "is required"
    if kind == "union_tag_not_found":
        return f"is required: one of {', '.join(_expected(section, keys))}"
    if kind == "extra_forbidden":
        return f"unknown key{did_you_mean(str(keys[-1]), keys_at(section, keys[:-1]))}"
    if kind in _OWN_WORDS:
        return str(context.get("error", _OTHERWISE))
    reason = _WORDS.get(kind, _OTHERWISE).format(**context)
    value = context.get("tag", details["input"]) if kind == "union_tag_invalid" else details["input"]
    return f"{reason}, got {_got(value, hidden=hidden)}{_nearest(kind, context, value, hidden=hidden)}"


def _expected(section: type[Section], keys: Sequence[str | int]) -> list[str]:
    return [f"'{tag}'" for tag in keys_at(section, keys[:-1], tags=str(keys[-1]))]


def _got(value: object, *, hidden: bool) -> str:
    if hidden:
        return "a hidden value"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= _GOT_MAX else f"{text[:_GOT_MAX]}…"


def _nearest(kind: str, context: Mapping[str, object], value: object, *, hidden: bool) -> str:
    if kind not in ("literal_error", "union_tag_invalid") or hidden:
        return ""
    expected = str(context.get("expected") or context.get("expected_tags"))
    return did_you_mean(str(value), expected.replace(" or ", ", ").replace("'", "").split(", "))


def _either(reasons: Sequence[str]) -> str:
    """Reasons of a union's branches as one: the last names what was found instead."""
    if len(reasons) == 1:
        return reasons[0]
    return " or ".join([*(reason.split(", got ")[0] for reason in reasons[:-1]), reasons[-1]])


def _is_covered(
    keys: tuple[str | int, ...],
    reasons: Sequence[str],
    found: Iterable[tuple[str | int, ...]],
) -> bool:
    """True when the branch of a union that fits better has problems of its own, deeper inside."""
    mismatch = all(reason.endswith(("got a mapping", "got a list")) for reason in reasons)
    return mismatch and any(len(other) > len(keys) and other[: len(keys)] == keys for other in found)
