"""The error tree: an error's class decides what happens to the HTTP request.

Two modules raise the same class when the same thing must follow, wherever it occurred.

RouterError
├─ ConfigError(path, problem)            refuse to start; all problems are listed at once
├─ ProtocolError
│  ├─ LocalProtocolError                 our bug: the stream fails
│  └─ RemoteProtocolError                Envoy broke the contract: the stream closes, INVALID_ARGUMENT
├─ RequestError(status, code, message)   safe to show: an immediate response in the client's dialect
│  ├─ MalformedRequest 400
│  ├─ ContextTooLong 400
│  ├─ RequestBlocked 403, or as configured
│  ├─ RequestTooLarge 413
│  ├─ UnsupportedCoding 415
│  ├─ HeadersTooLarge 431
│  ├─ RouterUnavailable 503
│  └─ UnsupportedRequest 422
└─ StageError(stage)                     fail open: recorded, the request goes on without the stage
   ├─ StageTimeout
   ├─ ModelError
   └─ CacheError
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: After a 503: a stage that was late is in time again as soon as the rush is over.
RETRY_AFTER_S: Final = 1


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file; line and column from one on."""

    file: str
    line: int
    column: int


class RouterError(Exception):
    """Root of every error this package raises on purpose."""


class ConfigError(RouterError):
    """One problem of a configuration, or of the files it names; the process refuses to start."""

    def __init__(self, path: str, problem: str, *, mark: Mark | None = None) -> None:
        """`path` is the YAML path (`decisions[0].model`); `problem` says what is wrong, with a hint."""
        super().__init__(f"{path}: {problem}" if path else problem)
        self.path = path
        self.problem = problem
        #: Where it is written; None: not in a file, or not known.
        self.mark = mark

    def located(self) -> str:
        """The problem behind its file and line, as editors read it: `router.yaml:12: PATH: PROBLEM`."""
        return str(self) if self.mark is None else f"{self.mark.file}:{self.mark.line}: {self}"


class ConfigProblems(RouterError):
    """Every problem found in one configuration, in the order of the file."""

    def __init__(self, problems: tuple[ConfigError, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class ProtocolError(RouterError):
    """The ext_proc contract was broken."""


class LocalProtocolError(ProtocolError):
    """We were about to break the contract: a bug here."""


class RemoteProtocolError(ProtocolError):
    """Envoy sent what the contract does not allow in this state."""


class RequestError(RouterError):
    """The client's request cannot be served; the only error whose text reaches a client."""

    status: int = 400
    code: str | None = None

    def __init__(self, message: str, *, param: str | None = None) -> None:
        """`message` carries no internals and nothing the client wrote; `param` names the field."""
        super().__init__(message)
        self.message = message
        self.param = param


class MalformedRequest(RequestError):
    """The body is not what the dialect prescribes."""

    status = 400
    code = "invalid_request"


class RequestBlocked(RequestError):
    """A decision of the policy refuses the request, in its own words."""

    status = 403
    code = "request_blocked"

    def __init__(self, message: str, *, status: int = 403) -> None:
        """`message` and `status` are those of the configuration."""
        super().__init__(message)
        self.status = status


class ModelNotFound(RequestError):
    """The request names a model that no pool serves."""

    status = 404
    code = "model_not_found"


class RequestTooLarge(RequestError):
    """The body is over the limit."""

    status = 413
    code = "request_too_large"


class UnsupportedCoding(RequestError):
    """The body is compressed in a way that is not read."""

    status = 415
    code = "unsupported_content_encoding"

    def __init__(self, message: str, accepted: str) -> None:
        """accepted: what the client may use instead."""
        super().__init__(message, param="content-encoding")
        self.accepted = accepted


class HeadersTooLarge(RequestError):
    """More headers, or longer ones, than this gateway can pass on."""

    status = 431
    code = "request_headers_too_large"


class RouterUnavailable(RequestError):
    """What the request holds could not be read, and it may not pass unread."""

    status = 503
    code = "router_unavailable"


class PoolUnavailable(RequestError):
    """No pool begins to answer the request."""

    status = 503
    code = "pool_unavailable"


class UnsupportedRequest(RequestError):
    """Well-formed, but it asks for what this gateway cannot do."""

    status = 422
    code = "unsupported_request"


class ContextTooLong(RequestError):
    """The request does not fit into the window of any model for it."""

    status = 400
    code = "context_length_exceeded"


class CacheOnlyMiss(RequestError):
    """`only-if-cached` was asked and nothing stored fits (RFC 9111, section 5.2.1.7)."""

    status = 504
    code = "not_cached"


class StageError(RouterError):
    """A stage of the pipeline failed; the request continues without it."""

    def __init__(self, stage: str, reason: str = "") -> None:
        """`stage` is the metric label; `reason` is for operators and never reaches a client."""
        super().__init__(f"{stage}: {reason}" if reason else stage)
        self.stage = stage
        self.reason = reason


class StageTimeout(StageError):
    """The stage used up its budget."""


class ModelError(StageError):
    """An encoder, classifier or verifier could not answer."""


class CacheError(StageError):
    """The cache backend could not answer."""
