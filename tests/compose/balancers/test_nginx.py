from __future__ import annotations

import pytest

from compose.balancers.nginx import Nginx
from tests.compose.balancers.contract import BalancerContract

pytestmark = pytest.mark.cluster


class TestNginx(BalancerContract):
    balancer = Nginx()
