from __future__ import annotations

from itertools import islice

import pytest

from loadtests.behaviours.workload import DEFAULT_MIX, Habits, ShopperDraw, generator_of, spread


def steps_of(seed: int, shopper: int, habits: Habits, count: int) -> list[tuple[int, str, str, int, str, bool]]:
    drawn = ShopperDraw(generator_of(seed, shopper), shopper, habits)
    return [tuple(step) for step in islice(drawn.shopping(), count)]


def test_the_stream_is_endless_and_belongs_to_seed_and_shopper() -> None:
    habits = Habits(500, 1500)
    assert steps_of(1, 2, habits, 3000) == steps_of(1, 2, habits, 3000)
    assert steps_of(1, 2, habits, 50) != steps_of(1, 3, habits, 50)
    assert steps_of(1, 2, habits, 50) != steps_of(2, 2, habits, 50)


def test_the_mix_decides_how_often_what_is_done() -> None:
    steps = steps_of(1, 1, Habits(500, 0), 14_000)
    counts = {do: sum(step[1] == do for step in steps) for do in DEFAULT_MIX}
    assert counts["orders"] == 0
    assert counts["add"] == pytest.approx(4 * 1000 * 14 / 13.5, rel=0.1)
    assert counts["cart"] == pytest.approx(3 * 1000 * 14 / 13.5, rel=0.1)
    assert 0 < counts["checkout"] < 700


def test_a_weight_of_nothing_is_never_done() -> None:
    steps = steps_of(1, 1, Habits(500, 0, {"browse": 0, "checkout": 0, "orders": 3}), 2000)
    done = {step[1] for step in steps if step[1] != "browse"}
    assert "checkout" not in done
    assert "orders" in done


def test_nobody_ever_wants_more_of_one_article_than_the_shop_sells() -> None:
    only_adding = dict.fromkeys(DEFAULT_MIX, 0.0) | {"add": 1.0}
    cart: dict[str, int] = {}
    for _, do, sku, quantity, _, _ in steps_of(1, 1, Habits(1, 0, only_adding), 40_000):
        if do == "add":
            cart[sku] = cart.get(sku, 0) + quantity
    assert max(cart.values()) <= 999


@pytest.mark.parametrize("shoppers", [7, 60, 999])
def test_the_spread_leaves_no_gap(shoppers: int) -> None:
    places = sorted(spread(number, 1000) for number in range(1, shoppers + 1))
    gaps = [after - before for before, after in zip([0.0, *places], [*places, 1000.0], strict=True)]
    assert max(gaps) < 3 * 1000 / shoppers
