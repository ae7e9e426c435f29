"""What a shopper sees fail."""

from __future__ import annotations

from typing import ClassVar

from loadtests.checks.not_served import NotServed
from tests.loadtests.checks.tally_contract import TallyContract, case
from tests.loadtests.stories import Story


class TestNotServed(TallyContract):
    tally = NotServed
    counts: ClassVar = {
        "refused": case(Story().login().cart(None, status=503)),
        "a timeout of a write": case(Story().login().add("tea", status=0)),
        "a stranger": case(Story().login().stranger()),
        "settled later, and an error all the same": case(Story().login().add("tea", status=503).cart({"tea": 1})),
        "two shoppers, three times": case(
            Story(1).login().stranger().cart(None, status=500), Story(2).login().stranger(), shoppers=2, events=3
        ),
    }
    does_not: ClassVar = {
        "ok": case(Story().login().cart({}).logout()),
        "a recovery that failed": case(Story().login().login(status=503, why="recovery")),
        "the audit": case(Story().login().stranger("me", why="audit")),
        "a probe that was refused, as it should be": case(Story().login().logout().probe("stolen", status=401)),
    }
