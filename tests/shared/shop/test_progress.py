"""Where an order is, by its age."""

from __future__ import annotations

import time

import pytest

from shared.shop.database import ShopOrder
from shared.shop.routes.orders import _stage


@pytest.mark.parametrize(
    ("age_s", "stage"),
    [(-5, "received"), (0.1, "received"), (3, "packed"), (8, "on its way"), (3600, "delivered")],
)
def test_stages(age_s: float, stage: str) -> None:
    order = ShopOrder("o", None, {}, 0, int((time.time() - age_s) * 1e6))
    assert _stage(order) == {"order": "o", "stage": stage}
