# ruff: noqa: E501 - tables read best with one case in a line
"""What is served and yet dangerous, useless or half broken: each case beside a harmless neighbour.

A case is (what is added to the smallest configuration, the path, words of the problem, the neighbour).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from router_extproc.config.examine import Report, examine

SMALLEST = "version: 1\ndefault_model: small\nmodels:\n  small: {cluster: pool}\n"
ON = "semantic_cache: {enabled: true"
MILVUS = ON + ", backend_type: milvus, milvus: "
KEYWORDS = "signals: {k: {type: keywords, any: [asap]}, t: {type: header, header: x-tier}}\n"
LANGUAGE = "signals: {lang: {type: language}}\n"
HARD = "signals: {hard: {type: complexity}}\n"

TOPICS = "signals: {topic: {type: intent, examples: {a: [x], b: [y]}}}\n"
SEVERAL = TOPICS.replace("examples", "several: true, examples")
#: So many signals that not every combination of their readings can be tried.
MANY = "signals: {" + ", ".join(f"s{index}: {{type: complexity}}" for index in range(12)) + "}\n"
ALL = ", ".join(f"{{s{index}: {{min: 0.5}}}}" for index in range(12))
LISTED = (
    "version: 1\ndefault_model: small\nmodels:\n  small: {cluster: pool, accepts: [text], context_tokens: 1000}\n"
    "  large: {cluster: big, accepts: [text, image]}\n  wide: {cluster: wide, accepts: [text], context_tokens: 2000}\n"
)
Examine = Callable[..., Report]
Case = tuple[str, str, str, str]


@pytest.fixture
def report(tmp_path: Path) -> Examine:
    """What there is to say of a text (TMP is a folder of its own)."""

    def report(text: str, *, alone: bool = False, **environ: str) -> Report:
        path = tmp_path / "router.yaml"
        alone = alone or text.startswith("version")
        path.write_text((text if alone else SMALLEST + text).replace("TMP", str(tmp_path)))
        return examine(path, environ=environ)

    return report


def decisions(*rules: str) -> str:
    """Decisions with these rules, all for the small model."""
    entries = [f"{{name: d{index}, model: small, when: {rule}}}" for index, rule in enumerate(rules)]
    return f"decisions: [{', '.join(entries)}]\n"


def pooled(rest: str, *, first_byte_s: str = "20") -> str:
    """Six models with a pool each, and one more in the first pool."""
    models = "".join(f"  {name}: {{cluster: p{name}}}\n" for name in "abcdef")
    pools = ", ".join(f"p{name}: {{endpoints: ['{name}:1']}}" for name in "abcdef")
    envoy = f"envoy: {{first_byte_timeout_s: {first_byte_s}, clusters: {{{pools}}}}}\n"
    return f"version: 1\ndefault_model: a\nmodels:\n{models}  twin: {{cluster: pa}}\n{envoy}{rest}"


def evaluated(rest: str, *, small: int = 1, large: int = 4) -> str:
    """A large model that answers and a small one, each with its pool and price."""
    models = "".join(
        f"  {name}: {{cluster: p{name}, cost: {{input_per_mtok: {price}}}}}\n"
        for name, price in (("small", small), ("large", large))
    )
    pools = "envoy: {clusters: {psmall: {endpoints: ['a:1']}, plarge: {endpoints: ['b:1']}}}\n"
    return f"version: 1\ndefault_model: large\nmodels:\n{models}{pools}{rest}"


def among(*models: str) -> str:
    """A decision with these candidates."""
    return f"decisions: [{{name: a, models: [{', '.join(models)}]}}]\n"


def cached(settings: str, cache: str = ON + "}") -> str:
    """One decision with these settings of its cache, beside one without."""
    rest = "{name: b, model: small}"
    return (
        f"{cache}\n{KEYWORDS}decisions: [{{name: a, model: small, when: {{k: true}}, cache: {settings}}},"
        f" {{name: t, model: small, when: {{t: gold}}}}, {rest}]\n"
    )


ADDRESSES: list[Case] = [
    ("listen: 0.0.0.0:50051", "listen", "is taken for Envoy", "listen: 127.0.0.1:50051"),
    ("listen: '[::]:50051'", "listen", "is taken for Envoy", "listen: '[::1]:50051'"),
    ("listen: router:50051", "listen", "open beyond this machine", "listen: localhost:50051"),
    ("admin: 0.0.0.0:9190", "admin", "without a token", "admin: 127.0.0.1:9190"),
    ("admin: 10.1.2.3:9190", "admin", "without a token", "admin: 127.0.0.9:9190"),
    ("envoy: {admin: '0.0.0.0:9901'}", "envoy.admin", "stop Envoy", "envoy: {admin: '127.0.0.1:9901', listen: '0.0.0.0:8801'}"),
    ("listen: unix:/tmp/router.sock", "listen", "every user of this machine can write to /tmp", "listen: unix:/run/router-extproc/router.sock"),
    ("listen: unix:TMP/open/x.sock", "listen", "every user of this machine can write to", "listen: unix:TMP/x.sock"),
    (MILVUS + "{uri: /tmp/cache.db}}", "semantic_cache.milvus.uri", "every user of this machine", MILVUS + "{uri: ./cache.db}}"),
    ("workers: 2\nlisten: unix:/run/r/{worker}.sock\nenvoy: {server: ['unix:/s/0']}", "envoy.server", "lists 1 of 2 workers",
     "workers: 2\nlisten: unix:/run/r/{worker}.sock\nenvoy: {server: ['unix:/s/0', 'unix:/s/1']}"),
]  # fmt: skip

SECRETS_AND_FILES: list[Case] = [
    (MILVUS + "{connection: {auth: {enabled: true, username: u, password: hunter2}}}}", "semantic_cache.milvus.connection.auth.password",
     "is written in clear text; write ${MILVUS_PASSWORD}", MILVUS + "{connection: {auth: {enabled: true, username: u, password: '${PW}'}}}}"),
    (MILVUS + "{connection: {auth: {enabled: true, token: hunter2}}}}", "semantic_cache.milvus.connection.auth.token", "is written in clear",
     MILVUS + "{connection: {auth: {enabled: true, token: '${PW}'}}}}"),
    (MILVUS + "{uri: 'https://root:hunter2@milvus:19530'}}", "semantic_cache.milvus.uri", "contains a password in clear text",
     MILVUS + "{uri: 'https://milvus:19530'}}"),
    (MILVUS + "{connection: {tls: {enabled: true, ca_file: nowhere.pem}}}}", "semantic_cache.milvus.connection.tls.ca_file", "no file", MILVUS + "{connection: {tls: {enabled: true, ca_file: router.yaml}}}}"),
    (MILVUS + "{connection: {tls: {enabled: true, cert_file: a.pem, key_file: router.yaml}}}}", "semantic_cache.milvus.connection.tls.cert_file", "Milvus cannot be reached",
     MILVUS + "{connection: {tls: {enabled: true, cert_file: router.yaml, key_file: router.yaml}}}}"),
    ("envoy: {tls: {cert_file: /nowhere.pem, key_file: k.pem}}", "envoy.tls.cert_file", "will not start", "envoy: {tls: {cert_file: c.pem, key_file: TMP/router.yaml}}"),
    ("listen: 127.0.0.1:50051\nlisten_tls: {cert_file: router.yaml, key_file: nowhere.pem}\nenvoy: {server_tls: {ca_file: c.pem}}", "listen_tls.key_file", "serve will not start", "listen: 127.0.0.1:50051\nlisten_tls: {cert_file: router.yaml, key_file: router.yaml}\nenvoy: {server_tls: {ca_file: c.pem}}"),
    ("admin: {token_file: nowhere}", "admin.token_file", "serve will not start", "admin: {token_file: router.yaml}"),
    ("envoy: {clusters: {pool: {endpoints: ['p:8443'], tls: true, ca_file: /nowhere/ca.pem}}}", "envoy.clusters.pool.ca_file", "no file '/nowhere/ca.pem'",
     "envoy: {clusters: {pool: {endpoints: ['p:8443'], tls: true}}}"),
]  # fmt: skip

UNREAD: list[Case] = [
    ("signals: {g: {type: guard}}\n" + decisions("{not: {g: true}}"), "decisions[0].when", "every other API pass unread",
     "envoy: {other_paths: deny}\nsignals: {g: {type: guard}}\n" + decisions("{not: {g: true}}")),
    ("signals: {p: {type: pii}}\nenvoy: {other_paths: pass}\n" + decisions("{p: true}"), "decisions[0].when", "uses p, which reads inference requests only",
     "signals: {p: {type: pii}}\nenvoy: {other_paths: [/v1/models]}\n" + decisions("{p: true}")),
    (KEYWORDS + decisions("{all: [{k: true}, {t: gold}]}").replace("name: d0", "name: d0, unread: deny"), "decisions[0].unread", "also set envoy.unread: deny",
     "envoy: {unread: deny}\n" + KEYWORDS + decisions("{all: [{k: true}, {t: gold}]}").replace("name: d0", "name: d0, unread: deny")),
    (KEYWORDS + "decisions: [{name: d0, when: {k: true}, action: {block: {}}}]", "decisions[0].action.block", "also set envoy.unread: deny",
     "envoy: {unread: deny}\n" + KEYWORDS + "decisions: [{name: d0, when: {k: true}, action: {block: {}}}]"),
    (KEYWORDS + "decisions: [{name: d0, when: {k: true}, action: {block: {}}}]", "decisions[0].action.block", "late or fails",
     KEYWORDS + "decisions: [{name: d0, when: {k: true}, action: {answer: Hi.}}]"),
]  # fmt: skip

POOLS: list[Case] = [
    ("envoy: {strip_headers: [x-user, Keep-Alive]}", "envoy.strip_headers[1]", "Envoy removes 'Keep-Alive' anyway", "envoy: {strip_headers: [x-user, te]}"),
    ("envoy: {clusters: {pool: {endpoints: ['p:1']}, old: {endpoints: ['o:1']}}}", "envoy.clusters.old", "no model uses this pool",
     "envoy: {clusters: {pool: {endpoints: ['p:1']}}}"),
    ("envoy: {clusters: {pool: {endpoints: ['p:1'], ca_file: /etc/ca.pem}}}", "envoy.clusters.pool.ca_file", "tls is false", "envoy: {clusters: {pool: {endpoints: ['p:1'], tls: true}}}"),
    ("envoy: {clusters: {pool: {endpoints: ['127.0.0.1:8801']}}}", "envoy.clusters.pool.endpoints[0]", "to itself for ever", "envoy: {clusters: {pool: {endpoints: ['127.0.0.1:8000']}}}"),
    ("envoy: {listen: '0.0.0.0:80', clusters: {pool: {endpoints: ['a:1', 'localhost:80']}}}", "envoy.clusters.pool.endpoints[1]", "to itself",
     "envoy: {listen: '0.0.0.0:80', clusters: {pool: {endpoints: ['a:1', 'b:80']}}}"),
    ("envoy: {clusters: {pool: {endpoints: ['p:443']}}}", "envoy.clusters.pool.endpoints[0]", "write tls: true", "envoy: {clusters: {pool: {endpoints: ['p:443'], tls: true}}}"),
    ("envoy: {clusters: {pool: {endpoints: ['p:1', 'p:1']}}}", "envoy.clusters.pool.endpoints[1]", "written twice", "envoy: {clusters: {pool: {endpoints: ['p:1', 'q:1']}}}"),
    ("  twin: {cluster: pool, served_name: small}", "models.twin.served_name", "is also the key of another model", "  twin: {cluster: pool}"),
    ("  a: {cluster: p, served_name: x}\n  b: {cluster: p, served_name: x}", "models.b", "is the same as models.a", "  a: {cluster: p, served_name: x}\n  b: {cluster: q, served_name: x}"),
    ("  large: {cluster: p, cost: {input_per_mtok: 1}}", "models.small", "has no cost, unlike large", "  large: {cluster: p, cost: {input_per_mtok: 0}}"),
    ("  large: {cluster: p, served_name: CHANGE-ME}", "models.large.served_name", "write it here", "  large: {cluster: p, served_name: change-me}"),
    ("virtual_models: []", "virtual_models", "no request is routed", "virtual_models: [auto, fast]"),
]  # fmt: skip

SIGNALS: list[Case] = [
    (KEYWORDS + decisions("{k: true}"), "signals.t", "no decision uses it", KEYWORDS + decisions("{all: [{k: true}, {not: {t: gold}}]}")),
    ("signals: {k: {type: keywords, any: [asap, ASAP]}}\n" + decisions("{k: asap}"), "signals.k.any[1]", "equals 'asap'",
     "signals: {k: {type: keywords, any: [asap, ASAP], case_sensitive: true}}\n" + decisions("{k: asap}")),
    ("signals: {g: {type: guard, min_score: 0}}\n" + decisions("{g: true}"), "signals.g.min_score", "every prompt is 'jailbreak|injection'", "signals: {g: {type: guard, min_score: 0.9}}\n" + decisions("{g: true}")),
    ("signals: {g: {type: guard, min_score: 1}}\n" + decisions("{g: true}"), "signals.g.min_score", "never has a label", "signals: {g: {type: pii, min_score: 1}}\n" + decisions("{g: true}")),
    ("signals: {l: {type: context_length}}\n" + decisions("{l: true}"), "signals.l", "every request is in_range", "signals: {l: {type: context_length, min_tokens: 1}}\n" + decisions("{l: true}")),
    ("signals: {l: {type: context_length, min_tokens: 5000000}}\n" + decisions("{l: true}"), "signals.l.min_tokens", "no request is that long",
     "limits: {max_body_bytes: 32000000}\nsignals: {l: {type: context_length, min_tokens: 5000000}}\n" + decisions("{l: true}")),
    ("signals: {t: {type: claim, claim: tier}}\n" + decisions("{t: gold}"), "signals.t.header", "any client may send 'x-jwt-payload'", "envoy: {strip_headers: [X-JWT-Payload]}\nsignals: {t: {type: claim, claim: tier}}\n" + decisions("{t: gold}")),
    ("sessions: {by_claim: sid}\n", "sessions.claim_header", "any client may send 'x-jwt-payload' and join", "envoy: {strip_headers: [X-JWT-Payload]}\nsessions: {by_claim: sid}\n"),
    ("savings: {by_claim: team, tenants: [a]}\n", "savings.claim_header", "any client may send 'x-jwt-payload' and be counted", "envoy: {strip_headers: [X-JWT-Payload]}\nsavings: {by_claim: team, tenants: [a]}\n"),
    ("signals: {k: {type: keywords, any: [asap], none: [ASAP]}}\n" + decisions("{k: true}"), "signals.k.any[0]", "is in none, too", "signals: {k: {type: keywords, any: [asap], none: [later]}}\n" + decisions("{k: true}")),
]  # fmt: skip

EVERY = "{name: a, model: small}"
BLOCK = "{name: b, when: {any: [{k: true}, {t: a}]}, action: {block: {}}}"
RULES: list[Case] = [
    (f"{KEYWORDS}decisions: [{EVERY}, {BLOCK}]\n", "decisions[1]", "takes only requests that name a model: 'a' comes first", f"{KEYWORDS}decisions: [{BLOCK}, {EVERY}]\n"),
    (f"{KEYWORDS}decisions: [{EVERY[:-1]}, pinned: true}}, {BLOCK}]\n", "decisions[1]", "is never taken: 'a'", f"{KEYWORDS}decisions: [{BLOCK}, {EVERY[:-1]}, pinned: true}}]\n"),
    (KEYWORDS + decisions("{t: a}", "null", "{k: true}"), "decisions[2]", "'d1' comes first and takes all", KEYWORDS + decisions("{t: a}", "{k: true}", "null")),
    (KEYWORDS + decisions("{t: a}", "{k: true}", "{k: asap}"), "decisions[2]", "is never taken: 'd1'", KEYWORDS + decisions("{t: a}", "{k: true}", "{k: false}")),
    (KEYWORDS + decisions("{any: [{k: true}, {t: gold}]}", "{t: gold}"), "decisions[1]", "comes first", KEYWORDS + decisions("{t: gold}", "{any: [{k: true}, {t: gold}]}")),
    (KEYWORDS + decisions("{t: gold}", "{all: [{k: true}, {t: [gold]}]}"), "decisions[1]", "'d0' comes first", KEYWORDS + decisions("{t: gold}", "{all: [{k: true}, {t: silver}]}")),
    (KEYWORDS + decisions("{k: true}", "{k: false}", "{t: a}"), "decisions[2]", "'d0', 'd1' comes first", KEYWORDS + decisions("{k: true}", "{t: a}", "{k: false}")),
    (KEYWORDS + decisions("{t: a}", "{not: {not: {t: a}}}", "{k: true}"), "decisions[1]", "'d0'", KEYWORDS + decisions("{t: a}", "{not: {t: a}}", "null").replace("name: d2", "name: d2, priority: 9, tags: [k]").replace("when: null", "when: {k: true}")),
    (HARD + decisions("{hard: {min: 0.3}}", "{hard: {min: 0.5, max: 0.8}}"), "decisions[1]", "'d0'", HARD + decisions("{hard: {min: 0.5, max: 0.8}}", "{hard: {min: 0.3}}")),
    (HARD + decisions("{hard: {min: 0.6}}", "{hard: true}"), "decisions[1]", "'d0'", HARD + decisions("{hard: {min: 0.7}}", "{hard: true}")),
    (LANGUAGE + decisions("{all: [{lang: de}, {lang: fr}]}"), "decisions[0].when", "can never hold", LANGUAGE + decisions("{any: [{lang: de}, {lang: fr}]}")),
    (LANGUAGE + decisions("{all: [{lang: de}, {lang: false}]}"), "decisions[0].when", "can never hold", LANGUAGE + decisions("{all: [{lang: [de, fr]}, {lang: true}]}")),
    (HARD + decisions("{all: [{hard: {min: 0.8}}, {hard: {max: 0.7}}]}"), "decisions[0].when", "can never hold", HARD + decisions("{all: [{hard: {min: 0.7}}, {hard: {max: 0.7}}]}")),
    (HARD + decisions("{hard: {max: 0.5, any: [hard]}}"), "decisions[0].when", "can never hold", HARD + decisions("{hard: {max: 0.7, any: [hard]}}")),
    (HARD + decisions("{all: [{hard: {min: 0}}, {not: {hard: {min: 0}}}]}"), "decisions[0].when", "can never hold", HARD + decisions("{not: {hard: {min: 0}}}")),
    (HARD + decisions("{hard: {max: 0.5}}", "{hard: {min: 0.5}}", "{hard: {min: 0.1}}"), "decisions[2]", "'d0', 'd1'", HARD + decisions("{hard: {max: 0.3}}", "{hard: {min: 0.5}}", "{hard: {min: 0.1}}")),
    (KEYWORDS + decisions("{all: [{t: a}, {not: {any: [{t: a}, {k: true}]}}]}"), "decisions[0].when", "can never hold", KEYWORDS + decisions("{all: [{t: a}, {not: {all: [{t: a}, {k: true}]}}]}")),
    (TOPICS + decisions("{all: [{topic: a}, {topic: b}]}"), "decisions[0].when", "can never hold", SEVERAL + decisions("{all: [{topic: a}, {topic: b}]}")),
    (TOPICS + decisions("{topic: {any: [a], min: 0.3}}", "{topic: {any: [a], min: 0.4}}"), "decisions[1]", "'d0'", TOPICS + decisions("{topic: {any: [a], min: 0.4}}", "{topic: {any: [a], min: 0.3}}")),
    (TOPICS + decisions("{topic: {any: [a], min: 0.3}}", "{topic: a}"), "decisions[1]", "'d0'", TOPICS + decisions("{topic: {any: [a], min: 0.6}}", "{topic: a}")),
    (MANY + decisions(f"{{all: [{ALL}]}}", f"{{all: [{ALL}, {{s0: {{max: 0.9}}}}]}}"), "decisions[1]", "'d0'", MANY + decisions(f"{{all: [{ALL}, {{s0: {{max: 0.9}}}}]}}", f"{{all: [{ALL}]}}")),
    (MANY + decisions(f"{{all: [{ALL}, {{s3: {{max: 0.1}}}}]}}"), "decisions[0].when", "can never hold", MANY + decisions(f"{{all: [{ALL}, {{s3: {{max: 0.6}}}}]}}")),
    (MANY + decisions(f"{{all: [{ALL}, {{not: {{s3: {{min: 0.4}}}}}}]}}"), "decisions[0].when", "can never hold", MANY + decisions(f"{{all: [{ALL}, {{not: {{s3: {{min: 0.6}}}}}}]}}")),
    ("signals: {asked: {type: requested_model}}\n" + decisions("{asked: auto-fst}"), "decisions[0].when.asked", "no label 'auto-fst'", "virtual_models: [auto, auto-fast]\nsignals: {asked: {type: requested_model}}\n" + decisions("{asked: auto-fast}")),
    ("signals: {asked: {type: requested_model}}\n" + decisions("{asked: auto}", "{asked: true}"), "decisions[1]", "'d0'", "virtual_models: [auto, fast]\nsignals: {asked: {type: requested_model}}\n" + decisions("{asked: auto}", "{asked: true}")),
    (LISTED + "decisions: [{name: a, models: [large, small]}]", "decisions[0].models[1]", "'small' is never taken: selection is fixed, and 'large'", LISTED + "decisions: [{name: a, models: [small, large]}]"),
    (LISTED + "decisions: [{name: a, models: [large, wide]}]", "decisions[0].models[1]", "'wide' is never taken", LISTED + "decisions: [{name: a, models: [small, wide]}]"),
    (pooled("failover: false\n" + among("a", "b")), "decisions[0].models[1]", "'b' is never taken", pooled(among("a", "b"))),
    (pooled(among("a", "b"), first_byte_s="null"), "failover.first_byte_timeout_s", "pool 'pa' is left when it fails, but", pooled("failover: {on: [refused]}\n" + among("a", "b"), first_byte_s="null")),
    (pooled(among("a", "twin")), "decisions[0].models", "every model is in the same cluster 'pa'", pooled(among("a", "twin", "b"))),
    (pooled(among(*"abcdef")), "decisions[0].models", "only the first 4 are ever asked", pooled(among(*"abcde"))),
    ("failover: {attempts_max: 3}", "failover", "has no effect without", pooled("failover: {attempts_max: 3}")),
]  # fmt: skip

CACHE: list[Case] = [
    (ON + ", scope: shared, verifier: guards}", "semantic_cache.scope", "no model verifies", ON + ", scope: shared}"),
    (cached("{scope: shared}", ON + ", verifier: guards}"), "decisions[0].cache.scope", "no model verifies", cached("{scope: {headers: [authorization]}}", ON + ", verifier: guards}")),
    ("semantic_cache: {ttl_seconds: 60}", "semantic_cache", "write enabled: true", "semantic_cache: {enabled: false, ttl_seconds: 60}"),
    ("workers: 8\nlisten: unix:/run/r/{worker}.sock\n" + ON + "}", "semantic_cache.backend_type", "each of the 8 workers has its own cache", ON + "}"),
    (ON + "}\ndecisions: [{name: a, model: small, cache: {mode: off}}]", "semantic_cache.enabled", "every decision switches it off", ON + "}\n" + KEYWORDS + "decisions: [{name: a, model: small, when: {all: [{k: true}, {t: x}]}, cache: {mode: off}}, {name: b, model: small}]"),
    (ON + ", similarity_threshold: 0}", "semantic_cache.similarity_threshold", "makes nearly every question", ON + ", similarity_threshold: 0.6}"),
    (ON + ", similarity_threshold: 1}", "semantic_cache.similarity_threshold", "only the same text", ON + ", similarity_threshold: 0.99}"),
    (cached("{similarity_min: 1}"), "decisions[0].cache.similarity_min", "only the same text", cached("{similarity_min: 0.97}")),
    (ON + ", shadow_rate: 1}", "semantic_cache.shadow_rate", "save nothing", ON + ", shadow_rate: 0.05}"),
    (cached("{mode: off, ttl_s: 60}"), "decisions[0].cache.ttl_s", "mode off", cached("{mode: off}")),
    (cached("{mode: exact, similarity_min: 0.9}"), "decisions[0].cache.similarity_min", "mode exact", cached("{mode: exact, ttl_s: 60}")),
    (cached("{ttl_s: 60}", ""), "decisions[0].cache.ttl_s", "semantic_cache.enabled is false", cached("{mode: off}", "")),
    (MILVUS + "{collection: {ttl_seconds: 600}}}", "semantic_cache.ttl_seconds", "Milvus drops rows after 600 s", MILVUS + "{collection: {ttl_seconds: 3600}}}"),
    (cached("{ttl_s: 1}"), "decisions[0].cache.ttl_s", "shorter than coalescing.wait_s", cached("{ttl_s: 1}", ON + ", coalescing: {wait_s: 0.5}}")),
    (ON + ", max_entries: 3}", "semantic_cache.max_entries", "cannot hold one answer", ON + ", max_entries: 3, near: {scope_share_max: 1}}"),
    (ON + ", near: {max_bytes: 2000000}}", "semantic_cache.near.max_bytes", "cannot hold one answer", ON + ", near: {max_bytes: 2000000}, max_answer_bytes: 100000}"),
    (ON + ", scope: {headers: [x-request-id]}}", "semantic_cache.scope.headers[0]", "changes with every request", ON + ", scope: {headers: [X-Tenant, ':authority']}}"),
    (ON + "}", "semantic_cache.scope", "is not written", ON + ", scope: credentials}"),
    (ON + "}", "semantic_cache.scope", "is not written", "envoy: {strip_headers: [x-user]}\n" + ON + "}"),
    (ON + "}", "semantic_cache.scope", "is not written", cached("{scope: shared}")),
    (ON + ", scope: {headers: [x-user]}}", "semantic_cache.scope", "any client may send another's 'x-user'", "envoy: {strip_headers: [X-User]}\n" + ON + ", scope: {headers: [x-user]}}"),
    (ON + ", scope: {headers: [x-user, x-team]}}", "semantic_cache.scope", "'x-user', 'x-team'", ON + ", scope: {headers: [x-user, Authorization]}}"),
    (ON + ", scope: {headers: [], body: [user]}}", "semantic_cache.scope", "another's name into its body", ON + ", scope: {body: [user]}}"),
    (cached("{scope: {headers: [x-user]}}"), "decisions[0].cache.scope", "any client may send", cached("{scope: {anonymous: shared}}")),
    (ON + ", scope: shared}\nsignals: {p: {type: pii}}\n" + decisions("{p: true}"), "decisions[0].cache", "takes requests by p, which is of one person", ON + ", scope: shared}\nsignals: {p: {type: pii}}\n" + decisions("{p: false}")),
    (ON + ", scope: shared}\nsignals: {p: {type: pii}}\ndecisions: [{name: a, model: small, when: {p: true}}]", "decisions[0].cache", "of one person", ON + ", scope: shared}\nsignals: {p: {type: pii}}\ndecisions: [{name: a, model: small, when: {p: true}, cache: {mode: off}}]"),
    (ON + ", scope: shared}\nsignals: {u: {type: header, header: x-user}}\n" + decisions("{u: ann}"), "decisions[0].cache", "takes requests by u", ON + ", scope: credentials}\nsignals: {u: {type: header, header: x-user}}\n" + decisions("{u: ann}")),
    (ON + ", ignore: ['\\d{4}-\\d{2}']}", "semantic_cache.ignore[0]", "has no fixed word", ON + ", ignore: ['Today is \\d{4}-\\d{2}']}"),
]  # fmt: skip

REMOTE = "{connection: {host: milvus, auth: {enabled: true, token: '${PW}'}"
MILVUS_AND_LIMITS: list[Case] = [
    (MILVUS + REMOTE + "}}}", "semantic_cache.milvus.connection.auth", "in clear text: write tls.enabled", MILVUS + REMOTE + ", tls: {enabled: true}}}}"),
    (MILVUS + "{connection: {uri: 'http://milvus:19530', auth: {enabled: true, token: '${PW}'}}}}", "semantic_cache.milvus.connection.auth", "in clear",
     MILVUS + "{connection: {uri: 'http://127.0.0.1:19530', auth: {enabled: true, token: '${PW}'}}}}"),
    (MILVUS + "{connection: {auth: {token: '${PW}'}}}}", "semantic_cache.milvus.connection.auth", "auth.enabled is false", MILVUS + "{connection: {auth: {password: '${PW}'}}}}"),
    (MILVUS + "{connection: {tls: {ca_file: router.yaml}}}}", "semantic_cache.milvus.connection.tls", "tls.enabled is false", MILVUS + "{connection: {tls: {ca_file: ''}}}}"),
    (MILVUS + "{connection: {uri: ./c.db, host: milvus}}}", "semantic_cache.milvus.connection.host", "has no effect beside uri", MILVUS + "{connection: {uri: ./c.db, timeout: 3}}}"),
    (MILVUS + "{connection: {uri: 'http://milvus:1', tls: {enabled: true}}}}", "semantic_cache.milvus.connection.uri", "change one of them", MILVUS + "{connection: {uri: 'https://milvus:1', tls: {enabled: true}}}}"),
    (MILVUS + "{connection: {uri: ./c.db, auth: {enabled: true, token: '${PW}'}}}}", "semantic_cache.milvus.connection.auth", "Milvus Lite is a folder", MILVUS + "{connection: {uri: ./c.db}}}"),
    (MILVUS + "{collection: {consistency_level: Strong}}}", "semantic_cache.milvus.collection.consistency_level", "most would time out",
     "limits: {message_timeout_s: 1}\n" + MILVUS + "{collection: {consistency_level: Strong}}}"),
    ("limits: {signals_timeout_s: 0.005}\n" + HARD + decisions("{hard: true}"), "limits.signals_timeout_s", "long prompts will time out", "limits: {signals_timeout_s: 0.005}\n" + LANGUAGE + decisions("{lang: de}")),
    ("encoder: {max_tokens: 8192}\n" + "signals: {i: {type: intent, examples: {a: [b]}}}\n" + decisions("{i: a}"), "limits.signals_timeout_s", "encoder.max_tokens 8192", "encoder: {max_tokens: 512}\n" + "signals: {i: {type: intent, examples: {a: [b]}}}\n" + decisions("{i: a}")),
    ("limits: {cache_timeout_s: 0.002}\n" + ON + "}", "limits.cache_timeout_s", "will be missed", "limits: {cache_timeout_s: 0.002}"),
    ("limits: {drain_s: 0}", "limits.drain_s", "answers in progress", "limits: {drain_s: 5}"),
    ("envoy: {stream_idle_timeout_s: 1}", "envoy.stream_idle_timeout_s", "first byte takes longer", "envoy: {stream_idle_timeout_s: 30}"),
]  # fmt: skip

SHADOW = "shadow: {model: small}"
OWN = "decisions: [{name: a, model: large, shadow: {model: %s}}]"
EVALUATIONS: list[Case] = [
    (
        evaluated("shadow: {model: large}"),
        "shadow.model",
        "'large' is the only model that answers",
        evaluated(SHADOW),
    ),
    (
        evaluated(OWN % "large"),
        "decisions[0].shadow.model",
        "'large' is the only model that answers",
        evaluated(OWN % "small"),
    ),
    (evaluated(SHADOW, small=0, large=0), "shadow.model", "no model has a price", evaluated(SHADOW, small=0)),
    (evaluated(SHADOW, small=4), "shadow.model", "'small' is no cheaper", evaluated(SHADOW, small=3)),
    (
        evaluated(OWN % "small", small=5),
        "decisions[0].shadow.model",
        "'small' is no cheaper",
        evaluated(OWN % "small"),
    ),
    (
        evaluated(SHADOW).partition("envoy:")[0] + SHADOW,
        "shadow.model",
        "envoy.clusters.psmall.endpoints",
        evaluated(SHADOW),
    ),
    (
        evaluated(SHADOW[:-1] + ", judge: {model: small}}"),
        "shadow.judge.model",
        "'small' judges its own answers",
        evaluated(SHADOW[:-1] + ", judge: {model: large}}"),
    ),
    (
        evaluated(SHADOW[:-1] + ", judge: {model: large}}").partition("envoy:")[0]
        + SHADOW[:-1]
        + ", judge: {model: large}}",
        "shadow.judge.model",
        "every verdict fails; write envoy.clusters.plarge.endpoints",
        evaluated(SHADOW[:-1] + ", judge: {model: large}}"),
    ),
    (evaluated("shadow: {model: smal}"), "shadow.model", "no model named 'smal'", evaluated(SHADOW)),
]
EVERY = [
    *EVALUATIONS,
    *ADDRESSES,
    *SECRETS_AND_FILES,
    *UNREAD,
    *POOLS,
    *SIGNALS,
    *RULES,
    *CACHE,
    *MILVUS_AND_LIMITS,
]


@pytest.fixture(autouse=True)
def _open_folder(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)


@pytest.mark.parametrize(("text", "path", "words", "_neighbour"), EVERY)
def test_what_is_dangerous_or_useless_is_said(
    report: Examine, text: str, path: str, words: str, _neighbour: str
) -> None:
    said = report(text + "\n", PW="s3cret")
    found = [(each.path, each.problem) for each in (*said.errors, *said.warnings)]
    assert any(place == path and words in problem for place, problem in found), found


@pytest.mark.parametrize(("_text", "path", "words", "neighbour"), EVERY)
def test_its_harmless_neighbour_is_silent(
    report: Examine, _text: str, path: str, words: str, neighbour: str
) -> None:
    said = report(neighbour + "\n", PW="s3cret")
    assert not said.errors
    assert not [str(each) for each in said.warnings if each.path == path or words in each.problem]
