"""The shop's contract, with sessions in the memory of the node."""

from __future__ import annotations

from tests.shared.account_contract import AccountContract
from tests.shared.cures_contract import CuresContract
from tests.shared.progress_contract import ProgressContract
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


class TestMemoryCures(CuresContract):
    store = "memory"
    can_be_planted = True
    can_be_locked = True
    can_be_ended_elsewhere = True


class TestMemoryProgress(ProgressContract):
    store = "memory"


class TestMemoryAccount(AccountContract):
    store = "memory"
    can_list = True
    can_end = True
