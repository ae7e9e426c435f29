"""Carts are made anew and never changed: a session does not notice changes inside of one."""

from __future__ import annotations

import pytest

from shared.shop import cart


def test_adding_and_removing_leave_the_old_cart_alone() -> None:
    old = {"acorn": 1}
    assert cart.add(old, "acorn", 2) == {"acorn": 3}
    assert cart.add(old, "bell", 99) == {"acorn": 1, "bell": 99}
    assert cart.remove(old, "acorn") == {}
    assert cart.remove(old, "bell") == old
    assert old == {"acorn": 1}


@pytest.mark.parametrize("quantity", [0, -5, 100])
def test_quantities_have_bounds(quantity: int) -> None:
    with pytest.raises(ValueError, match="1 to 99"):
        cart.add({}, "acorn", quantity)


def test_a_cart_has_bounds() -> None:
    assert cart.add({"acorn": 990}, "acorn", 9) == {"acorn": 999}
    with pytest.raises(ValueError, match="999"):
        cart.add({"acorn": 990}, "acorn", 10)


def test_a_cart_grows_until_it_is_full() -> None:
    full = {f"engraved-{number:08d}": 1 for number in range(cart.MOST_ARTICLES)}
    with pytest.raises(cart.CartFull, match="2000 different"):
        cart.add(full, "acorn", 1)
    assert cart.add(full, "engraved-00000000", 1)["engraved-00000000"] == 2
    assert len(cart.add(cart.remove(full, "engraved-00000000"), "acorn", 1)) == cart.MOST_ARTICLES


def test_what_it_costs() -> None:
    assert cart.total_cents({}) == 0
    assert cart.total_cents({"acorn": 2, "bell": 1}) == 2 * 95 + 1120
    assert cart.total_cents({"acorn": 1, "engraved-birthday": 3}) == 95 + 3 * 1500
