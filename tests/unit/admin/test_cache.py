"""The cache over the admin port: what operators see, change, take out and bring in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from router_extproc.admin.cache.operations import CacheOperations
from router_extproc.admin.peers import socket_of
from router_extproc.cache.base import EVERYTHING, Entry, Selector
from router_extproc.cache.false_hits.threshold import ShadowResult
from router_extproc.cache.memory import MemoryCache
from router_extproc.cache.near.tier import NearTier
from router_extproc.errors import CacheError
from router_extproc.testing.admin import admin_server, cache_operations
from router_extproc.testing.check_cache_backend import made_entry
from router_extproc.testing.client import Client, answer_json, chat, stored_answer
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.router import FakeRouter, fake_router

ANSWER = stored_answer("All of it.")
SECRET = "Which secret?"


@dataclass(slots=True)
class Admin:
    """The admin port of a router."""

    url: str
    router: FakeRouter
    session: aiohttp.ClientSession

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.session.get(f"{self.url}{path}") as answer:
            return answer.status, await answer.json()

    async def post(self, path: str, body: object, **headers: str) -> tuple[int, Any]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"content-type": "application/json"} | headers
        async with self.session.post(f"{self.url}{path}", data=raw, headers=headers) as answer:
            return answer.status, await answer.json()

    async def export(self) -> bytes:
        async with self.session.get(f"{self.url}/cache/export") as answer:
            return await answer.read()

    def store(self, name: str, **members: Any) -> Entry:
        """An entry, one second younger than the one before."""
        self.router.clock.advance(1)
        made = made_entry(name, now_s=self.router.clock.wall_s())
        entry = replace(made, answer=ANSWER, prompt=SECRET, **members)
        self.router.cache.store(entry)
        return entry


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def admin(session: aiohttp.ClientSession) -> AsyncIterator[Admin]:
    async with admin_of(fake_router(), session) as admin:
        yield admin


@asynccontextmanager
async def admin_of(router: FakeRouter, session: aiohttp.ClientSession) -> AsyncIterator[Admin]:
    async with serving(cache_operations(router)) as url:
        yield Admin(url, router, session)


@asynccontextmanager
async def serving(operations: CacheOperations) -> AsyncIterator[str]:
    """The URL of these operations' admin port."""
    server = admin_server(operations)
    await server.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        await server.aclose()


class Away(MemoryCache):
    """A backend that takes nothing, deletes nothing and breaks off while it tells what it holds."""

    exclusive = False

    def __init__(self) -> None:
        super().__init__(NearTier(ManualClock(), max_entries=1, max_bytes=1))

    async def put(self, entries: Sequence[Entry]) -> None:  # noqa: ARG002 - the port
        raise CacheError("cache", "milvus put: away")

    async def purge(self, selector: Selector) -> int:  # noqa: ARG002 - the port
        raise CacheError("cache", "milvus delete: away")

    async def entries(
        self,
        *,
        limit: int,  # noqa: ARG002 - the port
        selector: Selector = EVERYTHING,  # noqa: ARG002 - likewise
    ) -> AsyncIterator[Sequence[Entry]]:
        yield ()
        raise CacheError("cache", "milvus scan: away")


@pytest.fixture
async def lost(session: aiohttp.ClientSession) -> AsyncIterator[Admin]:
    """The admin port of a router whose backend is away."""
    away = Away()
    async with admin_of(fake_router(backend=away, source=away), session) as admin:
        yield admin


# ── looking ───────────────────────────────────────────────────────────────────────────────────


async def test_states_tell_what_each_worker_holds(admin: Admin) -> None:
    admin.store("a")
    _, told = await admin.get("/cache")
    assert told["workers"]["0"]["near_entries"] == 1


async def test_list_is_newest_first_without_what_was_said(admin: Admin) -> None:
    admin.store("a")
    newer = admin.store("b", tags=("x",))
    _, told = await admin.get("/cache/entries")
    assert told["entries"][0]["fingerprint"] == newer.fingerprint
    assert (told["total"], told["after"]) == (2, None)
    assert "secret" not in json.dumps(told)
    assert "All of it" not in json.dumps(told)


