"""The way back of an answer that must be changed: values put back, secrets masked.

What cannot be read (a coding that the pool was asked not to use, another content type) passes with its
placeholders. Where secrets are to be masked it does not pass: nobody knows what it holds.
"""

from __future__ import annotations

from typing import Final

from router_extproc.dialects.base import AnswerRewriter, Dialect
from router_extproc.errors import RouterUnavailable
from router_extproc.pipeline.mutations import reject
from router_extproc.protocol.events import AnswerStarted
from router_extproc.protocol.messages import ImmediateResponse
from router_extproc.redaction.answer import rewriter_of
from router_extproc.redaction.request import Redacted

_UNREADABLE: Final = "The pool's answer cannot be read, so nothing in it can be masked."
_PLAIN: Final = frozenset({"", "identity"})


def begin_restoring(
    redacted: Redacted, dialect: Dialect, event: AnswerStarted
) -> AnswerRewriter | ImmediateResponse | None:
    """What changes this answer; None: it passes as it is. An immediate response: it must not pass."""
    if not redacted.rule.changes_answers or event.last:
        return None
    rewriter = None
    if (event.headers.get("content-encoding") or "").strip().lower() in _PLAIN:
        rewriter = rewriter_of(redacted, dialect, event.headers.get("content-type") or "")
    if rewriter is not None:
        return rewriter
    if not redacted.rule.mask:
        return None
    error = RouterUnavailable(_UNREADABLE)
    return reject(error, dialect.render_error(error))
