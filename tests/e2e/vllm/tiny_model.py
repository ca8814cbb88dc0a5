"""Writes a tiny Llama that a real vLLM can serve: random weights with a rule for what may follow what.

It is not a language model; nothing it says means anything. The rule it keeps: an answer at temperature
0.7 to 1 is never empty or blank, differs from one request to the next, holds spaces, line breaks, indentation
and emoji, and ends by itself with finish reason "stop", so that requests need no sampling tricks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

Floats: TypeAlias = NDArray[np.float32]

END, ASK, THINK, THOUGHT = "<|end|>", "<|assistant|>", "<think>", "</think>"
SPECIAL = (END, ASK, THINK, THOUGHT)
_MEANINGLESS = (
    "sun wind rain tide wave heat light field cloud river stone leaf seed root hill shore"
    " warm cold slow deep near far bright old new green blue small wide calm early late"
)
WORDS = tuple(_MEANINGLESS.split())
SAID = (*(f" {word}" for word in WORDS), "\n", "\n    ", "\t", ".", ", ", " = 1;")
THOUGHTS = tuple(f" {word.upper()}" for word in WORDS)
#: Three of the four bytes of an emoji, and the bytes that may end it: a character cut between tokens.
EMOJI_HEAD, EMOJI_TAILS = b"\xf0\x9f\x8c", (b"\x88", b"\x9e", b"\xb1", b"\xb4")
#: Logit of a token that may not come next.
NEVER = -30.0
#: Logits of the token that ends the thinking or the answer, beside 0 for each word: about 1 in 25.
STOP_LOGIT = 0.4
CHAT_TEMPLATE = (
    "{% if tools %}{{ tools | tojson }}\n{% endif %}"
    "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}" + ASK
)
MAX_MODEL_LEN = 4096
HEAD_DIM = 32


@dataclass(frozen=True, slots=True)
class TinyModel:
    """Size and manner of one model."""

    hidden: int
    layers: int
    #: Thinks aloud between <think> and </think> before it answers.
    thinks: bool
    seed: int


def write_model(folder: Path, model: TinyModel) -> None:
    """A folder that `vllm serve` takes: configuration, tokenizer, chat template and weights."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = _vocabulary()
    _write(folder / "config.json", _config(model, vocabulary))
    _write(folder / "generation_config.json", {"eos_token_id": vocabulary[END]})
    _write(folder / "tokenizer.json", _tokenizer(vocabulary))
    _write(folder / "tokenizer_config.json", _tokenizer_config())
    save_file(_weights(model, vocabulary), folder / "model.safetensors", metadata={"format": "pt"})


def _write(path: Path, value: Mapping[str, object]) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


# ── tokenizer: one token a byte, and the words ────────────────────────────────────────────────


def _vocabulary() -> dict[str, int]:
    tokens = chain(
        SPECIAL,
        (_spell(bytes([byte])) for byte in range(256)),
        (_spell(text.encode()) for text in (*SAID, *THOUGHTS) if len(text) > 1),
        (_spell(EMOJI_HEAD),),
    )
    return {token: number for number, token in enumerate(tokens)}


def _spell(raw: bytes) -> str:
    """Bytes as byte-level BPE writes them: printable Latin-1 as it is, the rest from U+0100 on."""
    return "".join(ALPHABET[byte] for byte in raw)


def _alphabet() -> Mapping[int, str]:
    printable = (*range(33, 127), *range(161, 173), *range(174, 256))
    others = (byte for byte in range(256) if byte not in printable)
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(others)}


ALPHABET = _alphabet()


def _tokenizer(vocabulary: dict[str, int]) -> dict[str, object]:
    special = [
        {"id": vocabulary[token], "content": token, "special": token in (END, ASK)}
        | dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
        for token in SPECIAL
    ]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": special,
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {"type": "BPE", "vocab": vocabulary, "merges": []},
    }


def _tokenizer_config() -> dict[str, object]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": END,
        "clean_up_tokenization_spaces": False,
        "model_max_length": MAX_MODEL_LEN,
        "chat_template": CHAT_TEMPLATE,
    }


