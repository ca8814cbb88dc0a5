"""The model of a form: found before or behind any file, renamed in place, never guessed."""

from __future__ import annotations

import pytest

from router_extproc.dialects.routed.multipart import BOUNDARY_CHARS_MAX, PARTS_MAX, MultipartModel

FORM = MultipartModel()
TYPE = "multipart/form-data; boundary=XyZ"
FILE = b'--XyZ\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n\x00\r\n--Xy\xff\r\n'
MODEL = b'--XyZ\r\nContent-Disposition: form-data; name="model"\r\n\r\nlarge\r\n'
END = b"--XyZ--\r\n"


def field(name: bytes = b"model", value: bytes = b"large", header: bytes = b"") -> bytes:
    return (
        b'--XyZ\r\nContent-Disposition: form-data; name="'
        + name
        + b'"\r\n'
        + header
        + b"\r\n"
        + value
        + b"\r\n"
    )


@pytest.mark.parametrize(
    "body",
    [
        MODEL + FILE + END,
        FILE + MODEL + END,
        FILE + MODEL + FILE + END,
        MODEL + b"--XyZ--",
        MODEL + FILE[:-20],
        b"a preamble\r\n" + MODEL + END + b"an epilogue",
        b"\r\n" + MODEL + END,
        MODEL.replace(b"--XyZ\r\n", b"--XyZ \t\r\n") + END,
        MODEL.replace(b'"model"', b"model") + END,
        MODEL.replace(b'name="model"', b'NAME = "model"').replace(
            b"Content-Disposition", b"content-DISPOSITION "
        )
        + END,
        field(header=b"Content-Type: text/plain; charset=utf-8\r\n") + END,
        b"--XyZ\r\nContent-Type: text/plain\r\n" + MODEL.removeprefix(b"--XyZ\r\n") + END,
        field(value=b"small") + MODEL + END,
        field(b"prompt", b"--XyZ2\r\n--XyZ no delimiter\r\n\r\nmodel") + MODEL + END,
    ],
)
def test_the_field_is_found_wherever_it_is(body: bytes) -> None:
    assert FORM.read(body, TYPE) == "large"


@pytest.mark.parametrize(
    "content_type",
    [
        'multipart/form-data; boundary="XyZ"',
        'Multipart/Form-Data; charset=utf-8; Boundary = "X\\yZ"; x=1',
        "multipart/form-data;boundary=XyZ;x=1",
    ],
)
def test_a_boundary_may_be_written_in_any_way(content_type: str) -> None:
    assert FORM.read(MODEL + END, content_type) == "large"


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "multipart/form-data",
        "multipart/mixed; boundary=XyZ",
        "application/json; boundary=XyZ",
        'multipart/form-data; boundary=""',
        "multipart/form-data; boundary=abc",
        "multipart/form-data; boundary=" + "X" * (BOUNDARY_CHARS_MAX + 1),
    ],
)
def test_a_body_of_another_type_names_no_model(content_type: str) -> None:
    assert FORM.read(MODEL + END, content_type) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        END,
        FILE + END,
        MODEL,
        MODEL[:-4],
        MODEL.replace(b"\r\n\r\n", b"\r\n"),
        MODEL.replace(b"\r\n", b"\n") + END.replace(b"\r\n", b"\n"),
        field(value=b"") + END,
        field(b"models") + END,
        field(b'prompt"; x="; name=model') + END,
        MODEL.replace(b'"model"', b'"model"; filename="model"') + END,
        MODEL.replace(b'"model"', b"\"model\"; filename*=utf-8''x") + END,
        MODEL.replace(b"form-data;", b"attachment;") + END,
        b"--XyZ\r\n\r\nlarge\r\n" + END,
        b'--XyZ\r\nX: y\r\n\r\nContent-Disposition: form-data; name="model"\r\n' + END,
        field(header=b"X-Long: " + b"x" * (17 << 10) + b"\r\n") + END,
    ],
)
def test_what_is_no_whole_field_names_no_model(body: bytes) -> None:
    """A field that is cut off, a file of that name, and a text that only looks like a field."""
    assert FORM.read(body, TYPE) is None


def test_a_field_inside_a_file_names_no_model() -> None:
    """A line that only begins like a delimiter is content, whatever stands behind it."""
    inside = MODEL.replace(b"--XyZ", b"\r\n--XyZ2").replace(b"large", b"other")
    body = MODEL + FILE.replace(b"\x00", inside) + END
    assert FORM.read(body, TYPE) == "large"
    assert FORM.rename(body, TYPE, "m") == body.replace(b"large", b"m")


def test_many_fields_cost_no_more_than_their_limit() -> None:
    assert FORM.read(field(b"x") * (PARTS_MAX - 2) + MODEL + END, TYPE) == "large"
    assert FORM.read(field(b"x") * PARTS_MAX + MODEL + END, TYPE) is None


def test_a_name_that_is_no_text_is_still_a_name() -> None:
    assert FORM.read(field(value=b"\xff") + END, TYPE) == "\ufffd"


@pytest.mark.parametrize("body", [MODEL + FILE + END, FILE + MODEL + END, b"p\r\n" + FILE + MODEL])
def test_renaming_leaves_every_other_byte(body: bytes) -> None:
    renamed = FORM.rename(body + END, TYPE, "openai/größer")
    assert renamed == (body + END).replace(b"large", "openai/größer".encode())


def test_every_field_of_the_name_gets_the_new_one() -> None:
    body = field(value=b"small") + FILE + field(value=b"large") + END
    assert FORM.rename(body, TYPE, "m") == field(value=b"m") + FILE + field(value=b"m") + END


def test_the_length_of_a_field_is_told_anew() -> None:
    body = FILE + field(header=b"Content-Length: 5\r\nX: y\r\n") + END
    wanted = FILE + field(value=b"wide/larger", header=b"Content-Length: 11\r\nX: y\r\n") + END
    assert FORM.rename(body, TYPE, "wide/larger") == wanted
