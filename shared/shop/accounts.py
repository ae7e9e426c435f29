"""Who may come in: the accounts in the database."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from werkzeug.security import check_password_hash

from shared.shop.database import accounts, hash_password


class Accounts:
    """Checks names and passwords."""

    def __init__(self, engine: Engine, *, cost: int) -> None:
        self._engine = engine
        # Checked for names that do not exist, so that the time of an answer does not tell which names do.
        self._nobody = hash_password("nobody's password", cost=cost)

    def know(self, user: str, password: str) -> bool:
        """Whether there is such a user and this is the password."""
        query = sa.select(accounts.c.password_hash).where(accounts.c.user == user)
        with self._engine.connect() as connection:
            stored = connection.execute(query).scalar_one_or_none()
        matches = check_password_hash(stored or self._nobody, password)
        return matches and stored is not None
