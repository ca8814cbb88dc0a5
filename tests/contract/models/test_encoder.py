"""The real encoder: faithful to what it was, and calm whatever it is given."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from router_extproc.models.onnx.encoder import OnnxEncoder
from router_extproc.models.onnx.open import open_encoder

GOLDEN = json.loads((Path(__file__).parents[2] / "samples" / "models" / "vectors.json").read_text("utf-8"))
#: Kernels differ between processors; what one machine built must still be compared on another.
COSINE_MIN = 0.99
#: Far above what any text takes, far below what a client would wait.
PATIENCE_S = 5.0


@pytest.mark.parametrize("text", GOLDEN)
def test_vectors_do_not_drift(encoder: OnnxEncoder, text: str) -> None:
    """Heads and stored entries rely on it."""
    golden: NDArray[np.float64] = np.array(GOLDEN[text])
    assert float(encoder.encode(text).vector @ golden / np.linalg.norm(golden)) > COSINE_MIN


def test_vector_has_length_one(encoder: OnnxEncoder) -> None:
    vector = encoder.encode("any text").vector
    assert vector.dtype == np.float32
    assert vector.shape == (encoder.dim,)
    assert float(np.linalg.norm(vector)) == pytest.approx(1.0, abs=1e-5)


def test_many_texts_have_the_vectors_of_each(encoder: OnnxEncoder) -> None:
    """A batch would scale the texts' activations by each other."""
    texts = ["short", "a somewhat longer text about nothing in particular", ""]
    together = [encoding.vector for encoding in encoder.encode_many(texts)]
    alone = [encoder.encode(text).vector for text in texts]
    assert np.array_equal(np.stack(together), np.stack(alone))


def test_like_texts_are_nearer_than_unlike_ones(encoder: OnnxEncoder) -> None:
    asked, alike, other = (
        encoder.encode(text).vector
        for text in ("How do I bake bread?", "What is the way to bake a loaf?", "Who won the election?")
    )
    assert asked @ alike > 0.6
    assert asked @ other < 0.3


def test_text_at_the_window_is_whole(encoder: OnnxEncoder) -> None:
    encoding = encoder.encode("word " * 254)
    assert (encoding.tokens, encoding.truncated) == (254, False)


def test_text_over_the_window_says_so(encoder: OnnxEncoder) -> None:
    encoding = encoder.encode("word " * 255)
    assert (encoding.tokens, encoding.truncated) == (254, True)


def test_special_tokens_in_a_text_are_only_letters(encoder: OnnxEncoder) -> None:
    """Else a client could end its text early, for the encoder alone."""
    assert encoder.encode("[SEP]").tokens > 1


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\x00\x01", "\u200b"])
def test_text_without_tokens_is_a_zero_vector(encoder: OnnxEncoder, text: str) -> None:
    encoding = encoder.encode(text)
    assert encoding.tokens == 0
    assert not encoding.vector.any()


def test_unknown_tokens_are_counted(encoder: OnnxEncoder) -> None:
    encoding = encoder.encode("thanks 🙂 🙃")
    assert (encoding.tokens, encoding.unknown_tokens) == (3, 2)


@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
        "word " * 200_000,
        "a" + "\u0301\u0316" * 500_000,
        "😀" * 250_000,
        "\ud800" * 1000,
        "语言模型" * 50_000,
        "\u202e" * 1000 + "العربية",
        "[CLS]" * 100_000,
    ],
    ids=["one word", "words", "accents", "emoji", "surrogates", "chinese", "bidi", "specials"],
)
def test_hostile_text_takes_bounded_time(encoder: OnnxEncoder, text: str) -> None:
    started = time.perf_counter()
    encoding = encoder.encode(text)
    assert time.perf_counter() - started < PATIENCE_S
    assert np.isfinite(encoding.vector).all()


def test_wider_window_reads_more() -> None:
    encoding = open_encoder(max_tokens=512).encode("word " * 400)
    assert (encoding.tokens, encoding.truncated) == (400, False)


def test_prefix_is_part_of_every_text(encoder: OnnxEncoder) -> None:
    prefixed = open_encoder(prefix="query: ").encode("bread")
    assert np.array_equal(prefixed.vector, encoder.encode("query: bread").vector)
