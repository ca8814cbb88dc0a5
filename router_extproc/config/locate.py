"""Where the files are that a configuration names.

A relative path means beside the file that names it; only `backend_config_path` may also be found from the
working directory, as the guide's layout has it. Nothing is opened.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar, overload

from router_extproc.cache.milvus.endpoint import is_lite
from router_extproc.cache.milvus.settings import Milvus, MilvusTls
from router_extproc.config.admin import Admin
from router_extproc.config.decisions import Decision
from router_extproc.config.encoder import Encoder
from router_extproc.config.model import Config, Model, SemanticCache
from router_extproc.config.tls import ServerCertificate
from router_extproc.section import Section
from router_extproc.signals.base import SignalSettings
from router_extproc.signals.context_length import ContextLengthSettings

AnySection = TypeVar("AnySection", bound=Section)


def find_beside(name: str, folder: Path) -> Path | None:
    """The file beside the configuration or, failing that, under the working directory."""
    candidates = (folder / name, Path(name))
    return next((path for path in candidates if path.is_file()), None)


@overload
def anchor(section: Config, folder: Path) -> Config: ...
@overload
def anchor(section: Milvus, folder: Path) -> Milvus: ...
def anchor(section: Config | Milvus, folder: Path) -> Config | Milvus:
    """The section with every relative path made absolute from `folder`."""
    if isinstance(section, Milvus):
        return _anchor_milvus(section, folder)
    return _with(
        section,
        admin=_anchor_admin(section.admin, folder),
        listen_tls=_anchor_listen_tls(section.listen_tls, folder),
        encoder=_anchor_encoder(section.encoder, folder),
        shadow_policy=None if section.shadow_policy is None else _absolute(section.shadow_policy, folder),
        state_dir=None if section.state_dir is None else _absolute(section.state_dir, folder),
        models={name: _anchor_model(model, folder) for name, model in section.models.items()},
        signals={name: _anchor_signal(signal, folder) for name, signal in section.signals.items()},
        decisions=tuple(_anchor_decision(decision, folder) for decision in section.decisions),
        semantic_cache=_anchor_cache(section.semantic_cache, folder),
    )


def _anchor_admin(admin: Admin, folder: Path) -> Admin:
    return _with(admin, token_file=_absolute(admin.token_file, folder)) if admin.token_file else admin


def _anchor_listen_tls(tls: ServerCertificate | None, folder: Path) -> ServerCertificate | None:
    if tls is None:
        return None
    named = {name: value for name, value in tls if value}
    return _with(tls, **{name: _absolute(value, folder) for name, value in named.items()})


def _anchor_encoder(encoder: Encoder, folder: Path) -> Encoder:
    return encoder if encoder.path is None else _with(encoder, path=_absolute(encoder.path, folder))


def _anchor_model(model: Model, folder: Path) -> Model:
    return model if model.tokenizer is None else _with(model, tokenizer=_absolute(model.tokenizer, folder))


def _anchor_signal(signal: SignalSettings, folder: Path) -> SignalSettings:
    # A head's plain name ("mmlu14") is no path.
    if isinstance(signal, ContextLengthSettings) and signal.tokenizer is not None:
        return _with(signal, tokenizer=_absolute(signal.tokenizer, folder))
    named = {field: getattr(signal, field) for field in signal.path_fields}
    return _with(
        signal, **{field: _absolute(name, folder) for field, name in named.items() if "/" in (name or "")}
    )


def _anchor_decision(decision: Decision, folder: Path) -> Decision:
    """The folder of a selection, which is always a path."""
    named = decision.selection.model_dump().get("model")
    if named is None:
        return decision
    return _with(decision, selection=_with(decision.selection, model=_absolute(named, folder)))


def _anchor_cache(cache: SemanticCache, folder: Path) -> SemanticCache:
    return cache if cache.milvus is None else _with(cache, milvus=_anchor_milvus(cache.milvus, folder))


def _anchor_milvus(milvus: Milvus, folder: Path) -> Milvus:
    uri = milvus.connection.uri or milvus.uri
    connection = _with(
        milvus.connection,
        # Links stay in it: who may change them is looked at when it is opened.
        uri=str((folder / uri).absolute()) if uri and is_lite(uri) else uri,
        tls=_anchor_tls(milvus.connection.tls, folder),
    )
    return _with(milvus, uri=None, connection=connection)


def _anchor_tls(tls: MilvusTls, folder: Path) -> MilvusTls:
    names = ("cert_file", "key_file", "ca_file")
    return _with(tls, **{name: _absolute(value, folder) for name in names if (value := getattr(tls, name))})


def _absolute(name: str, folder: Path) -> str:
    return str((folder / name).resolve())


def _with(section: AnySection, **changes: object) -> AnySection:
    return section.model_copy(update=changes)
