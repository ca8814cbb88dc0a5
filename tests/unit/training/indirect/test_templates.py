"""Passages made of templates: every slot is filled, and the same generator gives the same."""

from __future__ import annotations

import random
import re

from router_extproc.training.indirect.templates import (
    clean_lines,
    fill,
    instructions,
    make_clean,
    make_instructions,
    slots,
)


def test_every_slot_of_a_template_is_known() -> None:
    """A word in braces that is no slot would be learned as it is; JSON has braces of its own."""
    named = {name for line in instructions() for name in re.findall(r"\{(\w+)\}", line)}
    named |= {
        name for entries in slots().values() for entry in entries for name in re.findall(r"\{(\w+)\}", entry)
    }
    assert named <= slots().keys()


def test_filled_templates_have_no_slots_left() -> None:
    assert not [text for text in make_instructions(2_000, random.Random(1)) if re.search(r"\{\w+\}", text)]


def test_the_same_generator_gives_the_same_passages() -> None:
    assert make_clean(2, random.Random(3)) == make_clean(2, random.Random(3))
    assert len(make_clean(1, random.Random(3))) <= len(clean_lines())


def test_braces_that_are_no_slot_stay() -> None:
    assert fill("a {b} { c }", random.Random(1)) == "a {b} { c }"
