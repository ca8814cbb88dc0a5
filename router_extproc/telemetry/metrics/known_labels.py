"""Label values that are known before the first request, so that counters exist from the start.

Otherwise the first event of a kind would create a series with value 1, in which `increase()` sees nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Final, get_args

from router_extproc.config.model import Config
from router_extproc.config.shadow_evaluation import evaluated_in
from router_extproc.dialects import DIALECTS
from router_extproc.dialects.routed import ROUTED_APIS
from router_extproc.equivalence.languages import OTHER, known_codes
from router_extproc.errors import RequestError
from router_extproc.llm.answer import FinishReason
from router_extproc.pipeline import redaction
from router_extproc.pipeline import signal_stage as signals_read
from router_extproc.pipeline.caching import stage as cache_stage
from router_extproc.pipeline.caching.reuse import BYPASS_REASONS
from router_extproc.pipeline.costs import Source
from router_extproc.pipeline.decision import CacheStatus
from router_extproc.pipeline.evaluation.outcomes import EvaluationOutcome
from router_extproc.pipeline.tenants import OTHER as OTHER_TENANTS
from router_extproc.protocol.modes import Role
from router_extproc.routing.route import DEFAULT, PINNED
from router_extproc.routing.session import Move, UpReason
from router_extproc.server.base import Outcome
from router_extproc.telemetry.metrics.answers import TOKEN_KINDS
from router_extproc.telemetry.metrics.evaluations import ENDED
from router_extproc.telemetry.metrics.redaction import OF_ANSWERS, OF_MASKS, OF_REQUESTS

#: Series that a counter may have at the start; a counter with more begins empty.
SERIES_MAX: Final = 2000
#: How a stage ends.
STAGE_OUTCOMES: Final = ("ok", "timeout", "error")
#: What becomes of answers: kept, not asked for, or why not (cache.policy, dialects).
STORED_OUTCOMES: Final = (
    "stored", "not-asked", "purged", "aborted", "status", "set-cookie", "content-encoding",
    "response-directive", "empty", "tool-calls", "finish-reason", "too-large", "too_large", "vary",
    "malformed", "error", "cut_off", "content_type", "no_choices", "unfinished", "finish_reason",
    "stale",
)  # fmt: skip

Values = tuple[str, ...]
#: Who answers.
SOURCES: Final[Values] = get_args(Source)


@dataclass(frozen=True, slots=True)
class KnownLabels:
    """By the configuration."""

    #: Decision and model, as requests may be decided.
    routes: tuple[tuple[str, str], ...] = ()
    models: Values = ()
    #: Decision and what it does, where no pool is asked.
    local: tuple[tuple[str, str], ...] = ()
    #: Names of the signals that are computed.
    signals: Values = ()
    #: Decision and kind, of what is replaced and of what is masked.
    redacted: tuple[tuple[str, str], ...] = ()
    masked: tuple[tuple[str, str], ...] = ()
    #: Decision, model, and who is asked, too.
    evaluated: tuple[tuple[str, str, str], ...] = ()
    #: Of decisions.
    tags: Values = ()
    tenants: Values = ()

    @classmethod
    def of(cls, config: Config, signals: Iterable[str]) -> KnownLabels:
        """What requests under this configuration may be labelled with; `signals`: those that are computed."""
        decided = [(each.name, model.model) for each in config.decisions for model in each.candidates]
        pinned = [(PINNED, model) for model in config.models]
        routes = dict.fromkeys((*decided, (DEFAULT, config.default_model), *pinned))
        acting = [(each.name, each.action) for each in config.decisions if each.action is not None]
        redacting = [(name, action.redaction) for name, action in acting]
        return cls(
            tuple(routes),
            tuple(config.models),
            _local(config),
            tuple(signals),
            tuple((name, kind) for name, redact in redacting if redact is not None for kind in redact.kinds),
            tuple((name, kind) for name, action in acting for kind in action.mask),
            tuple(evaluated_in(config)),
            tuple(dict.fromkeys(tag for each in config.decisions for tag in each.tags)),
            (*config.savings.tenants, OTHER_TENANTS) if config.savings.tenants else (),
        )

    @property
    def decisions(self) -> Values:
        """Every name of a decision, `default` and `pinned` among them."""
        return tuple(dict.fromkeys(decision for decision, _ in self.routes))

    def series(self) -> dict[str, list[Values]]:
        """Metric, by its name without prefix and suffix, to the label values of its series."""
        tokens = ("prompt", "completion")
        by_name = [route for route in self.routes if route[0] in {DEFAULT, PINNED}]
        decided = [name for name, api in ROUTED_APIS.items() if api.decided_as is not None]
        known: dict[str, list[Values]] = {
            "requests": [
                *(
                    (dialect, *route, status)
                    for dialect, route, status in product(DIALECTS, self.routes, get_args(CacheStatus))
                ),
                *((api, *route, "bypass") for api, route in product(ROUTED_APIS, by_name)),
                *(
                    (api, *route, "bypass")
                    for api, route in product(decided, self.routes)
                    if route not in by_name
                ),
            ],
            "rejected_requests": list(product((*DIALECTS, *ROUTED_APIS), rejection_codes())),
            "decision_duration_seconds": [("forward",), ("replay",), ("answer",), ("reject",)],
            "local_replies": [
                (dialect, *local) for dialect, local in product((*DIALECTS, *decided), self.local)
            ],
            "stage_duration_seconds": [(stage,) for stage in STAGES],
            "stage_outcomes": list(product(STAGES, STAGE_OUTCOMES)),
            "signal_readings": list(product(self.signals, ("true", "false"))),
            "signal_parts_left": list(product(self.signals, ("bounds", "late"))),
            "answers": [
                (model, decision, status)
                for (decision, model), status in product(self.routes, ("2xx", "4xx", "5xx"))
            ],
            "answers_stored": [(outcome,) for outcome in STORED_OUTCOMES],
            "answer_ttft_seconds": [(model,) for model in self.models],
            "answer_duration_seconds": [(model,) for model in self.models],
            "answer_time_per_token_seconds": [(model,) for model in self.models],
            "answers_finished": list(product(self.models, get_args(FinishReason))),
            "tokens": list(product(self.models, TOKEN_KINDS)),
            "cache_exact_only": [(code,) for code in (*known_codes(), OTHER)],
            "session_moves": [(move,) for move in get_args(Move)],
            "session_moves_up": [(reason,) for reason in get_args(UpReason)],
            "coalesced_requests": [("shared",), ("alone",)],
            "cache_saved_tokens": [
                (model, decision, kind) for (decision, model), kind in product(self.routes, tokens)
            ],
            "answer_tokens": [
                (model, decision, *each)
                for (decision, model), each in product(self.routes, product(SOURCES, tokens))
            ],
            "tag_answer_tokens": list(product(self.tags, SOURCES, tokens)),
            "tenant_answer_tokens": list(product(self.tenants, SOURCES, tokens)),
            "cache_no_credential": [(decision,) for decision in self.decisions],
            "cache_not_reused": [(reason,) for reason in BYPASS_REASONS],
            "cache_saved_cost": [(model, decision) for decision, model in self.routes],
            OF_REQUESTS: list(self.redacted),
            **{name: list[Values](self.redacted) for name in OF_ANSWERS},
            ENDED: [
                (*names, outcome) for names, outcome in product(self.evaluated, get_args(EvaluationOutcome))
            ],
            OF_MASKS: list(self.masked),
            "streams_in_flight": [(role.value,) for role in Role],
            "streams": [(role.value, outcome) for role, outcome in product(Role, get_args(Outcome))],
        }
        return {name: series for name, series in known.items() if len(series) <= SERIES_MAX}


def _local(config: Config) -> tuple[tuple[str, str], ...]:
    """The decisions that ask no pool, or none for what their models do not accept; each with its action."""
    acting = [each for each in config.decisions if each.action is not None and each.action.is_local]
    told = [(each.name, "block" if each.action and each.action.block else "answer") for each in acting]
    models = {each.name: [candidate.model for candidate in each.candidates] for each in config.decisions}
    asking = {**models, DEFAULT: [config.default_model]}
    limited = [
        name for name, keys in asking.items() if keys and all(config.models[key].accepts for key in keys)
    ]
    return (*told, *((name, "unaccepted") for name in limited))


#: Stages whose time is bounded.
STAGES: Final = (signals_read.STAGE, cache_stage.STAGE, redaction.STAGE)


def rejection_codes() -> Values:
    """The `code` of every error that a client may be answered with."""
    return tuple(sorted({error.code for error in RequestError.__subclasses__() if error.code}))
