"""Cookies that no browser keeps."""

from __future__ import annotations

from typing import ClassVar

from loadtests.checks.cookies_refused import CookiesRefused
from tests.loadtests.checks.tally_contract import TallyContract, case
from tests.loadtests.stories import Story


class TestCookiesRefused(TallyContract):
    tally = CookiesRefused
    counts: ClassVar = {
        "too large": case(Story().login().say("add", sku="tea", quantity=1, cookie_refused=True)),
        "again and again": case(
            Story().login().say("add", sku="tea", cookie_refused=True).say("cart", cookie_refused=True), events=2
        ),
    }
    does_not: ClassVar = {
        "kept": case(Story().login().add("tea").cart({"tea": 1})),
        "somebody else's": case(Story().login().say("me", jar="stolen", cookie_refused=True)),
    }
