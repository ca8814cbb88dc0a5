"""The model of a request whose body is a JSON object: its member "model"."""

from __future__ import annotations

from typing import Final

from router_extproc.dialects.edit_json import edit_json
from router_extproc.dialects.json_body import read_object
from router_extproc.errors import MalformedRequest
from router_extproc.llm.edits import Set

_MODEL: Final = "model"


class JsonModel:
    """Fits ModelPlace."""

    def read(self, body: bytes, content_type: str) -> str | None:
        """See ModelPlace; a body that is no JSON object names none, for its pool knows what to say of it."""
        del content_type
        try:
            model = read_object(body).get(_MODEL)
        except MalformedRequest:
            return None
        return model if type(model) is str and model else None

    def rename(self, body: bytes, content_type: str, name: str) -> bytes:
        """See ModelPlace; a member that is there twice gets the name twice."""
        del content_type
        return edit_json(body, [Set((_MODEL,), name)])
