"""The shop's contract, with sessions in signed tokens, with a list of revoked ones, and in Redis (a real server)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from tests.shared.cures_contract import CuresContract
from tests.shared.progress_contract import ProgressContract
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
    def store_settings(self, valkey: Valkey) -> Iterator[dict[str, Any]]:
        yield {"redis_url": valkey.url}
        with Redis.from_url(valkey.url) as client:
            client.flushall()  # users are the same in every test, and so are what is kept by user


class WithDenylist(OnValkey):
    store = "denylist"


@pytest.mark.cluster
class TestDenylistShop(WithDenylist, ShopContract):
    pass


@pytest.mark.cluster
class TestDenylistPages(WithDenylist, ShopPagesContract):
    pass


@pytest.mark.cluster
class TestDenylistSessions(WithDenylist, SessionContract):
    outlives_logout = False
    has_ids = False


class WithRefresh(OnValkey):
    store = "refresh"


@pytest.mark.cluster
class TestRefreshShop(WithRefresh, ShopContract):
    pass


@pytest.mark.cluster
class TestRefreshPages(WithRefresh, ShopPagesContract):
    pass


@pytest.mark.cluster
class TestRefreshSessions(WithRefresh, SessionContract):
    cookies = frozenset({"session", "session-refresh"})
    outlives_logout = True
    has_ids = False


@pytest.mark.cluster
class TestRefreshCures(WithRefresh, CuresContract):
    can_be_planted = False
    can_be_locked = False
    can_be_ended_elsewhere = False


class TestRefreshInDatabaseShop(ShopContract):
    store = "refresh-database"


class TestRefreshInDatabaseSessions(SessionContract):
    store = "refresh-database"
    cookies = frozenset({"session", "session-refresh"})
    outlives_logout = True
    has_ids = False


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


class TestTokenCures(CuresContract):
    store = "token"
    can_be_planted = False
    can_be_locked = False
    can_be_ended_elsewhere = False


@pytest.mark.cluster
class TestDenylistCures(WithDenylist, CuresContract):
    can_be_planted = False
    can_be_locked = False
    can_be_ended_elsewhere = True


@pytest.mark.cluster
class TestRedisCures(OnValkey, CuresContract):
    can_be_planted = True
    can_be_locked = True
    can_be_ended_elsewhere = True


class TestTokenProgress(ProgressContract):
    store = "token"


@pytest.mark.cluster
class TestDenylistProgress(WithDenylist, ProgressContract):
    pass


@pytest.mark.cluster
class TestRedisProgress(OnValkey, ProgressContract):
    pass
