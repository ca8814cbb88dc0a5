"""Warnings of headers: scopes by some that no two requests share, and some that are taken off twice."""

from __future__ import annotations

from collections.abc import Iterator

from router_extproc.config.check_headers import HOP_BY_HOP, OF_ONE_REQUEST, scopes_of
from router_extproc.config.warnings.base import ConfigWarning, Subject
from router_extproc.signals.claim import ClaimSettings


def warn_of_scope_headers(subject: Subject) -> Iterator[ConfigWarning]:
    """A scope that no second request falls into: the cache is never hit."""
    for path, scope in scopes_of(subject.config):
        for index, name in enumerate(scope.headers or ()):
            if name.lower() in OF_ONE_REQUEST:
                problem = f"'{name}' changes with every request, so no stored answer would ever be found"
                yield ConfigWarning(f"{path}.headers[{index}]", problem)


def warn_of_stripped_headers(subject: Subject) -> Iterator[ConfigWarning]:
    """Headers that Envoy takes off in any case."""
    for index, name in enumerate(subject.config.envoy.strip_headers):
        if name.lower() in HOP_BY_HOP:
            problem = f"Envoy removes '{name}' anyway, because it belongs to one connection"
            yield ConfigWarning(f"envoy.strip_headers[{index}]", problem)


def warn_of_forged_claims(subject: Subject) -> Iterator[ConfigWarning]:
    """Claims in a header that a client may write itself."""
    stripped = {name.lower() for name in subject.config.envoy.strip_headers}
    for name, signal in subject.config.signals.items():
        if isinstance(signal, ClaimSettings) and signal.header.lower() not in stripped:
            problem = (
                f"any client may send '{signal.header}' and claim what it likes: add it to"
                " envoy.strip_headers, and let Envoy's JWT filter set it"
            )
            yield ConfigWarning(f"signals.{name}.header", problem)
    savings = subject.config.savings
    if savings.by_claim is not None and savings.claim_header.lower() not in stripped:
        problem = (
            f"any client may send '{savings.claim_header}' and be counted as whom it likes: add it to"
            " envoy.strip_headers, and let Envoy's JWT filter set it"
        )
        yield ConfigWarning("savings.claim_header", problem)
    sessions = subject.config.sessions
    if sessions.by_claim is not None and sessions.claim_header.lower() not in stripped:
        problem = (
            f"any client may send '{sessions.claim_header}' and join another one's session: add it to"
            " envoy.strip_headers, and let Envoy's JWT filter set it"
        )
        yield ConfigWarning("sessions.claim_header", problem)
