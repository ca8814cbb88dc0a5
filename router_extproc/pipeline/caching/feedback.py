"""What a client says of a stored answer; it names an entry of the client's own scope."""

from __future__ import annotations

from dataclasses import dataclass

from router_extproc.cache.base import Fingerprint, Scope


@dataclass(frozen=True, slots=True)
class Feedback:
    """A client says that this hit is wrong."""

    fingerprint: Fingerprint
    scope: Scope
    decision: str
    #: The verifier's; None: an exact hit, which says nothing of the verifier.
    score: float | None
    #: When it was said; what is stored later is another answer.
    at_s: float
