"""The guard signal: somebody tries to undo a model's rules or to take over its instructions.

What people write (`ask`, `history`) is read by one head, what tools returned (`tools`) by another: there, any
instruction to the model is an injection. The reading is of the worst part. The score is the chance of any of
the chosen kinds; below `min_score` there is no label. Requests for harmful content are a kind of their own,
off by default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal, TypeAlias

from pydantic import Field

from router_extproc.errors import ConfigError
from router_extproc.models.base import Classifier, Classifiers, Encoding
from router_extproc.signals.base import EncodeText, Part, Reading, SignalSettings, Subject
from router_extproc.signals.parts.documents import DocumentReader
from router_extproc.signals.parts.known import KnownTexts
from router_extproc.signals.parts.reader import (
    TOKENS_MAX,
    PartFound,
    PartsReader,
    Scores,
    TextReader,
)
from router_extproc.signals.parts.settings import parts_problems
from router_extproc.signals.parts.windows import WindowReader

#: The shipped heads: of prompts, and of tool results.
HEAD: Final = "guard"
TOOLS_HEAD: Final = "indirect"
BENIGN: Final = "benign"
#: What an instruction in a tool result is.
INJECTION: Final = "injection"
#: What is looked for by default.
ATTACKS: Final = ("jailbreak", INJECTION)
#: The score that 1 % of benign prompts, most of them hard ones, are above (see the heads' cards).
SCORE_MIN: Final = 0.83
#: Tokens for the last user message where only the ask is read, and the ask is not all of it.
MESSAGE_TOKENS: Final = 256

Kind: TypeAlias = Literal["jailbreak", "injection", "harmful_request"]


class GuardSettings(SignalSettings):
    """The kind of attack that the request holds."""

    type: Literal["guard"]
    #: Which attacks count.
    kinds: tuple[Kind, ...] = Field(default=ATTACKS, min_length=1)
    #: Below it the reading has no label.
    min_score: float = Field(default=SCORE_MIN, ge=0, le=1)
    #: Which parts of the request are read: what a human asked last, the turns before it, what tools returned.
    parts: tuple[Part, ...] = Field(default=("ask",), min_length=1)
    #: Tokens that the encoder reads of a request beside the first window of its ask. None: 1024, and nothing
    #: but that window where `parts` is only the ask.
    max_tokens: int | None = Field(default=None, ge=0)

    @property
    def needs_encoder(self) -> bool:
        """See SignalSettings."""
        return True

    def problems(self, path: str) -> Iterator[ConfigError]:
        """See SignalSettings."""
        yield from parts_problems(self.parts, path)
        if "tools" in self.parts and INJECTION not in self.kinds:
            problem = f"tool results are read for the kind '{INJECTION}', which {path}.kinds does not name"
            yield ConfigError(f"{path}.parts", problem)

    @property
    def ranks_labels(self) -> bool:
        """See SignalSettings."""
        return True

    def labels(self) -> Sequence[str]:
        """See SignalSettings; in a tool result, any attack is an injection."""
        return (INJECTION,) if set(self.parts) == {"tools"} else self.kinds

    def open(self, name: str, classifiers: Classifiers) -> GuardSignal:
        """See SignalSettings."""
        where = f"signals.{name}"
        known: KnownTexts[Scores] = KnownTexts()
        prompts = PromptScores(classifiers.trained(HEAD, where=where), self.kinds)
        windows = WindowReader("prompt", prompts.of_window, prompts.worse, known, tasks=prompts.reads_tasks)
        readers: dict[Part, TextReader] = {part: windows for part in self.parts if part != "tools"}
        if "tools" in self.parts:
            head, screen = (
                classifiers.trained(TOOLS_HEAD, where=where),
                classifiers.screen(TOOLS_HEAD, where=where),
            )
            readers["tools"] = DocumentReader(head, screen, INJECTION, known)
        reads_rest = self.max_tokens is not None or self.parts != ("ask",)
        tokens = self.max_tokens if self.max_tokens is not None else TOKENS_MAX
        reader = PartsReader(readers, known, tokens_max=tokens if reads_rest else MESSAGE_TOKENS)
        return GuardSignal(name, self, prompts, reader, reads_rest=reads_rest)


class PromptScores:
    """What the head of prompts says of one encoding."""

    def __init__(self, classifier: Classifier, kinds: Sequence[str]) -> None:
        self.reads_tasks: Final = classifier.reads_tasks
        self._classifier: Final = classifier
        self._kinds: Final = tuple(kinds)

    def of(self, encoding: Encoding | None) -> Scores:
        """The scores; none of a text that the encoder cannot read."""
        return self._classifier.scores(encoding) if encoding is not None and encoding.is_readable else {}

    def of_window(self, window: str, encoding: Encoding) -> Scores:
        """The scores of a window."""
        del window
        return self.of(encoding)

    def attack(self, scores: Scores) -> tuple[str, float]:
        """See attack_of; a text without scores is no attack."""
        known = {kind: scores.get(kind, 0.0) for kind in self._kinds}
        return attack_of(known, self._kinds)

    def worse(self, one: Scores, other: Scores) -> Scores:
        """Those that speak more for an attack."""
        return max(one, other, key=lambda scores: self.attack(scores)[1])


class GuardSignal:
    """Fits signals.base.PartsSignal."""

    def __init__(
        self,
        name: str,
        settings: GuardSettings,
        prompts: PromptScores,
        reader: PartsReader,
        *,
        reads_rest: bool,
    ) -> None:
        """`reads_rest`: what the ask's first window did not hold is read, too."""
        self.name = name
        self.needs_encoding = "ask" in settings.parts
        self.needs_tasks = self.needs_encoding and prompts.reads_tasks
        self._score_min: Final = settings.min_score
        self._names_part: Final = settings.parts != ("ask",)
        self._prompts: Final = prompts
        self._reader: Final = reader
        self._reads_rest: Final = reads_rest

    def read(self, subject: Subject) -> Reading:
        """See signals.base.Signal: of the ask's first window."""
        return self._reading(self._of_the_ask(subject))

    def read_parts(self, subject: Subject, encode: EncodeText) -> Reading:
        """See signals.base.PartsSignal: of the worst part."""
        read = self._reader.read(subject, encode, without=("ask",) if self._is_ask_read(subject) else ())
        found = [*self._of_the_ask(subject), *read.found]
        return self._reading(found, left_chars=read.left_chars, late=read.late)

    def _of_the_ask(self, subject: Subject) -> list[PartFound]:
        scores = self._prompts.of(subject.encoding) if self.needs_encoding else {}
        return [PartFound("ask", scores)] if scores else []

    def _is_ask_read(self, subject: Subject) -> bool:
        """True when the one encoding that all signals share is of everything the user wrote last."""
        if subject.encoding is None or subject.request.prompt not in subject.ask.topic:
            return False
        return not (subject.encoding.truncated and self._reads_rest)

    def _reading(self, found: Sequence[PartFound], *, left_chars: int = 0, late: bool = False) -> Reading:
        worst = max(found, key=lambda each: self._prompts.attack(each.scores)[1], default=None)
        if worst is None or not worst.scores:
            return Reading(self.name, None, 0.0, left_chars=left_chars, late=late)
        label, score = self._prompts.attack(worst.scores)
        named = label if score >= self._score_min else None
        part = worst.part if self._names_part else None
        return Reading(self.name, named, score, worst.scores, part, left_chars=left_chars, late=late)


def attack_of(scores: Mapping[str, float], kinds: Sequence[str]) -> tuple[str, float]:
    """The likeliest of the kinds, and the chance of any of them."""
    likeliest = max(kinds, key=scores.__getitem__)
    return likeliest, min(1.0, sum(scores[kind] for kind in kinds))
