"""The shop in a real browser, without a script and on phones: all can be reached, nothing sticks out or is refused."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from playwright.sync_api import Browser

from shared.demo_accounts import account_name
from tests.left_behind import outlives_a_test
from tests.loadtests.report.test_browser import SEEN_OTHERWISE, assert_axe_finds_nothing
from tests.shared.node_process import Process

pytestmark = [pytest.mark.browser, pytest.mark.cluster]
PEOPLE = 20
_people = count(1)


@pytest.fixture(
    scope="module", params=[("stateful_app", "memory"), ("stateless_app", "token")], ids=["stateful", "stateless"]
)
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One for a module's tests, each of which is a customer of its own."""
    twin, store = request.param
    folder = tmp_path_factory.mktemp("shop")
    with outlives_a_test(folder) as started:
        process = Process(folder, twin, TWINSHOP_STORE=store, accounts=PEOPLE)
        started()
        try:
            process.wait_until_ready()
            yield f"http://127.0.0.1:{process.port}"
        finally:
            process.end()


@pytest.fixture
def user() -> str:
    """Somebody who has been in no shop yet."""
    return account_name(next(_people))


@pytest.mark.parametrize("width", [320, 390, 1200])
def test_a_walk_through_the_shop(shop: str, user: str, browser: Browser, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, java_script_enabled=False)
    page = context.new_page()
    refused: list[str] = []
    page.on(
        "console", lambda message: refused.append(message.text) if "Content Security Policy" in message.text else None
    )

    def fits() -> None:
        page.wait_for_load_state("load")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url

    page.goto(f"{shop}/cart")
    fits()
    page.get_by_label("Name").fill(user)
    page.get_by_label("Password").fill("shop")
    page.get_by_role("button", name="Log in").click()
    assert page.url == f"{shop}/cart"
    page.goto(shop)
    fits()
    page.get_by_label("How many of Acorn").fill("3")
    page.get_by_role("button", name="Add Acorn to the cart").click()
    page.get_by_role("button", name="Add Umbrella to the cart").click()
    fits()
    assert page.locator("#acorn").get_by_text("3 in your cart").is_visible()
    page.get_by_role("link", name="Cart 4").click()
    fits()
    page.get_by_role("button", name="Remove Umbrella").click()
    page.get_by_role("button", name="Order and pay").click()
    fits()
    assert page.get_by_text("Thank you").is_visible()
    page.get_by_role("link", name=user).click()
    fits()
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("link", name="Log in", exact=True).wait_for()
    assert refused == []
    context.close()


def test_axe_finds_nothing(shop: str, user: str, browser: Browser) -> None:
    """On a phone and on a laptop, light and dark: a stranger's pages, a customer's, and those of a lost session."""
    context = browser.new_context(viewport={"width": 360, "height": 800})
    page = context.new_page()

    def looks_at(path: str) -> None:
        page.set_viewport_size({"width": 360, "height": 800})
        page.emulate_media(color_scheme="light")
        page.goto(shop + path)
        assert_axe_finds_nothing(page)
        page.set_viewport_size({"width": 1280, "height": 800})
        page.emulate_media(color_scheme="dark")
        assert_axe_finds_nothing(page, rules=SEEN_OTHERWISE)

    for path in ("/", "/login", "/nowhere"):
        looks_at(path)
    page.goto(f"{shop}/login")
    page.get_by_label("Name").fill(user)
    page.get_by_label("Password").fill("shop")
    page.get_by_role("button", name="Log in").click()
    page.goto(shop)
    page.get_by_role("button", name="Add Acorn to the cart").click()
    for path in ("/", "/cart", "/me", "/sessions", "/recommendations"):
        looks_at(path)
    page.goto(f"{shop}/cart")
    page.get_by_role("button", name="Order and pay").click()
    looks_at("/orders")
    for cookie in context.cookies():
        context.add_cookies([{"name": cookie["name"], "value": "unknown", "url": shop}])
    looks_at("/cart")
    assert page.get_by_role("heading", name="This shop does not know you any more").is_visible()
    looks_at("/")
    context.close()


def test_pictures_are_drawn(shop: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    page.goto(shop, wait_until="networkidle")
    boxes = page.locator(".card .art use").evaluate_all("all => all.map(one => one.getBBox().width)")
    assert len(boxes) >= 24
    assert all(width > 0 for width in boxes), "an empty symbol: the picture is missing or was refused"
    context.close()


def test_progress_is_shown_live_and_needs_no_script_to_be_read(shop: str, user: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page = context.new_page()
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.goto(f"{shop}/orders")
    troubles.clear()  # a browser calls the 401 of the login page an error
    page.get_by_label("Name").fill(user)
    page.get_by_label("Password").fill("shop")
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("No order yet. Live from n1.").wait_for()
    page.goto(shop)
    page.get_by_role("button", name="Add Acorn to the cart").click()
    page.goto(f"{shop}/cart")
    page.get_by_role("button", name="Order and pay").click()
    page.get_by_text("is received. Live from n1.").or_(page.get_by_text("is packed. Live from n1.")).wait_for()
    assert troubles == []
    context.close()
