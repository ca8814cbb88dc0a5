"""Decides recorded requests by a configuration, one after the other; no pool is asked, and no cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from router_extproc.admin.explained import explained_whole
from router_extproc.app.application import Application, build
from router_extproc.cli.offline import Silence, offline
from router_extproc.cli.recorded import Recorded
from router_extproc.config.model import Config
from router_extproc.evaluation.policy_comparison import NO_MODEL, PolicyOutcome, RuleOutcome
from router_extproc.process.warm_up import warm
from router_extproc.protocol.headers import Headers

Json = dict[str, Any]  # a JSON object as `explained_whole` makes it


async def decide_all(config: Config, requests: Sequence[Recorded]) -> list[PolicyOutcome]:
    """What the configuration does with each request, in their order.

    Raises:
        ConfigError: see app.application.build.
    """
    patient = offline(config, cached=False)
    async with build(patient, Silence()) as application:
        await warm(application, patient)
        return [await _outcome(application, request) for request in requests]


async def _outcome(application: Application, request: Recorded) -> PolicyOutcome:
    whole = await application.explain_whole("POST", request.path, Headers(request.headers), request.body)
    if whole is None:
        return PolicyOutcome("unread", NO_MODEL, "", 0.0)
    shown: Json = explained_whole(whole)
    model = str(shown.get("model", NO_MODEL))
    rules = {rule["decision"]: RuleOutcome(rule["matched"], rule["tests"]) for rule in shown.get("rules", ())}
    cost = float(shown.get("costs", {}).get(model, 0.0))
    return PolicyOutcome(shown["outcome"], model, str(shown.get("decision", "")), cost, rules)
