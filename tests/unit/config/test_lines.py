# ruff: noqa: ISC004 - messages of two lines in lists
"""Every problem says in which line of which file it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from router_extproc.config.document import DEPTH_MAX, FILE_BYTES_MAX, VALUES_MAX, dump, load
from router_extproc.config.read import read_config
from router_extproc.errors import ConfigProblems

from .conftest import SMALLEST

Located = Callable[..., list[str]]


@pytest.fixture
def located(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Located:
    """Problems as the commands print them, for files in the working directory."""
    monkeypatch.chdir(tmp_path)

    def located(text: str | bytes, files: Mapping[str, str] | None = None) -> list[str]:
        for name, content in {"router.yaml": text, **(files or {})}.items():
            raw = content.encode() if isinstance(content, str) else content
            (tmp_path / name).write_bytes(raw)
        with pytest.raises(ConfigProblems) as caught:
            read_config(Path("router.yaml"), environ={})
        return [problem.located() for problem in caught.value.problems]

    return located


def test_a_reference_to_nothing_has_the_line_of_its_key(located: Located) -> None:
    text = SMALLEST + "decisions:\n  - name: a\n    tags: [x]\n    model: smal\n"
    assert located(text) == [
        "router.yaml:8: decisions[0].model: no model named 'smal' (did you mean 'small'?)"
    ]


def test_what_is_missing_has_the_line_of_the_section_around_it(located: Located) -> None:
    assert located(SMALLEST + "decisions:\n  - {name: a, model: small}\n  - name: b\n") == [
        "router.yaml:7: decisions[1].model: is required: a model, several in models, or an action"
    ]


def test_a_default_that_does_not_fit_has_the_line_of_its_section(located: Located) -> None:
    """`margin_s` is not written; what made it wrong is beside it."""
    assert located(SMALLEST + "\n\nlimits:\n  message_timeout_s: 0.04\n")[-1].startswith(
        "router.yaml:7: limits.margin_s: "
    )


def test_a_section_that_is_not_there_is_the_files_first_line(located: Located) -> None:
    assert "router.yaml:2: version: is required" in located("# no version\ndefault_model: a\n")
    assert "router.yaml:1: version: is required" in located("")


def test_keys_with_dots_keep_their_lines(located: Located) -> None:
    text = "version: 1\ndefault_model: qwen2.5\nmodels:\n  other: {cluster: a}\n  qwen2.5:\n    cost: 1\n"
    assert located(text) == [
        "router.yaml:5: models.qwen2.5.cluster: is required",
        "router.yaml:6: models.qwen2.5.cost: must be a mapping (key: value), got 1",
    ]


def test_problems_of_one_section_come_in_the_order_of_their_lines(located: Located) -> None:
    text = SMALLEST + "decisions:\n  - name: a\n    model: smal\n    when:\n      nope: true\n"
    assert [problem.split(": ")[0] for problem in located(text)] == ["router.yaml:7", "router.yaml:9"]


CACHE = "semantic_cache: {enabled: true, backend_type: milvus, backend_config_path: milvus.yaml}\n"


def test_a_malformed_value_of_the_milvus_file_has_that_files_line(located: Located) -> None:
    found = located(SMALLEST + CACHE, {"milvus.yaml": "# ours\nconnection:\n  prot: 1\n"})
    assert found == [
        "milvus.yaml:3: semantic_cache.backend_config_path (milvus.yaml): connection.prot:"
        " unknown key (did you mean 'port'?)"
    ]


def test_what_does_not_fit_together_in_the_milvus_file_has_that_files_line(located: Located) -> None:
    found = located(SMALLEST + CACHE, {"milvus.yaml": "connection:\n  port: 1\n  auth: {enabled: true}\n"})
    assert [problem.partition(": is enabled")[0] for problem in found] == [
        "milvus.yaml:3: semantic_cache.milvus.connection.auth"
    ]


def test_a_milvus_file_that_is_no_yaml_has_its_own_line(located: Located) -> None:
    (found,) = located(SMALLEST + CACHE, {"milvus.yaml": "connection:\n  - [\n"})
    assert found.startswith("milvus.yaml:3: semantic_cache.backend_config_path: not valid YAML: line 3")


def test_what_is_merged_has_the_line_where_it_is_written(located: Located) -> None:
    text = (
        "version: 1\ndefault_model: a\nmodels:\n  a: &a\n    cluster: c\n    cost: 3\n"
        "  b:\n    <<: *a\n    served_name: b\n"
    )
    assert [problem.split(": ")[0] for problem in located(text)] == ["router.yaml:6", "router.yaml:6"]


# ── what is no configuration at all ───────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [", "router.yaml:1: not valid YAML: line 1, column 5: "),
        ("version: 1\nmodels:\n\tsmall: {}\n",
         "router.yaml:3: not valid YAML: line 3, column 1: tabs cannot indent, use spaces"),
        (SMALLEST + "models: {}\n", "router.yaml:5: models: is written twice, in lines 3 and 5"),
        ("- version: 1\n", "router.yaml:1: must be a mapping (key: value), got a list"),
        ("version: 1\n---\nversion: 1\n", "router.yaml:2: not valid YAML: line 2, column 1: "),
        (b"version: 1\n# caf\xe9\n", "cannot read router.yaml: it is not UTF-8 text (line 2)"),
        ("a: &a [*a]\n", "router.yaml:1: not valid YAML: line 1, column 4: nested deeper than "),
        ("a: " + "[" * 300 + "]" * 300, "router.yaml:1: not valid YAML: "),
        ("a: " + "[" * 3000, "router.yaml:1: not valid YAML: nested deeper than 100"),
        ("a: " + "9" * 5000, "router.yaml:1: not valid YAML: it contains characters or numbers"),
        ("version: 1\n? [a, b]\n: 1\n", "router.yaml:2: not valid YAML: line 2, column 3: "),
        ("a: *nobody\n", "router.yaml:1: not valid YAML: line 1, column 4: "),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_where(located: Located, text: str | bytes, expected: str) -> None:
    assert located(text)[0].startswith(expected)


def test_aliases_that_multiply_are_refused_at_once(located: Located) -> None:
    """Nine lines would mean a billion values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    (problem,) = located("\n".join(lines))
    assert f"more than {VALUES_MAX} values, counting those behind aliases" in problem


def test_aliases_in_measure_are_read(tmp_path: Path) -> None:
    path = tmp_path / "router.yaml"
    path.write_text(
        "version: 1\ndefault_model: a\n"
        "models:\n  a: &a {cluster: c, cost: &cost {input_per_mtok: 1}}\n  b: {<<: *a, served_name: b}\n"
    )
    assert read_config(path, environ={}).models["b"].cost.input_per_mtok == 1


def test_a_file_is_read_up_to_a_bound_only(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_bytes(b"#" * (FILE_BYTES_MAX + 1))
    with pytest.raises(ConfigProblems, match="it is larger than 4194304 bytes"):
        read_config(path)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "router.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALLEST.encode())
    assert read_config(path).default_model == "small"


def test_nesting_has_a_bound() -> None:
    with pytest.raises(ConfigProblems, match=f"nested deeper than {DEPTH_MAX}"):
        load("a: " + "[" * (DEPTH_MAX + 5) + "]" * (DEPTH_MAX + 5), "x")


def test_what_is_dumped_is_read_back_as_it_was() -> None:
    value = {"on": "off", "date": "2026-01-01", "number": "1", "list": [None, True, 0.5], "text": "ä: ${X}"}
    assert load(dump(value), "x").value == value
