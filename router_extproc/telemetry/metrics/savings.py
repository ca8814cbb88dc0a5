"""Counts what answers cost, what they would have cost with the baseline, and their tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from prometheus_client import Counter

from router_extproc.pipeline.costs import Account, Amounts, CostLedger, Counted, Group
from router_extproc.telemetry.metrics.make import MakeCounter

#: What comes before the names of each group's counters, and the labels of an account in it.
_GROUPS: Final[Mapping[Group, tuple[str, tuple[str, ...]]]] = MappingProxyType(
    {"decision": ("", ("model", "decision")), "tag": ("tag_", ("tag",)), "tenant": ("tenant_", ("tenant",))}
)
_BOUNDS: Final = ("expected", "low", "high")
_KINDS: Final = ("prompt", "completion")


class SavingsCounters:
    """The counters of costs since the process was started, and the ledger, which outlives it."""

    def __init__(self, counter: MakeCounter) -> None:
        self.ledger: Final = CostLedger()
        #: Of the decisions that have some; from the policy in force.
        self.tags: Mapping[str, tuple[str, ...]] = {}
        self._groups: Final = {group: _GroupCounters.of(counter, *named) for group, named in _GROUPS.items()}

    def count(self, counted: Counted | None) -> None:
        """One answer of a pool, or one hit; None: one of which nothing is known."""
        if counted is None:
            return
        tags = self.tags.get(counted.decision, ())
        self.ledger.add(counted, tags)
        for account in counted.accounts(tags):
            self._groups[account.group].count(account, counted.amounts)


@dataclass(frozen=True, slots=True)
class _GroupCounters:
    """The counters of one group of accounts."""

    own: Counter
    baseline: Counter
    unthought: Counter
    tokens: Counter
    unthought_tokens: Counter

    @classmethod
    def of(cls, counter: MakeCounter, before: str, labels: tuple[str, ...]) -> _GroupCounters:
        own = "Price of answers, in the currency of models.*.cost; `cache`: of hits, which nobody paid."
        tokens = "Tokens of answers as pools reported them; `cache`: of hits, for which no pool was asked."
        return cls(
            counter(f"{before}answer_cost", own, *labels, "source"),
            counter(
                f"{before}baseline_cost",
                "What the baseline would have cost for them.",
                *("baseline", *labels, "source", "bound"),
            ),
            counter(
                f"{before}unthought_cost",
                "What models would have thought for, had no decision switched it off.",
                *labels,
            ),
            counter(f"{before}answer_tokens", tokens, *labels, "source", "kind"),
            counter(f"{before}unthought_tokens", "Tokens of what models have not thought.", *labels),
        )

    def count(self, account: Account, amounts: Amounts) -> None:
        named = (account.model, account.name) if account.group == "decision" else (account.name,)
        for kind in _KINDS:
            self.tokens.labels(*named, account.source, kind).inc(getattr(amounts, f"{kind}_tokens"))
        if not account.baseline:
            return
        self.own.labels(*named, account.source).inc(amounts.own)
        for bound in _BOUNDS:
            told = self.baseline.labels(account.baseline, *named, account.source, bound)
            told.inc(getattr(amounts, bound))
        if amounts.unthought:
            self.unthought.labels(*named).inc(amounts.unthought)
            self.unthought_tokens.labels(*named).inc(amounts.unthought_tokens)
