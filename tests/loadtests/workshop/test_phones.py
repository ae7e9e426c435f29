"""A phone in another network: joins by code, predicts, shops in both shops, and is logged out by the kill in one."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from loadtests.workshop.contract import Break, Close, EndWorkshop, Release
from tests.loadtests.workshop.phones import Phone, another_network, phones
from tests.loadtests.workshop.whole_workshop import whole_workshop
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.browser, pytest.mark.timeout(300)]
NAME = "<b>Ann</b>"


def node_of(shop: Page) -> str:
    return shop.locator("footer .node").inner_text()


def opens_the_cart(shop: Page, url: str) -> None:
    """The balancer may take a second to find out that a node is dead; a person opens the page again."""

    def answered() -> bool:
        answer = shop.goto(f"{url}/cart")
        return answer is not None and answer.status < 500

    assert until(answered, 20.0)


def test_a_phone_in_another_network_is_logged_out_by_the_kill_in_one_shop(tmp_path: Path, own_state: Path) -> None:
    with (
        another_network(own_state) as device,
        whole_workshop(tmp_path, "--episode", "2", "--listen", device.address) as workshop,
        phones(device, tmp_path) as browser,
    ):
        room, code = workshop.opened["room_url"], workshop.opened["join_code"]
        assert room.startswith(f"http://{device.address}:")
        workshop.reaches("predict")
        phone = Phone(browser, NAME)
        phone.joins(room, code)
        phone.predicts()
        workshop.do(Release())
        workshop.reaches("run")
        left, right = phone.logs_in("left"), phone.logs_in("right")
        left.get_by_role("button", name="Add").first.click()
        expect(left.locator(".basket")).to_have_text("Cart 1")
        workshop.do(Break("kill", ("left",), node_of(left)))
        workshop.do(Break("kill", ("right",), node_of(right)))
        workshop.sees("observed", 2)
        expect(phone.page.locator("#room-left")).to_have_text("1 of 1 logged out")
        expect(phone.page.locator("#room-right")).to_have_text("0 of 1 logged out")
        opens_the_cart(left, workshop.round.sides[0].shop_url)
        expect(left.get_by_role("heading", name="This shop does not know you any more")).to_be_visible()
        opens_the_cart(right, workshop.round.sides[1].shop_url)
        expect(right.locator("footer")).to_contain_text("Your session lives")
        expect(phone.page.locator("#room-rows th")).to_have_text(f"{NAME} ★ you")
        workshop.do(Close())
        workshop.reaches("explain")
        for result in workshop.results().architectures.values():
            assert result.books_balance
            assert result.reconciliation.mismatch_count == 0, result.reconciliation.mismatches
        assert phone.trouble == []
        workshop.do(EndWorkshop())
        assert workshop.end()[0] == 0
