from __future__ import annotations

import pytest

from compose.balancers.apache import Apache
from tests.compose.balancers.contract import BalancerContract

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(90)]


class TestApache(BalancerContract):
    balancer = Apache()
