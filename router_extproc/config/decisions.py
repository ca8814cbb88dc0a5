"""The `decisions` of the configuration: rules, candidates, and what is done with a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias, Union

from pydantic import Field, JsonValue

from router_extproc.cache.ignore import PATTERNS_MAX
from router_extproc.config.request_changes import (
    HEADERS_MAX,
    TEXT_CHARS_MAX,
    Parameters,
    Reasoning,
    SystemPrompt,
)
from router_extproc.config.shadow_evaluation import ShadowEvaluation
from router_extproc.routing.selection import SELECTIONS
from router_extproc.routing.selection.base import SelectionSettings
from router_extproc.routing.selection.fixed import FixedSettings
from router_extproc.section import Section

#: Models of one decision.
CANDIDATES_MAX: Final = 64

if TYPE_CHECKING:
    SelectionSection: TypeAlias = SelectionSettings
else:
    # Built from the registry, so that a new selection is known here without a word about it. A union of
    # one is that one, which has no discriminator.
    _ANY = Union[tuple(SELECTIONS.values())]  # noqa: UP007
    SelectionSection = Annotated[_ANY, Field(discriminator="by")] if len(SELECTIONS) > 1 else _ANY


class Range(Section):
    """A score inside inclusive bounds: the reading's, or (with `any`) that of one of these labels."""

    min: float | None = Field(default=None, ge=0, le=1)
    max: float | None = Field(default=None, ge=0, le=1)
    any: tuple[str, ...] | None = None


#: true/false: the signal has a label or not; a label, or one of several; or a Range.
Test: TypeAlias = bool | str | tuple[str, ...] | Range


class ScopeFields(Section):
    """Requests share answers when all of these are equal."""

    #: Names of request headers, in any case. None: the usual credentials.
    headers: tuple[str, ...] | None = None
    #: Members of the request's body, with dots on the way inwards: user, metadata.user_id.
    body: tuple[str, ...] = Field(default=(), max_length=16)
    #: What has none of these shares nothing ("nobody"), or shares with others that have none ("shared").
    anonymous: Literal["nobody", "shared"] = "nobody"


#: Who may share answers: whoever sends the same credentials, these values, or everybody.
Scope: TypeAlias = ScopeFields | Literal["credentials", "shared"]


class DecisionCache(Section):
    """What the cache does for requests of one decision; unset fields follow `semantic_cache`."""

    #: Cache nothing, exact matches only, or semantic matches, too. None: semantic.
    mode: Literal["off", "exact", "semantic"] | None = None
    #: Cosine below which a neighbour is not verified.
    similarity_min: float | None = Field(default=None, ge=0, le=1)
    #: Seconds until an answer expires.
    ttl_s: float | None = Field(default=None, gt=0)
    #: Whether answers with tool calls are stored.
    store_tool_calls: bool | None = None
    #: Who may share the answers of this decision.
    scope: Scope | None = None
    #: Share of semantic hits that are sent to the pool anyway, to compare the answers.
    shadow_rate: float | None = Field(default=None, ge=0, le=1)
    #: Upper bound for the share of false hits.
    max_false_hit_rate: float | None = Field(default=None, gt=0, lt=1)
    #: Whether a hit takes as long as a miss.
    hide_timing: bool | None = None
    #: Whether a question after earlier turns is matched semantically, or exactly only.
    multi_turn: Literal["digest", "exact"] | None = None
    #: Patterns of what is left out of system prompts when requests are compared.
    ignore: tuple[str, ...] | None = Field(default=None, max_length=PATTERNS_MAX)


class BlockAction(Section):
    """Refuse the request with the error object of its API."""

    #: What the client reads.
    message: str = Field(default="This request was refused.", min_length=1, max_length=TEXT_CHARS_MAX)
    #: HTTP status of the refusal.
    status: int = Field(default=403, ge=400, le=499)


