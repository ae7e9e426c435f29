from __future__ import annotations

import pytest

from compose.balancers.haproxy import HAProxy
from tests.compose.balancers.contract import BalancerContract

pytestmark = pytest.mark.cluster


class TestHAProxy(BalancerContract):
    balancer = HAProxy()
