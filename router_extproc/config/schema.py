"""The configuration as a JSON schema (draft 2020-12), for editors that complete and check while one types.

Made from the sections themselves. What only `check` can tell (references, budgets) is not in it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from pydantic.json_schema import JsonSchemaMode

from router_extproc.config.decisions import Range
from router_extproc.config.field_comments import comments_of
from router_extproc.config.model import Config
from router_extproc.routing.rules import MAX_DEPTH
from router_extproc.section import Section

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
TITLE: Final = "router_extproc configuration"
#: What a file is read as, and not what is written out.
_MODE: Final[JsonSchemaMode] = "validation"
#: Any value may come from the environment.
_ENVIRONMENT: Final = "FromEnvironment"
#: The type of a reader's value that text with ${NAME} in it may become.
_FROM_TEXT: Final = frozenset({"integer", "number", "boolean"})
#: Of pydantic's own, and of no use to an editor.
_NOISE: Final = ("title", "discriminator")

Schema = dict[str, Any]  # JSON: any nesting


def json_schema() -> Schema:
    """The schema of a configuration file."""
    schema: Schema = Config.model_json_schema(mode=_MODE)
    definitions: Schema = schema.pop("$defs")
    for section in _sections(Config):
        target = schema if section is Config else definitions.get(section.__name__)
        if target is not None:
            _describe(target, section)
    _point_to_rules(definitions["Decision"]["properties"]["when"])
    _point_to_rules(definitions["SemanticCache"]["properties"]["bypass_when"])
    # Only rules are any JSON there.
    definitions = {name: _opened(part) for name, part in definitions.items() if name != "JsonValue"}
    definitions |= {_ENVIRONMENT: _environment(), "Rule": _rule(), "Test": _test()}
    whole: Schema = _opened(schema)
    return {"$schema": DRAFT, "title": TITLE, **whole, "$defs": dict(sorted(definitions.items()))}


# ── descriptions ──────────────────────────────────────────────────────────────────────────────


def _sections(kind: object) -> Iterator[type[Section]]:
    """The section and all sections inside it, each once."""
    seen: set[object] = set()
    waiting = [kind]
    while waiting:
        here = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        waiting += get_args(here)
        if isinstance(here, type) and issubclass(here, Section):
            waiting += [field.annotation for field in here.model_fields.values()]
            yield here


def _describe(target: Schema, section: type[Section]) -> None:
    target["description"] = _first_line(inspect.getdoc(section) or "")
    written = {name: field.alias or name for name, field in section.model_fields.items()}
    for name, comment in comments_of(section).items():
        key = written.get(name, name)
        if key in target.get("properties", {}):
            target["properties"][key]["description"] = comment


def _first_line(text: str) -> str:
    return " ".join(text.partition("\n\n")[0].split())


# ── values from the environment ───────────────────────────────────────────────────────────────


def _opened(schema: Any) -> Any:
    """The schema without noise, in which `${NAME}` may stand for every value that is no text."""
    if isinstance(schema, list):
        return [_opened(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    properties = schema.get("properties", {})
    kept = {
        key: value for key, value in schema.items() if key not in _NOISE or not isinstance(value, str | dict)
    }
    result = {key: _opened(value) for key, value in kept.items() if key not in ("properties", "default")}
    if "default" in schema:
        result["default"] = schema["default"]
    if properties:
        result["properties"] = {name: _opened(value) for name, value in properties.items()}
    return _or_environment(result) if _is_scalar(result) else result


def _is_scalar(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") in _FROM_TEXT or "enum" in schema


def _or_environment(schema: Schema) -> Schema:
    around: Schema = {key: schema.pop(key) for key in ("description", "default") if key in schema}
    return {"anyOf": [schema, {"$ref": f"#/$defs/{_ENVIRONMENT}"}], **around}


def _environment() -> Schema:
    return {
        "type": "string",
        "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*\}",
        "description": "${NAME}: the environment variable NAME.",
    }


# ── rules ─────────────────────────────────────────────────────────────────────────────────────


def _point_to_rules(when: Schema) -> None:
    when.pop("$ref", None)
    when.pop("anyOf", None)
    when["anyOf"] = [{"$ref": "#/$defs/Rule"}, {"type": "null"}]


def _rule() -> Schema:
    rule = {"$ref": "#/$defs/Rule"}
    parts = {"type": "array", "items": rule, "minItems": 1}
    return {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {
            "all": {**parts, "description": "All of these rules hold."},
            "any": {**parts, "description": "At least one of these rules holds."},
            "not": {**rule, "description": "This rule does not hold."},
        },
        "additionalProperties": {"$ref": "#/$defs/Test"},
        "description": (
            "all, any or not of other rules, or the name of a signal with what its reading must be;"
            f" nested {MAX_DEPTH} deep at most."
        ),
    }


def _test() -> Schema:
    labels = {"type": "array", "items": {"type": "string"}, "minItems": 1}
    bound = {"type": "number", "minimum": 0, "maximum": 1}
    score = {
        "type": "object",
        "minProperties": 1,
        "properties": {
            "min": {**bound, "description": "The lowest score."},
            "max": {**bound, "description": "The highest score."},
            "any": {**labels, "description": "The score of one of these labels."},
        },
        "additionalProperties": False,
        "description": _first_line(inspect.getdoc(Range) or ""),
    }
    return {
        "anyOf": [
            {"type": "boolean", "description": "Whether the signal has a label."},
            {"type": "string", "description": "The signal's label."},
            {**labels, "description": "One of these labels."},
            score,
        ],
        "description": "What the signal's reading must be.",
    }
