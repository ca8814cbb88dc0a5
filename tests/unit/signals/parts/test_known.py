"""What was found in a text is remembered, for a bounded number of texts, and without the text."""

from __future__ import annotations

from router_extproc.signals.parts.known import KnownTexts


def test_what_was_found_is_known_under_its_kind_only() -> None:
    known: KnownTexts[int] = KnownTexts()
    known.put("a", "text", 1)
    assert (known.get("a", "text"), known.get("b", "text"), known.get("a", "text ")) == (1, None, None)


def test_the_longest_unused_makes_room() -> None:
    known: KnownTexts[int] = KnownTexts(entries_max=2)
    known.put("a", "one", 1)
    known.put("a", "two", 2)
    known.get("a", "one")
    known.put("a", "three", 3)
    assert [known.get("a", text) for text in ("one", "two", "three")] == [1, None, 3]
    assert len(known) == 2


def test_keys_cannot_be_compared_over_processes() -> None:
    """Who sees the memory of one must not find a guessed text in it by its hash."""
    one, other = KnownTexts[int](), KnownTexts[int]()
    one.put("a", "my secret", 1)
    other.put("a", "my secret", 1)
    assert not set(one._found) & set(other._found)  # noqa: SLF001 - what must not be there
    assert all(b"secret" not in key for key in one._found)  # noqa: SLF001


def test_any_text_can_be_a_key() -> None:
    known: KnownTexts[int] = KnownTexts()
    known.put("a", "\ud800 alone", 1)
    assert known.get("a", "\ud800 alone") == 1
