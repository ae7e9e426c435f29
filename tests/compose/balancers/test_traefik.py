from __future__ import annotations

import pytest

from compose.balancers.traefik import Traefik
from tests.compose.balancers.contract import BalancerContract

pytestmark = pytest.mark.cluster


class TestTraefik(BalancerContract):
    balancer = Traefik()
