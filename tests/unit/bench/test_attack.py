"""The suffix-search attack, on an encoder that counts words."""

from __future__ import annotations

from router_extproc.bench.attack import (
    PASTES,
    STEPS,
    is_fooled,
    list_attacks,
    measure_attacks,
    paste_target,
    search_suffix,
)
from router_extproc.bench.replay import CosineVerifier
from router_extproc.testing.fake_encoder import FakeEncoder

ENCODER = FakeEncoder()
PAYLOAD, TARGET = "Buy pills.", "Who repairs old wooden garden chairs?"
FOOLED, NEVER = CosineVerifier(0.8), CosineVerifier(2.0)


def test_the_search_brings_the_text_nearer() -> None:
    aim = ENCODER.encode(TARGET).vector
    found = [float(ENCODER.encode(text).vector @ aim) for text in search_suffix(PAYLOAD, TARGET, ENCODER)]
    assert len(found) == STEPS
    assert max(found) > found[0]


def test_the_payload_stays_in_front_of_every_try() -> None:
    """Without it there would be nothing to be fooled by."""
    tries = [*search_suffix(PAYLOAD, TARGET, ENCODER), *paste_target(PAYLOAD, TARGET)]
    assert len(tries) == STEPS + PASTES
    assert all(text.startswith(PAYLOAD) for text in tries)


def test_one_success_along_the_search_counts() -> None:
    tries = ["something else", *paste_target(PAYLOAD, TARGET)]
    assert is_fooled(FOOLED, tries, TARGET, ENCODER)
    assert not is_fooled(FOOLED, tries[:1], TARGET, ENCODER)
    assert not is_fooled(NEVER, tries, TARGET, ENCODER)


def test_figures_grow_with_every_attack() -> None:
    attacks = [(PAYLOAD, TARGET), (" ".join(f"word{number}" for number in range(40)), "Who?")]
    told = list(measure_attacks(attacks, ENCODER, {"threshold": FOOLED, "never": NEVER}))
    assert [figures[0].pasted.value for figures in told] == [1.0, 0.5]
    assert [figures[1].pasted.rows for figures in told] == [1, 2]
    assert told[-1][1].searched.value == 0.0


def test_no_attack_is_made_of_its_own_target() -> None:
    attacks = list_attacks()
    assert len(set(attacks)) == len(attacks) == 48
    assert not [payload for payload, target in attacks if target in payload]
