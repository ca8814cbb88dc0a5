"""The warnings of `check`: one function a topic, one line in WARNINGS.

A warning is no error: the configuration is served. Each has a harmless neighbour that stays silent
(tests/unit/config/warnings).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from router_extproc.config.warnings import (
    addresses,
    cache,
    candidates,
    changes,
    coverage,
    evaluation,
    failover,
    files,
    headers,
    limits,
    milvus,
    pools,
    redaction,
    rules,
    secrets,
    sharing,
    signals,
    unread,
)
from router_extproc.config.warnings.base import ConfigWarning, Subject, Warn

#: In the order in which they are asked.
WARNINGS: Final[tuple[Warn, ...]] = (
    addresses.warn_of_open_ports,
    addresses.warn_of_open_folders,
    addresses.warn_of_worker_addresses,
    secrets.warn_of_secrets_in_clear,
    files.warn_of_missing_files,
    headers.warn_of_scope_headers,
    headers.warn_of_stripped_headers,
    headers.warn_of_forged_claims,
    pools.warn_of_pools,
    pools.warn_of_placeholders,
    pools.warn_of_models,
    signals.warn_of_signals,
    coverage.warn_of_unused,
    rules.warn_of_rules,
    changes.warn_of_changes,
    changes.warn_of_credentials_in_headers,
    candidates.warn_of_candidates,
    failover.warn_of_failover,
    evaluation.warn_of_evaluation,
    cache.warn_of_sharing,
    sharing.warn_of_shared_persons,
    sharing.warn_of_forged_names,
    sharing.warn_of_no_scope,
    sharing.warn_of_loose_patterns,
    cache.warn_of_useless_cache,
    cache.warn_of_thresholds,
    cache.warn_of_decisions,
    cache.warn_of_lifetimes,
    cache.warn_of_room,
    milvus.warn_of_connection,
    milvus.warn_of_collection,
    unread.warn_of_paths_past_the_guard,
    unread.warn_of_half_a_refusal,
    redaction.warn_of_unredacted,
    limits.warn_of_budgets,
    limits.warn_of_draining,
)


def warnings_of(subject: Subject) -> tuple[ConfigWarning, ...]:
    """Every warning, in the order of the files' lines."""
    found = list(dict.fromkeys(_located(subject)))
    order = {source.file: place for place, source in enumerate(subject.sources.files)}
    return tuple(sorted(found, key=lambda warning: _place(warning, order)))


def _located(subject: Subject) -> Iterator[ConfigWarning]:
    for warn in WARNINGS:
        for warning in warn(subject):
            yield replace(warning, mark=subject.sources.mark(warning.path))


def _place(warning: ConfigWarning, order: dict[str, int]) -> tuple[int, int]:
    return (0, 0) if warning.mark is None else (order[warning.mark.file], warning.mark.line)
