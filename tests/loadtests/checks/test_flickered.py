"""Forgotten and known again, and what only looks like it."""

from __future__ import annotations

from typing import ClassVar

from loadtests.checks.flickered import Flickered
from tests.loadtests.checks.tally_contract import TallyContract, case
from tests.loadtests.stories import Story


class TestFlickered(TallyContract):
    tally = Flickered
    counts: ClassVar = {
        "known again": case(Story().login().stranger().me({})),
        "known again by an answer that names nobody": case(Story().login().stranger().browse().say("orders")),
        "several strangers' answers are one": case(Story().login().stranger().stranger("me").cart({})),
        "forgotten twice": case(Story().login().stranger().me({}).stranger().cart({}), events=2),
        "the login in between was refused": case(Story().login().stranger().login(status=401).me({})),
        "found at the audit": case(Story().login().stranger().me({}, why="audit")),
        "sent just when the stranger's answer had come": case(Story().login().stranger().at(0.11).me({})),
        "two shoppers": case(
            Story(1).login().stranger().me({}), Story(2).login().stranger().me({}), shoppers=2, events=2
        ),
    }
    does_not: ClassVar = {
        "logged in again": case(Story().login().stranger().login(why="recovery").me({})),
        "the login in between may have happened": case(Story().login().stranger().login(status=503).me({})),
        "never known": case(Story().stranger().stranger().browse()),
        "after a logout": case(Story().login().logout().stranger().login().me({})),
        "a logout in between": case(Story().login().stranger().logout().me({})),
        "sent before the shop forgot": case(
            Story().login().at(1).say("cart", 401, took_ms=200).at(1.1).say("me", user="user-0001", took_ms=300)
        ),
        "sent just before that": case(Story().login().stranger().at(0.109_999).me({})),
        "products are for everybody": case(Story().login().stranger().browse()),
        "a stolen copy": case(Story().login().probe("stolen", status=401).probe("stolen").me({})),
        "errors are not strangers": case(Story().login().cart(None, status=503).me({})),
    }