async def test_report_tells_what_hits_saved_without_what_was_said(admin: Admin) -> None:
    client = Client(admin.router)
    await client.ask(chat("Which secret?"))
    await client.send(chat("Which secret?"))
    _, told = await admin.get("/cache/report")
    assert told["total"]["hits"] == 1
    assert (told["entries"][0]["completion_tokens"], told["silent_workers"]) == (3, [])
    assert "secret" not in json.dumps(told)


async def test_evidence_tells_the_rate_with_its_interval(admin: Admin) -> None:
    for wrong in (True, False, False, False):
        admin.router.evidence.record("maths", ShadowResult(0.9, wrong=wrong))
    _, told = await admin.get("/cache/evidence")
    known = told["decisions"]["maths"]
    assert (known["comparisons"], known["wrong"], known["false_hit_rate"]) == (4, 1, 0.25)
    assert known["interval"] == pytest.approx([0.0063, 0.8059], abs=1e-4)
    assert (known["closed"], known["score_min"]) == (False, None)


async def test_entry_that_is_called_wrong_is_purged_and_counted(admin: Admin) -> None:
    entry = admin.store("a")
    other = admin.store("b")
    status, told = await admin.post("/cache/feedback", {"entry": entry.fingerprint, "verdict": "wrong"})
    assert (status, told["purged"]) == (200, 1)
    _, known = await admin.get("/cache/evidence")
    assert known["decisions"][entry.decision]["feedback"] == {"client": 0, "operator": 1}
    _, page = await admin.get("/cache/entries")
    assert [each["fingerprint"] for each in page["entries"]] == [other.fingerprint]


@pytest.mark.parametrize(
    "body",
    [
        {"entry": "ab"},
        {"entry": "ab", "verdict": "right"},
        {"verdict": "wrong"},
        {"entry": "0", "verdict": "wrong"},
    ],
)
async def test_word_about_no_single_entry_is_refused(admin: Admin, body: object) -> None:
    admin.store("a")
    assert (await admin.post("/cache/feedback", body))[0] == 400


async def test_next_page_begins_after_the_last_entry(admin: Admin) -> None:
    older = admin.store("a")
    admin.store("b")
    _, first = await admin.get("/cache/entries?limit=1")
    _, second = await admin.get(f"/cache/entries?limit=1&after={first['after']}")
    assert [entry["fingerprint"] for entry in second["entries"]] == [older.fingerprint]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("model=large", ["b"]),
        ("decision=maths", ["c"]),
        ("tag=x", ["b", "c"]),
        ("tag=x&model=large", ["b"]),
        ("older_than_s=2", ["a"]),
        ("model=nobody", []),
    ],
)
async def test_list_shows_only_what_is_meant(admin: Admin, query: str, names: list[str]) -> None:
    entries = {
        "a": admin.store("a"),
        "b": admin.store("b", model="large", tags=("x",)),
        "c": admin.store("c", decision="maths", tags=("x", "y")),
    }
    _, told = await admin.get(f"/cache/entries?{query}")
    assert {each["fingerprint"] for each in told["entries"]} == {entries[name].fingerprint for name in names}


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=x", "limit"),
        ("scope=ab", "scope: must be 64"),
        ("entry=xyz", "entry: must be"),
        ("older_than_s=soon", "older_than_s"),
        ("older_than_s=nan", "older_than_s"),
        ("older_than_s=-1", "older_than_s"),
        ("after=x", "after"),
        ("after=1.0-X", "after"),
        ("modell=a", "unknown: modell"),
    ],
)
async def test_question_that_is_misread_is_refused(admin: Admin, query: str, problem: str) -> None:
    status, told = await admin.get(f"/cache/entries?{query}")
    assert (status, problem in told["error"]) == (400, True)


async def test_one_entry_is_shown_with_what_was_said(admin: Admin) -> None:
    entry = admin.store("a")
    _, shown = await admin.get(f"/cache/entries/{entry.fingerprint[:8]}")
    assert (shown["fingerprint"], shown["prompt"]) == (entry.fingerprint, SECRET)
    assert shown["answer"]["choices"][0]["content"] == "All of it."


