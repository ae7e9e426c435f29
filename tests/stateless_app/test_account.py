"""The account's contract on every store of the stateless twin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from tests.shared.account_contract import ACCESS_S, AccountContract
from tests.shared.valkey import Valkey, valkey

__all__ = ["valkey"]


class TestTokenAccount(AccountContract):
    store = "token"
    can_list = False
    can_end = False


class TestRefreshInDatabaseAccount(AccountContract):
    store = "refresh-database"
    can_list = True
    can_end = True

    @pytest.fixture
    def store_settings(self) -> dict[str, Any]:
        return {"access_lifetime_s": ACCESS_S}


class OnValkey:
    @pytest.fixture
    def store_settings(self, valkey: Valkey) -> Iterator[dict[str, Any]]:
        yield {"redis_url": valkey.url, "access_lifetime_s": ACCESS_S}
        with Redis.from_url(valkey.url) as client:
            client.flushall()


@pytest.mark.cluster
class TestRedisAccount(OnValkey, AccountContract):
    store = "redis"
    can_list = True
    can_end = True


@pytest.mark.cluster
class TestDenylistAccount(OnValkey, AccountContract):
    store = "denylist"
    can_list = False
    can_end = True


@pytest.mark.cluster
class TestRefreshAccount(OnValkey, AccountContract):
    store = "refresh"
    can_list = True
    can_end = True
