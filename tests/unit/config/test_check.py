# ruff: noqa: E501, ISC004 - tables read best with one case in a line
from __future__ import annotations

from pathlib import Path

import pytest

from router_extproc.config.read import read_config
from router_extproc.errors import ConfigProblems

from .conftest import Problems

SIGNALS = """\
signals:
  domain: {type: intent, examples: {math: ["x² = 2"], law: ["may I?"]}}
  urgent: {type: keywords, any: [asap, urgent]}
  tier: {type: header, header: x-tier}
  long: {type: context_length, min_tokens: 100}
"""


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("decisions: [{name: a, model: smal}]", "decisions[0].model: no model named 'smal' (did you mean 'small'?)"),
        ("encoder: {path: a, repo: b/c}", "encoder.repo: write either path or repo, not both"),
        ("encoder: {revision: v2}", "encoder.revision: has no effect without encoder.repo"),
        ("virtual_models: [small]", "virtual_models[0]: 'small' is also a model; rename one of them"),
        ("decisions: [{name: default, model: small}]", "decisions[0].name: 'default' is reserved; choose another name"),
        ("decisions: [{name: a, model: small, reasoning: true}]",
         "decisions[0].reasoning: models.small has no reasoning.family, so its reasoning cannot be switched"),
        ("decisions: [{name: a, model: small, cache: {mode: exact}}]",
         "decisions[0].cache.mode: semantic_cache.enabled is false, so nothing is cached"),
        ("semantic_cache: {enabled: true, similarity_floor: 0.9}",
         "semantic_cache.similarity_threshold: must be >= semantic_cache.similarity_floor (0.9), got 0.8"),
        ("semantic_cache: {enabled: true, similarity_floor: 0.7}\n"
         "decisions: [{name: a, model: small, cache: {similarity_min: 0.6}}]",
         "decisions[0].cache.similarity_min: must be >= semantic_cache.similarity_floor (0.7), got 0.6"),
        ("semantic_cache: {enabled: true, languages: [en, dee]}",
         "semantic_cache.languages[1]: no language 'dee' (did you mean 'de'?); known are en, de, es, fr, it, ja, ko,"
         " nl, pl, pt, ru, sv, tr, zh"),
        ("semantic_cache: {enabled: true, languages: [en, de, en]}",
         "semantic_cache.languages[2]: 'en' is listed twice"),
        ("semantic_cache: {enabled: true, max_false_hit_rate: 0.01}",
         "semantic_cache.max_false_hit_rate: needs a shadow_rate > 0: without shadow comparisons the rate is unknown"),
        ("semantic_cache: {enabled: true}\ndecisions: [{name: a, model: small, cache: {max_false_hit_rate: 0.01}}]",
         "decisions[0].cache.max_false_hit_rate: needs a shadow_rate > 0: without shadow comparisons the rate is unknown"),
        ("envoy: {clusters: {vllm_smal: {endpoints: ['a:1']}}}",
         "models.small.cluster: no cluster named 'vllm_small' in envoy.clusters (did you mean 'vllm_smal'?)"),
        ("envoy: {cors: {allow_origins: [https://app.example/]}}",
         "envoy.cors.allow_origins[0]: must be an origin such as https://app.example, or '*', got 'https://app.example/'"),
        ("envoy: {cors: {allow_origins: [app.example]}}",
         "envoy.cors.allow_origins[0]: must be an origin such as https://app.example, or '*', got 'app.example'"),
        ("envoy: {cors: {allow_origins: [https://app.example, '*']}}",
         "envoy.cors.allow_origins[1]: '*' already allows the others"),
        ("envoy: {cors: {allow_origins: ['*'], allow_credentials: true}}",
         "envoy.cors.allow_credentials: with '*', any page could ask with its visitor's cookies: list the origins"),
        ("semantic_cache: {enabled: true, backend_type: milvus}",
         "semantic_cache.backend_config_path: is required with backend_type milvus (or write semantic_cache.milvus instead)"),
        ("semantic_cache: {enabled: true, near: {max_bytes: 5}}",
         "semantic_cache.near.max_bytes: must be >= max_answer_bytes (1048576), got 5"),
        ("semantic_cache: {enabled: true, backend_type: milvus, milvus: {connection: {auth: {enabled: true}}}}",
         "semantic_cache.milvus.connection.auth: is enabled, but has neither username and password nor token"),
        ("semantic_cache: {enabled: true, backend_type: milvus,"
         " milvus: {connection: {tls: {enabled: true, cert_file: a}}}}",
         "semantic_cache.milvus.connection.tls: needs both cert_file and key_file, or neither"),
        ("limits: {margin_s: 0.5}", "limits.margin_s: must be < message_timeout_s (0.5), got 0.5"),
        ("limits: {cache_timeout_s: 0.46}", "limits.cache_timeout_s: must be <= message_timeout_s - margin_s (0.45), got 0.46"),
        ("limits: {signals_timeout_s: 1}", "limits.signals_timeout_s: must be <= message_timeout_s - margin_s (0.45), got 1"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused(problems: Problems, section: str, expected: str) -> None:
    assert expected in problems(section + "\n")


def test_a_default_model_must_exist(problems: Problems) -> None:
    text = "version: 1\ndefault_model: larg\nmodels: {large: {cluster: c}}\n"
    assert problems(text, alone=True) == ["default_model: no model named 'larg' (did you mean 'large'?)"]


def test_two_decisions_of_one_name_are_both_named(problems: Problems) -> None:
    text = "decisions: [{name: a, model: small}, {name: a, model: small}]\n"
    assert [problem.split(":")[0] for problem in problems(text)] == ["decisions[0].name", "decisions[1].name"]


@pytest.mark.parametrize("name", ["b", "auto"])
def test_a_served_name_must_not_be_another_name_too(problems: Problems, name: str) -> None:
    """A client that asks for it would be pinned to one or the other by chance."""
    text = f"version: 1\ndefault_model: a\nmodels: {{a: {{cluster: c, served_name: {name}}}, b: {{cluster: c}}}}\n"
    found = problems(text, alone=True)
    assert len(found) == 1
    assert found[0].startswith(f"models.a.served_name: '{name}' is also")


def test_a_served_name_may_be_the_models_own_key(problems: Problems) -> None:
    text = "version: 1\ndefault_model: a\nmodels: {a: {cluster: c, served_name: a}}\n"
    assert problems(text, alone=True) == []


@pytest.mark.parametrize(
    ("alias", "what"),
    [
        ("auto", "a virtual model"), ("b", "the key of a model"), ("served", "the served name of a model"),
        ("twice", "another alias"),
    ],
)  # fmt: skip
def test_an_alias_is_one_models_and_no_other_name(problems: Problems, alias: str, what: str) -> None:
    models = (
        f"{{a: {{cluster: c, served_name: served, aliases: [twice]}}, b: {{cluster: c, aliases: [{alias}]}}}}"
    )
    found = problems(f"version: 1\ndefault_model: a\nmodels: {models}\n", alone=True)
    assert found == [f"models.b.aliases[0]: '{alias}' is also {what}"]


# ── signals and rules ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        ("a: {type: intent}", "signals.a: needs either model or examples, got neither"),
        ("a: {type: intent, model: ./m, examples: {x: [y]}}", "signals.a: needs either model or examples, got both"),
        ("a: {type: intent, model: mmlu41}", "signals.a.model: no shipped head named 'mmlu41' (did you mean 'mmlu14'?); the path of a trained head needs a /"),
        ("a: {type: intent, examples: {x: []}}", "signals.a.examples.x: needs at least one example prompt"),
        ("a: {type: intent, examples: {x: [' ']}}", "signals.a.examples.x: needs at least one example prompt"),
        ("a: {type: keywords, any: ['']}", "signals.a.any[0]: must not be empty"),
        ("a: {type: context_length, min_tokens: 5, max_tokens: 4}",
         "signals.a.max_tokens: must be >= min_tokens (5), got 4"),
        ("a: {type: header, header: X-Router-Cluster}",
         "signals.a.header: x-router-* headers are removed from requests; it would never match"),
        ("all: {type: header, header: h}", "signals.all: 'all' is a keyword of rules: choose another name"),
    ],
)  # fmt: skip
def test_a_signal_that_could_say_nothing_is_refused(problems: Problems, signal: str, expected: str) -> None:
    assert problems(f"signals: {{{signal}}}\n") == [expected]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("{domian: math}", "no signal named 'domian' (did you mean 'domain'?)|.domian"),
        ("{domain: maths}", "no label 'maths' in signal 'domain' (did you mean 'math'?)|.domain"),
        ("{domain: [math, lwa]}", "no label 'lwa' in signal 'domain' (did you mean 'law'?)|.domain"),
        ("{domain: {any: [x]}}", "no label 'x' in signal 'domain'|.domain"),
        ("{long: long}", "no label 'long' in signal 'long'|.long"),
        ("{urgent: now}", "no label 'now' in signal 'urgent'|.urgent"),
        ("{all: [{urgent: true}, {any: [{not: {nope: 1}}]}]}", "no signal named 'nope'|.all[1].any[0].not.nope"),
        ("{all: []}", "write a list with at least one rule|.all"),
        ("{domain: {mim: 1}}", "unknown key (write min, max or any)|.domain.mim"),
        ("{domain: math, urgent: true}", "write one of {all: [...]}, {any: [...]}, {not: ...}, {signal: test}|"),
        ("[urgent]", "write one of {all: [...]}, {any: [...]}, {not: ...}, {signal: test}|"),
        ("{all: [{domain: math}], any: [{domain: law}]}",
         "write one of {all: [...]}, {any: [...]}, {not: ...}, {signal: test}|"),
    ],
)  # fmt: skip
def test_a_rule_that_could_never_hold_is_refused(problems: Problems, when: str, expected: str) -> None:
    text, _, place = expected.partition("|")
    found = problems(SIGNALS + f"decisions: [{{name: a, model: small, when: {when}}}]\n")
    assert found == [f"decisions[0].when{place}: {text}"]


