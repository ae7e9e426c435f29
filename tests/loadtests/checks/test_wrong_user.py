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
        "a name on a page that was made for another": case(
            Story().login().say("me", user="user-0002", shows={}, kept_from=2)
        ),
        "another one's cart": case(Story().login().say("cart", shows={"tea": 1}, kept_from=2)),
        "each of two such pages": case(
            Story().login().say("cart", shows={}, kept_from=2).say("cart", shows={}, kept_from=2), times=2
        ),
        "by the session that such a page brought": case(
            Story().login().say("browse", kept_from=2, kept_session=True).me({"tea": 1}, user="user-0002").cart({})
        ),
    }
    innocent: ClassVar = {
        "the right name": case(Story().login().me({})),
        "a page of one's own that was kept": case(Story().login().say("cart", shows={"tea": 1}, kept_from=1)),
        "a page that shows nothing of anybody": case(Story().login().say("browse", kept_from=2)),
        "no name": case(Story().login().cart({})),
        "each their own": case(Story(1).login().me({}), Story(2).login().me({})),
        "a stranger has no name": case(Story().login().stranger("me")),
    }
