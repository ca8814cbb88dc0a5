"""Gets a router ready for another policy while the one in force works on.

What is expensive (encoder, cache, verifier) is shared with it; what is new is opened beside the event loop.
Nothing changes for requests until `Application.swap`.
"""

from __future__ import annotations

import asyncio

from router_extproc.app.application import Application, CurrentRouter
from router_extproc.app.assemble import Router, assemble
from router_extproc.app.resources import reopened
from router_extproc.config.model import Config
from router_extproc.config.translate import router_policy_of


async def prepare(
    application: Application, config: Config, shadow: Config | None = None, *, version: int
) -> Router:
    """The router for this configuration, as the policy with this number.

    Raises:
        ConfigError: a model is missing, damaged or does not fit.
    """
    policy = router_policy_of(config, shadow).as_version(version)
    current = application.current.router
    resources = await asyncio.to_thread(reopened, current.resources, config, policy, current.policy.signals)
    return assemble(resources, policy, application.learned, application.surroundings)


def unserved(application: Application, router: Router) -> Application:
    """The application as it would be with this router, to be asked and not to be served."""
    return Application(application.learned, application.surroundings, CurrentRouter(router))
