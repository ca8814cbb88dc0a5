"""The models that requests may be sent to, and the names by which clients ask for them.

A virtual name (`auto`) is routed, and so is a request that names none. The name of a model is pinned to that
model; a name that nobody serves is an error of the client's. Clients decorate names: letter case and a tag
`:latest` are passed over where the name as it is written is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from router_extproc.errors import ModelNotFound
from router_extproc.llm.listed_model import ListedModel
from router_extproc.routing.pool_models import PoolModels


@dataclass(frozen=True, slots=True)
class Target:
    """One model and where it is served."""

    #: The key in `models`.
    model: str
    cluster: str
    #: What the body's "model" becomes.
    served_name: str
    #: None: it does not reason, or nothing is known of how it is told to.
    reasoning_family: str | None
    #: What it accepts beside plain text (routing.accepts); None: everything, as far as is known.
    accepts: frozenset[str] | None = None
    #: The longest request that it reads; None: not known.
    context_tokens: int | None = None
    #: The file by which its tokens are counted; None: they are estimated.
    tokenizer: str | None = None
    #: Its pool is asked for usage that a stream's client did not ask for.
    asks_usage: bool = False


#: A tag that says nothing.
_TAG: Final = ":latest"
#: Stands for any characters in a name.
_ANY: Final = "*"
#: Longer names are compared as they are written only.
_CHARS_MAX: Final = 512


@dataclass(frozen=True, slots=True)
class Asked:
    """The model that a request asks for."""

    #: One name for all spellings; "": none was given, and none is virtual.
    name: str
    #: None: the request is to be routed.
    target: Target | None


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A name with stars in it."""

    first: str
    between: tuple[str, ...]
    last: str
    asked: Asked

    @classmethod
    def of(cls, name: str, asked: Asked) -> _Pattern:
        first, *between, last = name.split(_ANY)
        return cls(first, tuple(between), last, asked)

    def matches(self, name: str) -> bool:
        """Whether the pieces stand in the name in their order; linear in the name."""
        at, end = len(self.first), len(name) - len(self.last)
        if at > end or not name.startswith(self.first) or not name.endswith(self.last):
            return False
        for piece in self.between:
            found = name.find(piece, at, end)
            if found < 0:
                return False
            at = found + len(piece)
        return True


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The names that a client may ask for."""

    virtual: frozenset[str]
    #: By key in `models` and by served name.
    targets: Mapping[str, Target]
    #: Every name without stars, aliases among them.
    names: Mapping[str, Asked]
    #: Names with stars, in the order in which they are tried.
    patterns: tuple[_Pattern, ...] = ()
    #: By the plain form of a name, where it is one model's alone.
    plain: Mapping[str, Asked] = field(default_factory=lambda: MappingProxyType({}))
    #: What a request asks for that names no model.
    unnamed: Asked = Asked("", None)
    #: What else the models' pools serve.
    pools: PoolModels = field(default_factory=PoolModels, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        virtual: tuple[str, ...],
        targets: tuple[Target, ...],
        aliases: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
    ) -> Catalogue:
        """A catalogue in which a model's key wins over another model's served name, and both over an alias.

        virtual: names, in which stars stand for any characters. aliases: further names, by key in `models`.
        """
        keys = {target.model: target for target in targets}
        known = {**{target.served_name: target for target in reversed(targets)}, **keys}
        written = [(name, Asked(name, None)) for name in virtual]
        further = [(name, Asked(key, keys[key])) for key, names in aliases.items() for name in names]
        plain_names = {name: asked for name, asked in (*further, *written) if not has_stars(name)}
        names = {**plain_names, **{name: Asked(name, target) for name, target in known.items()}}
        patterns = tuple(_Pattern.of(name, asked) for name, asked in (*written, *further) if has_stars(name))
        routed = [name for name in virtual if not has_stars(name)]
        unnamed = Asked(routed[0] if routed else "", None)
        return cls(frozenset(routed), known, names, patterns, _plain(names), unnamed)

    def ask(self, name: str) -> Asked:
        """What a client asks for by this name.

        Raises:
            ModelNotFound: neither virtual nor served.
        """
        asked = self.names.get(name) or self._like(name) or self._served(name)
        if asked is None:
            raise ModelNotFound("The requested model does not exist here.", param="model")
        return asked

    def pinned(self, name: str) -> Target | None:
        """The target that the name is pinned to; None: the name is to be routed.

        Raises:
            ModelNotFound: neither virtual nor served.
        """
        return self.ask(name).target

    def listed(self) -> tuple[ListedModel, ...]:
        """Every name without stars that may be asked for: virtual ones, models, aliases, what pools list."""
        asked = sorted(self.names.items(), key=lambda pair: pair[1].target is not None)
        further = [model for cluster in self._clusters() for model in self.pools.of(cluster).values()]
        models = [*(self.describe(name, each) for name, each in asked), *further]
        found: dict[str, ListedModel] = {}
        for model in models:
            found.setdefault(model.name, model)
        return tuple(found.values())

    def describe(self, name: str, asked: Asked) -> ListedModel:
        """What is known of a name; a virtual one reads as much as the model that reads most."""
        if asked.target is not None:
            return ListedModel(name, self._window(asked.target))
        windows = [self._window(target) for target in self.targets.values()]
        return ListedModel(name, max((each for each in windows if each is not None), default=None))

    def _window(self, target: Target) -> int | None:
        listed = self.pools.of(target.cluster).get(target.served_name)
        pools = None if listed is None else listed.context_tokens
        return target.context_tokens or pools

    def _clusters(self) -> Iterator[str]:
        yield from dict.fromkeys(target.cluster for target in self.targets.values())

    def _served(self, name: str) -> Asked | None:
        """A model of a pool that the configuration does not name, such as an adapter."""
        for target in self.targets.values():
            listed = self.pools.of(target.cluster).get(name)
            if listed is not None:
                window = listed.context_tokens
                return Asked(name, replace(target, served_name=name, context_tokens=window))
        return None

    def _like(self, name: str) -> Asked | None:
        """What a name means that is not known as it is written."""
        if not name:
            return self.unnamed
        if len(name) > _CHARS_MAX:
            return None
        for pattern in self.patterns:
            if pattern.matches(name):
                return pattern.asked
        plain = _plain_form(name)
        return self.plain.get(plain) or self.plain.get(plain.removesuffix(_TAG))


def has_stars(name: str) -> bool:
    """Whether the name stands for several."""
    return _ANY in name


def _plain(names: Mapping[str, Asked]) -> Mapping[str, Asked]:
    """By plain form; one that two models share is nobody's."""
    found: dict[str, Asked] = {}
    shared: set[str] = set()
    for name, asked in names.items():
        plain = _plain_form(name)
        known = found.setdefault(plain, asked)
        if known.target != asked.target or (asked.target is None and known.name != asked.name):
            shared.add(plain)
    return {plain: asked for plain, asked in found.items() if plain not in shared}


def _plain_form(name: str) -> str:
    return name.strip().casefold()
