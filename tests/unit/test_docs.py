"""The documentation, kept in step with the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from router_extproc.cli import COMMANDS
from router_extproc.config import decisions, model
from router_extproc.config.model import Section
from router_extproc.config.read import read_config

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
REFERENCE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")


def keys() -> Iterator[str]:
    for value in (*vars(model).values(), *vars(decisions).values()):
        # `Range` is a test of the rules, described by its example.
        if isinstance(value, type) and issubclass(value, Section) and value is not Section:
            yield from (f"{value.__name__}.{name}" for name in value.model_fields)


@pytest.mark.parametrize("key", sorted(set(keys())))
def test_every_key_is_in_the_reference(key: str) -> None:
    assert re.search(rf"\b{key.partition('.')[2]}\b", REFERENCE)


@pytest.mark.parametrize(
    "block", re.findall(r"```yaml\n(version: 1.*?)```", REFERENCE, re.DOTALL), ids=lambda _: "block"
)
def test_configurations_in_the_reference_are_accepted(block: str, tmp_path: Path) -> None:
    (tmp_path / "router.yaml").write_text(block)
    assert read_config(tmp_path / "router.yaml")


def test_the_milvus_file_in_the_reference_is_accepted(tmp_path: Path) -> None:
    block = re.findall(r"```yaml\n(connection:.*?)```", REFERENCE, re.DOTALL)[0]
    (tmp_path / "milvus.yaml").write_text(block)
    (tmp_path / "router.yaml").write_text(
        "version: 1\ndefault_model: a\nmodels: {a: {cluster: c}}\n"
        "semantic_cache: {enabled: true, backend_type: milvus, backend_config_path: milvus.yaml}\n"
    )
    assert read_config(tmp_path / "router.yaml", environ={"MILVUS_PASSWORD": "x"}).semantic_cache.milvus


def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them: lower case, hyphens for spaces, other signs dropped."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> Iterator[str]:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        file, _, heading = link.partition("#")
        target = page.parent / file if file else page
        if "://" in link:
            continue
        if not target.exists() or (heading and heading not in anchors(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_a_file_and_to_a_heading_in_it(page: Path) -> None:
    assert not list(broken_links(page))


@pytest.mark.parametrize("link", ["nowhere.md", "other.md#not-there", "#not-there"])
def test_a_link_that_leads_nowhere_is_found(link: str, tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# Other\n\n```\n# not there\n```\n")
    (tmp_path / "page.md").write_text(f"# `A` page: of\n\n[a]({link}) [b](other.md#other) [c](#a-page-of)\n")
    assert list(broken_links(tmp_path / "page.md")) == [link]


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    assert pages - {"README.md"} == set(re.findall(r"\]\((\S+\.md)\)", index))


#: What this project once said, and what the field says.
PRIVATE = {
    "by meaning": "semantic",
    "chore": "background task",
    "complaint": "feedback",
    "inquiry": "parsed request",
    "trial": "shadow comparison",
    "trunk": "task layers",
}


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.name != "CHANGELOG.md"],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_pages_use_the_words_of_the_field(page: Path) -> None:
    # Values of labels are told apart from words.
    text = re.sub(r"`[^`]*`", "", " ".join(page.read_text(encoding="utf-8").split()))
    said = [word for word in PRIVATE if re.search(rf"\b{word}s?\b", text, re.IGNORECASE)]
    assert not said, [PRIVATE[word] for word in said]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_tests_that_a_page_names_exist(page: Path) -> None:
    named = re.findall(
        r"`(tests/[\w/]+\.py)(?:::(\w+))?`(?! \(not there yet\))", page.read_text(encoding="utf-8")
    )
    for file, name in named:
        source = (ROOT / file).read_text(encoding="utf-8")
        assert not name or re.search(rf"^(async )?def {name}\(", source, re.MULTILINE), f"{file}::{name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_the_pages_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"^(?:\.venv/bin/)?router-extproc (\w+)", text, re.MULTILINE))
    assert named <= COMMANDS.keys()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_make_targets_in_the_pages_exist(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = set(
        re.findall(r"(?:^|`)(?:\w+=\S+ )*make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert named <= targets


#: A place of the code that a table names, and whether it says that nothing is there yet. NAME is what a
#: contributor chooses, so its folder counts.
PLACE = re.compile(r"`((?:router_extproc|tests|docs)/[^`\s:]*)`( \(not there yet\))?")


def wrong_places(page: str, root: Path) -> Iterator[str]:
    """Places of a page's tables that are missing, or are marked as missing and exist."""
    tables = "\n".join(line for line in page.splitlines() if line.startswith("|"))
    for named, later in PLACE.findall(tables):
        place = root / named.partition("NAME")[0]
        if place.exists() == bool(later):
            yield named


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_places_for_new_code_exist_or_are_marked_as_not_there_yet(page: str) -> None:
    assert not list(wrong_places((ROOT / page).read_text(encoding="utf-8"), ROOT))


@pytest.mark.parametrize(
    "place", ["`docs/nowhere/NAME.py`", "`tests/gone.py`", "`tests/here.py` (not there yet)"]
)
def test_a_place_that_is_not_as_a_table_says_is_found(place: str, tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "here.py").touch()
    row = f"| a thing | {place} | `tests/here.py`, `tests/NAME/` | `tests/later.py` (not there yet) |"
    assert list(wrong_places(row, tmp_path)) == [place.split("`")[1]]
