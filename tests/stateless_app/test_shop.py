"""The shop's contract, with sessions in signed tokens and in Redis (a real server)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.shared.session_contract import SessionContract
from tests.shared.shop_contract import ShopContract
from tests.shared.shop_pages_contract import ShopPagesContract
from tests.shared.valkey import Valkey, valkey

__all__ = ["valkey"]


class TestTokenShop(ShopContract):
    store = "token"


class TestTokenPages(ShopPagesContract):
    store = "token"


class TestTokenSessions(SessionContract):
    store = "token"
    outlives_logout = True
    has_ids = False


class OnValkey:
    store = "redis"

    @pytest.fixture
    def store_settings(self, valkey: Valkey) -> dict[str, Any]:
        return {"redis_url": valkey.url}


@pytest.mark.cluster
class TestRedisShop(OnValkey, ShopContract):
    pass


@pytest.mark.cluster
class TestRedisPages(OnValkey, ShopPagesContract):
    pass


@pytest.mark.cluster
class TestRedisSessions(OnValkey, SessionContract):
    outlives_logout = False
    has_ids = True
