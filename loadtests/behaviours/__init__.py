"""The behaviours: what shoppers do; one file each, one line here each."""

from __future__ import annotations

from loadtests.behaviours.abandon import Abandon
from loadtests.behaviours.contract import Behaviour
from loadtests.behaviours.double_click import DoubleClick
from loadtests.behaviours.everywhere import Everywhere
from loadtests.behaviours.forgetful import Forgetful
from loadtests.behaviours.growing_cart import GrowingCart
from loadtests.behaviours.hurry import Hurry
from loadtests.behaviours.overlooked import Overlooked
from loadtests.behaviours.planted import Planted
from loadtests.behaviours.replay import Replay
from loadtests.behaviours.shop import Shop
from loadtests.behaviours.slow_page import SlowPage
from loadtests.behaviours.two_tabs import TwoTabs
from loadtests.behaviours.watching import Watching

BEHAVIOURS: dict[str, Behaviour] = {
    behaviour.name: behaviour
    for behaviour in (
        Shop(),
        TwoTabs(),
        SlowPage(),
        DoubleClick(),
        GrowingCart(),
        Overlooked(),
        Replay(),
        Everywhere(),
        Planted(),
        Forgetful(),
        Watching(),
        Abandon(),
        Hurry(),
    )
}

__all__ = ["BEHAVIOURS", "Behaviour"]
