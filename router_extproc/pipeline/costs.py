"""What answers cost and spared, added up by decision and model, by tag and by tenant."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, Literal, TypeAlias

from router_extproc.llm.answer import Usage
from router_extproc.pipeline.baseline import Compared
from router_extproc.pipeline.ledger import REST, Ledger

#: Accounts that are kept; further ones are added up under `REST`.
ACCOUNTS_MAX: Final = 10_000

Group: TypeAlias = Literal["decision", "tag", "tenant"]
#: Who answered: a pool, or the cache in its place.
Source: TypeAlias = Literal["pool", "cache"]


@dataclass(frozen=True, slots=True)
class Account:
    """What some answers have in common."""

    group: Group
    name: str
    source: Source
    #: Of decisions only; "" in the other groups.
    model: str = ""
    #: The model they are compared with; "": they have no price, and only their tokens are counted.
    baseline: str = ""


@dataclass(frozen=True, slots=True)
class Amounts:
    """Of some answers together: money in the currency of the configuration, and tokens."""

    own: float = 0.0
    expected: float = 0.0
    low: float = 0.0
    high: float = 0.0
    unthought: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    unthought_tokens: float = 0.0

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


@dataclass(frozen=True, slots=True)
class Counted:
    """One answer, as it is added to accounts."""

    model: str
    decision: str
    source: Source
    amounts: Amounts
    baseline: str = ""
    #: "": nobody asked for tenants.
    tenant: str = ""

    @classmethod
    def of(  # noqa: PLR0917 - what is known of one answer
        cls,
        model: str,
        decision: str,
        source: Source,
        usage: Usage | None,
        compared: Compared | None,
        tenant: str = "",
    ) -> Counted | None:
        """An answer of a pool, or a hit; None: nothing is known of its tokens."""
        if usage is None:
            return None
        # A pool may say anything.
        prompt, completion = max(0, usage.prompt_tokens), max(0, usage.completion_tokens)
        if compared is None:
            amounts = Amounts(prompt_tokens=prompt, completion_tokens=completion)
            return cls(model, decision, source, amounts, tenant=tenant)
        money = (compared.own, compared.expected, compared.low, compared.high, compared.unthought)
        amounts = Amounts(*money, prompt, completion, compared.unthought_tokens)
        return cls(model, decision, source, amounts, compared.baseline, tenant)

    def accounts(self, tags: tuple[str, ...]) -> tuple[Account, ...]:
        """Those it belongs to: of its decision, of each of the decision's tags, and of its tenant."""
        told = (self.source, "", self.baseline)
        return (
            Account("decision", self.decision, self.source, self.model, self.baseline),
            *(Account("tag", tag, *told) for tag in dict.fromkeys(tags)),
            *((Account("tenant", self.tenant, *told),) if self.tenant else ()),
        )


@dataclass(frozen=True, slots=True)
class CostsBatch:
    """What some answers came to."""

    accounts: tuple[tuple[Account, Amounts], ...] = ()


class CostLedger(Ledger[Account, Amounts, CostsBatch]):
    """Adds up answers."""

    def __init__(self, *, accounts_max: int = ACCOUNTS_MAX) -> None:
        """`accounts_max`: accounts that are kept."""
        super().__init__(accounts_max)

    def add(self, counted: Counted, tags: tuple[str, ...] = ()) -> None:
        """Count one answer."""
        for account in counted.accounts(tags):
            self._add(account, counted.amounts)

    def add_batch(self, batch: CostsBatch) -> None:
        """See Ledger."""
        for account, amounts in batch.accounts:
            self._add(account, amounts)

    def batch(self) -> CostsBatch:
        """See Ledger."""
        return CostsBatch(tuple(self.sums.items()))

    def rest_of(self, key: Account) -> Account:
        """See Ledger."""
        return Account(key.group, REST, key.source, key.model and REST, key.baseline and REST)
