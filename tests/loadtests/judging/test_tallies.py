"""The board of tallies: who hears what, and what becomes of one that raises."""

from __future__ import annotations

from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.checks import TALLIES
from loadtests.checks.contract import Tally
from loadtests.checks.flickered import Flickered
from loadtests.checks.rate_limited import RateLimited
from loadtests.judging import replay as module
from loadtests.judging.replay import Tallies
from loadtests.model.history import Exchange
from loadtests.model.results import Counted
from tests.loadtests.model_shop import MODELLED, Model
from tests.loadtests.stories import Story, scene


class _Crashes(Tally):
    name = "stalled"
    rule = "Never."

    def saw(self, exchange: Exchange) -> None:
        self.count(exchange)
        if exchange.shopper == 2:
            raise ZeroDivisionError("ouch")


class _Hears(Tally):
    name = "stalled"
    rule = "Always."

    def saw(self, exchange: Exchange) -> None:
        self.count(exchange)


def board(told: list[Exchange], *tallies: type[Tally]) -> Tallies:
    with mock.patch.object(module, "TALLIES", {tally.name: tally for tally in tallies} or TALLIES):
        found = Tallies(scene())
    for exchange in told:
        found.add(exchange)
    return found


def test_what_raises_is_unknown_and_the_others_go_on() -> None:
    told = [*Story(1).cart(None, status=429).exchanges, *Story(2).cart(None, status=429).exchanges]
    found = board([*told, *told], _Crashes, RateLimited)
    assert found.crashed == {"stalled": "ZeroDivisionError: ouch"}
    assert found.close()["rate_limited"] == Counted(2, 4)


def test_quick_oks_are_not_worth_telling() -> None:
    quick = Story().browse().cart({}).add("tea").me({}).exchanges
    assert board(quick, _Hears).close()["stalled"] == Counted(0, 0)
    assert board([*quick, *Story(2).stranger().exchanges], _Hears).close()["stalled"] == Counted(1, 1)


def test_what_took_long_or_is_of_its_kind_is_told_though_it_went_well() -> None:
    for took_ms, told in ((900, 0), (900.001, 1)):
        slow = Story().at(5).say("cart", took_ms=took_ms).exchanges
        assert board(slow, _Hears).close()["stalled"].events == told, took_ms
    for do in ("login", "watch", "logout", "logout_everywhere"):
        assert board(Story().say(do).exchanges, _Hears).close()["stalled"].events == 1, do
    assert board(Story().say("cart", cookie_refused=True).exchanges, _Hears).close()["stalled"].events == 1


def test_everything_is_told_while_somebody_is_followed() -> None:
    told = Story().login().stranger().browse().cart({}).browse()
    assert board(told.exchanges, _Hears, Flickered).close()["stalled"].events == 4, (
        "not the last one: no longer followed"
    )


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**9), architecture=st.sampled_from(MODELLED))
def test_telling_less_changes_no_count(seed: int, architecture: str) -> None:
    exchanges = [record for record in Model(seed, architecture=architecture).records if isinstance(record, Exchange)]
    told_all = [tally(scene()) for tally in TALLIES.values()]
    for exchange in exchanges:
        for tally in told_all:
            tally.saw(exchange)
    assert board(exchanges).close() == {tally.name: tally.counted() for tally in told_all}
