"""The database: accounts and orders, the same for both twins. SQLite in WAL mode by default, any SQLAlchemy URL.

`prepare` makes it once, before any node starts; nodes only read accounts and write orders.
"""

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from werkzeug.security import check_password_hash, generate_password_hash

from shared.demo_accounts import DatabaseOrder, account_name
from shared.errors import EnvironmentNotReady
from shared.shop.catalogue import price_cents, total_cents

BUSY_TIMEOUT_S = 5.0
"""How long a node waits for another one that is writing (SQLite has one writer at a time)."""

schema = sa.MetaData()

accounts = sa.Table(
    "accounts",
    schema,
    sa.Column("user", sa.String(64), primary_key=True),
    sa.Column("password_hash", sa.String(255), nullable=False),
    sa.Column("disabled", sa.Boolean, nullable=False, default=False),
)

orders = sa.Table(
    "orders",
    schema,
    sa.Column("order_id", sa.String(32), primary_key=True),
    sa.Column("user", sa.String(64), nullable=False, index=True),
    sa.Column("idempotency_key", sa.String(255), nullable=True),
    sa.Column("request", sa.String(64), nullable=False),
    sa.Column("total_cents", sa.Integer, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    # Rows without a key never collide: NULL is not equal to NULL.
    sa.UniqueConstraint("user", "idempotency_key"),
)

order_lines = sa.Table(
    "order_lines",
    schema,
    sa.Column("order_id", sa.ForeignKey("orders.order_id"), primary_key=True),
    sa.Column("sku", sa.String(64), primary_key=True),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("price_cents", sa.Integer, nullable=False),
)

refresh_families = sa.Table(
    "refresh_families",
    schema,
    sa.Column("family", sa.String(32), primary_key=True),
    sa.Column("user", sa.String(64), nullable=False, index=True),
    sa.Column("secret", sa.String(32), nullable=False),
    sa.Column("before", sa.String(32), nullable=False),
    sa.Column("opened_ms", sa.BigInteger, nullable=False),
    sa.Column("used_ms", sa.BigInteger, nullable=False),
)
"""Used only where refresh tokens are kept in the database."""


def connect(url: str, *, threads: int = 1) -> Engine:
    """An engine with a connection for each thread. Connects when first used.

    Raises:
        EnvironmentNotReady: the URL is none, its driver is not installed, or nodes could not share the database.
    """
    pool: dict[str, Any] = {}
    if url.startswith("sqlite"):
        pool["connect_args"] = {"timeout": BUSY_TIMEOUT_S}
    else:
        pool["pool_pre_ping"] = True  # a server may have been started anew since the connection was last used
    try:
        # hide_parameters: an error's text ends up in the node's log and must not carry a password's hash.
        engine = sa.create_engine(url, pool_size=threads, max_overflow=0, hide_parameters=True, **pool)
    except (sa.exc.ArgumentError, ModuleNotFoundError, TypeError) as error:  # TypeError: a database in memory
        raise EnvironmentNotReady(
            "the database cannot be used", why=str(error), next_step="check TWINSHOP_DATABASE_URL and its driver"
        ) from error
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _tune_sqlite)
    return engine


def _tune_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")  # reading waits for no writer: nodes are processes, and share the file
    cursor.execute("PRAGMA synchronous = NORMAL")  # a killed node's commits stay; a power cut is no fault here
    cursor.execute("PRAGMA foreign_keys = ON")  # SQLite's default is not to look at them
    cursor.close()


@contextmanager
def _opened(url: str) -> Iterator[sa.Connection]:
    engine = connect(url)
    try:
        with engine.begin() as connection:
            yield connection
    except sa.exc.SQLAlchemyError as error:
        why = str(getattr(error, "orig", None) or error)
        full = "disk is full" in why  # SQLite's words for what the system calls "No space left on device"
        raise EnvironmentNotReady(
            "the database does not answer as it should",
            why=f"{why}: No space left on device" if full else why,
            next_step="free some space" if full else "check TWINSHOP_DATABASE_URL, its folder and its permissions",
        ) from error
    finally:
        engine.dispose()


def hash_password(password: str, *, cost: int) -> str:
    """A salted scrypt hash; `cost` is scrypt's N."""
    return generate_password_hash(password, method=f"scrypt:{cost}:8:1")


