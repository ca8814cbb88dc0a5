"""For which tenant a request is counted: one of those that the operator lists, or the rest.

A client may send any value, so what is not listed is neither counted by itself nor written anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from router_extproc.signals.claim import claim_values

#: All that are not listed, and requests that name none.
OTHER: Final = "other"


@dataclass(frozen=True, slots=True)
class Tenants:
    """Tells tenants by a header, or by a claim in it."""

    #: In lower case.
    header: str
    listed: frozenset[str]
    #: None: the header's value is the tenant.
    claim: str | None = None

    def of(self, headers: Mapping[str, str]) -> str:
        """The tenant of a request; of several values of a claim the first that is listed."""
        value = headers.get(self.header) or ""
        named = (value.strip(),) if self.claim is None else claim_values(value, self.claim)
        return next((name for name in named if name in self.listed), OTHER)


def tenant_of(tenants: Tenants | None, headers: Mapping[str, str]) -> str:
    """The same; "": nobody asked for tenants."""
    return "" if tenants is None else tenants.of(headers)
