"""Versions of the policy: numbered from 1, the latest few kept so that one of them can come back."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from router_extproc.config.digest import digest_of
from router_extproc.config.heads import heads_digest
from router_extproc.config.model import Config
from router_extproc.config.reload import Readable, head_files_of
from router_extproc.llm.answer import JsonValue

#: Versions that are kept, the one in force among them.
VERSIONS_MAX: Final = 16

#: Who asked for a version.
Cause: TypeAlias = Literal["start", "signal", "file", "admin", "rollback"]


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One configuration as it came into force, or is about to."""

    number: int
    config: Config = field(repr=False)
    cause: Cause
    #: Wall clock.
    loaded_s: float
    #: The version whose content this is; None: its content is its own.
    content_of: int | None = None
    #: What its `shadow_policy` names; None: nothing.
    shadow: Config | None = field(default=None, repr=False)
    #: Of the trained heads as they were read.
    heads: str = ""

    @property
    def digest(self) -> str:
        """Of the configuration as the operator wrote it."""
        return digest_of(self.config)

    def shown(self) -> dict[str, JsonValue]:
        """For operators."""
        return {
            "version": self.number,
            "content_of": self.content_of,
            "digest": self.digest,
            "cause": self.cause,
            "loaded_s": self.loaded_s,
        }


def first_version(config: Config, shadow: Config | None, now_s: float) -> PolicyVersion:
    """What the sidecar is started with."""
    heads = heads_digest(head_files_of(config, shadow))
    return PolicyVersion(1, config, "start", now_s, None, shadow, heads)


class VersionHistory:
    """The version in force and those before it."""

    def __init__(self, first: PolicyVersion) -> None:
        self._versions: Final = deque([first], maxlen=VERSIONS_MAX)

    @property
    def in_force(self) -> PolicyVersion:
        """What requests are decided by."""
        return self._versions[-1]

    def next(self, found: Readable, cause: Cause, now_s: float) -> PolicyVersion:
        """The version that this configuration would be."""
        number = self.in_force.number + 1
        return PolicyVersion(number, found.config, cause, now_s, None, found.shadow, found.heads)

    def is_in_force(self, found: Readable) -> bool:
        """True when a reload of it would change nothing."""
        now = self.in_force
        return (found.config, found.shadow, found.heads) == (now.config, now.shadow, now.heads)

    def back_to(self, number: int | None, now_s: float) -> PolicyVersion | None:
        """The version that would bring back an earlier one, by default the last; None: it is not kept."""
        earlier = list(self._versions)[:-1]
        wanted = number if number is not None else self.in_force.number - 1
        found = next((version for version in earlier if version.number == wanted), None)
        if found is None:
            return None
        of = found.content_of or found.number
        return PolicyVersion(
            self.in_force.number + 1, found.config, "rollback", now_s, of, found.shadow, found.heads
        )

    def put_in_force(self, version: PolicyVersion) -> None:
        """It is what requests are decided by from now on."""
        self._versions.append(version)

    def shown(self) -> list[JsonValue]:
        """For operators, the latest first."""
        return [version.shown() for version in reversed(self._versions)]
