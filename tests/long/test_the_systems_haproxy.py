"""HAProxy where its package brings no program: the system's own holds the same contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from compose.balancers.haproxy import HAProxy
from shared.errors import EnvironmentNotReady
from tests.compose.balancers.contract import BalancerContract


class SystemsHAProxy(HAProxy):
    """As on a machine without a wheel."""

    def packaged(self) -> Path:
        """There is none."""
        raise ImportError("hidden")


def _lacking() -> str:
    try:
        return "" if not SystemsHAProxy().program().pinned else "it is not the system's"
    except EnvironmentNotReady as error:
        return str(error)


pytestmark = [pytest.mark.long, pytest.mark.cluster, pytest.mark.skipif(bool(_lacking()), reason=_lacking())]


class TestSystemsHAProxy(BalancerContract):
    balancer = SystemsHAProxy()
