"""The cache command against an admin port: what it shows, what it sends, and its exit codes."""

from __future__ import annotations

import io
import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from router_extproc.cache.base import Entry
from router_extproc.cache.false_hits.threshold import ShadowResult
from router_extproc.cli import main
from router_extproc.cli.admin_port import BATCH_LINES, batches
from router_extproc.pipeline.caching.savings import EntryWorth, Worth
from router_extproc.testing.admin import admin_in_thread, cache_operations
from router_extproc.testing.check_cache_backend import made_entry
from router_extproc.testing.client import stored_answer
from router_extproc.testing.router import FakeRouter, fake_router

ANSWER = stored_answer("All of it.")
Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The sidecar logs in the very process of the command here."""
    with capture_logs():
        yield


@pytest.fixture
def router() -> FakeRouter:
    return fake_router()


@pytest.fixture
def admin(router: FakeRouter) -> Iterator[str]:
    with admin_in_thread(cache_operations(router)) as address:
        yield address


def store(router: FakeRouter, name: str, model: str = "small") -> Entry:
    router.clock.advance(1)
    made = made_entry(name, now_s=router.clock.wall_s())
    entry = replace(made, answer=ANSWER, prompt="Which one?", model=model)
    router.cache.store(entry)
    return entry


def run(*args: object) -> int:
    """The exit code of a cache command."""
    with pytest.raises(SystemExit) as ended:
        main(["cache", *(str(arg) for arg in args)])
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    "command",
    ["stats", "report", "evidence", "feedback", "list", "show", "purge", "export", "import", "warm"],
)
def test_every_command_has_help_with_an_example(command: str, capsys: Output) -> None:
    assert run(command, "--help") == 0
    assert "Example: router-extproc cache" in capsys.readouterr().out


def test_stats_show_each_worker(admin: str, router: FakeRouter, capsys: Output) -> None:
    store(router, "a")
    assert run("stats", "--admin", admin) == 0
    assert "worker" in capsys.readouterr().out
    assert run("stats", "--admin", admin, "--json") == 0
    assert json.loads(capsys.readouterr().out)["0"]["near_entries"] == 1


def test_worker_that_does_not_answer_is_a_failure(router: FakeRouter, tmp_path: Path, capsys: Output) -> None:
    with admin_in_thread(cache_operations(router, peers={1: tmp_path / "none.sock"})) as admin:
        assert run("stats", "--admin", admin) == 1
        assert "does not answer" in capsys.readouterr().out
        assert run("purge", "--all", "--admin", admin) == 1
        assert "worker 1: does not answer" in capsys.readouterr().err


def test_report_shows_what_was_saved(admin: str, router: FakeRouter, capsys: Output) -> None:
    router.savings.add(EntryWorth("ab" * 32, "small", "default", Worth(2, 1, 8, 6, 0.25)))
    assert run("report", "--admin", admin) == 0
    shown = capsys.readouterr().out
    assert "2 hits saved 8 prompt and 6 completion tokens, 0.2500" in shown
    assert "abababababab" in shown
    assert run("report", "--admin", admin, "--json") == 0
    assert json.loads(capsys.readouterr().out)["total"]["unmeasured_hits"] == 1


def test_evidence_shows_the_rate_and_its_interval(admin: str, router: FakeRouter, capsys: Output) -> None:
    router.evidence.record("maths", ShadowResult(0.9, wrong=False))
    assert run("evidence", "--admin", admin) == 0
    assert "0.00% to 97.50%" in capsys.readouterr().out


def test_wrong_purges_one_entry(admin: str, router: FakeRouter, capsys: Output) -> None:
    entry = store(router, "a")
    assert run("feedback", entry.fingerprint[:20], "--admin", admin) == 0
    assert "1 purged" in capsys.readouterr().out
    # Its name in the release before.
    assert run("wrong", entry.fingerprint[:20], "--admin", admin) == 1


def test_list_shows_entries_without_what_was_said(admin: str, router: FakeRouter, capsys: Output) -> None:
    entry = store(router, "a")
    store(router, "b", model="large")
    assert run("list", "--model", "small", "--admin", admin) == 0
    shown = capsys.readouterr()
    assert entry.fingerprint[:12] in shown.out
    assert "1 of 1 entries" in shown.err
    assert "Which" not in shown.out


def test_list_says_how_to_go_on(admin: str, router: FakeRouter, capsys: Output) -> None:
    first, _ = store(router, "a"), store(router, "b")
    assert run("list", "--limit", 1, "--admin", admin) == 0
    after = capsys.readouterr().err.split("--after ")[1].strip()
    assert run("list", "--limit", 1, "--after", after, "--json", "--admin", admin) == 0
    page = json.loads(capsys.readouterr().out)
    assert [entry["fingerprint"] for entry in page["entries"]] == [first.fingerprint]


def test_client_is_named_by_its_header(admin: str, router: FakeRouter, capsys: Output) -> None:
    store(router, "a")
    assert run("list", "-H", "authorization: Bearer one", "--json", "--admin", admin) == 0
    assert json.loads(capsys.readouterr().out)["total"] == 0
    assert run("list", "-H", "authorization: Bearer one", "--scope", "0" * 64, "--admin", admin) == 2


def test_show_prints_question_and_answer(admin: str, router: FakeRouter, capsys: Output) -> None:
    entry = store(router, "a")
    assert run("show", entry.fingerprint[:6], "--admin", admin) == 0
    shown = capsys.readouterr().out
    assert "prompt: Which one?" in shown
    assert "answer: All of it." in shown
    assert run("show", entry.fingerprint[:6], "--json", "--admin", admin) == 0
    assert json.loads(capsys.readouterr().out)["fingerprint"] == entry.fingerprint


def test_entry_that_is_not_there_is_a_failure(admin: str, capsys: Output) -> None:
    assert run("show", "0123", "--admin", admin) == 1
    assert capsys.readouterr().err == "the sidecar refused: no such entry\n"


def test_purge_says_how_many(admin: str, router: FakeRouter, capsys: Output) -> None:
    entry = store(router, "a")
    store(router, "b")
    assert run("purge", "--all", "--dry-run", "--admin", admin) == 0
    assert capsys.readouterr().out == "2 would be purged\n"
    assert run("purge", "--entry", entry.fingerprint, "--admin", admin) == 0
    assert capsys.readouterr().out == "1 purged\n"
    assert run("purge", "--older-than", "0", "--json", "--admin", admin) == 0
    assert json.loads(capsys.readouterr().out)["purged"] == 1


@pytest.mark.parametrize("options", [(), ("--all", "--model", "small"), ("--dry-run",)])
def test_purge_that_names_nothing_clearly_is_wrong_usage(
    admin: str, router: FakeRouter, options: tuple[str, ...]
) -> None:
    store(router, "a")
    assert run("purge", *options, "--admin", admin) == 2
    assert router.cache.lookup.exact_near(made_entry("a", now_s=1).fingerprint) is not None


def test_exported_file_can_be_imported(
    admin: str, router: FakeRouter, tmp_path: Path, capsys: Output
) -> None:
    store(router, "a")
    file = tmp_path / "cache.jsonl"
    assert run("export", "-o", file, "--admin", admin) == 0
    assert "1 entries" in capsys.readouterr().err
    assert run("purge", "--all", "--admin", admin) == 0
    router.clock.advance(1)
    assert run("import", file, "--admin", admin) == 0
    assert "1 purged" in capsys.readouterr().out
    assert run("import", file, "--renew", "--json", "--admin", admin) == 0
    assert json.loads(capsys.readouterr().out)["stored"] == 1


def test_export_goes_to_stdout_by_default(
    admin: str, router: FakeRouter, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    entry = store(router, "a")
    assert run("export", "--admin", admin) == 0
    assert json.loads(capsysbinary.readouterr().out)["fingerprint"] == entry.fingerprint


def test_failed_export_leaves_no_file(tmp_path: Path) -> None:
    with admin_in_thread(None) as admin:
        assert run("export", "-o", tmp_path / "cache.jsonl", "--admin", admin) == 1
    assert list(tmp_path.iterdir()) == []


def test_export_is_its_owners_only(admin: str, router: FakeRouter, tmp_path: Path) -> None:
    """It holds what people asked and were told."""
    store(router, "a")
    file = tmp_path / "cache.jsonl"
    assert run("export", "-o", file, "--admin", admin) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_export_does_not_overwrite_a_file_without_force(
    admin: str, router: FakeRouter, tmp_path: Path, capsys: Output
) -> None:
    store(router, "a")
    file = tmp_path / "cache.jsonl"
    file.write_text("precious")
    file.chmod(0o644)
    assert run("export", "-o", file, "--admin", admin) == 2
    assert "--force" in capsys.readouterr().err
    assert file.read_text() == "precious"
    assert run("export", "-o", file, "--force", "--admin", admin) == 0
    assert "fingerprint" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_failed_export_with_force_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "cache.jsonl"
    file.write_text("precious")
    with admin_in_thread(None) as admin:
        assert run("export", "-o", file, "--force", "--admin", admin) == 1
    assert [(each, each.read_text()) for each in tmp_path.iterdir()] == [(file, "precious")]


def test_refused_lines_are_named_by_their_number_in_the_file(
    admin: str, router: FakeRouter, tmp_path: Path, capsys: Output
) -> None:
    file = tmp_path / "questions.jsonl"
    good = json.dumps({"question": "Why?", "answer": "So."})
    file.write_text("\n".join([*([good] * BATCH_LINES), "", "{", *(["[]"] * 30)]))
    assert run("warm", file, "-H", "Authorization: Bearer one", "--admin", admin) == 1
    shown = capsys.readouterr()
    assert "100 stored" in shown.out
    assert f"line {BATCH_LINES + 2}: not JSON" in shown.err
    assert "and 11 more lines" in shown.err
    assert "Bearer" not in shown.err


def test_warming_reads_stdin(admin: str, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    text = io.TextIOWrapper(io.BytesIO(b'{"question": "Why?", "answer": "So."}'))
    monkeypatch.setattr("sys.stdin", text)
    assert run("warm", "-", "-H", "Authorization: Bearer one", "--admin", admin) == 0
    assert "1 stored" in capsys.readouterr().out


@pytest.mark.parametrize(
    "args",
    [
        ("warm", "/nowhere/file"),
        ("import", "/nowhere/file"),
        ("export", "-o", "/nowhere/file"),
        ("show", "xyz"),
        ("list", "-H", "nonsense"),
        ("list", "--limit", "0"),
    ],
)
def test_wrong_usage_has_its_exit_code(admin: str, args: tuple[str, ...]) -> None:
    assert run(*args, "--admin", admin) == 2


@pytest.mark.parametrize(
    ("admin", "words"), [("127.0.0.1:1", "is the sidecar running?"), ("::bad::", "write HOST:PORT")]
)
def test_sidecar_that_is_away_is_a_failure(admin: str, words: str, capsys: Output) -> None:
    assert run("stats", "--admin", admin) == 1
    assert words in capsys.readouterr().err
    assert run("export", "--admin", admin) == 1


def test_header_is_given_to_every_row_and_a_rows_own_wins() -> None:
    lines = [b'{"a": 1}', b'{"headers": {"x": "own"}}', b"[]", b"{"]
    ((first, batch),) = batches(lines, {"x": "given"})
    assert first == 0
    assert [json.loads(line)["headers"]["x"] for line in batch[:2]] == ["given", "own"]
    assert batch[2:] == [b"[]", b"{"]


def test_batches_are_bounded_by_bytes_too() -> None:
    assert [len(batch) for _, batch in batches([b"x" * 200_000] * 3, {})] == [1, 1, 1]
