"""Paths under a prefix, and Azure's, as the server reads them."""

from __future__ import annotations

import pytest

from router_extproc.dialects.path_forms import PLAIN_ONLY, PathForms, PlainPath

FORMS = PathForms(("/openai", "/api"))
CHAT = "/v1/chat/completions"


@pytest.mark.parametrize(
    ("path", "plain", "model"),
    [
        (CHAT, CHAT, ""),
        (f"/openai{CHAT}?a=b", f"{CHAT}?a=b", ""),
        (f"/api{CHAT}/", f"{CHAT}/", ""),
        (f"/apix{CHAT}", f"/apix{CHAT}", ""),
        (f"/api/openai{CHAT}", f"/openai{CHAT}", ""),
        ("/openai/deployments/a%20b/chat/completions?x=1", f"{CHAT}?x=1", "a b"),
        ("/openai/deployments/a/chat", "/v1/chat", "a"),
        ("/openai/deployments/a", "/deployments/a", ""),
        ("/openai/deployments?/a/b", "/deployments?/a/b", ""),
        ("/api/deployments/a/chat/completions", "/deployments/a/chat/completions", ""),
        ("", "", ""),
    ],
)
def test_a_path_is_read_without_its_prefix(path: str, plain: str, model: str) -> None:
    assert FORMS.plain(path) == PlainPath(plain, model)


def test_without_prefixes_every_path_is_as_it_is() -> None:
    for path in (f"/openai{CHAT}", "/openai/deployments/a/chat/completions"):
        assert PLAIN_ONLY.plain(path) == PlainPath(path)
    assert PathForms(("/api",)).plain("/openai/deployments/a/b").model == ""
