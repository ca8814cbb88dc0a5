"""Model references of an old decision: which models may serve it, and how one is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from router_extproc.llm.answer import JsonValue
from router_extproc.migration.old_file import OldSection
from router_extproc.migration.vllm_sr.draft import Models
from router_extproc.migration.vllm_sr.supported import has_reasoning_effort

#: What the family gpt_oss is told when reasoning is on (routing/reasoning.py).
EFFORT: Final = "high"
_FIXED: Final = "the first model serves all of them"
#: Algorithms without counterpart: why, and the nearest thing.
ALGORITHMS: Final[Mapping[str, tuple[str, str]]] = {
    **dict.fromkeys(
        ("confidence", "ratings", "remom", "fusion", "workflows", "concurrent"),
        (
            f"a request is sent to one model, once; {_FIXED}",
            "rules by complexity, so that hard ones go to it",
        ),
    ),
    **dict.fromkeys(
        ("knn", "kmeans", "svm", "mlp", "router_dc", "hybrid", "elo", "rl_driven", "gmtrouter", "prompt"),
        (f"its learned choice cannot be read; {_FIXED}", "selection by learned, trained on your own table"),
    ),
    "automix": (f"answers are not verified and asked again; {_FIXED}", "selection by cheapest"),
    "multi_factor": (
        f"models are not scored by several factors; {_FIXED}",
        "selection by fastest or cheapest",
    ),
    "session_aware": (f"models are not scored by session; {_FIXED}", "sessions"),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One model that a decision refers to."""

    model: str
    #: An adapter of the model, served under its own name.
    lora: str | None
    weight: float | None
    reasoning: bool | None
    effort: str | None
    section: OldSection

    @property
    def name(self) -> str:
        """The model that we would name."""
        return self.lora or self.model


def read_candidates(decision: OldSection) -> list[Candidate]:
    """The references in the order written."""
    return [_read(section) for section in decision.sections("modelRefs")]


def _read(section: OldSection) -> Candidate:
    section.ignore("reasoning_description")
    return Candidate(
        section.required("model"),
        section.text("lora_name") or None,
        section.number("weight"),
        section.flag("use_reasoning"),
        section.text("reasoning_effort"),
        section,
    )


def candidate_keys(
    decision: OldSection, candidates: Sequence[Candidate], models: Models, default_model: str
) -> dict[str, JsonValue]:
    """`model` or `models`, `selection` and `reasoning` of our decision."""
    if not candidates:
        decision.section("algorithm").ignore_rest()
        return {"model": default_model}
    first, *others = candidates
    keys: dict[str, JsonValue] = {"model": first.name} if not others else _several(decision, candidates)
    if first.reasoning is not None and models.reasons(first.name):
        keys["reasoning"] = _reasoning(first, models)
    for other in others:
        if other.reasoning != first.reasoning and models.reasons(other.name):
            reason = f"all models of a decision reason or none; {first.name} decides"
            other.section.lose("use_reasoning", reason, "one decision for each")
    if not others:
        decision.section("algorithm").ignore_rest()
    return keys


def _several(decision: OldSection, candidates: Sequence[Candidate]) -> dict[str, JsonValue]:
    algorithm = decision.section("algorithm")
    kind = algorithm.text("type") or "static"
    names: list[JsonValue] = list(dict.fromkeys(candidate.name for candidate in candidates))
    if kind == "latency_aware":
        algorithm.ignore_rest()
        return {"models": names, "selection": {"by": "fastest"}}
    if kind != "static":
        algorithm.lose(
            "type", *ALGORITHMS.get(kind, (f"no selection here is like '{kind}'; {_FIXED}", "selection"))
        )
    algorithm.ignore_rest()
    return {"models": names, "selection": {"by": "fixed"}}


def _reasoning(candidate: Candidate, models: Models) -> JsonValue:
    """On or off, with the effort where the model's family is told one."""
    family = models.models[candidate.name].value.get("reasoning")
    if family != {"family": "gpt_oss"} or not candidate.reasoning or candidate.effort in (None, EFFORT):
        return candidate.reasoning
    if not has_reasoning_effort():
        reason = f"reasoning is on ({EFFORT}) or off (low)"
        candidate.section.lose("reasoning_effort", reason, "parameters.set of the decision")
        return True
    return {"on": True, "effort": candidate.effort}
