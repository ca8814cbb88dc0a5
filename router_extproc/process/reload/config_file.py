"""The configuration file of a running sidecar: read again when it changes, or when somebody asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from router_extproc.config.examine import Report
from router_extproc.config.model import Config
from router_extproc.config.reload import Candidate, Readable, head_files_of, read_candidate
from router_extproc.process.alongside import alongside
from router_extproc.process.reload.file_watch import FileWatch
from router_extproc.process.reload.service import ReloadService, resolved


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The file, and what the process was started with."""

    path: Path
    #: As it was read, for comparison.
    started: Config
    #: The same with what other files hold (the admin port's token).
    running: Config
    watch: FileWatch
    #: Those that no reload changes.
    files: tuple[Path, ...] = ()

    @classmethod
    def of(cls, path: Path, report: Report, running: Config) -> ConfigFile:
        """The file of a report that was accepted."""
        config = report.accepted()
        files = [Path(source.file) for source in report.sources.files]
        more = (*_shadow_file(config), *head_files_of(config, report.shadow))
        return cls(path, config, running, FileWatch([*files, *more]), tuple(files))

    async def read(self) -> Candidate:
        """The file as it is now, read beside the event loop."""
        await asyncio.to_thread(self.watch.note)
        candidate = await asyncio.to_thread(read_candidate, self.path, self.started)
        if isinstance(candidate, Readable):
            more = (*_shadow_file(candidate.config), *candidate.head_files)
            await asyncio.to_thread(self.watch.watch_also, [*self.files, *more])
        return resolved(candidate, self.running)


def _shadow_file(config: Config) -> tuple[Path, ...]:
    return () if config.shadow_policy is None else (Path(config.shadow_policy),)


@asynccontextmanager
async def reloading(service: ReloadService, watch: FileWatch, hangup: asyncio.Event) -> AsyncIterator[None]:
    """Carry out reloads inside the block; ask for one when the file has changed, or `hangup` is set."""
    watching = watch.run(lambda: service.ask("file"))
    async with alongside(service.run(), watching, _follow(hangup, service)):
        yield


async def _follow(hangup: asyncio.Event, service: ReloadService) -> None:
    while True:
        await hangup.wait()
        hangup.clear()
        await service.ask("signal")