@pytest.mark.parametrize(
    "when",
    ["null", "{domain: true}", "{domain: [math, law]}", "{tier: anything}", "{long: {min: 0.5}}", "{long: in_range}", "{urgent: asap}"],
)  # fmt: skip
def test_rules_that_can_hold_are_accepted(problems: Problems, when: str) -> None:
    assert problems(SIGNALS + f"decisions: [{{name: a, model: small, when: {when}}}]\n") == []


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("{domain: math}", "signal 'domain' needs the encoder, and this rule is read before any inference"),
        ("{urgent: now}", "no label 'now' in signal 'urgent'"),
        ("{nope: true}", "no signal named 'nope'"),
    ],
)
def test_a_rule_for_the_cache_that_could_not_be_read_is_refused(
    problems: Problems, rule: str, expected: str
) -> None:
    (found,) = problems(SIGNALS + f"semantic_cache: {{enabled: true, bypass_when: {rule}}}\n")
    assert found.startswith("semantic_cache.bypass_when")
    assert expected in found


def test_a_rule_for_the_cache_may_ask_what_needs_no_encoder(problems: Problems) -> None:
    rule = "{any: [{urgent: asap}, {long: true}]}"
    assert problems(SIGNALS + f"semantic_cache: {{enabled: true, bypass_when: {rule}}}\n") == []


