"""A node's settings: read strictly, and never shown where they are secret."""

from __future__ import annotations

import pytest

from compose.cluster import Limits
from shared.errors import UsageError
from shared.shop.settings import Settings

NEEDED = {"TWINSHOP_DATABASE_URL": "sqlite:///x", "TWINSHOP_SECRET_KEY": "a secret key"}


def read(**variables: str) -> Settings:
    return Settings.from_environment({**NEEDED, **{f"TWINSHOP_{name}": text for name, text in variables.items()}})


def test_the_defaults_are_those_of_a_cluster() -> None:
    settings, limits = read(), Limits()
    for name in (
        "node_threads",
        "session_lifetime_s",
        "session_cap",
        "session_refresh_each_request",
        "store_timeout_s",
        "store_retries",
        "password_cost",
    ):
        assert getattr(settings, name) == getattr(limits, name)
    assert (settings.cookie_name, settings.request_log, settings.control_token) == ("session", "", "")


def test_each_variable_is_read() -> None:
    settings = read(
        NODE="n3", STORE="redis", SESSION_CAP="500", STORE_TIMEOUT_S="0.25", SESSION_REFRESH_EACH_REQUEST="1"
    )
    assert (settings.node, settings.store, settings.session_cap) == ("n3", "redis", 500)
    assert (settings.store_timeout_s, settings.session_refresh_each_request) == (0.25, True)


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
        ("SECRET_KEY", "short"),
    ],
)
def test_what_makes_no_sense_is_named(name: str, text: str) -> None:
    with pytest.raises(UsageError, match=f"TWINSHOP_{name}"):
        read(**{name: text})


def test_secrets_are_not_shown() -> None:
    shown = repr(read(CONTROL_TOKEN="a token", REDIS_URL="redis://:a-password@host/0"))
    for secret in ("a secret key", "a token", "a-password", "sqlite:///x"):
        assert secret not in shown
    assert "node='n1'" in shown