# ── weights: random, but for the way from the last token to the next ──────────────────────────


def _config(model: TinyModel, vocabulary: Mapping[str, int]) -> dict[str, object]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": len(vocabulary),
        "hidden_size": model.hidden,
        "intermediate_size": 2 * model.hidden,
        "num_hidden_layers": model.layers,
        "num_attention_heads": model.hidden // HEAD_DIM,
        "num_key_value_heads": model.hidden // HEAD_DIM,
        "head_dim": HEAD_DIM,
        "hidden_act": "silu",
        "max_position_embeddings": MAX_MODEL_LEN,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "tie_word_embeddings": False,
        "bos_token_id": None,
        "eos_token_id": vocabulary[END],
        "torch_dtype": "float32",
    }


def _moods(model: TinyModel) -> tuple[tuple[tuple[str, ...], dict[str, float]], ...]:
    """Pairs of (the tokens that set a mood, the logits of what may follow them)."""
    said, thoughts = (
        tuple(_spell(text.encode()) for text in SAID),
        tuple(_spell(t.encode()) for t in THOUGHTS),
    )
    head, tails = _spell(EMOJI_HEAD), tuple(_spell(tail) for tail in EMOJI_TAILS)
    signs = tuple(chr(code) for code in range(33, 127) if chr(code) not in said)
    say, think = dict.fromkeys(said, 0.0), dict.fromkeys(thoughts, 0.0)
    # A word comes first: an answer of blanks alone says nothing, and is not stored.
    begin = dict.fromkeys((_spell(f" {word}".encode()) for word in WORDS), 0.0)
    return (
        ((*said, *tails), say | {head: 0.5, END: STOP_LOGIT}),
        ((ASK,), {THINK: 0.0} if model.thinks else begin),
        ((THINK,), think),
        (thoughts, think | {THOUGHT: STOP_LOGIT}),
        ((THOUGHT,), begin),
        ((head,), dict.fromkeys(tails, 0.0)),
        # Only a grammar (a forced tool call) brings these: go on without space, so that JSON ends soon.
        (signs, dict.fromkeys(signs, 0.0) | {END: 3.0}),
    )


def _weights(model: TinyModel, vocabulary: Mapping[str, int]) -> dict[str, Floats]:
    random = np.random.default_rng(model.seed)
    embedding = random.normal(0, 0.3, (len(vocabulary), model.hidden)).astype(np.float32)
    head = random.normal(0, 0.02, (len(vocabulary), model.hidden)).astype(np.float32)
    # Each mood has one dimension of the hidden state. Its value, about sqrt(hidden) after the last
    # norm, times this column of the output matrix gives the logits of what may follow.
    for dimension, (tokens, following) in enumerate(_moods(model)):
        embedding[[vocabulary[token] for token in tokens], dimension] = 16.0
        head[:, dimension] = NEVER / np.sqrt(model.hidden)
        for token, logit in following.items():
            head[vocabulary[token], dimension] = logit / np.sqrt(model.hidden)
    layers = (_layer(model, random, f"model.layers.{number}") for number in range(model.layers))
    return {
        "model.embed_tokens.weight": embedding,
        "model.norm.weight": np.ones(model.hidden, np.float32),
        "lm_head.weight": head,
        **{name: weight for layer in layers for name, weight in layer.items()},
    }


def _layer(model: TinyModel, random: np.random.Generator, prefix: str) -> dict[str, Floats]:
    wide, narrow = 2 * model.hidden, model.hidden
    shapes = {f"self_attn.{name}_proj": (narrow, narrow) for name in "qkvo"}
    shapes |= {
        "mlp.gate_proj": (wide, narrow),
        "mlp.up_proj": (wide, narrow),
        "mlp.down_proj": (narrow, wide),
    }
    norms = {
        f"{prefix}.{n}_layernorm.weight": np.ones(narrow, np.float32) for n in ("input", "post_attention")
    }
    return norms | {
        f"{prefix}.{name}.weight": random.normal(0, 0.02, shape).astype(np.float32)
        for name, shape in shapes.items()
    }
