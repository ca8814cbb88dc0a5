"""What clients wrap around a question is left out, and what humans write about such blocks stays."""

from __future__ import annotations

import time

import pytest

from router_extproc.conversation.ask import shipped_harness
from router_extproc.conversation.harness import AskTag, Passage, Tag
from router_extproc.conversation.strip import LINES_MAX, Stripped, strip

HARNESS = shipped_harness()
TAGS = [pattern for pattern in HARNESS.patterns if isinstance(pattern, Tag)]
PASSAGES = [pattern for pattern in HARNESS.patterns if isinstance(pattern, Passage)]
ASK_TAGS = [pattern for pattern in HARNESS.patterns if isinstance(pattern, AskTag)]

ASK = "How do I sort a list of dates?"


def asked(text: str) -> str:
    return strip(text, HARNESS).text


#: TAG is a tag's name, ASK the question.
WRAPPED = {
    "before the question": "<TAG>\nSome facts.\n</TAG>\nASK",
    "behind the question": "ASK\n<TAG>\nSome facts.\n</TAG>",
    "behind an empty line": "ASK\n\n<TAG>\nSome facts.\n</TAG>\n\n",
    "on both sides": "<TAG>Some facts.</TAG>\nASK\n<TAG>More facts.</TAG>",
    "twice in a row": "<TAG>Some facts.</TAG><TAG>More facts.</TAG>\nASK",
    "with attributes": '<TAG path="src/a.py" lines="1-9">\nSome facts.\n</TAG>\nASK',
    "with code in it": "ASK\n<TAG>\n```python\nprint(1)\n```\n</TAG>",
    "with half a fence in it": "ASK\n<TAG>\n```python\nprint(1)\n</TAG>",
    "with other tags in it": "<TAG>\n<item>Some facts.</item>\n<b>\n</TAG>\nASK",
    "indented": "ASK\n  <TAG>\n  Some facts.\n  </TAG>",
    "without a line break behind it": "<TAG>Some facts.</TAG> ASK",
    "with nothing in it": "<TAG></TAG>\nASK",
    "with the line breaks of Windows": "ASK\r\n<TAG>\r\nSome facts.\r\n</TAG>\r\n",
    "with a question of its own in it": "ASK\n<TAG>\nWho was Caesar?\n</TAG>",
}


def wrapped(tag: Tag, shape: str) -> str:
    """What a tag needs beside it stands in the block, where no human wrote it, or around the question."""
    marks = tag.beside.strip("<>") if tag.beside.startswith("<") else ""
    question = f"<{marks}>\n{ASK}\n</{marks}>" if marks else ASK
    facts = "Some facts." if marks else f"Some facts.{tag.beside}"
    return shape.replace("TAG", tag.name).replace("Some facts.", facts).replace("ASK", question)


@pytest.mark.parametrize("shape", WRAPPED)
def test_a_block_of_a_client_is_left_out(shape: str) -> None:
    texts = [text for tag in TAGS if tag.beside in (text := wrapped(tag, WRAPPED[shape]))]
    assert len(texts) > len(TAGS) / 2
    assert [text for text in texts if asked(text) != ASK] == []


#: What a human may write about it.
WRITTEN = {
    "named in a sentence": "What does <TAG> mean in a prompt?",
    "named at the start": "<TAG> is what, exactly?",
    "whole in a sentence": "Why does my client send <TAG>facts</TAG> to the model?",
    "in a fence": "Why is this in my log?\n```\n<TAG>\nSome facts.\n</TAG>\n```",
    "in a fence of tildes": "Why is this in my log?\n~~~xml\n<TAG>\nSome facts.\n</TAG>\n~~~\nWho did?",
    "in inline code": "`<TAG>Some facts.</TAG>` is in my log. Why?",
    "behind a colon": "Explain what this does:\n<TAG>\nSome facts.\n</TAG>",
    "behind a colon and an empty line": "Explain what this does:\n\n<TAG>\nSome facts.\n</TAG>\nIs it safe?",
    "without an end": "I found this in my log\n<TAG>\nand nothing behind it. Why?",
    "only the end": "I found this in my log\n</TAG>\nand nothing before it. Why?",
    "as a quotation": "> <TAG>\n> Some facts.\n> </TAG>\nWho writes that?",
    "in a list": "- <TAG>Some facts.</TAG>\n- <p>text</p>\nWhich of these is no HTML?",
    "named and shown": "What is <TAG> for?\n<TAG>\nSome facts.\n</TAG>",
    "as a longer name": "<TAGs>\nSome facts.\n</TAGs>\nIs this valid XML?",
}