def prepare(
    url: str, *, accounts: int, password: str, cost: int, guests: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Make the schema and the demo accounts user-0001 … . Once, before the nodes start; safe to repeat.

    All of them share one password and one hash of it: hashing 10,000 times would take longer than a run. `guests` are
    accounts of other names, each with a password of its own.

    Raises:
        EnvironmentNotReady: the database cannot be reached or written.
    """
    table = schema.tables["accounts"]  # in here, the plain name is how many there are
    hashed = hash_password(password, cost=cost)
    with _opened(url) as connection:
        schema.create_all(connection)
        connection.execute(table.delete())  # each start has a password of its own
        rows = [{"user": account_name(number), "password_hash": hashed} for number in range(1, accounts + 1)]
        rows += [{"user": user, "password_hash": hash_password(own, cost=cost)} for user, own in guests.items()]
        if rows:
            connection.execute(table.insert(), rows)


def read_orders(url: str) -> list[DatabaseOrder]:
    """Every order in the database, by order id.

    Raises:
        EnvironmentNotReady: the database cannot be read.
    """
    with _opened(url) as connection:
        lines: dict[str, dict[str, int]] = {}
        for line in connection.execute(sa.select(order_lines).order_by(order_lines.c.sku)):
            lines.setdefault(line.order_id, {})[line.sku] = line.quantity
        return [
            DatabaseOrder(row.order_id, row.user, row.idempotency_key, row.request, lines.get(row.order_id, {}))
            for row in connection.execute(sa.select(orders).order_by(orders.c.order_id))
        ]


class Accounts:
    """Checks names and passwords."""

    def __init__(self, engine: Engine, *, cost: int) -> None:
        self._engine = engine
        self._cost = cost
        # Checked for names that do not exist, so that the time of an answer does not tell which names do.
        self._nobody = hash_password("nobody's password", cost=cost)

    def know(self, user: str, password: str) -> bool:
        """Whether there is such a user and this is the password."""
        query = sa.select(accounts.c.password_hash).where(accounts.c.user == user, accounts.c.disabled.is_(False))
        with self._engine.connect() as connection:
            stored = connection.execute(query).scalar_one_or_none()
        matches = check_password_hash(stored or self._nobody, password)  # first: each answer takes as long as another
        return matches and stored is not None

    def change_password(self, user: str, password: str) -> None:
        """Give the user another one."""
        self._change(user, password_hash=hash_password(password, cost=self._cost))

    def disable(self, user: str) -> bool:
        """Let the user log in no more; False: there is no such user."""
        return self._change(user, disabled=True)

    def _change(self, user: str, **values: object) -> bool:
        with self._engine.begin() as connection:
            return connection.execute(accounts.update().where(accounts.c.user == user).values(**values)).rowcount > 0


class ShopOrder(msgspec.Struct, frozen=True):
    """An order as its owner sees it."""

    order: str
    key: str | None
    """The `Idempotency-Key` it was made with."""
    lines: dict[str, int]
    total_cents: int
    created_us: int


class Orders:
    """Checkout is one transaction, and one key makes one order."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def place(self, user: str, cart: Mapping[str, int], *, key: str | None, request: str) -> tuple[ShopOrder, bool]:
        """Order the cart; returns the order and whether it is new.

        The unique key in the database decides, not a look beforehand: two nodes may be asked at the same time.
        """
        order = ShopOrder(uuid.uuid4().hex, key, dict(cart), total_cents(cart), time.time_ns() // 1000)
        try:
            with self._engine.begin() as connection:
                connection.execute(
                    orders.insert().values(
                        order_id=order.order,
                        user=user,
                        idempotency_key=key,
                        request=request,
                        total_cents=order.total_cents,
                        created_us=order.created_us,
                    )
                )
                connection.execute(order_lines.insert(), [_line(order, sku) for sku in order.lines])
        except sa.exc.IntegrityError:
            earlier = self.with_key(user, key)
            if earlier is None:
                raise  # it was not the key that was there already
            return earlier, False
        return order, True

    def with_key(self, user: str, key: str | None) -> ShopOrder | None:
        """The user's order that was made with that key."""
        if key is None:
            return None
        found = self._read(orders.c.user == user, orders.c.idempotency_key == key)
        return found[0] if found else None

    def of(self, user: str) -> list[ShopOrder]:
        """All orders of a user, oldest first."""
        return self._read(orders.c.user == user)

    def _read(self, *which: sa.ColumnElement[bool]) -> list[ShopOrder]:
        query = (
            sa.select(orders, order_lines.c.sku, order_lines.c.quantity)
            .join(order_lines, order_lines.c.order_id == orders.c.order_id)
            .where(*which)
            # By the id as well: lines of two orders of one microsecond would come mixed.
            .order_by(orders.c.created_us, orders.c.order_id, order_lines.c.sku)
        )
        found: dict[str, ShopOrder] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(query):
                order = found.get(row.order_id)
                if order is None:
                    order = ShopOrder(row.order_id, row.idempotency_key, {}, row.total_cents, row.created_us)
                    found[row.order_id] = order
                order.lines[row.sku] = row.quantity
        return list(found.values())


def _line(order: ShopOrder, sku: str) -> dict[str, object]:
    return {"order_id": order.order, "sku": sku, "quantity": order.lines[sku], "price_cents": price_cents(sku)}
