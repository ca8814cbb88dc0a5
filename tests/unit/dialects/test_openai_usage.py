"""Usage that is asked for on a client's behalf in chat completions and completions, and hidden again."""

from __future__ import annotations

import json

import orjson
import pytest

from router_extproc.dialects import DIALECTS
from router_extproc.dialects.openai_usage import EVENT_BYTES_MAX, StreamUsage
from router_extproc.testing.check_dialect_usage import hidden
from router_extproc.testing.dialect_samples import single_bytes

USAGE = StreamUsage()
CHAT, COMPLETIONS = DIALECTS["openai_chat"], DIALECTS["openai_completions"]
HEAD = '{ "model":"auto","stream":true'
MESSAGES = '"messages":[ {"role":"user","content":"stream_options \\u00e9"} ] }'
COUNTS = '{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}'
DONE = b"data: [DONE]\n\n"


def asked(middle: str, head: str = HEAD) -> str:
    """The body of a chat completion as its pool gets it; the middle stands between stream and messages."""
    body = f"{head},{middle}{MESSAGES}".encode()
    return CHAT.edit(body, USAGE.ask(CHAT.parse(body))).decode()


def client_gets(*frames: str) -> bytes:
    """Byte by byte."""
    hider = USAGE.hide("text/event-stream; charset=utf-8")
    assert hider is not None
    return hidden(hider, *single_bytes("".join(frames).encode()))


def chunk(text: str, more: str = "") -> str:
    choice = json.dumps({"index": 0, "delta": {"content": text}})
    return f'data: {{"id":"c", "choices":[{choice}]{more}}}\n\n'


# ── asking ────────────────────────────────────────────────────────────────────────────────────


def test_a_stream_without_options_gets_them_and_nothing_else_changes() -> None:
    assert asked("") == '{"stream_options":{"include_usage":true}, "model":"auto","stream":true,' + MESSAGES


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ('{"include_usage" : false}', '{"include_usage" : true}'),
        ('{"include_usage":null}', '{"include_usage":true}'),
        ('{"include_usage":"false"}', '{"include_usage":true}'),
        ("{ }", '{"include_usage":true }'),
        ('{"include_obfuscation": false}', '{"include_usage":true,"include_obfuscation": false}'),
        ('{"include_usage":false,"continuous_usage_stats":false}',
         '{"include_usage":true,"continuous_usage_stats":false}'),
        ("null", '{"include_usage":true}'),
    ],
)  # fmt: skip
def test_options_that_do_not_ask_for_usage_do_so_and_keep_the_rest(said: str, sent: str) -> None:
    assert asked(f'"stream_options": {said} , ') == asked(f'"stream_options": {sent} , ')
    assert f'"stream_options": {sent} , ' in asked(f'"stream_options": {said} , ')


@pytest.mark.parametrize(
    "middle",
    [
        '"stream_options":{"include_usage":true},',
        '"stream_options":{"include_usage":"true"},',
    ],
)
def test_who_asks_itself_is_left_alone(middle: str) -> None:
    assert asked(middle) == f"{HEAD},{middle}{MESSAGES}"


def test_usage_in_every_event_is_not_switched_on() -> None:
    """A vLLM would send it, once it is asked for any."""
    middle = '"stream_options":{"include_usage":false,"continuous_usage_stats":true},'
    assert asked(middle) == f"{HEAD},{middle}{MESSAGES}"


def test_what_is_not_streamed_is_left_alone() -> None:
    head = '{"model":"auto","stream":false'
    assert asked("", head) == f"{head},{MESSAGES}"


def test_completions_are_asked_in_the_same_way() -> None:
    body = b'{"model":"auto","prompt":"Once","stream":true}'
    sent = COMPLETIONS.edit(body, USAGE.ask(COMPLETIONS.parse(body)))
    assert sent == b'{"stream_options":{"include_usage":true},"model":"auto","prompt":"Once","stream":true}'


def test_asking_is_in_no_key_of_the_cache() -> None:
    request, other = (CHAT.parse(asked(middle).encode()) for middle in ("", '"stream_options":{"a":1},'))
    assert request.context == other.context


# ── hiding ────────────────────────────────────────────────────────────────────────────────────


def test_the_event_of_usage_alone_is_taken_out() -> None:
    last = f'data: {{"id":"c","choices":[],"usage":{COUNTS}}}\n\n'
    assert client_gets(chunk("a"), last, DONE.decode()) == chunk("a").encode() + DONE


