"""The behaviours: what shoppers do; one file each, one line here each."""

from __future__ import annotations

from loadtests.behaviours.abandon import Abandon
from loadtests.behaviours.contract import Behaviour
from loadtests.behaviours.double_click import DoubleClick
from loadtests.behaviours.everywhere import Everywhere
from loadtests.behaviours.forgetful import Forgetful
from loadtests.behaviours.growing_cart import GrowingCart
from loadtests.behaviours.hasty_client import HastyClient
from loadtests.behaviours.hurry import Hurry
from loadtests.behaviours.idle import Idle
from loadtests.behaviours.leave_in_flight import LeaveInFlight
from loadtests.behaviours.overlooked import Overlooked
from loadtests.behaviours.page import ShoppedPage
from loadtests.behaviours.page_single_flight import PageSingleFlight
from loadtests.behaviours.planted import Planted
from loadtests.behaviours.replay import Replay
from loadtests.behaviours.shop import Shop
from loadtests.behaviours.slow_page import SlowPage
from loadtests.behaviours.tabs_apart import TabsApart
from loadtests.behaviours.thief import Thief
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
        ShoppedPage(),
        PageSingleFlight(),
        TabsApart(),
        Thief(),
        Idle(),
        LeaveInFlight(),
        HastyClient(),
    )
}

__all__ = ["BEHAVIOURS", "Behaviour"]
