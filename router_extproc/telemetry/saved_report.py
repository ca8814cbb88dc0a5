"""What routing, the cache and reasoning that is off have saved, as the admin port and a command tell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from router_extproc.llm.answer import JsonValue
from router_extproc.pipeline.baseline import LENGTH_FACTOR
from router_extproc.pipeline.costs import Account, Amounts

#: Groups of the report, by the accounts' own.
_GROUPS: Final = {"decision": "decisions", "tag": "tags", "tenant": "tenants"}
_NOTHING: Final = Amounts()


@dataclass(slots=True)
class Saved:
    """What one decision, model, tag or tenant, or all of them, have cost and saved."""

    #: Answers of pools, and hits at what they cost the model that had answered first.
    pool: Amounts = _NOTHING
    cache: Amounts = _NOTHING

    def add(self, account: Account, amounts: Amounts) -> None:
        """Take an account, too."""
        if account.source == "pool":
            self.pool += amounts
        else:
            self.cache += amounts

    @property
    def expected(self) -> float:
        """What the baseline would have cost for all."""
        return self.pool.expected + self.cache.expected

    @property
    def by_routing(self) -> float:
        """Against the baseline, by asking other models."""
        return self.expected - self.pool.own - self.cache.own

    @property
    def total(self) -> float:
        """By routing, by the cache, and by not thinking."""
        return self.expected - self.pool.own + self.pool.unthought

    @property
    def bounds(self) -> tuple[float, float]:
        """Of the total."""
        low, high = self.pool.low + self.cache.low, self.pool.high + self.cache.high
        return low - self.pool.own, high - self.pool.own + LENGTH_FACTOR * self.pool.unthought

    def row(self) -> dict[str, JsonValue]:
        """As JSON."""
        low, high = self.bounds
        return {
            "spent": self.pool.own,
            "baseline": self.expected,
            "saved": self.total,
            "saved_low": low,
            "saved_high": high,
            "by_routing": self.by_routing,
            "by_cache": self.cache.own,
            "by_reasoning_off": self.pool.unthought,
            "prompt_tokens": self.pool.prompt_tokens,
            "completion_tokens": self.pool.completion_tokens,
            "saved_prompt_tokens": self.cache.prompt_tokens,
            "saved_completion_tokens": self.cache.completion_tokens,
            "saved_reasoning_tokens": self.pool.unthought_tokens,
        }


def saved_report(accounts: Mapping[Account, Amounts]) -> dict[str, JsonValue]:
    """All that is told of savings; of decisions the sum is the total, tags may share answers."""
    groups: dict[str, dict[str, Saved]] = {"decisions": {}, "models": {}, "tags": {}, "tenants": {}}
    total = Saved()
    for account, amounts in accounts.items():
        _named(groups[_GROUPS[account.group]], account.name).add(account, amounts)
        if account.group == "decision":
            _named(groups["models"], account.model).add(account, amounts)
            total.add(account, amounts)
    return {
        # More than one after a reload that has changed it.
        "baselines": [*dict.fromkeys(account.baseline for account in accounts if account.baseline)],
        "assumed": {"prompt": "the same", "answer": "as long", "bounds_factor": LENGTH_FACTOR},
        "total": total.row(),
        **{group: {name: saved.row() for name, saved in named.items()} for group, named in groups.items()},
    }


def _named(group: dict[str, Saved], name: str) -> Saved:
    return group.setdefault(name, Saved())
