"""The configuration file as frozen values. Keys carry their unit; unknown keys are refused.

`read.py` reads the file, `check.py` checks references between sections.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, Union

from pydantic import BeforeValidator, Field, JsonValue

from router_extproc.address import worker_address
from router_extproc.cache.ignore import PATTERNS_MAX
from router_extproc.cache.milvus.settings import Milvus
from router_extproc.config.address import default_listen
from router_extproc.config.admin import Admin, AdminPort
from router_extproc.config.conversation import Conversation
from router_extproc.config.decisions import Decision, Scope
from router_extproc.config.encoder import Encoder
from router_extproc.config.envoy import Envoy
from router_extproc.config.failover import Failover
from router_extproc.config.limits import Limits
from router_extproc.config.savings import SavingsSection
from router_extproc.config.shadow_evaluation import ShadowEvaluation
from router_extproc.config.telemetry import Telemetry
from router_extproc.config.tls import ServerCertificate
from router_extproc.config.traffic import LiveTraffic, Sessions
from router_extproc.llm.price import Price
from router_extproc.llm.reasoning import Family
from router_extproc.pipeline.bodies import read_time_s
from router_extproc.section import Section
from router_extproc.signals import SIGNALS
from router_extproc.signals.base import SignalSettings

# ── models ────────────────────────────────────────────────────────────────────────────────────


class Cost(Section):
    """Price of one million tokens, in any one currency."""

    #: For prompt tokens.
    input_per_mtok: float = Field(default=0.0, ge=0)
    #: For the tokens of the answer.
    output_per_mtok: float = Field(default=0.0, ge=0)
    #: For prompt tokens that the pool had read before (usage tells). None: as much as for others.
    cached_input_per_mtok: float | None = Field(default=None, ge=0)

    @property
    def price(self) -> Price:
        """The same, to reckon with."""
        return Price(self.input_per_mtok, self.output_per_mtok, self.cached_input_per_mtok)


class Reasoning(Section):
    """How this model's reasoning is switched on and off in the request body."""

    #: The model family, which decides how the request body says it.
    family: Family


class Model(Section):
    """One LLM behind one Envoy cluster."""

    #: Name of the Envoy cluster.
    cluster: str = Field(min_length=1)
    #: The name the pool serves it under; default: the key.
    served_name: str | None = None
    #: Further names by which clients ask for it; `*` stands for any characters.
    aliases: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    #: None: reasoning cannot be switched.
    reasoning: Reasoning | None = None
    cost: Cost = Cost()
    #: Whether its pool is asked for usage where a stream's client did not ask; the client does not see it.
    #: Needs `envoy.profile: inline`.
    ask_usage: bool = False
    #: The model that answers in its place while its whole pool is down.
    fallback: str | None = None
    #: What it accepts: a request that has more is not sent to it by decisions. None: everything.
    accepts: tuple[Literal["text", "image", "audio", "file", "tools", "json", "json_object"], ...] | None = (
        None
    )
    #: Tokens of the longest request that it reads. None: not known.
    context_tokens: int | None = Field(default=None, ge=1)
    #: Its `tokenizer.json`, relative to the configuration file. None: tokens are estimated.
    tokenizer: str | None = None


def _failover(given: object) -> object:
    return {} if given is True else given


FailoverSection: TypeAlias = Annotated[
    Failover | Literal[False], BeforeValidator(_failover, json_schema_input_type=Failover | bool)
]

# ── signals ───────────────────────────────────────────────────────────────────────────────────

if TYPE_CHECKING:
    SignalSection: TypeAlias = SignalSettings
else:
    # Built from the registry, so that a new signal is known here without a word about it.
    SignalSection = Annotated[Union[tuple(SIGNALS.values())], Field(discriminator="type")]  # noqa: UP007


# ── cache ─────────────────────────────────────────────────────────────────────────────────────


