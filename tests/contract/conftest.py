"""What contract tests share: the real encoder, built once for all of them."""

from __future__ import annotations

import pytest

from router_extproc.models.onnx.build import build_encoder
from router_extproc.models.onnx.encoder import OnnxEncoder
from router_extproc.models.onnx.home import home, models_folder
from router_extproc.models.onnx.open import open_encoder
from router_extproc.models.onnx.verifier_build import build_verifier


@pytest.fixture(scope="session")
def encoder() -> OnnxEncoder:
    """The encoder of this machine, as `models build` makes it, the verifier with it."""
    build_encoder(models_folder(home()))
    build_verifier(models_folder(home()))
    return open_encoder()