async def test_unknown_and_ambiguous_fingerprints_are_told_apart(admin: Admin) -> None:
    first = admin.store("a").fingerprint
    twin = first[:5] + ("0" if first[5] != "0" else "1") + first[6:]
    admin.store("b", fingerprint=twin)
    assert (await admin.get(f"/cache/entries/{first[:5]}"))[0] == 409
    assert (await admin.get(f"/cache/entries/{first[:6]}"))[0] == 200
    assert (await admin.get("/cache/entries/" + "f" * 64))[0] == 404


async def test_browsers_keep_nothing(admin: Admin) -> None:
    for path in ("/cache", "/cache/entries", "/cache/export"):
        async with admin.session.get(admin.url + path) as answer:
            assert answer.headers["cache-control"] == "no-store"


async def test_cache_that_is_off_is_said_to_be(session: aiohttp.ClientSession) -> None:
    server = admin_server(None)
    await server.start()
    try:
        async with session.get(f"http://127.0.0.1:{server.port}/cache") as answer:
            assert (answer.status, await answer.json()) == (404, {"error": "the cache is off"})
    finally:
        await server.aclose()


async def test_scope_of_a_client_is_found_by_its_headers(admin: Admin) -> None:
    client = Client(admin.router)
    await client.ask(chat(), authorization="Bearer one")
    _, told = await admin.post("/cache/scope", {}, authorization="Bearer one")
    _, other = await admin.post("/cache/scope", {}, authorization="Bearer two")
    assert (await admin.get(f"/cache/entries?scope={told['scope']}"))[1]["total"] == 1
    assert (await admin.get(f"/cache/entries?scope={other['scope']}"))[1]["total"] == 0


# ── purging ───────────────────────────────────────────────────────────────────────────────────


async def test_purge_removes_what_is_named(admin: Admin) -> None:
    admin.store("a", model="large")
    kept = admin.store("b")
    status, told = await admin.post("/cache/purge", {"model": "large"})
    assert (status, told["purged"], told["workers"], told["problems"]) == (200, 1, {"0": 1}, {})
    _, left = await admin.get("/cache/entries")
    assert [entry["fingerprint"] for entry in left["entries"]] == [kept.fingerprint]


async def test_dry_run_counts_only(admin: Admin) -> None:
    admin.store("a")
    _, told = await admin.post("/cache/purge", {"all": True, "dry_run": True})
    assert (told["dry_run"], told["purged"]) == (True, 1)
    assert (await admin.get("/cache/entries"))[1]["total"] == 1


async def test_one_entry_can_be_purged(admin: Admin) -> None:
    entry = admin.store("a")
    admin.store("b")
    assert (await admin.post("/cache/purge", {"entry": entry.fingerprint}))[1]["purged"] == 1


async def test_purge_by_age_keeps_the_young(admin: Admin) -> None:
    admin.store("old")
    admin.router.clock.advance(10)
    admin.store("young")
    assert (await admin.post("/cache/purge", {"older_than_s": 5}))[1]["purged"] == 1


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"{}", b'{"dry_run": true}', b'{"all": false}', b'{"all": true, "model": "a"}',
        b'{"all": 1}', b'{"everything": true}', b'{"model": 1}', b'{"older_than_s": true}',
        b'{"model": null}',
    ],
)  # fmt: skip
async def test_purge_that_names_nothing_clearly_purges_nothing(admin: Admin, body: bytes) -> None:
    admin.store("a")
    assert (await admin.post("/cache/purge", body))[0] == 400
    assert (await admin.get("/cache/entries"))[1]["total"] == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"host": "evil.example"}, 403),
    ],
)
async def test_page_of_another_site_cannot_purge(admin: Admin, headers: dict[str, str], status: int) -> None:
    """A browser sends such a request without asking us, and its user has no part in it."""
    admin.store("a")
    assert (await admin.post("/cache/purge", {"all": True}, **headers))[0] == status
    assert (await admin.get("/cache/entries"))[1]["total"] == 1


async def test_our_own_page_may_ask(admin: Admin) -> None:
    assert (await admin.post("/cache/purge", {"all": True}, origin=admin.url))[0] == 200