class NearTier(Section):
    """Bounds of the in-process tier: in front of Milvus, or of the memory backend itself."""

    #: Entries in front of Milvus; the memory backend has its own bound.
    max_entries: int = Field(default=100_000, ge=1)
    #: Bytes of vectors, questions and answers.
    max_bytes: int = Field(default=256 * 1024 * 1024, ge=1)
    #: Share of both bounds. In a full tier, a scope that holds more loses its own entries before others lose
    #: any, so that no client can evict theirs; while there is room, it may hold more. 1: no such limit.
    scope_share_max: float = Field(default=0.25, gt=0, le=1)


class Coalescing(Section):
    """Equal requests that miss at the same time wait for the first one's answer."""

    #: Off: each request asks the pool.
    enabled: bool = True
    #: How long they wait, counted from the first request; then they are forwarded.
    wait_s: float = Field(default=2.0, gt=0, le=60)
    #: How many requests may wait at once in each worker; further ones are forwarded.
    waiters_max: int = Field(default=1024, ge=1)


class SemanticCache(Section):
    """The semantic cache."""

    #: Off by default: nothing is looked up or stored.
    enabled: bool = False
    #: A cache in each worker's memory, or one in Milvus that all workers share.
    backend_type: Literal["memory", "milvus"] = "memory"
    #: milvus.yaml, relative to the configuration file (or to the working directory).
    backend_config_path: str | None = None
    #: The Milvus file's content, written here instead; reading the configuration puts it here.
    milvus: Milvus | None = None
    #: Similarity (cosine) below which a neighbour is not verified.
    similarity_threshold: float = Field(default=0.8, ge=0, le=1)
    #: Lowest threshold allowed, here and in decisions; a lower one is refused at start.
    similarity_floor: float = Field(default=0.0, ge=0, le=1)
    #: What decides whether a neighbour's answer fits: a small cross-encoder and equivalence guards ("model"),
    #: or five guards alone, which need no inference and accept about half as much ("guards").
    verifier: Literal["model", "guards"] = "model"
    #: Codes of the languages in which other words may share an answer (ISO 639-1); any other language is
    #: matched exactly only. None: all known ones.
    languages: tuple[str, ...] | None = None
    #: Size of the memory backend.
    max_entries: int = Field(default=1000, ge=1)
    #: Seconds until an answer expires.
    ttl_seconds: float = Field(default=3600, gt=0)
    #: Seconds for which an answer that is true only now (a price, the weather, "my orders") is reused. 0: the
    #: cache is neither asked nor filled. off: it is reused as any other.
    volatile_ttl_s: Annotated[float, Field(ge=0)] | Literal["off"] = 0.0
    #: Requests that want an answer of their own, as a rule like a decision's `when`: the cache is neither
    #: asked nor filled, and equal ones do not wait for each other. Only signals that need no encoder.
    bypass_when: JsonValue = None
    #: Whether answers are reused that the API lets a pool keep for its client (Responses with `store` true or
    #: left out). reuse: no pool keeps any, as vLLM does unless it is told to.
    kept_answers: Literal["bypass", "reuse"] = "bypass"
    #: What a full tier evicts first: the oldest, the least recently used, or the least often used entry.
    eviction_policy: Literal["fifo", "lru", "lfu"] = "fifo"
    #: Who may share answers: requests with equal credentials ("credentials"), with equal values of what is
    #: named here, or everybody ("shared"). A request that has none of it shares with nobody.
    scope: Scope = "credentials"
    #: Patterns (regular expressions with an end) of what is left out of system prompts when requests are
    #: compared, because it changes every minute: a clock.
    ignore: tuple[str, ...] = Field(default=(), max_length=PATTERNS_MAX)
    #: Whether answers with tool calls are stored.
    store_tool_calls: bool = False
    #: Share of semantic hits that are sent to the pool anyway: its answer is compared with the stored one,
    #: which shows how often the cache is wrong.
    shadow_rate: float = Field(default=0.0, ge=0, le=1)
    #: Upper bound for the share of false hits: each decision's threshold follows from its shadow comparisons,
    #: and there are no semantic hits before there are enough of them. None: no bound.
    max_false_hit_rate: float | None = Field(default=None, gt=0, lt=1)
    #: Whose `x-router-cache-feedback: wrong` counts: clients in a scope of their own ("own"), clients in
    #: shared scopes, too ("all"), or nobody's ("off").
    client_feedback: Literal["own", "all", "off"] = "own"
    #: Hits take as long as a recent miss of the same model, and no header tells them apart: for scopes in
    #: which a client must not learn what others have asked.
    hide_timing: bool = False
    #: Longest delay of a hit.
    hide_timing_max_s: float = Field(default=2.0, gt=0, le=60)
    #: How a question after earlier turns is matched: semantically among questions after exactly the same
    #: turns, whose digest is part of the partition ("digest"), or exactly only ("exact").
    multi_turn: Literal["digest", "exact"] = "digest"
    #: Larger answers are not stored.
    max_answer_bytes: int = Field(default=1024 * 1024, ge=1)
    near: NearTier = NearTier()
    coalescing: Coalescing = Coalescing()