@pytest.mark.parametrize("shape", WRITTEN)
def test_what_a_human_writes_about_a_block_stays(shape: str) -> None:
    known = {tag.name for tag in TAGS}
    texts = {tag.name: WRITTEN[shape].replace("TAG", tag.name) for tag in TAGS if f"{tag.name}s" not in known}
    assert {name: text for name, text in texts.items() if strip(text, HARNESS) != Stripped(text)} == {}


@pytest.mark.parametrize("tag", ["context", "instructions", "file", "rules", "env", "attachments", "content"])
def test_tags_that_humans_write_count_only_with_what_a_client_writes_beside_them(tag: str) -> None:
    text = f"<{tag}>\nThe meeting is on Monday.\n</{tag}>\nWhen is the meeting?"
    assert asked(text) == text


def passage_text(passage: Passage) -> str:
    first = passage.start + (f" for 'a.py'] {passage.line}" if passage.line else "")
    until = "" if passage.until in ("line", "message") else f"\n{passage.until}\n"
    return f"{first}{passage.beside}\nSome facts.{until}" if passage.until != "line" else f"{first}\n"


def test_a_passage_of_a_client_is_left_out_behind_the_question() -> None:
    texts = {passage.start: f"{ASK}\n\n{passage_text(passage)}" for passage in PASSAGES}
    assert {start: text for start, text in texts.items() if asked(text) != ASK} == {}


def test_a_passage_with_an_end_is_left_out_before_the_question() -> None:
    ending = (passage for passage in PASSAGES if passage.until != "message")
    texts = {passage.start: f"{passage_text(passage)}{ASK}" for passage in ending}
    assert {start: text for start, text in texts.items() if asked(text) != ASK} == {}


@pytest.mark.parametrize(
    "shape",
    [
        "I read '{}' in a log. What is that?",
        "```\n{}\n```\nWhat is that?",
        "What does this mean:\n{}",
        "> {}\nWho writes that?",
        "- {}\n- something else\nWhich is from a client?",
        "`{}` is in my log",
        "Why is there {} in my log?",
        "My log says {}",
        "My log says: {}",
        "My log has this line:\n\n{}",
    ],
)
def test_what_a_human_writes_about_a_passage_stays(shape: str) -> None:
    texts = [shape.format(passage_text(passage).strip()) for passage in PASSAGES]
    assert [text for text in texts if asked(text) != text] == []


@pytest.mark.parametrize("tag", ASK_TAGS, ids=lambda tag: tag.name)
def test_tags_around_a_question_are_taken_off(tag: AskTag) -> None:
    assert asked(f"<{tag.name}>\n{ASK}\n</{tag.name}>") == ASK
    assert asked(f"What is <{tag.name}> for?") == f"What is <{tag.name}> for?"


