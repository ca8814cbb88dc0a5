"""Checks of signals, and of the rules that ask them.

A test that could never hold, because its signal or label does not exist, is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from router_extproc.config.model import Config
from router_extproc.errors import ConfigError
from router_extproc.routing.rules import MAX_DEPTH, read_rule
from router_extproc.section import did_you_mean
from router_extproc.signals.requested_model import RequestedModelSettings

#: Words of the rule grammar; a signal of that name could not be asked.
_GRAMMAR = ("all", "any", "not")


# ── signals ───────────────────────────────────────────────────────────────────────────────────


def check_signals(config: Config) -> Iterator[ConfigError]:
    """Every problem of the `signals` section."""
    for name, signal in config.signals.items():
        path = f"signals.{name}"
        if name in _GRAMMAR:
            yield ConfigError(path, f"'{name}' is a keyword of rules: choose another name")
        yield from signal.problems(path)


# ── rules ─────────────────────────────────────────────────────────────────────────────────────


def check_when(when: object, path: str, config: Config, depth: int = 0) -> Iterator[ConfigError]:
    """Every problem of one `when` tree: its shape, its signals, their labels."""
    if when is None or depth > MAX_DEPTH:
        yield from _check_shape(when, path, depth)
        return
    match when:
        case {"all": [_, *_] as parts, **more} if not more:
            yield from _check_parts(parts, f"{path}.all", config, depth)
        case {"any": [_, *_] as parts, **more} if not more:
            yield from _check_parts(parts, f"{path}.any", config, depth)
        case {"not": part, **more} if not more:
            yield from check_when(part, f"{path}.not", config, depth + 1)
        case _:
            yield from _check_test(when, path, config)


def check_bypass(config: Config) -> Iterator[ConfigError]:
    """Every problem of `semantic_cache.bypass_when`, which is read before any inference."""
    when, path = config.semantic_cache.bypass_when, "semantic_cache.bypass_when"
    problems = list(check_when(when, path, config))
    yield from problems
    if when is None or problems:
        return
    for name in sorted({test.signal for test in read_rule(when, path).tests()}):
        if config.signals[name].needs_encoder:
            problem = f"signal '{name}' needs the encoder, and this rule is read before any inference"
            yield ConfigError(path, problem)


def _check_parts(parts: Sequence[object], path: str, config: Config, depth: int) -> Iterator[ConfigError]:
    for index, part in enumerate(parts):
        yield from check_when(part, f"{path}[{index}]", config, depth + 1)


def _check_shape(when: object, path: str, depth: int) -> Iterator[ConfigError]:
    try:
        read_rule(when, path, depth)
    except ConfigError as problem:
        yield problem


def _check_test(when: object, path: str, config: Config) -> Iterator[ConfigError]:
    if isinstance(when, Mapping) and len(when) == 1:
        name = str(next(iter(when)))
        if name not in _GRAMMAR and name not in config.signals:
            yield ConfigError(
                f"{path}.{name}", f"no signal named '{name}'{did_you_mean(name, config.signals)}"
            )
            return
    try:
        rule = read_rule(when, path)
    except ConfigError as problem:
        yield problem
        return
    for test in rule.tests():
        yield from _check_labels(test.signal, sorted(test.labels or ()), path, config)


def labels_of(name: str, config: Config) -> Sequence[str] | None:
    """Every label that a signal can give; None: any text, or not known."""
    signal = config.signals[name]
    # Only virtual models are routed: the rules never see another name.
    return config.virtual_models if isinstance(signal, RequestedModelSettings) else signal.labels()


def _check_labels(name: str, labels: Sequence[str], path: str, config: Config) -> Iterator[ConfigError]:
    known = labels_of(name, config)
    for label in labels:
        if known is not None and label not in known:
            yield ConfigError(
                f"{path}.{name}", f"no label '{label}' in signal '{name}'{did_you_mean(label, known)}"
            )
