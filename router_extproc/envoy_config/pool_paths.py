"""What paths of a pool's HTTP server do: those of its operator, and those that ask a model.

Source: vLLM's entrypoints/serve and entrypoints/openai.
"""

from __future__ import annotations

from typing import Final

#: What is administrative in vLLM's HTTP server, as the beginning of a path: `/reset_` is every such path.
#: Some are there in its development mode only (VLLM_SERVER_DEV_MODE=1), which people do switch on.
OPERATOR_PATHS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("they stop the pool for everybody", ("/sleep", "/wake_up", "/pause", "/resume", "/abort_request")),
    ("they add and remove adapters", ("/v1/load_lora_adapter", "/v1/unload_lora_adapter")),
    (
        "they replace the weights",
        (
            "/init_weight",
            "/start_weight",
            "/start_draft_weight",
            "/update_weight",
            "/finish_weight",
            "/shutdown_weight",
            "/weight_",
        ),
    ),
    ("they empty the prefix cache", ("/reset_", "/release_kv_cache")),
    ("they run any method in the pool's workers", ("/collective_rpc",)),
    ("they change how many processes serve", ("/scale_elastic_ep", "/fault_tolerance")),
    ("they write traces to the pool's disk", ("/start_profile", "/stop_profile")),
    (
        "they reveal how the pool is run, and other people's load",
        (
            "/metrics",
            "/server_info",
            "/load",
            "/tokenizer_info",
            "/get_world_size",
            "/kv_event_sources",
            "/is_sleeping",
            "/is_paused",
            "/is_scaling_elastic_ep",
        ),
    ),
    ("chat completions under another name, which no dialect reads", ("/invocations",)),
)

#: Found in a path: it asks a model, whatever its API. `/v1/responses/compact`, `/inference/v1/generate`, ...
#: By the names under which they are counted.
INFERENCE_WORDS: Final = {
    "completions": "/completions",
    "messages": "/messages",
    "responses": "/responses",
    "generate": "/generat",
    "embeddings": "/embeddings",
    "audio": "/audio/",
    "images": "/images/",
    "pooling": "/pooling",
    "classify": "/classify",
    "score": "/score",
    "rerank": "/rerank",
}
