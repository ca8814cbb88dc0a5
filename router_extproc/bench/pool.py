"""The pool behind both Envoys of a benchmark: it answers at once, in a process of its own.

`python -m router_extproc.bench.pool PORT LATENCY_S`. It is a stand-in: how fast a model is does not
matter to what the sidecar adds, so a benchmark's pool has no latency.
"""

from __future__ import annotations

import asyncio
import sys

from router_extproc.demo.pool import DemoPool

SERVED_NAME = "bench"


async def serve(port: int, latency_s: float) -> None:
    """Answer until the process is ended."""
    await DemoPool("bench", SERVED_NAME, latency_s=latency_s, word_s=0.0).start(port=port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
