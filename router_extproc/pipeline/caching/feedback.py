"""A client's feedback on a stored answer: that it is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from router_extproc.cache.base import Fingerprint, Scope


@dataclass(frozen=True, slots=True)
class Feedback:
    """The entry of the client's own scope that it found to be wrong."""

    fingerprint: Fingerprint
    scope: Scope
    decision: str
    #: The verifier's; None: it was an exact hit, which says nothing of the verifier.
    score: float | None
    #: When the client said so, wall clock; what is stored later is another answer.
    at_s: float
