"""A client of the shop that Twinshop comes with, for one shopper."""

from __future__ import annotations

from loadtests.load.application_client import ApplicationClient, AskedApplication, PreparedApplication
from loadtests.load.cookies import Pocket
from shared.demo_accounts import account_name

SHOP = PreparedApplication(AskedApplication())


def shop_client(shopper: int, password: str = "secret") -> ApplicationClient:
    pocket = Pocket("main", "http://shop")
    return ApplicationClient(SHOP, (account_name(shopper), password), shopper, "r", lambda _jar: pocket, "http://shop")
