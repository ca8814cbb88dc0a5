"""The policy's pages of the admin port: which version is in force, reload the file, go back."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from aiohttp import web

from router_extproc.admin.base import PolicyControl
from router_extproc.admin.cache.members import Unreadable, read_object
from router_extproc.admin.replies import json_reply
from router_extproc.llm.answer import JsonValue

PATH: Final = "/policy"
#: For an answer, in seconds: every worker gets ready first, and another reload may be under way.
ANSWER_S: Final = 100.0
#: How a reload ended to the answer's status; anything else is 200.
_STATUS: Final[Mapping[str, int]] = MappingProxyType({"refused": 422})


class PolicyRoutes:
    """Answers under /policy."""

    def __init__(self, control: PolicyControl | None) -> None:
        """`control`: None where there is nothing to reload."""
        self._control: Final = control

    def add_to(self, application: web.Application) -> None:
        """Add every route."""
        if self._control is None:
            return
        application.router.add_get(PATH, self._state)
        application.router.add_post(f"{PATH}/reload", self._reload)
        application.router.add_post(f"{PATH}/rollback", self._rollback)

    async def _state(self, _request: web.Request) -> web.StreamResponse:
        state = await self._of().state()
        if state is None:
            return json_reply({"error": "the supervisor does not answer"}, status=503)
        return json_reply(state)

    async def _reload(self, _request: web.Request) -> web.StreamResponse:
        return _outcome(await self._of().reload())

    async def _rollback(self, request: web.Request) -> web.StreamResponse:
        try:
            to = _version(await request.read())
        except Unreadable as error:
            return json_reply({"error": str(error)}, status=400)
        return _outcome(await self._of().rollback(to))

    def _of(self) -> PolicyControl:
        if self._control is None:
            raise web.HTTPNotFound
        return self._control


def _outcome(told: JsonValue) -> web.Response:
    result = told.get("result") if isinstance(told, dict) else None
    return json_reply(told, status=_STATUS.get(str(result), 200))


def _version(body: bytes) -> int | None:
    """The version to go back to; None: the last one.

    Raises:
        Unreadable: what was sent names none.
    """
    members = read_object(body) if body.strip() else {}
    to = members.pop("to", None)
    if members:
        raise Unreadable(f"{next(iter(members))}: unknown; there is only `to`")
    if to is not None and (isinstance(to, bool) or not isinstance(to, int) or to < 1):
        raise Unreadable("to: must be the number of a version")
    return to
