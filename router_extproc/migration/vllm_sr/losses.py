"""Why keys of the old file that no reader asks for are not carried over, and the nearest thing here."""

from __future__ import annotations

from typing import Final

from router_extproc.migration.old_file import Loss, Losses

_CLASSIFIER: Final = Loss("the models that read prompts come with this package", "router-extproc models list")
_HISTORY: Final = Loss("tools of a request are passed on as they are", severity="behaviour")
_TRACING: Final = Loss("spans are not exported", "the log line of each request, and its metrics")
_EFFORT: Final = Loss("reasoning is on or off", "decisions[].reasoning")
_LEARNING: Final = Loss("routing does not change by what it sees", "router-extproc train", "behaviour")
_API: Final = Loss("the old router's own HTTP interface", "router-extproc explain, and the admin port")

#: The first pattern that fits counts; indexes of lists are left out.
LOSSES: Final[Losses] = {
    "bert_model*": _CLASSIFIER,
    "embedding_models*": _CLASSIFIER,
    "classifier*": _CLASSIFIER,
    "prompt_guard*": Loss("the guard comes with this package", "signal guard"),
    "mom_registry*": _CLASSIFIER,
    "*_mapping_path": _CLASSIFIER,
    "tools*": _HISTORY,
    "api*": _API,
    "response_api*": Loss("the Responses API is not answered from a store", "", "behaviour"),
    "observability.tracing*": _TRACING,
    "observability.metrics*": Loss("metrics are always there", "http://127.0.0.1:9190/metrics"),
    "observability*": _TRACING,
    "hallucination_mitigation*": Loss("answers are not checked against facts", "", "behaviour"),
    "model_config*.pricing*": Loss("prices are of input and output tokens", "models.*.cost"),
    "clear_route_cache": Loss("the route cache is always cleared when a cluster is chosen"),
    "default_reasoning_effort": _EFFORT,
    "providers.defaults.default_reasoning_effort": _EFFORT,
    "providers.defaults.reliability*": Loss(
        "pools have defaults of their own", "envoy.clusters.*.health, retries"
    ),
    "providers.models.api_format": Loss(
        "requests are not translated from one API to another",
        "a pool that speaks the API of the client",
        "behaviour",
    ),
    "providers.models*": Loss("not a property that a model has here", "models"),
    "strategy": Loss("the first decision that holds is taken, by priority", "priority", "behaviour"),
    "*.strategy": Loss("the first decision that holds is taken, by priority", "priority", "behaviour"),
    "*modelCards*": Loss("models are described by their pools and prices", "models"),
    "*projections*": Loss(
        "signals are not combined into scores", "all, any, not, min and max in `when`", "behaviour"
    ),
    "*decisions.algorithm*": Loss("a setting of the old selection", "selection"),
    "*decisions.adaptations*": _LEARNING,
    "*decisions.emits*": Loss("decisions have no further effects", "cache of the decision"),
    "*decisions.candidateIterations*": Loss("a notation of the old file", "models of the decision"),
    "*decisions.output_contract*": Loss("nothing is asked of an answer", "system_prompt", "behaviour"),
    "*decisions.annotations*": Loss("a note of the old file", "tags"),
    "*plugins.configuration*": Loss("a setting of the old plugin"),
    "entrypoints*": Loss("one file is one policy", "a sidecar for each", "behaviour"),
    "recipes*": Loss("one file is one policy", "a sidecar for each", "behaviour"),
    "global.model_catalog*": _CLASSIFIER,
    "global.router.streamed_body*": Loss("bodies are always read whole", "limits.max_body_bytes"),
    "global.router.learning*": _LEARNING,
    "global.router.model_selection*": Loss("each decision has its own selection", "selection"),
    "global.router.skip_processing*": Loss(
        "no client can switch the router off", "a request for a model by name"
    ),
    "global.router*": Loss("a setting of the old router"),
    "global.services.observability*": _TRACING,
    "global.services.ratelimit*": Loss(
        "requests are not counted", "the rate limit filter of your Envoy", "behaviour"
    ),
    "global.services.authz*": Loss("who asks is told by your gateway", "envoy.strip_headers", "behaviour"),
    "global.services.response_api*": Loss("the Responses API is not answered from a store", "", "behaviour"),
    "global.services*": _API,
    "global.stores.memory*": Loss("nothing is remembered of a user", "", "behaviour"),
    "global.stores.vector_store*": Loss("nothing is put into a prompt", "", "behaviour"),
    "global.integrations.tools*": _HISTORY,
    "global.integrations.looper*": Loss("a request is sent to one model, once", "", "behaviour"),
    "model_config*.pii_policy*": Loss(
        "personal data is refused by decisions", "signal pii, action block", "behaviour"
    ),
    "*.yaml.*": Loss("set by the server or by defaults", "semantic_cache.milvus"),
    "*semantic_cache.milvus*": Loss("set by the server or by defaults", "semantic_cache.milvus"),
    "*response_cache.milvus*": Loss("set by the server or by defaults", "semantic_cache.milvus"),
    "*listeners.timeout": Loss("requests end when answers pause for too long", "envoy.stream_idle_timeout_s"),
    "listeners*": Loss("Envoy has one listener here", "envoy.listen"),
}
