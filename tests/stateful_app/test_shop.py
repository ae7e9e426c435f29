"""The shop's contract, with sessions in the memory of the node."""

from __future__ import annotations

from tests.shared.session_contract import SessionContract
from tests.shared.shop_contract import ShopContract
from tests.shared.shop_pages_contract import ShopPagesContract


class TestMemoryShop(ShopContract):
    store = "memory"


class TestMemoryPages(ShopPagesContract):
    store = "memory"


class TestMemorySessions(SessionContract):
    store = "memory"
    outlives_logout = False
    has_ids = True
