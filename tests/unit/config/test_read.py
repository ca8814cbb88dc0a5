# ruff: noqa: ISC004 - messages of two lines in lists
from __future__ import annotations

import stat
from pathlib import Path

import pytest

from router_extproc.config.read import read_config
from router_extproc.errors import ConfigProblems

from .conftest import SMALLEST, Problems, Read

GUIDE = Path(__file__).parents[2] / "samples" / "guide"
GUIDE_BLOCK = (GUIDE / "semantic_cache.yaml").read_text()
GUIDE_MILVUS = (GUIDE / "milvus.yaml").read_text()


def test_the_smallest_configuration_is_enough(read: Read) -> None:
    config = read(SMALLEST)
    assert config.default_model == "small"
    assert config.semantic_cache.scope == "credentials"


def test_the_guides_block_and_its_file_are_accepted_as_they_stand(read: Read) -> None:
    """Whoever comes from the tutorial brings these two texts along."""
    config = read(SMALLEST + GUIDE_BLOCK, files={"config/cache/milvus.yaml": GUIDE_MILVUS})
    milvus = config.semantic_cache.milvus
    assert milvus is not None
    assert (milvus.connection.host, milvus.connection.timeout) == ("192.168.7.10", 30)
    assert (milvus.collection.index.params.M, milvus.collection.index.params.efConstruction) == (16, 64)


def test_the_milvus_file_is_also_found_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the guide's layout the block stands in config/ and names config/cache/milvus.yaml."""
    (tmp_path / "config" / "cache").mkdir(parents=True)
    (tmp_path / "config" / "cache" / "milvus.yaml").write_text(GUIDE_MILVUS)
    (tmp_path / "config" / "router.yaml").write_text(SMALLEST + GUIDE_BLOCK)
    monkeypatch.chdir(tmp_path)
    assert read_config(Path("config/router.yaml")).semantic_cache.milvus is not None


def test_a_missing_milvus_file_is_named(problems: Problems) -> None:
    assert problems(GUIDE_BLOCK) == [
        "semantic_cache.backend_config_path: "
        "no file 'config/cache/milvus.yaml' beside the configuration or in the working directory"
    ]


def test_problems_of_the_milvus_file_carry_both_paths(problems: Problems) -> None:
    files = {"config/cache/milvus.yaml": "connection: {prot: 1}"}
    assert problems(GUIDE_BLOCK, files=files) == [
        "semantic_cache.backend_config_path (config/cache/milvus.yaml): connection.prot:"
        " unknown key (did you mean 'port'?)"
    ]


def test_an_empty_milvus_file_means_the_defaults(read: Read) -> None:
    config = read(SMALLEST + GUIDE_BLOCK, files={"config/cache/milvus.yaml": "# nothing yet\n"})
    assert config.semantic_cache.milvus is not None
    assert config.semantic_cache.milvus.connection.port == 19530


def test_the_milvus_file_and_its_text_exclude_each_other(problems: Problems) -> None:
    block = GUIDE_BLOCK + "  milvus: {uri: ./cache.db}\n"
    assert problems(block) == [
        "semantic_cache.backend_config_path: write either this file or semantic_cache.milvus, not both"
    ]


def test_the_milvus_file_of_a_cache_that_is_off_is_not_read(problems: Problems) -> None:
    assert problems(GUIDE_BLOCK.replace("enabled: true", "enabled: false")) == []


@pytest.mark.parametrize("text", ["uri: ./cache.db", "connection: {uri: ./cache.db}"])
def test_a_lite_file_is_beside_the_file_that_names_it(read: Read, tmp_path: Path, text: str) -> None:
    """The same configuration means the same file from whatever folder it is served."""
    config = read(SMALLEST + GUIDE_BLOCK, files={"config/cache/milvus.yaml": text})
    assert config.semantic_cache.milvus is not None
    connection = config.semantic_cache.milvus.connection
    assert connection.uri == str(tmp_path / "config" / "cache" / "cache.db")


def test_a_servers_uri_stays_as_it_is(read: Read) -> None:
    config = read(SMALLEST + "semantic_cache: {milvus: {uri: 'http://milvus:19530'}}\n")
    assert config.semantic_cache.milvus is not None
    assert config.semantic_cache.milvus.connection.uri == "http://milvus:19530"


