"""Whom the sidecar trusts when it asks a TLS pool itself."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme
from structlog.testing import capture_logs

from router_extproc.config.envoy import SYSTEM_AUTHORITIES, EnvoyCluster
from router_extproc.process.pool_tls import AuthoritiesUnreadable, PoolTls


async def test_authorities_that_cannot_be_read_are_logged_once_and_so_is_their_return(tmp_path: Path) -> None:
    ca_file = tmp_path / "authorities.pem"
    tls, pool = PoolTls("probes"), EnvoyCluster(endpoints=("a:1",), tls=True, ca_file=str(ca_file))
    with capture_logs() as lines:
        for _ in range(2):
            with pytest.raises(AuthoritiesUnreadable, match="No such file"):
                await tls.of(pool)
        trustme.CA().cert_pem.write_to_path(str(ca_file))
        for _ in range(2):
            await tls.of(pool)
    assert [line["event"] for line in lines] == ["pool not asked", "pool asked again"]


async def test_the_default_is_what_the_system_trusts_wherever_that_is_kept(tmp_path: Path) -> None:
    """Other systems than Debian keep it elsewhere."""
    assert EnvoyCluster(endpoints=("a:1",)).ca_file == SYSTEM_AUTHORITIES
    absent = str(tmp_path / "absent")
    pool = EnvoyCluster(endpoints=("a:1",), tls=True, ca_file=absent)
    assert await PoolTls("probes", system_file=absent).of(pool)


async def test_a_pool_without_tls_needs_no_authorities(tmp_path: Path) -> None:
    pool = EnvoyCluster(endpoints=("a:1",), ca_file=str(tmp_path / "absent"))
    assert await PoolTls("probes").of(pool) is True
