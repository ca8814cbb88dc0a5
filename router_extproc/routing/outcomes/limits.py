"""How much one client can count, and all together: within one window, which is as long as a half-life.

Whoever asks is known by its credential, or by a verified claim. Where Envoy does not verify credentials, a
client can invent many; then only the limit of all together holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, Literal, TypeAlias

from router_extproc.routing.outcomes.seen import Learning, OutcomeSeen

#: Outcomes of one decision that count within one window.
OUTCOMES_MAX: Final = 5_000
_DIGEST_BYTES: Final = 8

#: Why an outcome does not count: its session has told the same already, its client has told enough, or all
#: clients together have.
Left: TypeAlias = Literal["session", "client", "all"]


@dataclass(slots=True)
class Window:
    """What has counted in the present window of one decision."""

    number: int = 0
    #: How many were heard, by client.
    clients: dict[str, int] = field(default_factory=dict)
    #: Digests of session, model, source and outcome.
    told: set[str] = field(default_factory=set)

    def take(self, seen: OutcomeSeen, learning: Learning) -> Left | None:
        """Why it does not count; None: it does, and is written down."""
        self._turn_to(int(seen.at_s // learning.half_life_s))
        told, client = _digest(seen), seen.basis.client
        # What a judge says is not the client's own word.
        heard = self.clients.get(client, 0) + (seen.source == "heard")
        if told in self.told:
            return "session"
        if heard > learning.outcomes_per_client:
            return "client"
        if len(self.told) >= OUTCOMES_MAX:
            return "all"
        self.told.add(told)
        self.clients[client] = heard
        return None

    def _turn_to(self, number: int) -> None:
        """Begin anew in a new window; what comes a little late counts in the present one.

        A clock that was far ahead, and is right again, must not leave the window closed until then.
        """
        if number > self.number or number < self.number - 1:
            self.number = number
            self.clients.clear()
            self.told.clear()


def _digest(seen: OutcomeSeen) -> str:
    told = f"{seen.basis.session}\0{seen.model}\0{seen.source}\0{seen.good}"
    return blake2b(told.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()