def test_relative_paths_of_models_and_certificates_are_beside_the_file(read: Read, tmp_path: Path) -> None:
    config = read(
        SMALLEST
        + "encoder: {path: enc}\n"
        + "signals: {own: {type: intent, model: ./head}, shipped: {type: intent, model: mmlu14}}\n"
        + "semantic_cache: {milvus: {connection: {tls: {enabled: true, ca_file: ca.pem}}}}\n"
    )
    assert config.encoder.path == str(tmp_path / "enc")
    assert [getattr(signal, "model", "") for signal in config.signals.values()] == [
        str(tmp_path / "head"),
        "mmlu14",
    ]
    assert config.semantic_cache.milvus is not None
    assert config.semantic_cache.milvus.connection.tls.ca_file == str(tmp_path / "ca.pem")


# ── environment ───────────────────────────────────────────────────────────────────────────────


def test_a_secret_comes_from_the_environment(read: Read) -> None:
    text = "semantic_cache: {milvus: {connection: {auth: {enabled: true, token: '${TOKEN}'}}}}\n"
    config = read(SMALLEST + text, environ={"TOKEN": "s3cret"})
    assert config.semantic_cache.milvus is not None
    assert config.semantic_cache.milvus.connection.auth.token == "s3cret"


def test_a_variable_that_is_not_set_is_a_problem(problems: Problems) -> None:
    assert problems("admin: '${ADMIN}'\n")[0] == "admin: the environment variable ADMIN is not set"


def test_two_dollars_stand_for_a_plain_one(read: Read) -> None:
    config = read(SMALLEST + "signals: {k: {type: keywords, any: ['$${HOME}']}}\n")
    assert getattr(config.signals["k"], "any", ()) == ("${HOME}",)


def test_a_value_of_the_environment_is_never_repeated(problems: Problems) -> None:
    assert problems("workers: '${COUNT}'\n", environ={"COUNT": "s3cret"}) == [
        "workers: must be a whole number, got a hidden value"
    ]


def test_a_password_in_the_file_is_never_repeated(problems: Problems) -> None:
    text = "semantic_cache: {milvus: {connection: {auth: {password: [s3cret]}}}}\n"
    assert problems(text) == [
        "semantic_cache.milvus.connection.auth.password: must be text, got a hidden value"
    ]


# ── files and YAML ────────────────────────────────────────────────────────────────────────────


def test_a_missing_file_is_one_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems, match=r"cannot read .*nowhere\.yaml: No such file"):
        read_config(tmp_path / "nowhere.yaml")


def test_a_file_that_is_no_text_is_one_problem(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigProblems, match="not UTF-8"):
        read_config(tmp_path / "bad.yaml")


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    assert stat.S_ISDIR(tmp_path.stat().st_mode)
    with pytest.raises(ConfigProblems, match="Is a directory"):
        read_config(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "version: is required"),
        ("# only a comment\n", "version: is required"),
        ("just text", "must be a mapping (key: value), got 'just text'"),
        ("a: [", "not valid YAML: line 1, column 5: "),
        ("a: !!python/object:os.system {}", "not valid YAML: line 1, column 4: "),
        ("\x00", "not valid YAML: "),
    ],
)
def test_what_is_no_yaml_mapping_is_refused(problems: Problems, text: str, expected: str) -> None:
    assert expected in problems(text, alone=True)[0]


def test_a_key_written_twice_is_refused(problems: Problems) -> None:
    """YAML would keep the last one without a word."""
    assert problems("default_model: small\n") == ["default_model: is written twice, in lines 2 and 5"]


def test_a_key_written_twice_deep_inside_is_refused(problems: Problems) -> None:
    text = "decisions: [{name: a, model: small}, {name: b, model: small, model: small}]\n"
    assert problems(text) == ["decisions[1].model: is written twice, in lines 5 and 5"]


def test_off_is_text_and_no_boolean(read: Read) -> None:
    """YAML 1.1 reads `mode: off` as false."""
    text = "decisions: [{name: a, model: small, cache: {mode: off}}]\n"
    assert read(SMALLEST + text).decisions[0].cache.mode == "off"


def test_a_date_is_text(read: Read) -> None:
    text = "signals: {when: {type: keywords, any: [2025-10-01]}}\n"
    assert getattr(read(SMALLEST + text).signals["when"], "any", ()) == ("2025-10-01",)


def test_a_number_as_a_key_is_a_name(read: Read) -> None:
    text = "signals: {topic: {type: intent, examples: {1: [one], 2: [two]}}}\n"
    assert list(getattr(read(SMALLEST + text).signals["topic"], "examples", {})) == ["1", "2"]
