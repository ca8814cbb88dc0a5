"""A stored answer as one of its own, in the form that the request asks for."""

from __future__ import annotations

from dataclasses import dataclass

from router_extproc.cache.results import Hit
from router_extproc.clock import Clock
from router_extproc.pipeline.baseline import Baseline
from router_extproc.pipeline.caching.pages import PagesHeard
from router_extproc.pipeline.caching.parts import stored_answer
from router_extproc.pipeline.caching.result import Unusable
from router_extproc.pipeline.caching.savings import EntryWorth, Prices
from router_extproc.pipeline.considered import Considered, explain
from router_extproc.pipeline.decision import Replay
from router_extproc.pipeline.tenants import Tenants, tenant_of
from router_extproc.protocol.names import ORIGIN_HEADER


@dataclass(frozen=True, slots=True)
class Replays:
    """Replays hits, and tells what each saved."""

    clock: Clock
    prices: Prices
    pages: PagesHeard
    #: None: costs are not compared.
    baseline: Baseline | None = None
    #: None: costs are not told by tenant.
    tenants: Tenants | None = None

    def replay(self, considered: Considered, hit: Hit) -> Replay | Unusable:
        """The replay of a hit, or why its answer is of no use to this request."""
        parsed, result, entry = considered.parsed, considered.result, hit.entry
        dialect = parsed.raw.dialect
        try:
            answer, told = stored_answer(hit, dialect, parsed.request)
        except ValueError:
            return "unreadable"
        if parsed.request.wants_usage and not answer.facts.usage_is_known:
            return "no-usage"
        worth = self.prices.worth(entry.model, answer.facts.usage)
        answer = dialect.renew(answer, now_s=self.clock.wall_s())
        if not result.outcome.hidden:
            answer = dialect.mark_cached(answer)
        rendered = dialect.render(answer, parsed.request)
        saved = EntryWorth(entry.fingerprint, entry.model, entry.decision, worth)
        page = parsed.headers.get(ORIGIN_HEADER, "")
        headers = self.pages.headers_for(page, entry.model, told)
        explained = explain(considered)
        usage = answer.facts.usage
        compared = None if self.baseline is None else self.baseline.compare(entry.model, usage)
        names = (entry.model, entry.decision)
        tenant = tenant_of(self.tenants, parsed.headers)
        return Replay(rendered, result.outcome, *names, explained, saved, headers, compared, tenant)