@pytest.mark.parametrize("ttl_s", ["0", "30", "2.5", "off"])
def test_seconds_or_off_are_accepted_for_what_is_true_only_now(problems: Problems, ttl_s: str) -> None:
    assert problems(f"semantic_cache: {{enabled: true, volatile_ttl_s: {ttl_s}}}\n") == []


def test_every_problem_of_one_rule_is_listed(problems: Problems) -> None:
    when = "{all: [{nope: 1}, {domain: maths}, {not: {any: 3}}]}"
    assert len(problems(SIGNALS + f"decisions: [{{name: a, model: small, when: {when}}}]\n")) == 3


def test_a_bottomless_rule_is_refused(problems: Problems) -> None:
    when = "{not: " * 30 + "{domain: math}" + "}" * 30
    found = problems(SIGNALS + f"decisions: [{{name: a, model: small, when: {when}}}]\n")
    assert len(found) == 1
    assert found[0].endswith("nested deeper than 16")


def test_the_labels_of_a_shipped_head_are_known(problems: Problems) -> None:
    text = "signals: {d: {type: intent, model: mmlu14}}\ndecisions: [{name: a, model: small, when: {d: maths}}]\n"
    assert problems(text) == ["decisions[0].when.d: no label 'maths' in signal 'd' (did you mean 'math'?)"]


def test_the_labels_of_a_users_head_are_not_known_yet(problems: Problems) -> None:
    text = "signals: {d: {type: intent, model: ./mine}}\ndecisions: [{name: a, model: small, when: {d: maths}}]\n"
    assert problems(text) == []


