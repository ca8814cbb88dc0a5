"""A stand-in pool in a process of its own, so that it may be killed, stopped and started again.

`python -m router_extproc.demo.pool_process NAME SERVED_NAME PORT LATENCY_S WORD_S` serves on loopback
until it is told to end. From SIGUSR1 to SIGUSR2, no answer is given or goes on.
"""

from __future__ import annotations

import asyncio
import signal
import sys

from router_extproc.demo.pool import DemoPool


async def main(name: str, served_name: str, port: int, latency_s: float, word_s: float) -> None:
    """Serve until the process is ended."""
    pool = DemoPool(name, served_name, latency_s=latency_s, word_s=word_s)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, pool.may_answer.clear)
    loop.add_signal_handler(signal.SIGUSR2, pool.may_answer.set)
    await pool.start(port=port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5])))
