"""What the keeper knows when its worker stops is kept."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter

from router_extproc.config.model import Config
from router_extproc.pipeline.caching.savings import EntryWorth, Savings, SavingsBatch, Worth
from router_extproc.process.addresses import WorkerAddress
from router_extproc.process.open_sharing import keeping
from router_extproc.process.shared_ledger import SharedLedger

HIT = EntryWorth("ab", "small", "maths", Worth(1, 0, 10, 5, 0.25))


async def test_the_last_state_is_written_when_the_worker_stops(tmp_path: Path) -> None:
    """Long before the next write was due."""
    config = Config.model_validate(
        {
            "version": 1,
            "default_model": "small",
            "models": {"small": {"cluster": "vllm_small"}},
            "state_dir": str(tmp_path / "state"),
        }
    )
    savings, again = Savings(), Savings()
    before, after = (
        SharedLedger("savings", each, TypeAdapter(SavingsBatch), keeper=True) for each in (savings, again)
    )
    async with keeping([before], config, WorkerAddress()):
        savings.add(HIT)
    async with keeping([after], config, WorkerAddress()):
        assert again.batch() == savings.batch() != SavingsBatch()
