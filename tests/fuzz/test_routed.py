"""Bodies of APIs that are only routed: any bytes are read, and only the name changes."""

from __future__ import annotations

import json
from typing import Any  # JSON trees

from hypothesis import given
from hypothesis import strategies as st

from router_extproc.dialects.routed.json_model import JsonModel
from router_extproc.dialects.routed.multipart import MultipartModel

JSON, FORM = JsonModel(), MultipartModel()
BOUNDARY_CHARS = "abcXYZ019'()+_,-./:=?"
BOUNDARIES = st.text(BOUNDARY_CHARS, min_size=1, max_size=12).filter(lambda text: not text.endswith(" "))
#: What a form is made of, so that contents often look like more of it.
PIECES = st.lists(
    st.sampled_from(
        [
            b"\r\n",
            b"--",
            b"-",
            b"a",
            b"\x00",
            b"\xff",
            b'Content-Disposition: form-data; name="model"',
            b"\n",
            b"model",
        ]
    ),
    max_size=8,
).map(b"".join)
NAMES = st.sampled_from(["model", "file", "prompt", "Model", "model "])
FIELDS = st.lists(st.tuples(NAMES, st.booleans(), PIECES | st.binary(max_size=20)), max_size=6)


def form(boundary: str, fields: list[tuple[str, bool, bytes]]) -> bytes:
    line = f"--{boundary}".encode()
    written = []
    for name, is_file, content in fields:
        file = '; filename="a"' if is_file else ""
        header = f'Content-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode()
        written.append(line + b"\r\n" + header + content + b"\r\n")
    return b"".join(written) + line + b"--\r\n"


@given(boundary=BOUNDARIES, fields=FIELDS)
def test_a_form_is_read_and_renamed_in_place(boundary: str, fields: list[tuple[str, bool, bytes]]) -> None:
    line = b"\r\n--" + boundary.encode()
    kept = [field for field in fields if line not in b"\r\n" + field[2] + b"\r\n"]
    models = [content for name, is_file, content in kept if name == "model" and not is_file]
    body, content_type = form(boundary, kept), f'multipart/form-data; boundary="{boundary}"'
    name = FORM.read(body, content_type)
    assert name == (models[-1].decode("utf-8", "replace") or None if models else None)
    if name is not None:
        renamed = [
            (each, is_file, b"pool/model" if each == "model" and not is_file else content)
            for each, is_file, content in kept
        ]
        assert FORM.rename(body, content_type, "pool/model") == form(boundary, renamed)


@given(
    body=PIECES | st.binary(max_size=200),
    content_type=st.text(max_size=40) | st.just("multipart/form-data; boundary=-"),
)
def test_any_bytes_of_any_type_are_read(body: bytes, content_type: str) -> None:
    for reader in (JSON, FORM):
        if reader.read(body, content_type) is not None:
            reader.rename(body, content_type, "pool/model")


@given(data=st.data(), fields=FIELDS)
def test_a_form_that_is_cut_off_or_damaged_is_read(
    data: st.DataObject, fields: list[tuple[str, bool, bytes]]
) -> None:
    body = bytearray(form("b", fields))
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(body[: data.draw(st.integers(0, len(body)))])
    if FORM.read(cut, "multipart/form-data; boundary=b") is not None:
        FORM.rename(cut, "multipart/form-data; boundary=b", "x")


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(tree=st.dictionaries(st.sampled_from(["model", "input", "x"]), TREES), indent=st.none() | st.just(2))
def test_only_the_name_in_a_json_body_changes(tree: dict[str, Any], indent: int | None) -> None:
    body = json.dumps(tree, indent=indent).encode()
    name = JSON.read(body, "application/json")
    if name is not None:
        assert name == tree["model"]
        assert json.loads(JSON.rename(body, "", "pool/model")) == {**tree, "model": "pool/model"}
        assert JSON.rename(body, "", name) == body or not name.isascii()
