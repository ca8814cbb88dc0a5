"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from router_extproc.testing.milvus_process import UNAVAILABLE, MilvusServer, is_available, running_milvus

# How long an example takes says more about the machine beside it than about the code.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")


@pytest.fixture(scope="session")
def milvus_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusServer]:
    """A real Milvus server for everybody, open to all; to be hurt by nobody."""
    need_milvus_server()
    with running_milvus(tmp_path_factory.mktemp("milvus")) as server:
        yield server


def need_milvus_server() -> None:
    """Leave out the test where no server is made for the machine."""
    if not is_available():
        pytest.skip(UNAVAILABLE)
