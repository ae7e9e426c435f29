"""A node's settings: read strictly, and never shown where they are secret."""

from __future__ import annotations

import typing

import pytest

from compose.applications.contract import NodeSetup
from compose.applications.twins import FROM_LIMITS, Twins
from compose.architectures import ARCHITECTURES, Store
from compose.cluster import ClusterSpec, Limits, PublicListener
from compose.supervision.ports import Listen
from shared.errors import UsageError
from shared.shop.settings import Settings

NEEDED = {"TWINSHOP_DATABASE_URL": "sqlite:///x", "TWINSHOP_SECRET_KEY": "a secret key"}


def read(**variables: str) -> Settings:
    return Settings.from_environment({**NEEDED, **{f"TWINSHOP_{name}": text for name, text in variables.items()}})


def test_the_defaults_are_those_of_a_cluster() -> None:
    settings, limits = read(), Limits()
    for name in FROM_LIMITS:
        assert getattr(settings, name) == getattr(limits, name), name
    assert (settings.store, settings.fallback_key, settings.sentinel, settings.replica_peers) == ("", "", "", "")
    assert (settings.cookie_name, settings.request_log, settings.control_token) == ("session", "", "")
    assert settings.shop_title == PublicListener("127.0.0.1", 8001, ()).title == ""


def test_each_variable_is_read() -> None:
    settings = read(
        NODE="n3", STORE="redis", SESSION_CAP="500", STORE_TIMEOUT_S="0.25", SESSION_REFRESH_EACH_REQUEST="1"
    )
    assert (settings.node, settings.store, settings.session_cap) == ("n3", "redis", 500)
    assert (settings.store_timeout_s, settings.session_refresh_each_request) == (0.25, True)


def test_what_a_cluster_hands_over_is_read_back() -> None:
    changed = {
        **{name: not getattr(Limits(), name) for name in FROM_LIMITS if getattr(Limits(), name) in (True, False)},
        "node_workers": 3, "slow_page_ms": 7, "clock_leeway_s": 5, "rate_limit": "5 per second",
        "rate_limit_counters": "store", "session_cap": 9, "store_timeout_s": 0.5,
    }  # fmt: skip
    spec = ClusterSpec(
        "0a1b2c3d", ARCHITECTURES["redis-replica"], limits=Limits(**changed),  # type: ignore[arg-type]
        public=PublicListener("127.0.0.1", 8001, (), "left shop"),
    )  # fmt: skip
    setup = NodeSetup(
        "n2",
        Listen("127.0.0.1", 8101),
        database_url="sqlite:///x",
        secret_key="a secret key",
        control_token="t",
        request_log="/l",
        store_url="redis://127.0.0.1:1/0",
        fallback_key="an older key",
        sentinel="127.0.0.1:26379",
        replica_self="127.0.0.1:7001",
        replica_peers="127.0.0.1:7002,127.0.0.1:7003",
    )
    environment = Twins().environment(spec, setup)
    settings = Settings.from_environment(environment)
    assert {name: getattr(settings, name) for name in changed} == changed
    assert (settings.fallback_key, settings.sentinel) == ("an older key", "127.0.0.1:26379")
    assert (settings.replica_self, settings.replica_peers) == ("127.0.0.1:7001", "127.0.0.1:7002,127.0.0.1:7003")
    assert (settings.redis_url, settings.shop_title) == ("redis://127.0.0.1:1/0", "left shop")


@pytest.mark.parametrize("store", sorted({*typing.get_args(Store)} - {"shared", "unknown"}))
def test_every_store_of_an_architecture_can_be_named(store: str) -> None:
    assert read(STORE=store).store == store


def test_a_limiter_cannot_count_in_a_store_that_is_not_there() -> None:
    assert read(STORE="redis", RATE_LIMIT="5 per second", RATE_LIMIT_COUNTERS="store").rate_limit == "5 per second"
    with pytest.raises(UsageError, match="TWINSHOP_RATE_LIMIT_COUNTERS"):
        read(STORE="token", RATE_LIMIT="5 per second", RATE_LIMIT_COUNTERS="store")


@pytest.mark.parametrize("missing", NEEDED)
def test_a_missing_one_is_named(missing: str) -> None:
    with pytest.raises(UsageError, match=missing):
        Settings.from_environment({name: text for name, text in NEEDED.items() if name != missing})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SESSION_CAP", "many"),
        ("SESSION_CAP", "1"),
        ("SESSION_CAP", "1.5"),
        ("SESSION_LIFETIME_S", "0"),
        ("SESSION_REFRESH_EACH_REQUEST", "yes"),
        ("STORE", "disk"),
        ("STORE_TIMEOUT_S", "0"),
        ("STORE_TIMEOUT_S", "nan"),
        ("STORE_TIMEOUT_S", "soon"),
        ("STORE_RETRIES", "-1"),
        ("PASSWORD_COST", "1000"),
        ("PASSWORD_COST", "64"),
        ("NODE_THREADS", "0"),
        ("NODE_WORKERS", "0"),
        ("FALLBACK_KEY", "short"),
        ("SENTINEL", "127.0.0.1"),
        ("CLOCK_LEEWAY_S", "-1"),
        ("RATE_LIMIT", "often"),
        ("RATE_LIMIT_COUNTERS", "elsewhere"),
        ("SLOW_PAGE_MS", "-1"),
        ("CART_LOCK", "yes"),
        ("SECRET_KEY", "short"),
    ],
)
def test_what_makes_no_sense_is_named(name: str, text: str) -> None:
    with pytest.raises(UsageError, match=f"TWINSHOP_{name}"):
        read(**{name: text})


def test_secrets_are_not_shown() -> None:
    shown = repr(read(CONTROL_TOKEN="a token", FALLBACK_KEY="an older key", REDIS_URL="redis://:a-password@host/0"))
    for secret in ("a secret key", "an older key", "a token", "a-password", "sqlite:///x"):
        assert secret not in shown
    assert "node='n1'" in shown
