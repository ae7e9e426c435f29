"""An acknowledged order that the database does not hold."""

from __future__ import annotations

from typing import ClassVar

from loadtests.checks.order_lost import OrderLost
from tests.loadtests.checks.contract import CheckContract, case
from tests.loadtests.stories import PREFIX, Story, losses, scene, stored

TEA = {"tea": 2}


def ordered(order: str = "o1", key: str = "k1", status: int = 201) -> Story:
    return Story().login().add("tea", 2, shows=TEA).checkout(order if status < 300 else "", key, status)


REQUEST = f"{PREFIX}-0001-0003"


class TestOrderLost(CheckContract):
    check = OrderLost
    guilty: ClassVar = {
        "the database is empty": case(ordered()),
        "another order is there": case(ordered(), stored("o2", TEA, request="x", user="user-0002")),
        "it is somebody else's": case(ordered(), stored("o1", TEA, request=REQUEST, user="user-0002")),
        "one number for two checkouts": case(
            ordered().add("tea", 2, shows=TEA).checkout("o1", "k2"), stored("o1", TEA, request=REQUEST, key="k1")
        ),
    }
    innocent: ClassVar = {
        "it is there": case(ordered(), stored("o1", TEA, request=REQUEST, key="k1")),
        "asked again with the same key": case(
            ordered().checkout("o1", "k1", status=200), stored("o1", TEA, request=REQUEST, key="k1")
        ),
        "an unknown checkout without an order": case(ordered(status=503)),
        "an unknown checkout with an order": case(ordered(status=503), stored("o1", TEA, request=REQUEST, key="k1")),
        "a refused checkout": case(ordered(status=401)),
        "the database was never read": case(ordered(), at=scene(finished=False)),
        "made through another architecture's shop, without a key": case(
            ordered(key=""), stored("o1", TEA, request=REQUEST)
        ),
    }

    def test_its_units_are_lost_with_it(self) -> None:
        (loss,) = losses(ordered().exchanges, scene())
        assert loss.items == 2
