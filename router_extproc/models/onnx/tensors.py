"""Names of the graphs' inputs and outputs, shared by what builds them and what runs them."""

from __future__ import annotations

INPUT_IDS = "input_ids"

VECTOR = "vector"

#: What the task layers add: float32[batch, dim], the mean of their token vectors.
TASK_VECTOR = "task_vector"

#: Input of the upper graph: float32[1, tokens, dim], token states after the shared layers.
STATES = "states"

#: Output: float32[1, tokens, tags]; the other one is TASK_VECTOR.
TAG_SCORES = "tag_scores"

#: Of the verifier's net. Output of the lower graph, float32[1, tokens, dim]: token states of one question.
HIDDEN = "hidden"

#: Inputs of the upper graph: such states of each question.
CACHED, ASKED = "cached", "asked"

#: Its output, float32[1].
LOGIT = "logit"
