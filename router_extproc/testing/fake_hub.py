"""A stand-in for a Hugging Face style hub on this machine: one repository, ranges, and faults on order.

Listing, checksums and addresses have the hub's own form.

Source: huggingface_hub, `HfApi.model_info` (files_metadata) and `hf_hub_url`.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from aiohttp import web

#: Files from this size on are listed with SHA-256, as the hub's large files are.
LARGE_BYTES = 1024
COMMIT = "0123456789abcdef0123456789abcdef01234567"
START_S = 10.0


@dataclass(slots=True)
class FakeHub:
    """The repository, its faults, and what was asked of it; faults are set while it serves."""

    files: Mapping[str, bytes]
    repo: str = "owner/name"
    #: Asked for in every request, if there is one.
    token: str | None = None
    #: Bytes after which each of the next answers breaks off, first come first.
    breaks: list[int] = field(default_factory=list)
    #: Files whose bytes are not those that are listed.
    forged: set[str] = field(default_factory=set)
    #: False: every answer is the whole file.
    knows_ranges: bool = True
    #: What was asked for: file name and range, empty for the whole.
    asked: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    async def list_files(self, request: web.Request) -> web.Response:
        """The repository at a revision."""
        if refused := self._refuse(request):
            return refused
        if request.match_info["revision"] != "main":
            return web.Response(status=HTTPStatus.NOT_FOUND)
        siblings = [describe_file(name, content) for name, content in self.files.items()]
        return web.json_response({"id": self.repo, "sha": COMMIT, "siblings": siblings})

    async def send_file(self, request: web.Request) -> web.StreamResponse:
        """One file, or what is missing of it."""
        if refused := self._refuse(request):
            return refused
        name, wanted = request.match_info["name"], request.headers.get("range", "")
        self.asked.append((name, wanted))
        content = self.files[name]
        if name in self.forged:
            content = bytes(reversed(content))
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.knows_ranges else 0
        rest = content[start:]
        response = web.StreamResponse(status=HTTPStatus.PARTIAL_CONTENT if start else HTTPStatus.OK)
        response.content_length = len(rest)
        await response.prepare(request)
        if not self.breaks:
            await response.write(rest)
            return response
        await response.write(rest[: self.breaks.pop(0)])
        if request.transport is not None:
            request.transport.close()
        return response

    def _refuse(self, request: web.Request) -> web.Response | None:
        if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            return web.Response(status=HTTPStatus.UNAUTHORIZED)
        known = f"{request.match_info['owner']}/{request.match_info['repo']}" == self.repo
        return None if known else web.Response(status=HTTPStatus.NOT_FOUND)


def describe_file(name: str, content: bytes) -> dict[str, object]:
    """A file as the hub lists it."""
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    listed: dict[str, object] = {"rfilename": name, "size": len(content), "blobId": blob}
    if len(content) >= LARGE_BYTES:
        listed["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    return listed


@contextmanager
def serve_hub(hub: FakeHub) -> Iterator[FakeHub]:
    """The hub at `hub.url`, on a thread of its own, until the block ends."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    thread = threading.Thread(target=_serve, args=(hub, loop, ready), daemon=True)
    thread.start()
    if not ready.wait(START_S):
        raise TimeoutError("the stand-in for a hub did not start")
    try:
        yield hub
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(START_S)


def _serve(hub: FakeHub, loop: asyncio.AbstractEventLoop, ready: threading.Event) -> None:
    application = web.Application()
    application.router.add_get("/api/models/{owner}/{repo}/revision/{revision}", hub.list_files)
    application.router.add_get("/{owner}/{repo}/resolve/{commit}/{name:.+}", hub.send_file)
    runner = web.AppRunner(application, shutdown_timeout=0)

    async def start() -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        hub.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        ready.set()

    try:
        loop.run_until_complete(start())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
    finally:
        loop.close()
