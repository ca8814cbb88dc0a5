"""`action.redact` and `action.mask`: what is accepted, what is refused, and what is warned of."""

from __future__ import annotations

import pytest

from router_extproc.config.check import check_config
from router_extproc.config.document import load
from router_extproc.config.model import Config
from router_extproc.config.sources import Sources
from router_extproc.config.translate import router_policy_of
from router_extproc.config.warnings.base import Subject
from router_extproc.config.warnings.cache import warn_of_decisions
from router_extproc.config.warnings.redaction import warn_of_unredacted
from router_extproc.routing.actions import Redaction
from router_extproc.routing.catalogue import Target
from router_extproc.routing.route import Route
from router_extproc.signals.base import Reading
from router_extproc.signals.pii.patterns import TYPES

HEAD = """
version: 1
default_model: small
models: {small: {cluster: a}}
signals: {urgent: {type: keywords, any: [now]}, pii: {type: pii}}
semantic_cache: {enabled: true}
"""
NO_FORM = f"so it cannot be found for certain; known: {', '.join(TYPES)}"
URGENT = {"urgent": Reading("urgent", "now", 1.0)}


def config_of(action: str, *, envoy: str = "{profile: inline}", more: str = "when: {urgent: true}") -> Config:
    text = f"{HEAD}envoy: {envoy}\ndecisions:\n  - {{name: a, model: small, {more}, action: {action}}}\n"
    return Config.model_validate(load(text, "router.yaml").value)


def problems(action: str, *, envoy: str = "{profile: inline}") -> list[str]:
    return [str(problem) for problem in check_config(config_of(action, envoy=envoy))]


def redaction(action: str) -> Redaction | None:
    route = router_policy_of(config_of(action)).routing.decide(URGENT)
    assert isinstance(route, Route)
    return route.redaction


def test_a_list_of_kinds_is_put_back() -> None:
    assert problems("{redact: [EMAIL_ADDRESS, CREDIT_CARD]}") == []
    assert redaction("{redact: [EMAIL_ADDRESS]}") == Redaction(("EMAIL_ADDRESS",))


def test_the_long_form_may_leave_placeholders_to_the_client() -> None:
    action = "{redact: {kinds: [EMAIL_ADDRESS], restore: false}}"
    assert problems(action, envoy="{}") == []
    assert redaction(action) == Redaction(("EMAIL_ADDRESS",), restore=False)


def test_naming_a_model_is_no_way_around_it() -> None:
    routing = router_policy_of(config_of("{redact: [EMAIL_ADDRESS]}")).routing
    route = routing.decide_pinned(Target("small", "a", "small", None), URGENT)
    assert isinstance(route, Route)
    assert route.redaction == Redaction(("EMAIL_ADDRESS",))


def test_answers_may_be_masked_alone() -> None:
    assert problems("{mask: [API_KEY]}") == []
    assert redaction("{mask: [API_KEY]}") == Redaction((), ("API_KEY",))


@pytest.mark.parametrize(
    ("action", "problem"),
    [
        (
            "{redact: [EMAIL_ADRESS]}",
            "decisions[0].action.redact[0]: no kind named 'EMAIL_ADRESS' (did you mean 'EMAIL_ADDRESS'?)",
        ),
        (
            "{redact: {kinds: [PERSON]}}",
            f"decisions[0].action.redact.kinds[0]: 'PERSON' has no fixed form, {NO_FORM}",
        ),
        ("{redact: []}", "decisions[0].action.redact: names no kind"),
        (
            "{mask: [API_KEYS]}",
            "decisions[0].action.mask[0]: no kind named 'API_KEYS' (did you mean 'API_KEY'?)",
        ),
    ],
)
def test_each_problem_says_where_and_what(action: str, problem: str) -> None:
    assert problems(action) == [problem]


def test_the_split_profile_cannot_change_answers() -> None:
    needed = "needs envoy.profile: inline, since an answer of the split profile cannot be changed"
    hint = "to let clients see placeholders, write redact: {kinds: [...], restore: false}"
    wanted = "{redact: {kinds: [EMAIL_ADDRESS], restore: true}, mask: [API_KEY]}"
    found = problems(wanted, envoy="{profile: split}")
    assert found == [f"decisions[0].action.redact: {needed}; {hint}", f"decisions[0].action.mask: {needed}"]


def test_what_asks_no_model_has_nothing_to_redact() -> None:
    assert "decisions[0].action.redact: has no effect beside block or answer, which ask no model" in problems(
        "{redact: [EMAIL_ADDRESS], answer: Hi.}"
    )


def test_nothing_of_such_a_decision_is_cached() -> None:
    policy = router_policy_of(config_of("{redact: [EMAIL_ADDRESS]}", more="cache: {mode: exact}"))
    own = policy.cache_policies.of("a")
    assert own is not None
    assert own.mode == "off"


# ── warnings ──────────────────────────────────────────────────────────────────────────────────


def subject(action: str, *, envoy: str = "{profile: inline}", more: str = "when: {urgent: true}") -> Subject:
    return Subject(config_of(action, envoy=envoy, more=more), Sources(()))


@pytest.mark.parametrize("redact", ["[EMAIL_ADDRESS]", "{kinds: [EMAIL_ADDRESS]}"])
def test_clients_of_the_split_profile_see_placeholders_and_check_says_so(redact: str) -> None:
    """The data does not leave either way."""
    envoy = "{profile: split, unread: deny}"
    assert problems(f"{{redact: {redact}}}", envoy=envoy) == []
    [warning] = warn_of_unredacted(subject(f"{{redact: {redact}}}", envoy=envoy))
    assert "clients see placeholders" in warning.problem


def test_who_wants_placeholders_is_not_warned() -> None:
    meant = "{redact: {kinds: [EMAIL_ADDRESS], restore: false}}"
    assert list(warn_of_unredacted(subject(meant, envoy="{profile: split, unread: deny}"))) == []


def test_an_envoy_that_lets_pass_is_warned_of() -> None:
    [warning] = warn_of_unredacted(subject("{redact: [EMAIL_ADDRESS]}"))
    assert warning.path == "decisions[0].action.redact"
    assert "envoy.unread: deny" in warning.problem
    assert not list(
        warn_of_unredacted(subject("{redact: [EMAIL_ADDRESS]}", envoy="{profile: inline, unread: deny}"))
    )


def test_a_rule_that_may_run_out_of_time_is_warned_of() -> None:
    denied = "{profile: inline, unread: deny}"
    action = "{redact: [EMAIL_ADDRESS]}"
    [warning] = warn_of_unredacted(subject(action, envoy=denied, more="when: {pii: true}"))
    assert warning.path == "decisions[0].when"
    assert not list(warn_of_unredacted(subject(action, envoy=denied, more="when: {pii: true}, unread: deny")))


def test_a_cache_that_is_never_used_is_warned_of() -> None:
    found = warn_of_decisions(subject("{redact: [EMAIL_ADDRESS]}", more="cache: {mode: exact}"))
    assert [warning.path for warning in found] == ["decisions[0].cache.mode"]
    assert not list(warn_of_decisions(subject("{redact: [EMAIL_ADDRESS]}")))