class Config(Section):
    """One router configuration."""

    #: Version of this format.
    version: Literal[1]
    #: unix:PATH (with {worker}) or HOST:PORT of the gRPC server.
    listen: str = Field(default_factory=default_listen)
    #: Who may connect to a socket of `listen`: this user only, its group (0660), or everybody (0666) whom the
    #: folder lets in.
    socket_access: Literal["owner", "group", "everyone"] = "owner"
    #: TLS of the gRPC server, for an Envoy on another machine.
    listen_tls: ServerCertificate | None = None
    #: HOST:PORT of the admin HTTP server, or a section.
    admin: AdminPort = Admin()
    #: Processes, each with its own socket or port.
    workers: int = Field(default=1, ge=1, le=64)
    #: Folder in which what workers have learned is kept over a restart: evidence of false hits, savings.
    #: None: it is not kept.
    state_dir: str | None = None
    #: Model names that are routed (`*` stands for any characters); any other name is pinned to its model.
    virtual_models: tuple[str, ...] = ("auto",)
    #: What `GET /v1/models` tells: every name that may be asked for, or what the default pool says ("pool").
    model_list: Literal["router", "pool"] = "router"
    #: A key in `models`, for requests that match no decision.
    default_model: str
    #: The mixture of models, by name.
    models: dict[str, Model] = Field(min_length=1)
    #: The facts of a request that are measured, by name.
    signals: dict[str, SignalSection] = Field(default_factory=dict)
    #: Which model for which request.
    decisions: tuple[Decision, ...] = ()
    #: Another configuration, whose policy decides every request a second time without effect: where it would
    #: decide otherwise is counted. None: there is none.
    shadow_policy: str | None = None
    #: A sample of every decision's requests is asked of another model, too. None: only of decisions that have
    #: this section of their own.
    shadow: ShadowEvaluation | None = None
    #: What happens when a pool does not begin to answer. false: what the pool says is the client's answer.
    failover: FailoverSection = Failover()
    savings: SavingsSection = SavingsSection()
    conversation: Conversation = Conversation()
    sessions: Sessions = Sessions()
    traffic: LiveTraffic = LiveTraffic()
    semantic_cache: SemanticCache = SemanticCache()
    encoder: Encoder = Encoder()
    limits: Limits = Limits()
    envoy: Envoy = Envoy()
    telemetry: Telemetry = Telemetry()

    def max_message_timeout_s(self) -> float | None:
        """The longest that Envoy may be asked to wait for one reply; None: it never is."""
        cache, read_s = self.semantic_cache, read_time_s(self.limits.max_body_bytes)
        hides = cache.hide_timing or any(decision.cache.hide_timing for decision in self.decisions)
        waits = [cache.coalescing.wait_s] if cache.enabled and cache.coalescing.enabled else []
        waits += [cache.hide_timing_max_s] if cache.enabled and hides else []
        # A hit may be delayed behind the reading of a large body, which waits for no equal one.
        waits += [read_s + cache.hide_timing_max_s] if read_s else []
        return max(waits) + self.limits.message_timeout_s if waits else None

    def worker_addresses(self) -> tuple[str, ...]:
        """Where each worker listens: {worker} filled in, or the port counted up from `listen`'s."""
        return tuple(worker_address(self.listen, worker) for worker in range(self.workers))
