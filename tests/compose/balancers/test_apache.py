from __future__ import annotations

import pytest

from compose.balancers.apache import Apache
from tests.compose.balancers.contract import BalancerContract

pytestmark = pytest.mark.cluster


class TestApache(BalancerContract):
    balancer = Apache()
