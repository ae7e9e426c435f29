"""Names that stand in a cookie for everybody to read."""

from __future__ import annotations

from typing import ClassVar

from loadtests.checks.read_by_others import ReadByOthers
from tests.loadtests.checks.tally_contract import TallyContract, case
from tests.loadtests.stories import Story


class TestReadByOthers(TallyContract):
    tally = ReadByOthers
    counts: ClassVar = {
        "there": case(Story().login().say("read_cookie", 0, jar="stolen", user="user-0001").cart({})),
        "again": case(
            Story()
            .login()
            .say("read_cookie", 0, jar="stolen", user="user-0001")
            .say("read_cookie", 0, jar="stolen", user="user-0001"),
            events=2,
        ),
    }
    does_not: ClassVar = {
        "not there": case(Story().login().say("read_cookie", 0, jar="stolen").cart({})),
        "shown by the shop": case(Story().login().probe("stolen")),
    }
