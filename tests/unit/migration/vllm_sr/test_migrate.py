"""Whole files of each form: what the new one says, and what is listed as lost."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from router_extproc.config.document import Document
from router_extproc.config.examine import examine
from router_extproc.config.read import read_config
from router_extproc.envoy_config.render import render
from router_extproc.errors import ConfigProblems
from router_extproc.migration.old_file import Ledger, Loss
from router_extproc.migration.result import Migration
from router_extproc.migration.vllm_sr import migrate

SAMPLES = Path(__file__).parents[3] / "samples" / "vllm_sr"
FILES = ["categories.yaml", "flat.yaml", "signals.yaml", "routing.yaml", "recipes.yaml"]
ENVIRON = {"MILVUS_PASSWORD": "secret"}


def moved(text: str, folder: Path) -> Migration:
    """The migration of a text."""
    (folder / "old.yaml").write_text(text, encoding="utf-8")
    return migrate(folder / "old.yaml")


def value_of(migration: Migration) -> Any:  # a document
    return migration.value


def decisions_of(migration: Migration) -> dict[str, Any]:
    return {decision["name"]: decision for decision in value_of(migration)["decisions"]}


def lost_of(migration: Migration) -> dict[str, str]:
    return {item.path: item.reason for item in migration.not_carried}


@pytest.mark.parametrize("file", FILES)
def test_check_accepts_what_is_written(file: str, tmp_path: Path) -> None:
    (tmp_path / "router.yaml").write_text(migrate(SAMPLES / file).text, encoding="utf-8")
    assert examine(tmp_path / "router.yaml", environ=ENVIRON).errors == ()


@pytest.mark.parametrize("file", FILES)
def test_envoy_is_rendered_from_what_is_written(file: str, tmp_path: Path) -> None:
    (tmp_path / "router.yaml").write_text(migrate(SAMPLES / file).text, encoding="utf-8")
    assert render(read_config(tmp_path / "router.yaml", environ=ENVIRON))


@pytest.mark.parametrize("file", FILES)
def test_the_list_is_in_the_file(file: str) -> None:
    migration = migrate(SAMPLES / file)
    listed = re.sub(r"\n#\s+", " ", migration.text)
    assert migration.not_carried
    assert all(item.place in listed and item.reason in listed for item in migration.not_carried)


@pytest.mark.parametrize("file", FILES)
def test_each_loss_has_its_line_where_the_old_file_has_one(file: str) -> None:
    lines = (SAMPLES / file).read_text(encoding="utf-8").splitlines()
    for item in migrate(SAMPLES / file).not_carried:
        key = re.split(r"[.\[]", item.path)[-1].rstrip("]")
        if item.line is not None and not key.isdigit():
            assert key in lines[item.line - 1]


# ── October 2025 ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def categories() -> Migration:
    return migrate(SAMPLES / "categories.yaml")


def test_the_best_model_of_a_category_serves_it(categories: Migration) -> None:
    decisions = decisions_of(categories)
    assert decisions["math"]["model"] == "gpt-oss-120b"
    assert decisions["math"]["reasoning"] is True
    assert decisions["law"]["model"] == "Qwen/Qwen3-4B"  # of equal ones, the first written


def test_a_category_asks_for_the_labels_of_its_mapping(categories: Migration) -> None:
    decisions = decisions_of(categories)
    assert decisions["medicine"]["when"] == {"domain": ["health", "biology"]}
    assert decisions["computer-science"]["when"] == {"domain": ["computer science"]}


def test_a_category_without_label_is_listed_and_left_out(categories: Migration) -> None:
    assert "astrology" not in decisions_of(categories)
    assert "'astrology' is none of the categories" in lost_of(categories)["categories[5].name"]


def test_endpoints_become_the_pools(categories: Migration) -> None:
    clusters = value_of(categories)["envoy"]["clusters"]
    assert clusters == {
        "Qwen-Qwen3-4B": {"endpoints": ["10.20.0.11:8000", "10.20.0.12:8000"]},
        "gpu": {"endpoints": ["[fd00::5]:9000"]},
    }


def test_models_keep_their_names_prices_and_reasoning(categories: Migration) -> None:
    assert value_of(categories)["models"]["gpt-oss-120b"] == {
        "cluster": "gpu",
        "reasoning": {"family": "gpt_oss"},
        "cost": {"input_per_mtok": 0.6, "output_per_mtok": 1.2},
    }


def test_attacks_are_refused_before_all_else(categories: Migration) -> None:
    first = value_of(categories)["decisions"][0]
    assert first["when"] == {"prompt-guard": True}
    assert first["action"] == {"block": {"message": "This request was refused."}}
    assert first["priority"] > max(each["priority"] for each in value_of(categories)["decisions"][1:])


def test_personal_data_goes_to_a_model_that_may_see_it_or_nowhere(categories: Migration) -> None:
    decisions = decisions_of(categories)
    assert decisions["math.pii"]["model"] == "Qwen/Qwen3-4B"
    assert decisions["math.pii"]["when"] == {"all": [{"domain": ["math"]}, {"pii": True}]}
    assert "block" in decisions["physics.pii"]["action"]
    names = list(decisions)
    assert names.index("math.pii") + 1 == names.index("math")


def test_a_pii_policy_allows_what_it_lists(categories: Migration) -> None:
    kinds = value_of(categories)["signals"]["pii"]["kinds"]
    assert "EMAIL_ADDRESS" in kinds
    assert not {"PERSON", "ORGANIZATION", "LOCATION"} & set(kinds)


def test_the_cache_keeps_its_settings_and_no_longer_shares_among_all(categories: Migration) -> None:
    cache = value_of(categories)["semantic_cache"]
    assert (cache["enabled"], cache["ttl_seconds"], cache["eviction_policy"]) == (True, 1800, "lru")
    assert cache["similarity_threshold"] == 0.7  # of bert_model
    assert cache["scope"] == "credentials"
    assert "shared" in next(each.comment for each in categories.choices if each.path == "semantic_cache")


def test_the_milvus_file_is_written_in_place(categories: Migration) -> None:
    milvus = value_of(categories)["semantic_cache"]["milvus"]
    assert milvus["connection"]["auth"]["password"] == "${MILVUS_PASSWORD}"
    assert milvus["collection"]["name"] == "answers_of_old_router_extproc"
    assert "milvus.yaml.search" in lost_of(categories)


# ── decisions ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def flat() -> Migration:
    return migrate(SAMPLES / "flat.yaml")


def test_keywords_are_asked_by_their_operator(flat: Migration) -> None:
    signals, decisions = value_of(flat)["signals"], decisions_of(flat)
    assert signals["urgent"] == {"type": "keywords", "any": ["urgent", "right away"]}
    assert signals["exact_code"]["case_sensitive"] is True
    assert decisions["invoices"]["when"] == {
        "all": [{"invoice_with_number.1": True}, {"invoice_with_number.2": True}]
    }
    assert {"not": {"no_smalltalk": True}} in decisions["talkless"]["when"]["all"]


def test_a_condition_that_cannot_be_asked_leaves_the_rest_of_an_or(flat: Migration) -> None:
    assert decisions_of(flat)["support_urgent"]["when"] == {"any": [{"urgent": True}, {"exact_code": True}]}


def test_a_decision_of_such_conditions_alone_is_left_out_and_listed(flat: Migration) -> None:
    assert "facts_only" not in decisions_of(flat)
    assert lost_of(flat)["decisions[5].rules"] == "no request can match what is left of this rule"


def test_plugins_of_the_cache_become_the_cache_of_the_decision(flat: Migration) -> None:
    decisions = decisions_of(flat)
    assert decisions["support_urgent"]["cache"] == {"mode": "off"}
    assert decisions["maths"]["cache"] == {"similarity_min": 0.95}


def test_a_plugin_for_personal_data_refuses_just_before_its_decision(flat: Migration) -> None:
    decisions = decisions_of(flat)
    names = list(decisions)
    assert names.index("invoices.pii") + 1 == names.index("invoices")
    assert "block" in decisions["invoices.pii"]["action"]


def test_an_unknown_backend_and_an_endless_ttl_are_replaced(flat: Migration) -> None:
    cache = value_of(flat)["semantic_cache"]
    assert cache["backend_type"] == "memory"
    assert cache["ttl_seconds"] == 31_536_000
    assert "redis is no backend" in lost_of(flat)["semantic_cache.backend_type"]


def test_a_pool_of_https_speaks_tls(flat: Migration) -> None:
    assert value_of(flat)["envoy"]["clusters"]["two"] == {
        "endpoints": ["pool-two.internal:8443"],
        "tls": True,
    }


def test_clients_keep_the_names_they_ask_for(flat: Migration) -> None:
    assert value_of(flat)["virtual_models"] == ["MoM", "auto"]
    assert value_of(flat)["models"]["chat"]["served_name"] == "org/chat-8b"


def test_a_fixed_answer_is_an_action() -> None:
    decision = decisions_of(migrate(SAMPLES / "signals.yaml"))["refuse_attack"]
    assert decision["action"] == {"answer": "This is not something that can be answered here."}
    assert "model" not in decision


def test_an_adapter_is_a_model_in_the_pool_of_its_base() -> None:
    value = value_of(migrate(SAMPLES / "signals.yaml"))
    assert value["models"]["code-adapter"]["cluster"] == value["models"]["large"]["cluster"]


def test_a_rule_without_conditions_takes_every_request_and_is_tried_last() -> None:
    decisions = value_of(migrate(SAMPLES / "signals.yaml"))["decisions"]
    assert decisions[-1]["name"] == "everything_else"
    assert "when" not in decisions[-1]


def test_credentials_of_pools_are_listed_and_never_written() -> None:
    migration = migrate(SAMPLES / "signals.yaml")
    assert "providers.models[1].access_key" in lost_of(migration)
    assert "not-a-real-key" not in migration.text


def test_several_candidates_are_listed_and_their_selection() -> None:
    migration = migrate(SAMPLES / "routing.yaml")
    assert decisions_of(migration)["hard_questions"]["models"] == ["everyday", "thorough"]
    assert "a request is sent to one model" in lost_of(migration)["routing.decisions[7].algorithm.type"]


def test_complexity_is_asked_by_its_level() -> None:
    decisions = decisions_of(migrate(SAMPLES / "routing.yaml"))
    assert decisions["hard_questions"]["when"] == {"complexity": {"min": 0.6}}


def test_a_user_and_a_group_are_told_by_headers() -> None:
    migration = migrate(SAMPLES / "routing.yaml")
    when = decisions_of(migration)["staff_only"]["when"]
    assert when == {"any": [{"user": ["root"]}, {"groups": ["platform"]}]}
    assert value_of(migration)["signals"]["user"]["header"] == "x-authz-user-id"


def test_tiers_become_priorities() -> None:
    decisions = value_of(migrate(SAMPLES / "recipes.yaml"))["decisions"]
    assert (decisions[0]["name"], decisions[-1]["name"]) == ("stay_home", "rest")
    priorities = [decision["priority"] for decision in decisions]
    assert priorities == sorted(set(priorities), reverse=True)


def test_signals_that_no_decision_asks_are_left_out() -> None:
    assert "loose" not in value_of(migrate(SAMPLES / "routing.yaml"))["signals"]


def test_further_recipes_are_listed() -> None:
    assert {"entrypoints", "recipes"} <= lost_of(migrate(SAMPLES / "recipes.yaml")).keys()


# ── what is no such file ──────────────────────────────────────────────────────────────────────

BASE = "vllm_endpoints: [{name: a, address: h, port: 8000}]\nmodel_config: {m: {preferred_endpoints: [a]}}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "no configuration of vLLM Semantic Router that is known here"),
        ("- a\n- b\n", "no configuration of vLLM Semantic Router"),
        ("some: thing\n", "that is known here: write the file"),
        ("apiVersion: v1\nkind: ConfigMap\n", "an object of Kubernetes"),
        ("version: 1\nmodels: {m: {cluster: c}}\n", "a configuration of router-extproc already"),
        ("categories: [\n", "not valid YAML"),
        ("categories: 5\ndefault_model: m\n", "categories: must be a list of sections"),
        (f"{BASE}default_model: m\ncategories: [{{name: math}}]\n", "needs at least one model"),
        (f"{BASE}categories: []\n", "needs a default_model"),
        ("vllm_endpoints: [{name: a, address: h, port: 99999}]\ndefault_model: m\n", "from 1 to 65535"),
        ("model_config: {m: {preferred_endpoints: [b]}}\ndefault_model: m\n", "no endpoint named b"),
        ("default_model: m\ndefault_model: n\ncategories: []\n", "is written twice"),
        ("providers: {models: [{name: m, backend_refs: [{endpoint: 'ftp://x'}]}]}\n", "HOST:PORT or a URL"),
        ("providers: {}\nrouting: {}\n", "needs at least one model"),
    ],
)
def test_what_is_no_such_file_is_said_clearly(text: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems, match=re.escape(expected)):
        moved(text, tmp_path)


def test_a_bomb_of_aliases_is_refused(tmp_path: Path) -> None:
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    with pytest.raises(ConfigProblems, match="counting those behind aliases"):
        moved(f"a0: &a0 [x]\n{levels}categories: *a8\n", tmp_path)


def test_rules_nested_too_deeply_cost_their_decision_only(tmp_path: Path) -> None:
    rule = "{type: keyword, name: k}"
    for _ in range(20):
        rule = f"{{operator: NOT, conditions: [{rule}]}}"
    text = (
        f"{BASE}default_model: m\nkeyword_rules: [{{name: k, operator: OR, keywords: [x]}}]\n"
        f"decisions: [{{name: deep, rules: {rule}, modelRefs: [{{model: m}}]}}]\n"
    )
    migration = moved(text, tmp_path)
    assert value_of(migration)["decisions"] == []
    assert "nested deeper" in lost_of(migration)["decisions[0]"]


def test_of_a_decision_only_what_is_refused_is_left_out(tmp_path: Path) -> None:
    cache = "{type: semantic-cache, configuration: {enabled: true, similarity_threshold: 7, ttl_seconds: 60}}"
    text = (
        f"{BASE}default_model: m\nkeyword_rules: [{{name: k, operator: OR, keywords: [x]}}]\n"
        "decisions: [{name: d, rules: {type: keyword, name: k}, modelRefs: [{model: m}],\n"
        f"  plugins: [{cache}]}}]\n"
    )
    migration = moved(text, tmp_path)
    assert decisions_of(migration)["d"]["cache"] == {"ttl_s": 60}
    assert lost_of(migration)["decisions[0]"].startswith("refused as decisions[].cache.similarity_min")


def test_all_reasons_of_one_place_are_listed() -> None:
    ledger = Ledger(Document({}), "old.yaml", {})
    for reason in ("one", "two", "one"):
        ledger.lose("decisions[0]", Loss(reason))
    assert [item.reason for item in ledger.not_carried] == ["one", "two"]


def test_values_that_are_refused_here_are_left_out_and_listed(tmp_path: Path) -> None:
    cache = "semantic_cache: {enabled: true, similarity_threshold: 1.7}"
    text = f"{BASE}default_model: m\ncategories: []\n{cache}\n"
    migration = moved(text, tmp_path)
    assert "similarity_threshold" not in value_of(migration)["semantic_cache"]
    assert "must be <= 1" in lost_of(migration)["semantic_cache.similarity_threshold"]


def test_names_that_ours_cannot_have_are_changed_and_stay_apart(tmp_path: Path) -> None:
    text = (
        f"{BASE}default_model: m\ncategories:\n"
        "- {name: 'law!', mmlu_categories: [law], model_scores: [{model: m, score: 1}]}\n"
        "- {name: 'law?', mmlu_categories: [history], model_scores: [{model: m, score: 1}]}\n"
        "- {name: default, mmlu_categories: [math], model_scores: [{model: m, score: 1}]}\n"
    )
    assert list(decisions_of(moved(text, tmp_path))) == ["law", "another-law", "another-default"]


@pytest.mark.parametrize("rest", ["categories: []\n", "decisions: []\n"])
def test_a_model_keeps_the_name_that_others_are_routed_by(rest: str, tmp_path: Path) -> None:
    text = f"{BASE.replace('{m:', '{auto:')}default_model: auto\n{rest}"
    assert "auto" not in value_of(moved(text, tmp_path))["virtual_models"]


def test_texts_with_dollars_are_not_read_from_the_environment(tmp_path: Path) -> None:
    text = (
        f"{BASE}default_model: m\nkeyword_rules: [{{name: k, operator: OR, keywords: ['${{HOME}}']}}]\n"
        "decisions: [{name: d, rules: {type: keyword, name: k}, modelRefs: [{model: m}]}]\n"
    )
    (tmp_path / "router.yaml").write_text(moved(text, tmp_path).text)
    signal = read_config(tmp_path / "router.yaml", environ={}).signals["k"]
    assert signal.model_dump()["any"] == ("${HOME}",)


def test_a_model_without_endpoint_gets_a_place_to_write_one(tmp_path: Path) -> None:
    text = "providers: {models: [{name: m, provider_model_id: x}]}\nrouting: {decisions: []}\n"
    migration = moved(text, tmp_path)
    assert value_of(migration)["envoy"]["clusters"]["m"]["endpoints"] == ["CHANGE-ME:8000"]