#: What known clients send, in texts of our own, and what the human asked.
CLIENTS = {
    "claude code": (
        "<system-reminder>\nThe user opened main.py.\n</system-reminder>\n"
        f"<system-reminder>\nToday is a day.\n</system-reminder>\n{ASK}\n"
        "<system-reminder>\nThe todo list is empty.\n</system-reminder>"
    ),
    "claude code, a slash command": (
        "<command-message>review is running</command-message>\n<command-name>/review</command-name>\n"
        f"<command-args>{ASK}</command-args>"
    ),
    "claude code, an interruption": f"[Request interrupted by user for tool use]\n{ASK}",
    "codex": (
        "# AGENTS.md instructions for /home/me/app\n\n<INSTRUCTIONS>\nUse tabs.\n</INSTRUCTIONS>\n"
        f"<environment_context>\n  <cwd>/home/me/app</cwd>\n</environment_context>\n{ASK}"
    ),
    "codex in an editor": (
        "# Context from my IDE setup:\n\n## Active file: a.py\n\n## Open tabs:\n- a.py: a.py\n\n"
        f"## My request for Codex:\n{ASK}"
    ),
    "opencode": (
        f'{ASK}\nCalled the Read tool with the following input: {{"filePath":"/a.py"}}\n'
        "<file>\n00001| import os\n00002| \n(End of file)\n</file>"
    ),
    "cline": (
        f"<task>\n{ASK}\n</task>\n<environment_details>\n# VSCode Visible Files\na.py\n\n# Current Time\n1\n"
        "</environment_details>"
    ),
    "cline, an answer to its question": (
        f"[ask_followup_question for 'Which one?'] Result:\n<answer>\n{ASK}\n</answer>\n"
        "<environment_details>\n# Current Mode\nACT MODE\n</environment_details>"
    ),
    "cline, a refused tool": (
        "[execute_command for 'rm -r .'] Result:\nThe user denied this operation and provided the following "
        f"feedback:\n<feedback>\n{ASK}\n</feedback>\n<environment_details>\n# Files\n</environment_details>"
    ),
    "aider": f"{ASK}\n\n# *SEARCH/REPLACE block* Rules:\n\nEvery block must use this format:\n1. ...",
    "aider, whole files": (
        f"{ASK}\n\nTo suggest changes to a file you MUST return the entire content of the updated file.\n1."
    ),
    "aider, patches": f"{ASK}\n\n# V4A Diff Format Rules:\n\nRules.",
    "cursor": (
        "<additional_data>\n<current_file>\nPath: a.py\n</current_file>\n</additional_data>\n"
        f"Some words of the client.\n<user_query>\n{ASK}\n</user_query>"
    ),
    "continue": f"```py src/a.py (3-9)\nprint(1)\n```\n{ASK}",
    "copilot": (
        '<attachments>\n<attachment id="a.py">\nprint(1)\n</attachment>\n</attachments>\n<context>\nToday.\n'
        f"</context>\n<reminderInstructions>\nBe brief.\n</reminderInstructions>\n<userRequest>\n{ASK}\n"
        "</userRequest>"
    ),
    "gemini cli": (
        f"{ASK}\n--- Content from referenced files ---\nContent from @a.py:\nprint(1)\n--- End of content ---"
    ),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_the_question_is_found_in_what_known_clients_send(client: str) -> None:
    assert asked(CLIENTS[client]) == ASK


@pytest.mark.parametrize(
    "text",
    [
        "<system-reminder>\nFacts.\n</system-reminder>",
        "[read_file for 'a.py'] Result:\n1 | print(1)\n<environment_details>\nTime\n</environment_details>",
        "[ERROR] You did not use a tool in your previous response! Please retry.",
        "<environment_context>\n<cwd>/a</cwd>\n</environment_context>",
        "[Request interrupted by user]",
        "# Fix any errors below, if possible.\n\n## Running: flake8 a.py\n\na.py:1:1: E999",
        "# 2 SEARCH/REPLACE blocks failed to match!\n\n## SearchReplaceNoExactMatch: ...",
        "I added these files to the chat: a.py\nLet me know if there are others we should add.",
        "<local-command-stdout>done</local-command-stdout>",
        "<bash-input>ls</bash-input><bash-stdout>a.py</bash-stdout><bash-stderr></bash-stderr>",
        "I have *added these files to the chat* so you can go ahead and edit them.\n\na.py\n```\nx\n```",
        "I ran this command:\n\npytest\n\nAnd got this output:\n\n1 failed",
        "<task-notification>\n<status>completed</status>\n</task-notification>",
    ],
)
def test_a_turn_of_a_client_holds_no_question(text: str) -> None:
    assert asked(text) == ""


def test_a_human_may_say_what_was_run() -> None:
    text = "I ran this command: pytest -q. It failed. And got this output: 1 failed. What is wrong?"
    assert asked(text) == text


def test_what_was_left_out_is_told_by_kind_with_its_length() -> None:
    block = "<system-reminder>\nFacts.\n</system-reminder>"
    assert [(each.kind, each.chars) for each in strip(f"{block}\n{ASK}", HARNESS).left_out] == [
        ("reminder", len(block))
    ]


def test_a_text_without_blocks_is_the_same_text() -> None:
    text = "  How do I\n\n sort this? \n"
    assert asked(text) is text


@pytest.mark.parametrize(
    "text",
    [
        "<" * 1_000_000,
        "<\n" * 500_000,
        "\n<system-reminder>" * 50_000,
        "<task>\n" * 100_000 + "</task>",
        "<system-reminder>\n" * 50_000 + "</system-reminder>",
        "\n```" * 200_000,
        "\n" + " " * 1_000_000,
        (" \t" * 50 + "\n") * 10_000,
        "[read_file" * 100_000,
        "\n[read_file" * 100_000,
        "<system-reminder " + "a" * 1_000_000,
        "<system-reminder>x</system-reminder>\n" * 27_000,
        "word " * 200_000 + "\n<environment_details>" + "x" * 1_000_000 + "</environment_details>",
        "I ran this command:\n" * 50_000,
    ],
    ids=range(14),
)
def test_a_hostile_message_takes_bounded_time(text: str) -> None:
    """A quadratic search would take minutes; the bound is generous, for slow machines."""
    started = time.perf_counter()
    strip(text, HARNESS)
    assert time.perf_counter() - started < 1.0


def test_lines_past_the_limit_count_as_written_by_a_human() -> None:
    noise = "<b>\n" * 10 + "<system-reminder>x</system-reminder>\n"
    assert "<system-reminder>" not in asked(noise)
    assert "<system-reminder>" in asked("<system-x>\n" * (LINES_MAX + 1) + noise)
