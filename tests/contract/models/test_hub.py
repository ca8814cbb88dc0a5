"""Encoders from a hub: whole or not at all, whatever the connection does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from router_extproc.cli import main
from router_extproc.errors import ConfigError
from router_extproc.models.hub.download import ATTEMPTS_MAX
from router_extproc.models.hub.listing import Place
from router_extproc.models.hub.pull import pull
from router_extproc.models.onnx.encoder import OnnxEncoder
from router_extproc.models.onnx.home import (
    HOME_VARIABLE,
    IDENTITY,
    built_name,
    home,
    models_folder,
    pulled_name,
)
from router_extproc.models.onnx.manifest import MANIFEST_NAME, PulledManifest
from router_extproc.models.onnx.open import find_pulled, open_encoder
from router_extproc.testing.fake_hub import COMMIT, FakeHub, serve_hub

GRAPH = b"a graph, long enough to be one of the large files. " * 100
SMALL = {"config.json": b'{"hidden_size": 8}', "tokenizer.json": b"{}", "README.md": b"not wanted"}


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with serve_hub(FakeHub({"onnx/model.onnx": GRAPH, **SMALL})) as serving:
        yield serving


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "owner--name"


def pull_from(hub: FakeHub, folder: Path, **place: str) -> PulledManifest:
    return pull(Place(**{"repo": hub.repo, "hub": hub.url, **place}), folder, pause_s=0)


def test_what_an_encoder_needs_is_fetched(hub: FakeHub, folder: Path) -> None:
    manifest = pull_from(hub, folder)
    names = {"model.onnx", "config.json", "tokenizer.json"}
    assert {path.name for path in folder.iterdir()} == {*names, MANIFEST_NAME}
    assert (folder / "model.onnx").read_bytes() == GRAPH
    assert (manifest.commit, manifest.graph, set(manifest.files)) == (COMMIT, "onnx/model.onnx", names)


def test_broken_download_goes_on_where_it_was(hub: FakeHub, folder: Path) -> None:
    hub.breaks[:] = [1000, 500]
    pull_from(hub, folder)
    assert (folder / "model.onnx").read_bytes() == GRAPH
    assert [asked for name, asked in hub.asked if name == "onnx/model.onnx"] == [
        "",
        "bytes=1000-",
        "bytes=1500-",
    ]


def test_download_that_keeps_breaking_is_kept_for_the_next_command(hub: FakeHub, folder: Path) -> None:
    hub.breaks[:] = [100] * ATTEMPTS_MAX
    with pytest.raises(
        ConfigError, match=rf"model\.onnx broke off {ATTEMPTS_MAX} times .* 500 of {len(GRAPH)}"
    ):
        pull_from(hub, folder)
    assert not folder.exists()
    pull_from(hub, folder)
    assert hub.asked[ATTEMPTS_MAX] == ("onnx/model.onnx", "bytes=500-")
    assert (folder / "model.onnx").read_bytes() == GRAPH


def test_mirror_without_ranges_is_read_from_the_start(hub: FakeHub, folder: Path) -> None:
    hub.breaks[:], hub.knows_ranges = [1000], False
    pull_from(hub, folder)
    assert (folder / "model.onnx").read_bytes() == GRAPH


@pytest.mark.parametrize("name", ["onnx/model.onnx", "config.json"], ids=["large", "small"])
def test_wrong_checksum_is_refused_and_not_kept(hub: FakeHub, folder: Path, name: str) -> None:
    """Large files have SHA-256, small ones git's own."""
    hub.forged = {name}
    with pytest.raises(ConfigError, match=rf"{name} is not what .* checksum [0-9a-f]{{12}}…, wanted"):
        pull_from(hub, folder)
    assert not folder.exists()
    hub.forged = set()
    pull_from(hub, folder)
    assert (folder / "model.onnx").read_bytes() == GRAPH


def test_pull_replaces_what_was_there(hub: FakeHub, folder: Path) -> None:
    pull_from(hub, folder)
    (folder / "model.onnx").write_bytes(b"damaged")
    pull_from(hub, folder)
    assert (folder / "model.onnx").read_bytes() == GRAPH


