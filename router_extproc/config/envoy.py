"""The section `envoy`: what the rendered Envoy configuration needs to know."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from router_extproc.config.cors import Cors
from router_extproc.config.paths import OtherPaths
from router_extproc.config.pools import PoolTraffic
from router_extproc.config.tls import ClientCertificate, ServerCertificate
from router_extproc.section import Section

#: Of what may stand in front of a path: short, for Envoy's patterns have an end.
PREFIX: Final = r"^/[A-Za-z0-9_-]{1,16}$"
PREFIXES_MAX: Final = 2
#: Where Debian and its kin keep the authorities that the system trusts.
SYSTEM_AUTHORITIES: Final = "/etc/ssl/certs/ca-certificates.crt"


class EnvoyCluster(PoolTraffic):
    """A pool, for the runnable bootstrap; an include for someone's Envoy may leave it out."""

    #: HOST:PORT of each server.
    endpoints: tuple[str, ...] = Field(min_length=1)  # "host:port"
    #: Whether they speak TLS.
    tls: bool = False
    #: Authorities that may sign a TLS pool's certificate; default: those that the system trusts.
    ca_file: str = SYSTEM_AUTHORITIES


class Envoy(Section):
    """What the rendered Envoy configuration needs to know."""

    #: HOST:PORT of Envoy's listener for clients.
    listen: str = "127.0.0.1:8801"
    #: HOST:PORT or unix:PATH of Envoy's own admin interface, which drains it; None: off.
    admin: str | None = None
    #: Two filters, and answers are only observed ("split"), or one for gateways that allow only one
    #: ("inline").
    profile: Literal["split", "inline"] = "split"
    #: The pools by the names that models use.
    clusters: dict[str, EnvoyCluster] = Field(default_factory=dict)
    #: unix:PATH or HOST:PORT of each worker as Envoy sees it; default: where `listen` puts them.
    #: Needed when the server listens on 0.0.0.0 in another container.
    server: tuple[str, ...] = ()
    #: Request headers that only this Envoy may set (by an authentication filter, say): a client's
    #: own are removed before any filter reads them. Ours (x-router-*) always are.
    strip_headers: tuple[str, ...] = ()
    #: In front of paths that are read, as /openai; a pool gets the path without it. With /openai, Azure's
    #: form (/openai/deployments/NAME/...) is read, too.
    path_prefixes: tuple[Annotated[str, Field(pattern=PREFIX)], ...] = Field(
        default=(), max_length=PREFIXES_MAX
    )
    #: What may reach the default pool beside inference requests.
    other_paths: OtherPaths = "pass"
    #: Where an inference request goes that the server did not decide (it is dead, frozen or busy): to the
    #: default pool ("pass"), or nowhere, with a 503 ("deny").
    unread: Literal["pass", "deny"] = "pass"
    #: Headers of another router that pools and clients get beside ours: x-selected-model and x-vsr-* of vLLM
    #: Semantic Router. None: ours only.
    compatible_headers: Literal["vllm-sr"] | None = None
    #: Which pages may ask from a browser; None: the pools say it.
    cors: Cors | None = None
    #: TLS of Envoy's listener.
    tls: ServerCertificate | None = None
    #: TLS towards the gRPC server; belongs to `listen_tls`.
    server_tls: ClientCertificate | None = None
    #: Time from the end of a request to the first byte of its answer; a pool may have its own. None: as long
    #: as a pause.
    first_byte_timeout_s: float | None = Field(default=None, gt=0)
    #: The longest pause, before an answer and within it. Clients of the APIs wait 600 s by themselves.
    stream_idle_timeout_s: float = Field(default=600, gt=0)
    #: Time for a whole request to arrive, body included; also for uploads on other paths.
    request_timeout_s: float = Field(default=300, gt=0)
    #: Requests in flight to the sidecar before Envoy refuses; its default of 1024 gives 500s.
    max_requests: int = Field(default=16384, ge=1)

    def traffic(self, cluster: str) -> PoolTraffic:
        """How Envoy treats a pool's requests, with what is the same for all pools filled in."""
        pool = self.clusters.get(cluster, PoolTraffic())
        if pool.first_byte_timeout_s is not None:
            return pool
        return pool.model_copy(update={"first_byte_timeout_s": self.first_byte_timeout_s})
