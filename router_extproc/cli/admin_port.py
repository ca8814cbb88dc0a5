"""The admin port of a running sidecar, as commands ask it.

Every wait has a limit, and no message repeats a header's value or anything that was said to a model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Final, Self

import httpx
import orjson

from router_extproc.admin.client_headers import as_client
from router_extproc.cli.admin_address import admin_url
from router_extproc.cli.admin_token import TOKEN_VARIABLE
from router_extproc.errors import RouterError

DEFAULT_ADMIN: Final = "127.0.0.1:9190"
#: For an answer, in seconds; more than the sidecar gives itself.
ASK_S: Final = 60.0
#: The same for a reload, before which every worker opens what is new.
RELOAD_S: Final = 110.0
#: Lines and bytes that are sent at once.
BATCH_LINES: Final = 100
BATCH_BYTES: Final = 256 * 1024

Json = dict[str, Any]  # Any: JSON


class AdminError(RouterError):
    """The admin port does not answer, or refuses."""


class AdminPort:
    """Asks one sidecar; to be used as a context manager."""

    def __init__(self, address: str, token: str | None = None) -> None:
        """`token`: what the port asks for; None: it asks for none.

        Raises:
            AddressError: the address is neither HOST:PORT nor a URL.
        """
        self._url: Final = admin_url(address)
        self._client: Final = httpx.Client(timeout=ASK_S, trust_env=False, headers=bearer(token))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Json:  # Any: texts and numbers
        """The document at a path.

        Raises:
            AdminError: there is none.
        """
        return _accepted(self._ask("GET", path, params=query))

    def text(self, path: str) -> str:
        """The text at a path.

        Raises:
            AdminError: there is none.
        """
        answer = self._ask("GET", path)
        if not answer.is_success:
            raise AdminError(f"{self._url}{path} answers {answer.status_code}")
        return answer.text

    def send(self, path: str, lines: Sequence[bytes]) -> Json:
        """What became of these lines.

        Raises:
            AdminError: they were refused as a whole.
        """
        headers = {"content-type": "application/x-ndjson"}
        return _accepted(self._ask("POST", path, content=b"\n".join(lines), headers=headers))

    def scope(self, headers: Mapping[str, str], decision: str | None) -> str:
        """The scope of a client who sends these headers, in what a decision stored.

        Raises:
            AdminError: the sidecar refuses.
        """
        query = {} if decision is None else {"decision": decision}
        answer = self._ask("POST", "/cache/scope", json={}, headers=as_client(headers), params=query)
        return str(_accepted(answer)["scope"])

    def purge(self, wanted: Json) -> Json:
        """What a purge did; it may have problems.

        Raises:
            AdminError: it was refused.
        """
        return self._purged("/cache/purge", wanted)

    def take_feedback(self, entry: str) -> Json:
        """What became of an entry whose answer is wrong; it may have problems.

        Raises:
            AdminError: it was refused.
        """
        return self._purged("/cache/feedback", {"entry": entry, "verdict": "wrong"})

    def reload(self) -> Json:
        """What became of the sidecar's configuration file as it is now; it may have been refused.

        Raises:
            AdminError: the port does not let us ask.
        """
        return self._reloaded("reload", {})

    def rollback(self, to: int | None) -> Json:
        """The same of an earlier version; None: of the last one.

        Raises:
            AdminError: the port does not let us ask.
        """
        return self._reloaded("rollback", {} if to is None else {"to": to})

    def _reloaded(self, what: str, wanted: Json) -> Json:
        answer = self._ask("POST", f"/policy/{what}", json=wanted, timeout=RELOAD_S)
        report = _document(answer)
        return report if "result" in report else _accepted(answer)

    def _purged(self, path: str, wanted: Json) -> Json:
        answer = self._ask("POST", path, json=wanted)
        report = _document(answer)
        return report if "problems" in report else _accepted(answer)

    def export(self, query: Mapping[str, Any], file: BinaryIO) -> int:  # Any: texts and numbers
        """Write all entries to a file, one a line; how many.

        Raises:
            AdminError: it was refused, or broke off.
        """
        count = 0
        try:
            with self._client.stream("GET", f"{self._url}/cache/export", params=query) as answer:
                if not answer.is_success:
                    answer.read()
                    _accepted(answer)
                for chunk in answer.iter_bytes():
                    count += chunk.count(b"\n")
                    file.write(chunk)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise AdminError(f"the export broke off ({type(error).__name__})") from error
        return count

    def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:  # Any: httpx's own
        try:
            return self._client.request(method, self._url + path, **request)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise AdminError(
                f"no answer from {self._url} ({type(error).__name__}): is the sidecar running?"
            ) from error


def batches(lines: Sequence[bytes], headers: Mapping[str, str]) -> Iterator[tuple[int, list[bytes]]]:
    """Lines in batches, each with the number of lines before it.

    headers: given to every row that is an object; its own win.
    """
    batch: list[bytes] = []
    first = size = 0
    for number, line in enumerate(lines):
        row = _with_headers(line, headers) if headers else line
        if batch and (len(batch) == BATCH_LINES or size + len(row) > BATCH_BYTES):
            yield first, batch
            batch, first, size = [], number, 0
        batch.append(row)
        size += len(row)
    if batch:
        yield first, batch


def _with_headers(line: bytes, headers: Mapping[str, str]) -> bytes:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return line  # the sidecar names it
    own = row.get("headers", {}) if isinstance(row, dict) else None
    return orjson.dumps({**row, "headers": {**headers, **own}}) if isinstance(own, dict) else line


def bearer(token: str | None) -> dict[str, str]:
    """The header that carries a token."""
    return {} if token is None else {"authorization": f"Bearer {token}"}


def why_refused(answer: httpx.Response) -> str:
    """What an answer that is no success says, with what to do about a token."""
    said = f"the sidecar refused: {_document(answer).get('error', answer.status_code)}"
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        return f"{said}. Give the token with --token-file or in {TOKEN_VARIABLE}"
    return said


def _accepted(answer: httpx.Response) -> Json:
    if not answer.is_success:
        raise AdminError(why_refused(answer))
    return _document(answer)


def _document(answer: httpx.Response) -> Json:
    try:
        document = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}
