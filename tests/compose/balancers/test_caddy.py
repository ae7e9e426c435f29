from __future__ import annotations

import pytest

from compose.balancers.caddy import Caddy
from tests.compose.balancers.contract import BalancerContract

pytestmark = pytest.mark.cluster


class TestCaddy(BalancerContract):
    balancer = Caddy()
