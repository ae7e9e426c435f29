"""Somebody else's name."""

from __future__ import annotations

from typing import ClassVar

from loadtests.checks.wrong_user import WrongUser
from tests.loadtests.checks.contract import CheckContract, case
from tests.loadtests.stories import Story


class TestWrongUser(CheckContract):
    check = WrongUser
    guilty: ClassVar = {
        "another name": case(Story().login().me({}, user="user-0002")),
        "another name at the login": case(Story().login().say("login", user="user-0002")),
        "the same other name twice is one event": case(
            Story().login().me({}, user="user-0002").me({}, user="user-0002")
        ),
        "two other names are two": case(Story().login().me({}, user="user-0002").me({}, user="user-0003"), times=2),
        "again, after the right one": case(
            Story().login().me({}, user="user-0002").me({}).me({}, user="user-0002"), times=2
        ),
    }
    innocent: ClassVar = {
        "the right name": case(Story().login().me({})),
        "no name": case(Story().login().cart({})),
        "each their own": case(Story(1).login().me({}), Story(2).login().me({})),
        "a stranger has no name": case(Story().login().stranger("me")),
    }