@pytest.mark.parametrize("path", ["purge", "import", "warm"])
async def test_looking_at_a_page_changes_nothing(admin: Admin, path: str) -> None:
    async with admin.session.get(f"{admin.url}/cache/{path}") as answer:
        assert answer.status == 405


async def test_backend_that_cannot_purge_is_named(lost: Admin) -> None:
    status, told = await lost.post("/cache/purge", {"all": True})
    assert (status, told["problems"]) == (503, {"0": "milvus delete: away"})


# ── several workers ───────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def second(tmp_path: Path) -> AsyncIterator[FakeRouter]:
    """Worker 1, which answers over its socket."""
    router = fake_router()
    async with worker_1(tmp_path, router):
        yield router


@asynccontextmanager
async def worker_1(folder: Path, router: FakeRouter) -> AsyncIterator[None]:
    """Worker 1 with this router."""
    server = admin_server(cache_operations(router, 1), f"unix:{socket_of(folder, 1)}")
    await server.start()
    try:
        yield
    finally:
        await server.aclose()


@pytest.fixture
async def first(tmp_path: Path, session: aiohttp.ClientSession) -> AsyncIterator[Admin]:
    """Worker 0, which speaks for worker 1."""
    router = fake_router()
    async with serving(cache_operations(router, 0, {1: socket_of(tmp_path, 1)})) as url:
        yield Admin(url, router, session)


async def test_purge_reaches_every_worker(first: Admin, second: FakeRouter) -> None:
    first.store("a")
    second.cache.store(made_entry("b", now_s=second.clock.wall_s()))
    status, told = await first.post("/cache/purge", {"all": True})
    assert (status, told["purged"], told["workers"]) == (200, 2, {"0": 1, "1": 1})
    assert (await second.cache.state()).near_entries == 0


async def test_answer_on_its_way_in_another_worker_is_not_stored_after_a_purge(
    first: Admin, second: FakeRouter
) -> None:
    client = Client(second)
    sent = await client.send(chat())
    second.clock.advance(1)
    await first.post("/cache/purge", {"all": True})
    second.clock.advance(1)
    client.answer(sent, answer_json())
    assert second.reports.answers[-1].stored == "purged"


async def test_worker_that_a_purge_did_not_reach_is_named(first: Admin) -> None:
    status, told = await first.post("/cache/purge", {"all": True})
    assert (status, told["problems"]) == (503, {"1": "does not answer"})


async def test_why_another_worker_could_not_purge_is_told(first: Admin, tmp_path: Path) -> None:
    async with worker_1(tmp_path, fake_router(backend=Away())):
        status, told = await first.post("/cache/purge", {"all": True})
    problems = {"1": "milvus delete: away"}
    assert (status, told["workers"], told["problems"]) == (503, {"0": 0}, problems)


class Hanging(Away):
    """A backend that never says whether it deleted."""

    def __init__(self) -> None:
        super().__init__()
        self.may_end = asyncio.Event()

    async def purge(self, selector: Selector) -> int:  # noqa: ARG002 - the port
        await self.may_end.wait()
        return 0


