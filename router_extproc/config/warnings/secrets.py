"""Warnings of secrets that are written into a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from router_extproc.config.warnings.base import ConfigWarning, Subject

#: A password inside an address: scheme://user:password@host.
_IN_ADDRESS: Final = re.compile(r"^[a-z][a-z0-9+.-]*://[^/@\s]*:[^/@\s]+@", re.IGNORECASE)


def warn_of_secrets_in_clear(subject: Subject) -> Iterator[ConfigWarning]:
    """Passwords and tokens that do not come from the environment, wherever they are."""
    for source in subject.sources.files:
        for path in source.secrets_in_clear():
            problem = (
                f"is written in clear text; write ${{{_variable(path)}}} and set that environment variable"
            )
            yield ConfigWarning(path, problem)
        for path, _, value in source.values():
            is_environments = source.inner(path) in source.expanded.secret_paths
            if isinstance(value, str) and _IN_ADDRESS.match(value) and not is_environments:
                yield ConfigWarning(path, "contains a password in clear text; write it as ${NAME}")


def _variable(path: str) -> str:
    """A name for the environment: MILVUS_PASSWORD, and of other sections ADMIN_TOKEN."""
    parts = path.split(".")
    section = "milvus" if "milvus" in parts else parts[0]
    return re.sub(r"\W+", "_", f"{section}_{parts[-1]}").upper()