def test_unknown_repository_is_named(hub: FakeHub, folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no owner/other at revision 'main' \(404"):
        pull_from(hub, folder, repo="owner/other")


def test_unknown_revision_is_named(hub: FakeHub, folder: Path) -> None:
    with pytest.raises(ConfigError, match="has no owner/name at revision 'v2'"):
        pull_from(hub, folder, revision="v2")


def test_no_access_says_what_to_set(hub: FakeHub, folder: Path) -> None:
    hub.token = "secret"
    with pytest.raises(ConfigError, match=r"gives no access to owner/name \(401\).*HF_TOKEN") as caught:
        pull_from(hub, folder, token="wrong")
    assert "wrong" not in str(caught.value)


def test_token_gives_access(hub: FakeHub, folder: Path) -> None:
    hub.token = "secret"
    pull_from(hub, folder, token="secret")
    assert folder.is_dir()


def test_token_is_not_shown_to_the_host_that_the_hub_redirects_to(hub: FakeHub, folder: Path) -> None:
    hub.token, hub.redirects = "secret", True
    pull_from(hub, folder, token="secret")
    assert hub.shown_elsewhere == [None] * 3


def test_no_more_is_read_than_the_listing_says(hub: FakeHub, folder: Path) -> None:
    """A hub that never stops sending must not fill the disk."""
    seen: list[int] = []
    hub.too_much = 256 * 1024 * 1024
    pull(Place(hub.repo, hub=hub.url), folder, on_bytes=lambda _, done, __: seen.append(done), pause_s=0)
    assert (folder / "model.onnx").read_bytes() == GRAPH
    assert max(seen) == len(GRAPH)


def test_absent_hub_is_named(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"http://127\.0\.0\.1:9 cannot be reached .*HF_ENDPOINT"):
        pull(Place("owner/name", hub="http://127.0.0.1:9"), folder, pause_s=0)


def test_repository_without_a_graph_says_which_there_are(folder: Path) -> None:
    with serve_hub(FakeHub({"onnx/tiny.onnx": GRAPH, **SMALL})) as hub:
        with pytest.raises(ConfigError, match=r"--file chooses one of: onnx/tiny\.onnx"):
            pull_from(hub, folder)
        assert pull_from(hub, folder, graph="onnx/tiny.onnx").graph == "onnx/tiny.onnx"


def test_weights_beside_the_graph_keep_their_name(folder: Path) -> None:
    """The graph names the file that they are in."""
    files = {"model.onnx": GRAPH, "model.onnx_data": GRAPH[:2000], **SMALL}
    with serve_hub(FakeHub(files)) as hub:
        pull_from(hub, folder)
    assert (folder / "model.onnx_data").read_bytes() == GRAPH[:2000]


@pytest.mark.parametrize("repo", ["name", "../name", "owner/../x", "a/b/c", "owner/na me"])
def test_name_that_is_no_repository_is_refused(folder: Path, repo: str) -> None:
    """It would become part of an address and of a folder."""
    with pytest.raises(ConfigError, match="is not a repository"):
        pull(Place(repo), folder)


# ── used ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def real_files(*, whole_tokenizer: bool = True) -> dict[str, bytes]:
    """The built-in encoder as a repository; its tokenizer whole, or in the parts that older ones have."""
    built = models_folder(home()) / built_name(IDENTITY)
    graph, tokenizer = (built / "model.onnx").read_bytes(), (built / "tokenizer.json").read_bytes()
    if whole_tokenizer:
        return {"model.onnx": graph, "tokenizer.json": tokenizer}
    vocabulary = json.loads(tokenizer)["model"]["vocab"]
    words = "\n".join(sorted(vocabulary, key=vocabulary.__getitem__))
    about = json.dumps({"tokenizer_class": "BertTokenizer", "do_lower_case": True})
    return {"model.onnx": graph, "vocab.txt": words.encode(), "tokenizer_config.json": about.encode()}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("whole_tokenizer", [True, False], ids=["tokenizer.json", "its parts"])
def test_pulled_encoder_says_what_it_said(
    encoder: OnnxEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, whole_tokenizer: bool
) -> None:
    """Also where `transformers` has to make the tokenizer."""
    files = real_files(whole_tokenizer=whole_tokenizer)
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    with serve_hub(FakeHub(files)) as hub:
        assert run("models", "pull", hub.repo, "--mirror", hub.url) == 0
    pulled = open_encoder(find_pulled("owner/name", "main", where="encoder"))
    assert pulled.identity == f"owner/name@{COMMIT[:12]}:model.onnx"
    wanted = encoder.encode("How do I bake bread?").vector
    assert np.array_equal(pulled.encode("How do I bake bread?").vector, wanted)


def test_pulled_encoder_is_listed(
    hub: FakeHub, own_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The mirror comes from the variable of the hub's own client."""
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    assert run("models", "pull", hub.repo) == 0
    capsys.readouterr()
    assert run("models", "list", "--json") == 0
    kinds = {model["name"]: model["kind"] for model in json.loads(capsys.readouterr().out)}
    assert kinds[pulled_name("owner/name")] == "pulled encoder"


def test_encoder_that_was_not_pulled_says_the_command(own_home: Path) -> None:
    with pytest.raises(ConfigError, match=r"encoder\.repo: .* run `router-extproc models pull owner/name"):
        find_pulled("owner/name", "main", where="encoder")


def test_damaged_pulled_encoder_is_refused_by_checksum(hub: FakeHub, folder: Path) -> None:
    pull_from(hub, folder)
    (folder / "model.onnx").write_bytes(b"other")
    with pytest.raises(ConfigError, match=r"model\.onnx is damaged or not ours: sha256"):
        open_encoder(folder)