async def test_worker_that_hangs_costs_a_purge_so_much_time_only(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    hanging = Hanging()
    sockets = {1: socket_of(tmp_path, 1)}
    operations = cache_operations(fake_router(), 0, sockets, purge_s=0.05)
    async with worker_1(tmp_path, fake_router(backend=hanging)), serving(operations) as url:
        _, told = await Admin(url, fake_router(), session).post("/cache/purge", {"all": True})
        hanging.may_end.set()
    assert told["problems"] == {"1": "does not answer"}


async def test_states_of_all_workers_are_told(first: Admin, second: FakeRouter) -> None:
    second.cache.store(made_entry("b", now_s=second.clock.wall_s()))
    _, told = await first.get("/cache")
    assert {worker: state["near_entries"] for worker, state in told["workers"].items()} == {"0": 0, "1": 1}


async def test_report_adds_up_all_workers(first: Admin, second: FakeRouter) -> None:
    for router in (first.router, second):
        await Client(router).ask(chat())
        await Client(router).send(chat())
    _, told = await first.get("/cache/report?limit=1")
    assert (told["total"]["hits"], told["entries"][0]["hits"]) == (2, 2)


async def test_evidence_is_that_of_the_worker_that_has_heard_of_the_most(
    first: Admin, second: FakeRouter
) -> None:
    """All workers apply the events of all: adding them up would count each as often as there are workers."""
    first.router.evidence.record("maths", ShadowResult(0.9, wrong=False))
    for _ in range(2):
        second.evidence.record("maths", ShadowResult(0.9, wrong=False))
    _, told = await first.get("/cache/evidence")
    assert told["decisions"]["maths"]["comparisons"] == 2
    assert told["decisions"]["maths"]["interval"] == pytest.approx([0.0, 0.8419], abs=1e-4)


async def test_worker_that_does_not_answer_is_missing_in_the_report(first: Admin) -> None:
    _, told = await first.get("/cache/report")
    assert told["silent_workers"] == [1]


async def test_worker_that_does_not_answer_has_no_state(first: Admin) -> None:
    assert (await first.get("/cache"))[1]["workers"]["1"] is None


# ── export, import ────────────────────────────────────────────────────────────────────────────


async def test_exported_entries_can_be_imported(admin: Admin, session: aiohttp.ClientSession) -> None:
    client = Client(admin.router)
    await client.ask(chat("What is a small cat called?"))
    exported = await admin.export()
    router = fake_router()
    server = admin_server(cache_operations(router))
    await server.start()
    try:
        other = Admin(f"http://127.0.0.1:{server.port}", router, session)
        _, told = await other.post("/cache/import", exported, **{"content-type": "application/x-ndjson"})
    finally:
        await server.aclose()
    assert told == {"stored": 1, "expired": 0, "purged": 0, "refused": []}
    assert (await Client(router).send(chat("what is a small cat called"))).cache == "hit-semantic"


async def test_only_what_is_meant_is_exported(admin: Admin) -> None:
    admin.store("a")
    admin.store("b", model="large")
    async with admin.session.get(f"{admin.url}/cache/export?model=large") as answer:
        lines = (await answer.text()).splitlines()
    assert [json.loads(line)["model"] for line in lines] == ["large"]


async def test_export_that_breaks_off_has_no_end(lost: Admin) -> None:
    """Half of it must not be taken for all."""
    lost.store("a")
    with pytest.raises(aiohttp.ClientError):
        await lost.export()


async def test_lines_that_are_no_entries_are_named(admin: Admin) -> None:
    admin.store("a")
    lines = b"\n".join([b"{", b"", b"{}", await admin.export()])
    _, told = await admin.post("/cache/import", lines)
    assert told["stored"] == 1
    assert [refused["line"] for refused in told["refused"]] == [1, 3]
    assert told["refused"][0]["problem"] == "not JSON"


async def test_file_that_was_cut_is_imported_but_for_its_last_line_which_is_named(admin: Admin) -> None:
    """A copy that broke off, or a script that was killed while it wrote."""
    admin.store("a")
    exported = await admin.export()
    _, told = await admin.post("/cache/import", exported + exported[: len(exported) // 2])
    assert told["stored"] == 1
    assert told["refused"] == [{"line": 2, "problem": "not JSON"}]


async def test_purged_entries_come_back_only_renewed(admin: Admin) -> None:
    admin.store("a")
    exported = await admin.export()
    await admin.post("/cache/purge", {"all": True})
    admin.router.clock.advance(1)
    assert (await admin.post("/cache/import", exported))[1]["purged"] == 1
    assert (await admin.post("/cache/import?renew=true", exported))[1]["stored"] == 1
    assert (await admin.get("/cache/entries"))[1]["total"] == 1
    assert (await admin.post("/cache/import?renew=maybe", exported))[0] == 400


async def test_too_many_lines_are_refused(admin: Admin) -> None:
    assert (await admin.post("/cache/import", b"{}\n" * 1001))[0] == 400


async def test_too_large_an_import_is_refused(admin: Admin) -> None:
    async with admin.session.post(
        f"{admin.url}/cache/import", data=b" " * 70_000, headers={"content-type": "application/json"}
    ) as answer:
        assert answer.status == 413


# ── warming ───────────────────────────────────────────────────────────────────────────────────


#: What the client of these tests sends.
KEY = {"authorization": "Bearer test-client"}


def lines(*rows: object) -> bytes:
    return b"\n".join(json.dumps(row).encode() for row in rows)


async def test_client_finds_what_was_warmed(admin: Admin) -> None:
    row = {"question": "What is a cat?", "answer": "A pet.", "headers": {"Authorization": "Bearer one"}}
    _, told = await admin.post("/cache/warm", lines(row))
    assert (told["stored"], told["refused"]) == (1, [])
    sent = await Client(admin.router).send(chat(), authorization="Bearer one")
    assert sent.cache == "hit-exact"
    assert json.loads(sent.immediate.body)["choices"][0]["message"]["content"] == "A pet."


async def test_system_prompt_and_model_are_part_of_what_is_warmed(admin: Admin) -> None:
    row = {"question": "Why?", "answer": "So.", "system": "Be short.", "model": "large", "headers": KEY}
    await admin.post("/cache/warm", lines(row))
    messages = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Why?"}]
    client = Client(admin.router)
    assert (await client.send({"model": "large", "messages": messages})).cache == "hit-exact"
    assert (await client.send({"model": "auto", "messages": messages})).cache == "miss"


async def test_logged_conversation_warms(admin: Admin) -> None:
    body = chat("Why?", temperature=0.5)
    row = {"request": body, "answer": json.loads(answer_json("Because.")), "headers": KEY}
    await admin.post("/cache/warm", lines(row))
    assert (await Client(admin.router).send(body)).cache == "hit-exact"


async def test_logged_messages_warm_with_the_answer_last(admin: Admin) -> None:
    question, answer = {"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because."}
    again = {"role": "user", "content": "Really?"}
    row = {"messages": [question, answer, again, {"role": "assistant", "content": "Yes."}], "headers": KEY}
    _, told = await admin.post("/cache/warm", lines(row))
    assert (told["stored"], told["refused"]) == (1, [])
    sent = await Client(admin.router).send({"model": "auto", "messages": [question, answer, again]})
    assert json.loads(sent.immediate.body)["choices"][0]["message"]["content"] == "Yes."
    assert (await Client(admin.router).send({"model": "auto", "messages": [again]})).cache == "miss"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ([], "must be an object"),
        ({"question": "a", "answer": "b", "scope": "c"}, "must be an object of"),
        ({"answer": "b"}, "either question or request or messages"),
        ({"question": "a", "request": {}, "answer": "b"}, "either question or request"),
        ({"messages": [], "answer": "b"}, "messages: the question and the answer stand in them"),
        ({"messages": []}, "messages: must be a list that ends with the assistant's answer"),
        ({"messages": "Why?"}, "messages: must be a list"),
        ({"messages": [{"role": "user", "content": "Why?"}]}, "messages: must be a list"),
        ({"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant"}]}, "answer: must be"),
        ({"messages": [{"role": "assistant", "content": "Because."}]}, "messages"),
        ({"question": 1, "answer": "b"}, "question: must be a text"),
        ({"question": "a"}, "answer: must be"),
        ({"request": [], "answer": "b"}, "request: must be"),
        ({"request": {}, "system": "s", "answer": "b"}, "request: must be"),
        ({"question": "a", "answer": "b", "headers": []}, "headers: must be"),
        ({"question": "a", "answer": "b", "headers": {"x": 1}}, "x: must be a text"),
        ({"question": "a", "answer": "b", "decision": "maths"}, "the router decides"),
        ({"question": "a", "answer": "b", "model": "nobody"}, "does not exist"),
        ({"question": "a", "answer": "b"}, "no credential"),
    ],
)
async def test_row_that_makes_no_entry_is_named(admin: Admin, row: object, problem: str) -> None:
    _, told = await admin.post("/cache/warm", lines(row))
    assert told["stored"] == 0
    assert problem in told["refused"][0]["problem"]


async def test_backend_that_is_away_fails_the_warming(lost: Admin) -> None:
    status, told = await lost.post("/cache/warm", lines({"question": "a", "answer": "b", "headers": KEY}))
    assert (status, told["error"]) == (503, "milvus put: away")
