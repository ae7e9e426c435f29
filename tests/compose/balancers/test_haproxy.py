from __future__ import annotations

import pytest

from compose.balancers.haproxy import HAProxy
from tests.compose.balancers.contract import BalancerContract

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(90)]


class TestHAProxy(BalancerContract):
    balancer = HAProxy()
