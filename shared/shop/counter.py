"""The counter: what the routes of one shop reach for. One for each app, never a global."""

import threading
from dataclasses import dataclass

from flask import current_app

from shared.sessions import SessionStore
from shared.shop.database import Accounts, Orders
from shared.shop.metrics import RequestTally
from shared.shop.middleware import NodeInjection
from shared.shop.settings import Settings

EXTENSION = "twinshop"


@dataclass(frozen=True, slots=True)
class Counter:
    """The parts of a shop."""

    settings: Settings
    store: SessionStore
    accounts: Accounts
    orders: Orders
    injection: NodeInjection
    tally: RequestTally
    streams: threading.BoundedSemaphore
    """As many event streams as may be open at a time."""
    boot: str
    """A new random id for each start of the node."""
    twin: str
    """`stateful_app` or `stateless_app`: gives the pages their colour."""


def counter() -> Counter:
    """The counter of the app that is answering."""
    found: Counter = current_app.extensions[EXTENSION]
    return found