# ── addresses ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("admin: '9190'", "admin: must be HOST:PORT, got '9190'"),
        ("admin: localhost:http", "admin: must be HOST:PORT, got 'localhost:http'"),
        ("admin: '127.0.0.1:70000'", "admin: must be HOST:PORT, got '127.0.0.1:70000'"),
        ("admin: '::1:9190'", "admin: must be HOST:PORT, got '::1:9190'"),
        ("listen: nowhere", "listen: must be HOST:PORT or unix:PATH, got 'nowhere'"),
        ("listen: 'unix:'", "listen: needs a path after unix:"),
        ("listen: unix:/run/x.sock\nworkers: 2", "listen: write {worker} in the path: each worker needs its own socket"),
        ("listen: 127.0.0.1:65535\nworkers: 2", "listen: 2 workers need ports 65535 to 65536: choose a lower port"),
        ("listen: 127.0.0.1:9189\nworkers: 2", "admin: port 9190 is one of the workers' ports 9189 to 9190"),
        ("listen: 127.0.0.1:9190", "admin: is the same address as listen (127.0.0.1:9190)"),
        ("envoy: {listen: '127.0.0.1:9190'}", "envoy.listen: is the same address as admin (127.0.0.1:9190)"),
        ("envoy: {admin: x}", "envoy.admin: must be HOST:PORT or unix:PATH, got 'x'"),
        ("envoy: {admin: 'unix:'}", "envoy.admin: needs a path after unix:"),
        ("envoy: {server: ['unix:/s', router]}", "envoy.server[1]: must be HOST:PORT or unix:PATH, got 'router'"),
        ("envoy: {clusters: {vllm_small: {endpoints: [host]}}}",
         "envoy.clusters.vllm_small.endpoints[0]: must be HOST:PORT, got 'host'"),
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_used_is_refused(problems: Problems, section: str, expected: str) -> None:
    assert problems(section + "\n") == [expected]


def test_a_socket_path_that_the_system_would_refuse_is_refused(problems: Problems) -> None:
    assert problems(f"listen: unix:/{'x' * 107}\n") == [
        "listen: a socket's path has at most 107 bytes, got 108"
    ]


def test_ipv6_addresses_are_accepted(problems: Problems) -> None:
    assert problems("admin: '[::1]:9190'\n") == []


# ── all at once ───────────────────────────────────────────────────────────────────────────────


def test_malformed_values_and_dangling_references_come_together(problems: Problems) -> None:
    """Whoever fixes a configuration wants to run it once more, not ten times."""
    text = (
        "decisions: [{name: a, model: larg, cache: {ttl: 3}}]\n"
        "limits: {cache_timeout_s: 5, drain_s: soon}\n"
        "signals: {x: {type: intents}}\n"
        "workers: none\n"
    )
    assert [problem.split(": ")[0] for problem in problems(text)] == [
        "decisions[0].cache.ttl",
        "decisions[0].model",
        "limits.drain_s",
        "limits.cache_timeout_s",
        "signals.x.type",
        "workers",
    ]


def test_a_malformed_signal_or_model_is_still_a_name_that_others_may_use(problems: Problems) -> None:
    text = (
        "version: 1\ndefault_model: qwen2.5\n"
        "models: {qwen2.5: 7, other: {clutser: a}}\n"
        "signals: {x: {type: header}}\n"
        "decisions: [{name: a, model: qwen2.5, when: {x: some}, reasoning: true}]\n"
    )
    assert problems(text, alone=True) == [
        "models.qwen2.5: must be a mapping (key: value), got 7",
        "models.other.cluster: is required",
        "models.other.clutser: unknown key (did you mean 'cluster'?)",
        "signals.x.header: is required",
    ]


def test_what_cannot_be_repaired_is_reported_alone(problems: Problems) -> None:
    assert problems("models: []\n", alone=True)[0] == "models: must be a mapping (key: value), got a list"


def test_a_decision_that_is_no_mapping_is_reported(problems: Problems) -> None:
    assert problems("decisions: [5]\n") == ["decisions[0]: must be a mapping (key: value), got 5"]


def test_the_error_carries_each_problem_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("version: 2\n")
    with pytest.raises(ConfigProblems) as caught:
        read_config(path)
    assert [problem.path for problem in caught.value.problems] == ["version", "default_model", "models"]


@pytest.mark.parametrize("requests", ["all", "sampled", "errors"])
@pytest.mark.parametrize("level", ["warning", "error"])
def test_request_lines_that_the_level_leaves_out_are_refused(
    problems: Problems, requests: str, level: str
) -> None:
    """Asked for, and silently never written."""
    (problem,) = problems(f"telemetry: {{requests: {requests}, log_level: {level}}}")
    assert problem.startswith("telemetry.requests: writes lines of level info")
    assert problems(f"telemetry: {{requests: {requests}, log_level: info}}") == []


def test_a_sample_rate_without_samples_is_refused(problems: Problems) -> None:
    expected = "telemetry.sample_rate: has no effect without requests: sampled"
    assert problems("telemetry: {requests: all, sample_rate: 0.5}") == [expected]
    assert problems("telemetry: {requests: sampled, sample_rate: 0.5}") == []


@pytest.mark.parametrize("rate", ["0", "-0.1", "1.1"])
def test_a_sample_rate_is_a_share(problems: Problems, rate: str) -> None:
    (problem,) = problems(f"telemetry: {{requests: sampled, sample_rate: {rate}}}")
    assert problem.startswith("telemetry.sample_rate: ")