class RedactAction(Section):
    """Replace personal facts by placeholders before the request leaves."""

    #: Kinds of facts, as signals of type pii name them.
    kinds: tuple[str, ...]
    #: Whether placeholders in the answer become what they stand for; needs `envoy.profile: inline`.
    restore: bool = True


class Action(Section):
    """What is done with a request beside sending it to a model."""

    #: Refuse it.
    block: BlockAction | None = None
    #: Answer it with this text, as a model would; no pool is asked.
    answer: str | None = Field(default=None, min_length=1, max_length=TEXT_CHARS_MAX)

    #: Replace facts of these kinds by placeholders on the way to the pool, and put them back in its answer.
    redact: tuple[str, ...] | RedactAction | None = None
    #: Kinds of secrets that answers show as ***, unless the request has them; needs `envoy.profile: inline`.
    mask: tuple[str, ...] = ()

    @property
    def redaction(self) -> RedactAction | None:
        """What is replaced, in the long form; None: nothing."""
        return RedactAction(kinds=self.redact) if isinstance(self.redact, tuple) else self.redact

    @property
    def changes_texts(self) -> bool:
        """Whether requests or answers have something replaced; then nothing of them is cached."""
        return self.redact is not None or bool(self.mask)

    @property
    def is_local(self) -> bool:
        """Whether no pool is asked."""
        return self.block is not None or self.answer is not None


class CandidateModel(Section):
    """One of several models of a decision."""

    #: A key in `models`.
    model: str
    #: How often it is taken beside the others.
    weight: float = Field(default=1.0, gt=0)


class Decision(Section):
    """If `when` holds, one of its models answers, or the router. The first by priority, then as written."""

    #: Shown in headers, metrics and explanations.
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    #: The highest is tried first; among equals, the first in the file.
    priority: int = 0
    #: {all: [...]}, {any: [...]}, {not: ...} or {signal: test}; read by routing.rules. None: always.
    when: JsonValue = None
    #: A key in `models`. None: `models` has several, or `action` asks none.
    model: str | None = None
    #: Several candidates, of which `selection` takes one: keys in `models`, or {model: NAME, weight: N}.
    models: tuple[str | CandidateModel, ...] = Field(default=(), max_length=CANDIDATES_MAX)
    #: How one of several candidates is chosen.
    selection: SelectionSection = FixedSettings()
    #: false: its requests go to no other model than the selected one, whatever that one's pool says.
    failover: bool = True
    #: What happens when a signal in `when` could not be read: as if it had found nothing ("pass"), or
    #: requests that this decision might have taken are refused ("deny").
    unread: Literal["pass", "deny"] = "pass"
    #: Whether requests that name a real model are taken, too; they keep it. None: only where the
    #: decision blocks, redacts or masks.
    pinned: bool | None = None
    #: Text beside the client's system prompt, or in its place.
    system_prompt: SystemPrompt | None = None
    #: Members of the body that are set, filled in, capped or taken out.
    parameters: Parameters | None = None
    #: None leaves the body unchanged.
    reasoning: Reasoning | None = None
    #: To the pool; a client's header of the name is overwritten.
    headers: dict[str, str] = Field(default_factory=dict, max_length=HEADERS_MAX)
    #: Refuse requests, or answer them here.
    action: Action | None = None
    cache: DecisionCache = DecisionCache()
    #: A sample of its requests is asked of another model, too; false: none is. None: as `shadow` says.
    shadow: ShadowEvaluation | Literal[False] | None = None
    #: Stored with answers, to purge by.
    tags: tuple[str, ...] = ()

    @property
    def takes_pinned(self) -> bool:
        """Whether it takes requests that name a real model: naming one is no way around a protection."""
        if self.pinned is not None:
            return self.pinned
        action = self.action
        return action is not None and (action.block is not None or action.changes_texts)

    @property
    def candidates(self) -> tuple[CandidateModel, ...]:
        """Its models, in either form."""
        named = (*((self.model,) if self.model is not None else ()), *self.models)
        return tuple(CandidateModel(model=each) if isinstance(each, str) else each for each in named)
