"""Writes a first configuration for pools that somebody has: commented, and served as it is.

The first pool takes what no rule wants; the second gets the hard questions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from string import Template
from typing import Final

from router_extproc.errors import ConfigError

#: In place of the name of a model whose pool did not say it.
PLACEHOLDER: Final = "CHANGE-ME"
#: Plain text in YAML, as the name of a model, a cluster and a key.
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
#: Words that YAML reads as something else than text.
_RESERVED: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
#: The last character that JSON escapes as one.
_BMP_MAX: Final = 0xFFFF
#: The name that clients ask for to be routed.
AUTO: Final = "auto"


@dataclass(frozen=True, slots=True)
class StarterPool:
    """A pool, by the name that its model gets in the configuration."""

    name: str
    endpoint: str  # "host:port"
    tls: bool
    #: What the pool calls its model; None: it did not say.
    served_name: str | None


def check_name(name: str) -> None:
    """Raise ConfigError unless a model may have this name in a starter configuration."""
    if name == AUTO:
        raise ConfigError(name, "clients ask for this name to be routed; give the pool another one")
    if not _NAME.fullmatch(name) or name.lower() in _RESERVED:
        raise ConfigError(name, "write the name with letters, digits, - and _, for example small")


def starter(pools: Sequence[StarterPool], *, file: str = "router.yaml") -> str:
    """The YAML text for that file; at least one pool, each with a name of its own."""
    first, *others = pools
    clusters = "\n".join(_cluster(pool) for pool in pools)
    models = "\n".join(_model(pool) for pool in pools)
    head = Template(_HEAD).substitute(file=file, clusters=clusters, default=first.name, models=models)
    rules = Template(_RULES if others else _RULES_LATER).substitute(
        large=others[0].name if others else "large", anew=_ANEW
    )
    return head + rules + _CACHE


def _cluster(pool: StarterPool) -> str:
    tls = ", tls: true" if pool.tls else ""
    return f"    {pool.name}: {{endpoints: [{json.dumps(pool.endpoint)}]{tls}}}"


def _model(pool: StarterPool) -> str:
    served = PLACEHOLDER if pool.served_name is None else pool.served_name
    note = _UNKNOWN if pool.served_name is None else ""
    return f"  {pool.name}:\n    cluster: {pool.name}\n{note}    served_name: {_quoted(served)}"


def _quoted(text: str) -> str:
    """The text in double quotes, whatever is in it: it comes from another machine.

    As in JSON, but that YAML knows no surrogate pairs; and `${NAME}` is not to be read from the environment.
    """
    return '"' + "".join(_escaped(each) for each in text.replace("${", "$${")) + '"'


def _escaped(character: str) -> str:
    number = ord(character)
    return f"\\U{number:08X}" if number > _BMP_MAX else json.dumps(character)[1:-1]


_UNKNOWN: Final = """\
    # This pool did not say which model it serves when the file was written. Put the name here, as the pool's
    # own /v1/models lists it (`id`); until then it refuses what is sent to it.
"""

_HEAD: Final = """\
# A configuration of router_extproc, written by `router-extproc init`. It can be served as it is:
#
#   router-extproc models build                   once; needs pip install 'router-extproc[build]'
#   router-extproc check $file            finds mistakes, with their lines
#   router-extproc explain -c $file "Solve x² = 2"
#                                                 where a prompt would go, and why
#   router-extproc envoy --config $file --out envoy
#                                                 writes the configuration of Envoy
#   router-extproc serve --config $file   the sidecar; beside it, in another terminal:
#   envoy -c envoy/bootstrap.yaml                 Envoy, at `envoy.listen` below
#
# Clients keep calling /v1/chat/completions, now at Envoy, and ask for the model `auto`. After a change here,
# check it, write Envoy's configuration again, and restart both.
version: 1

envoy:
  # Where clients connect. 0.0.0.0:8801 is open to other machines.
  listen: 127.0.0.1:8801
  # The servers of each pool. Add more endpoints and Envoy spreads the requests over them.
  clusters:
$clusters

# Metrics, health and a dashboard: http://127.0.0.1:9190/
admin: 127.0.0.1:9190

# Requests for one of these names are routed by `decisions`; a request for a model below by its name gets it.
virtual_models: [auto]
# Takes what no decision wants. Envoy sends everything there while the sidecar is away.
default_model: $default
models:
  # Next: tell what each costs, and the dashboard shows what routing and cache save (in your currency, for a
  # million tokens):
  #   cost: {input_per_mtok: 0.05, output_per_mtok: 0.10}
$models

"""

#: Of both kinds of rules: which requests want another answer each time.
_ANEW: Final = """\
  # Not for routing: the cache's `bypass_when` asks them.
  another:
    type: keywords
    any: [random, randomly, "surprise me", "generate a password", "roll a die", "roll a dice", "flip a coin",
      "toss a coin", "another one", "another joke", "tell me another", "give me another", "a different one",
      "give me a different", "roll the dice", "try again", "one more"]
  sampled: {type: sampling, temperature_min: 1.0}
"""

_RULES: Final = """\
# What is measured of each prompt, under names that you choose. Other types: keywords, complexity, language,
# pii, guard, context_length, volatile; and `intent` with `examples:`, for topics that you describe yourself.
signals:
  # The subject, one of 14: math, physics, law, health, history ...
  domain: {type: intent, model: mmlu14, min_score: 0.5}
$anew
# Which model for which prompt: the first decision that fits, highest priority first.
decisions:
  - name: exact-sciences
    priority: 100
    when: {domain: [math, physics, "computer science"]}
    model: $large
    # A changed number changes the answer: reuse an answer here only for closer questions.
    cache: {similarity_min: 0.95}

"""

_RULES_LATER: Final = """\
signals:
$anew
# With one pool there is nothing to choose yet. Add a second one to `models` and `envoy.clusters`, then say
# which prompts it gets:
#
#   domain: {type: intent, model: mmlu14, min_score: 0.5}
# decisions:
#   - name: exact-sciences
#     priority: 100
#     when: {domain: [math, physics, "computer science"]}
#     model: $large

"""

_CACHE: Final = """\
# Answers that are reused: for an equal request always, for a rephrased question when a second model agrees
# that it is the same.
semantic_cache:
  enabled: true
  # Who shares answers: requests with the same credential (Authorization, x-api-key, a cookie ...). Do your
  # clients send none? Then nothing is reused until you write `shared` here (everybody may get everybody's
  # answers), or what tells them apart: {headers: [x-user-id]}, set by your gateway, or {body: [user]}.
  scope: credentials
  # Milvus Lite, a folder beside this file. A server is connection: {host: milvus.example.com, port: 19530}
  backend_type: milvus
  milvus: {connection: {uri: ./cache.db}}
  # Cosine below which a stored question is not even looked at.
  similarity_threshold: 0.8
  ttl_seconds: 3600
  # An answer that is true only now (a price, the weather, "my orders") is not reused; 30: for 30 seconds.
  volatile_ttl_s: 0
  # Requests that want another answer each time: the cache is neither asked nor filled.
  bypass_when: {any: [{another: true}, {sampled: true}]}
  # Next: ask the pool all the same in one of fifty such cases, to learn how often the cache is wrong.
  # shadow_rate: 0.02
"""
