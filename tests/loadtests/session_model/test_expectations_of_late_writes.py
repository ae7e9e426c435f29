"""Memory of a write that nobody answered, and that was carried out late, before the write that shows it."""

from __future__ import annotations

from loadtests.session_model.carts import Items
from tests.loadtests.stories import Story, after, findings, settled


def test_a_late_checkout_may_come_before_the_write_that_shows_it() -> None:
    """A node that was frozen goes on with the checkout, and then something is put into the empty cart."""
    told = Story().login().add("pen", 2, shows={"pen": 2}).checkout(status=0).cart({"pen": 2})
    told.add("tea", shows={"tea": 1}).audit({"tea": 1})
    assert findings(told) == []
    assert settled(told) == {"0003": "ok"}
    assert after(told).book() == Items(acknowledged=3, ordered=2, kept=1)


def test_and_so_may_one_beside_other_writes_in_doubt() -> None:
    told = Story().login().add("pen", shows={"pen": 1}).checkout(status=0).cart({"pen": 1})
    told.add("mug", status=503).add("tea", shows={"tea": 1})
    assert findings(told) == []
    assert settled(told)["0003"] == "ok"


def test_but_what_no_late_write_explains_is_lost_all_the_same() -> None:
    told = Story().login().add("pen", 2, shows={"pen": 2}).checkout(status=0).cart({"pen": 2})
    told.add("tea", shows={"tea": 2})
    assert [finding.kind for finding in findings(told)] == ["items_lost", "cart_rolled_back"]
    assert after(told).book().balance() == 0
