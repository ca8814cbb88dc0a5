"""A client's word about a stored answer.

It is not evidence yet (`trials.py` takes it). The rule it keeps: it names an entry of the client's own scope.
"""

from __future__ import annotations

from dataclasses import dataclass

from router_extproc.cache.base import Fingerprint, Scope


@dataclass(frozen=True, slots=True)
class Complaint:
    """A client says that this hit is wrong."""

    fingerprint: Fingerprint
    scope: Scope
    decision: str
    #: The verifier's; None: an exact hit, which says nothing of the verifier.
    score: float | None
    #: When it was said; what is stored later is another answer.
    at_s: float
