"""The database: made once, in WAL mode, and honest about what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from shared.errors import EnvironmentNotReady
from shared.shop.database import Accounts, Orders, connect, prepare, read_orders


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/shop.sqlite"
    prepare(url, accounts=3, password="shop", cost=128)
    return url


def test_accounts(url: str) -> None:
    engine = connect(url)
    accounts = Accounts(engine, cost=128)
    assert [accounts.know(f"user-{number:04d}", "shop") for number in range(5)] == [False, True, True, True, False]
    assert not accounts.know("user-0001", "Shop")
    assert not accounts.know("nobody", "nobody's password")
    engine.dispose()


def test_preparing_again_changes_the_accounts_and_keeps_the_orders(url: str) -> None:
    engine = connect(url)
    Orders(engine).place("user-0001", {"acorn": 1}, key=None, request="r")
    prepare(url, accounts=1, password="new", cost=128)
    accounts = Accounts(engine, cost=128)
    assert accounts.know("user-0001", "new")
    assert not accounts.know("user-0002", "shop")
    assert len(read_orders(url)) == 1
    engine.dispose()


def test_no_accounts(tmp_path: Path) -> None:
    prepare(f"sqlite:///{tmp_path}/empty.sqlite", accounts=0, password="shop", cost=128)
    assert read_orders(f"sqlite:///{tmp_path}/empty.sqlite") == []


def test_sqlite_writes_ahead(url: str) -> None:
    engine = connect(url)
    with engine.connect() as connection:
        assert connection.execute(sa.text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(sa.text("PRAGMA foreign_keys")).scalar() == 1
    engine.dispose()


def test_an_order_is_all_or_nothing(url: str) -> None:
    engine = connect(url)
    refuse = (
        "CREATE TRIGGER no_bells BEFORE INSERT ON order_lines WHEN NEW.sku = 'bell' BEGIN SELECT RAISE(ABORT, ''); END"
    )
    with engine.begin() as connection:
        connection.execute(sa.text(refuse))
    with pytest.raises(sa.exc.IntegrityError):
        Orders(engine).place("user-0001", {"acorn": 1, "bell": 1}, key="k", request="r")
    assert read_orders(url) == []
    order, new = Orders(engine).place("user-0001", {"acorn": 1}, key="k", request="r")
    assert (new, order.lines) == (True, {"acorn": 1})
    engine.dispose()


def test_orders_are_read_in_the_order_of_their_ids(url: str) -> None:
    engine = connect(url)
    orders = Orders(engine)
    placed = [orders.place("user-0002", {"bell": n, "acorn": 1}, key=f"k{n}", request=f"r{n}") for n in (1, 2, 3)]
    found = read_orders(url)
    assert [order.order for order in found] == sorted(order.order for order, _ in placed)
    told = {(order.key, order.request, order.lines["bell"]) for order in found}
    assert told == {(f"k{n}", f"r{n}", n) for n in (1, 2, 3)}
    engine.dispose()


@pytest.mark.parametrize("url", ["nonsense", "nosuch://x", "postgresql+nosuchdriver://x/y", "sqlite://"])
def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises(EnvironmentNotReady, match="cannot be used"):
        prepare(url, accounts=1, password="shop", cost=128)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentNotReady, match="does not answer"):
        prepare(f"sqlite:///{tmp_path}/no/such/folder/shop.sqlite", accounts=1, password="shop", cost=128)


def test_orders_of_a_database_that_was_never_made(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentNotReady, match="does not answer"):
        read_orders(f"sqlite:///{tmp_path}/new.sqlite")
