"""What an operator sees fail."""

from __future__ import annotations

from typing import ClassVar

from loadtests.checks.server_errors import ServerErrors
from tests.loadtests.checks.tally_contract import TallyContract, case
from tests.loadtests.stories import Story


class TestServerErrors(TallyContract):
    tally = ServerErrors
    counts: ClassVar = {
        "refused": case(Story().login().cart(None, status=503)),
        "no answer": case(Story().login().add("tea", status=0)),
        "the first of them": case(Story().login().say("cart", 500)),
        "two shoppers, three times": case(
            Story(1).login(status=500).cart(None, status=500), Story(2).login().cart(None, status=504), shoppers=2,
            events=3,
        ),
    }  # fmt: skip
    does_not: ClassVar = {
        "ok": case(Story().login().cart({}).logout()),
        "not the server's": case(Story().login().say("cart", 499)),
        "of other cookies": case(Story().login().probe("stolen", status=503)),
        "a stranger": case(Story().login().stranger()),
        "a recovery that failed": case(Story().login().login(status=503, why="recovery")),
        "the audit": case(Story().login().stranger("me", why="audit")),
    }