def test_members_that_say_no_usage_are_taken_out_and_every_other_byte_stays() -> None:
    frames = (chunk("a", ', "usage" : null , "obfuscation":"x"'), chunk("b", ',"usage":null'))
    assert client_gets(*frames) == (chunk("a", ',  "obfuscation":"x"') + chunk("b")).encode()


@pytest.mark.parametrize(
    "frame",
    [
        chunk("a", f',"usage":{COUNTS}'),
        chunk('the word "usage": null'),
        chunk("a", ',"x":{"usage":null}'),
        'data: {"choices":[],"prompt_filter_results":[]}\n\n',
        f'data: {{"choices":[],"usage":{COUNTS},"error":{{"message":"no"}}}}\n\n',
        f'data: {{"usage":{COUNTS}}}\n\n',
        'data: {"choices":[],"usage":"much"}\n\n',
        'data: ["usage"]\n\n',
        'data: {"usage": NaN}\n\n',
        'data: {"usage": nu\n\n',
        ': "usage"\n\n',
        "\n\n\r\n",
    ],
)
def test_everything_else_passes_byte_for_byte(frame: str) -> None:
    assert client_gets(frame, DONE.decode()) == frame.encode() + DONE


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_fields_of_the_pools_stay(end: str) -> None:
    event = f": note{end}id: 7{end}data:" + '{"choices":[{"index":0}]%s}' + f"  {end}{end}"
    alone = f'data: {{"choices":[],"usage":{COUNTS}}}{end}{end}'
    assert client_gets(event % ',"usage":null', alone, event % "") == (event % "" * 2).encode()


def test_data_in_several_lines_is_read_as_one() -> None:
    alone = f'data: {{"choices":[],\r\ndata: "usage":{COUNTS}}}\r\n\r\n'
    null = 'event: x\r\ndata: {"choices":[1],\r\ndata: "usage":null}\r\n\r\n'
    (data,) = [line for line in client_gets(alone, null).split(b"\n") if line.startswith(b"data:")]
    assert orjson.loads(data[5:]) == {"choices": [1]}


def test_an_event_that_the_streams_end_cuts_short_is_read_too() -> None:
    assert client_gets(chunk("a"), f'data: {{"choices":[],"usage":{COUNTS}}}') == chunk("a").encode()
    assert client_gets('data: {"choices":[],"usa') == b'data: {"choices":[],"usa'


@pytest.mark.parametrize("step", [1000, 65_536, 2 * EVENT_BYTES_MAX])
def test_a_long_event_passes_in_pieces_and_those_behind_it_are_read(step: int) -> None:
    """A picture, say: nobody holds it back for the sake of a null."""
    long = chunk("x" * (EVENT_BYTES_MAX + 10), ',"prompt":"usage"')
    alone = f'data: {{"choices":[],"usage":{COUNTS}}}\n\n'
    body = (long + alone + chunk("b")).encode()
    hider = USAGE.hide("text/event-stream")
    assert hider is not None
    pieces = [body[start : start + step] for start in range(0, len(body), step)]
    assert hidden(hider, *pieces) == (long + chunk("b")).encode()


def test_the_end_of_a_long_event_is_found_even_if_it_is_cut() -> None:
    alone = f'data: {{"choices":[],"usage":{COUNTS}}}\n\n'
    for end in ("\n\n", "\r\n\r\n", "\r\r"):
        for cut in range(1, len(end)):
            hider = USAGE.hide("text/event-stream")
            assert hider is not None
            first = "data: " + "x" * EVENT_BYTES_MAX
            pieces = (first + end[:cut], end[cut:] + alone + chunk("b"))
            assert hidden(hider, *map(str.encode, pieces)) == (first + end + chunk("b")).encode()


def test_what_is_behind_a_long_comment_in_the_same_event_stays_with_it() -> None:
    """Taken out, it would leave a comment without an end, which the next event would be a part of."""
    first = ": " + "x" * EVENT_BYTES_MAX
    rest = f'\ndata: {{"choices":[],"usage":{COUNTS}}}\n\n'
    hider = USAGE.hide("text/event-stream")
    assert hider is not None
    assert hidden(hider, first.encode(), rest.encode()) == (first + rest).encode()


def test_a_long_event_is_not_held_back() -> None:
    hider = USAGE.hide("text/event-stream")
    assert hider is not None
    assert len(hider.feed(b"data: " + b"x" * EVENT_BYTES_MAX, last=False)) > EVENT_BYTES_MAX


def test_an_answer_that_is_no_stream_passes() -> None:
    assert USAGE.hide("application/json") is None
