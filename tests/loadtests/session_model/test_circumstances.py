"""What surrounds a session: which effects there are, whose clock was off by how much, and what ended them."""

from __future__ import annotations

import msgspec
import pytest

from loadtests.faults.effects import ClockOff, Effect, NodeEnds, StoreGone
from loadtests.model.history import Exchange
from loadtests.session_model.circumstances import Circumstances, Factor, NodeClock, circumstances_of
from tests.loadtests.session_model.accused import strike, where
from tests.loadtests.stories import Story

FIRST, SECOND = (Factor("fault", "clock-ahead", number) for number in (0, 1))


def around(*effects: Effect) -> Circumstances:
    return Circumstances(where("redis"), tuple(zip((FIRST, SECOND), effects, strict=False)), {})


def during(sent_us: int = 500, done_us: int = 600) -> Exchange:
    return msgspec.structs.replace(Story().me({}).last, sent_us=sent_us, done_us=done_us)


def off(
    seconds: float, *, from_us: int = 0, until_us: int = 1_000, surely: tuple[int, int] = (0, 1_000), node: str = "n2"
) -> ClockOff:
    return ClockOff(from_us, until_us, "clock", node, seconds, *surely)


def clock(*effects: Effect, node: str = "n2") -> tuple[float, float]:
    found = around(*effects).clock(node, during())
    return found.least, found.most


class TestClock:
    @pytest.mark.parametrize(("seconds", "perhaps"), [(5.0, (0.0, 5.0)), (-5.0, (-5.0, 0.0))])
    def test_of_either_sign_surely_or_perhaps(self, seconds: float, perhaps: tuple[float, float]) -> None:
        assert clock(off(seconds)) == (seconds, seconds)
        for surely in ((500, 600), (501, 600), (500, 599)):
            assert clock(off(seconds, surely=surely)) == ((seconds, seconds) if surely == (500, 600) else perhaps)

    @pytest.mark.parametrize(
        ("from_us", "until_us", "met"), [(0, 499, False), (0, 500, True), (600, 999, True), (601, 999, False)]
    )
    def test_only_while_the_node_answered(self, from_us: int, until_us: int, met: bool) -> None:
        effect = off(5.0, from_us=from_us, until_us=until_us)
        found = around(effect).clock("n2", during())
        assert found == (NodeClock(during(), 5.0, 5.0, ((FIRST, effect),)) if met else NodeClock(during()))

    def test_of_that_node_and_not_of_what_is_thought_away(self) -> None:
        assert clock(off(5.0), node="n1") == (0.0, 0.0)
        assert clock(off(5.0, node="")) == (5.0, 5.0), "of any"
        assert around(off(5.0)).but_for(frozenset({FIRST})).clock("n2", during()) == NodeClock(during())

    def test_several_add_up(self) -> None:
        assert clock(off(5.0), off(-2.0)) == (3.0, 3.0)
        assert clock(off(5.0, surely=(900, 900)), off(-2.0, surely=(900, 900))) == (-2.0, 5.0)

    @pytest.mark.parametrize(
        ("from_us", "until_us", "ended"),
        [(100, 500, True), (100, 501, False), (99, 500, False), (300, 400, True)],
    )
    def test_it_ends_with_the_process(self, from_us: int, until_us: int, ended: bool) -> None:
        it = off(5.0, from_us=100)
        assert clock(it, NodeEnds(from_us, until_us, "", "n2")) == ((0.0, 0.0) if ended else (5.0, 5.0))
        assert clock(it, NodeEnds(from_us, until_us, "", "n1")) == (5.0, 5.0)


@pytest.mark.parametrize(
    ("epoch_us", "at_us", "second_us"),
    [
        (300_000, 400_000, -300_000),
        (300_000, 700_000, 700_000),
        (300_000, 1_699_999, 700_000),
        (None, 1_500_000, 10**6),
    ],
)
def test_whole_seconds_are_those_of_the_wall_clock(epoch_us: int | None, at_us: int, second_us: int) -> None:
    run = msgspec.structs.replace(where("redis"), epoch_us=epoch_us)
    assert circumstances_of(run).second_us(at_us) == second_us


def test_a_fault_that_nobody_observed_or_knows_did_nothing() -> None:
    for number, fault in enumerate((strike("kill"), strike("kill", seen=False), strike("witchcraft"))):
        it = circumstances_of(where("redis", fault))
        assert bool(it.faults) is bool(it.effects) is (number == 0)
    planned = msgspec.structs.replace(strike("kill"), injected_us=None)
    assert circumstances_of(where("redis", planned)).faults == {}


def test_a_fault_is_named_as_what_was_done() -> None:
    it = circumstances_of(where("redis", strike("kill"), strike("store-kill", "store")))
    assert [it.done_to(factor) for factor in it.faults] == ["killing n2", "killing the store"]
    strange = Factor("fault", "witchcraft", 7)
    known = msgspec.structs.replace(it, faults={strange: strike("witchcraft", "n3")})
    assert known.done_to(strange) == "the witchcraft of n3"


def test_effects_by_what_they_are() -> None:
    it = around(StoreGone(0, 1, "store_lost"), off(1.0))
    assert [factor for factor, _ in it.of(StoreGone)] == [FIRST]
    assert [factor for factor, _ in it.of(Effect)] == [FIRST, SECOND]
    assert list(it.but_for(frozenset({FIRST})).of(StoreGone)) == []
    assert it.lifetime_us == 3_600_000_000
