"""How long a request is: an estimate, and where that is near a model's window, counted as the model counts.

Counting takes some 10 ms, so a request that clearly fits, or clearly does not, is never counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from router_extproc.clock import Budget
from router_extproc.llm.request import InferenceRequest
from router_extproc.models.base import Inference, TokenCounter
from router_extproc.pipeline.stages import run_stage
from router_extproc.routing.accepts import Demands
from router_extproc.routing.policy import Policy
from router_extproc.signals.context_length import count_tokens, estimate_tokens

STAGE: Final = "tokens"
#: By how much an estimate may be wrong, either way: base64 has 1.3 bytes a token, long white space some 80.
WRONG_MAX: Final = 4


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Finds out what requests demand."""

    inference: Inference
    timeout_s: float
    #: By the file of the tokenizer.
    counters: Mapping[str, TokenCounter] = field(default_factory=dict)

    async def demands(self, request: InferenceRequest, policy: Policy, budget: Budget) -> Demands:
        """What the request asks of a model; a count that is late leaves the estimate."""
        demands = estimated(request, policy)
        files = frozenset(self._to_count(demands, policy))
        if not files:
            return demands
        part = budget.part(self.timeout_s)
        job: Callable[[], dict[str, int]] = partial(self._count, request, files)
        result = await run_stage(STAGE, self.inference.run(job, timeout_s=part.left_s()), part)
        return demands if result.value is None else replace(demands, counted=result.value)

    def _to_count(self, demands: Demands, policy: Policy) -> Iterator[str]:
        """The tokenizers of models whose windows the request may fill."""
        for target in policy.bounded:
            window, file = target.context_tokens or 0, target.tokenizer
            room = max(0, window - demands.answer_tokens)
            near = room <= demands.tokens * WRONG_MAX and demands.tokens <= room * WRONG_MAX
            if near and file is not None and file in self.counters:
                yield file

    def _count(self, request: InferenceRequest, files: frozenset[str]) -> dict[str, int]:
        return {file: count_tokens(request, self.counters[file]) for file in files}


def estimated(request: InferenceRequest, policy: Policy) -> Demands:
    """What the request asks of a model, its length by an estimate where it matters at all."""
    if not policy.counts_tokens:
        return Demands.of(request.contents)
    return Demands.of(request.contents, estimate_tokens(request), request.answer_tokens)
