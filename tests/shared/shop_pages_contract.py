"""The contract of the shop as pages for a person: the same routes, with forms. Inherited like the other one."""

from __future__ import annotations

import re

import pytest

from shared.shop.catalogue import PRODUCTS
from tests.shared.shops import PASSWORD, Node, PageVisitor
from tests.shared.store_contract import StoreContract

FORGOTTEN = "This shop does not know you any more"


class ShopPagesContract(StoreContract):
    """What the pages promise. A subclass says where sessions live."""

    @pytest.fixture
    def stranger(self, shop: Node) -> PageVisitor:
        return shop.reader()

    @pytest.fixture
    def shopper(self, shop: Node) -> PageVisitor:
        return shop.reader().login()

    def test_a_walk_through_the_shop(self, stranger: PageVisitor) -> None:
        assert "Log in" in stranger.get("/").text
        stranger.login("user-0002")
        assert stranger.submit("/", "/cart", sku="acorn", quantity="2").location == "/#acorn"
        stranger.submit("/", "/cart", sku="bell", quantity="1")
        assert "<b>2</b> in your cart" in stranger.get("/").text
        cart = stranger.get("/cart").text
        assert "Acorn" in cart
        assert "€ 13.10" in cart
        assert stranger.submit("/cart", "/cart/acorn/remove").location == "/cart"
        ordered = stranger.submit("/cart", "/checkout")
        assert ordered.status_code == 303
        order = ordered.location.removeprefix("/orders#")
        assert f'id="{order}"' in stranger.get("/orders").text
        assert "Nothing in it yet" in stranger.get("/cart").text
        assert "user-0002" in stranger.get("/me").text
        assert stranger.submit("/me", "/logout").location == "/"
        assert stranger.get("/me").status_code == 401

    def test_pressing_twice_makes_one_order(self, shopper: PageVisitor) -> None:
        shopper.submit("/", "/cart", sku="acorn", quantity="1")
        page = shopper.get("/cart").text
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.split("/checkout")[1]))
        first, second = shopper.send("/checkout", **fields), shopper.send("/checkout", **fields)
        assert first.location == second.location
        assert shopper.get("/orders").text.count("<article") == 1

    @pytest.mark.parametrize(
        "path", ["/", "/products", "/login", "/cart", "/orders", "/me", "/nowhere", "/recommendations"]
    )
    @pytest.mark.parametrize("known", [True, False])
    def test_every_page(self, shop: Node, path: str, known: bool) -> None:
        visitor = shop.reader().login() if known else shop.reader()
        answer = visitor.get(path)
        if answer.status_code == 303:
            assert (path, known, answer.location) == ("/login", True, "/")
            return
        page = answer.text
        assert '<span class="node">n1</span>' in page, "who served it"
        where = {
            "memory": "in the memory of this node",
            "replicated": "in the memory of every node",
            "token": "cookie, signed",
            "denylist": "a list in Redis says that it was revoked",
            "redis": "in Redis",
            "refresh": "what renews it is in Redis",
            "refresh-database": "what renews it is in the database",
        }[self.store]
        assert where in page
        twin = "stateful" if self.store in {"memory", "replicated"} else "stateless"
        assert f'<html lang="en" data-twin="{twin}">' in page
        assert answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert ("<script" in page) is (known and path == "/orders")
        assert not re.search(r"<script(?! src=\"/static/)|<style| style=| on[a-z]+=|https?://", page), (
            "nothing inline or foreign"
        )
        assert page.count("<h1") == 1

    def test_things_made_to_order(self, shopper: PageVisitor) -> None:
        shopper.submit("/", "/cart", sku="engraved-for-ann-1", quantity="2")
        cart = shopper.get("/cart").text
        assert "Engraved mug: for-ann-1" in cart
        assert "€ 30.00" in cart
        assert "#engraved" in cart
        shopper.submit("/cart", "/checkout")
        assert "Engraved mug: for-ann-1" in shopper.get("/orders").text

    def test_the_slow_page_knows_whom_it_thinks_about(self, stranger: PageVisitor) -> None:
        assert "Chosen for you" in stranger.get("/recommendations").text
        stranger.login()
        stranger.submit("/", "/cart", sku="notebook", quantity="1")
        page = stranger.get("/recommendations").text
        assert "Chosen for user-0001" in page
        assert "/#pencil" in page
        assert "/#notebook" not in page, "it is in the cart"

    @pytest.mark.parametrize("path", ["/cart", "/orders", "/me"])
    def test_a_stranger_gets_the_login_page(self, stranger: PageVisitor, path: str) -> None:
        answer = stranger.get(path)
        assert answer.status_code == 401
        assert 'action="/login"' in answer.text
        assert FORGOTTEN not in answer.text
        assert stranger.submit(path, "/login", user="user-0001", password=PASSWORD).location == path

    def test_somebody_forgotten_is_told_so_and_keeps_the_cookie(self, stranger: PageVisitor) -> None:
        for path, status in (("/cart", 401), ("/me", 401), ("/", 200)):
            stranger.client.set_cookie("session", "of-another-node")
            answer = stranger.get(path)
            assert (answer.status_code, FORGOTTEN in answer.text) == (status, True)
            assert "Set-Cookie" not in answer.headers, "the node that does know this session may be the next"

    def test_a_form_of_a_forgotten_session(self, stranger: PageVisitor) -> None:
        stranger.client.set_cookie("session", "of-another-node")
        answer = stranger.send("/cart", sku="acorn", quantity="1", csrf_token="of-another-node")
        assert (answer.status_code, FORGOTTEN in answer.text) == (401, True)

    def test_a_link_can_bring_the_name(self, stranger: PageVisitor) -> None:
        page = stranger.get("/login?user=user-0031").text
        assert 'name="user" value="user-0031"' in page
        assert re.search(r'<input id="password"[^>]* autofocus>', page)
        assert page.count("autofocus") == 1

    @pytest.mark.parametrize("asked", ['"><script>x', "%22%20autofocus", "a" * 41, "two words", ""])
    def test_a_link_brings_nothing_else(self, stranger: PageVisitor, asked: str) -> None:
        page = stranger.get("/login?user=" + asked).text
        assert 'name="user" value=""' in page
        assert re.search(r'<input id="user"[^>]* autofocus>', page)

    def test_after_the_login_page_nobody_is_forgotten(self, stranger: PageVisitor) -> None:
        stranger.get("/login")
        assert FORGOTTEN not in stranger.get("/").text
        assert FORGOTTEN not in stranger.get("/cart").text

    def test_looking_around_opens_no_session(self, stranger: PageVisitor) -> None:
        for path in ("/", "/products", "/nowhere", "/recommendations"):
            assert "Set-Cookie" not in stranger.get(path).headers

    def test_reading_pages_writes_no_session(self, shopper: PageVisitor) -> None:
        for path in ("/", "/cart", "/orders", "/me"):
            assert "Set-Cookie" not in shopper.get(path).headers

    @pytest.mark.parametrize("action", ["/cart", "/cart/acorn/remove", "/checkout", "/logout", "/login"])
    @pytest.mark.parametrize("token", [{}, {"csrf_token": "guess"}])
    def test_a_forged_form_does_nothing(self, shopper: PageVisitor, action: str, token: dict[str, str]) -> None:
        shopper.submit("/", "/cart", sku="acorn", quantity="1")
        fields = {"sku": "acorn", "quantity": "1", "user": "user-0002", "password": PASSWORD}
        assert shopper.send(action, **fields, **token).status_code == 400
        page = shopper.get("/me").text
        assert "user-0001" in page
        assert "1 article" in page

    def test_a_token_of_somebody_else(self, shop: Node, shopper: PageVisitor) -> None:
        other = shop.reader().login("user-0002")
        token = re.search(r'name="csrf_token" value="([^"]+)"', other.get("/").text)
        assert token is not None
        assert shopper.send("/cart", sku="acorn", quantity="1", csrf_token=token[1]).status_code == 400

    def test_a_wrong_password(self, stranger: PageVisitor) -> None:
        answer = stranger.submit("/login", "/login", user='"><script>x', password="wrong")
        assert answer.status_code == 401
        assert "That did not work" in answer.text
        assert "<script" not in answer.text
        stranger.login()

    @pytest.mark.parametrize(
        ("asked", "led"),
        [
            ("/cart", "/cart"),
            ("/orders", "/orders"),
            ("", "/"),
            ("https://elsewhere.example", "/"),
            ("//elsewhere.example", "/"),
            ("/\\elsewhere.example", "/"),
            ("javascript:alert(1)", "/"),
            ("/login", "/"),
            ("/a\r\nSet-Cookie: x=y", "/"),
        ],
    )
    def test_login_leads_only_into_this_shop(self, stranger: PageVisitor, asked: str, led: str) -> None:
        answer = stranger.submit("/login", "/login", user="user-0001", password=PASSWORD, next=asked)
        assert answer.location == led
        assert len(answer.headers.getlist("Set-Cookie")) == (2 if self.store.startswith("refresh") else 1)

    @pytest.mark.parametrize("quantity", ["", "0", "100", "two", "1.5", "-1", "٣", "9" * 5000])
    def test_bad_quantities(self, shopper: PageVisitor, quantity: str) -> None:
        answer = shopper.submit("/", "/cart", sku="acorn", quantity=quantity)
        assert answer.status_code == 400
        assert "Nothing in it yet" in shopper.get("/cart").text

    def test_an_error_of_ours_is_a_page_without_a_traceback(self, shop: Node, stranger: PageVisitor) -> None:
        def fail() -> None:
            raise ZeroDivisionError("a secret detail")

        shop.app.view_functions["goods.products"] = fail
        answer = stranger.get("/")
        assert (answer.status_code, answer.mimetype) == (500, "text/html")
        assert "secret" not in answer.text
        assert "One moment, please" in answer.text

    def test_pictures_and_colours_are_served_and_kept(self, stranger: PageVisitor) -> None:
        page = stranger.get("/").text
        for address in set(re.findall(r'(/static/[^"#]+)', page)):
            answer = stranger.get(address)
            assert answer.status_code == 200
            assert "max-age=86400" in answer.headers["Cache-Control"]
            assert answer.headers["X-Node"] == "n1"
            answer.close()
        assert all(f"#{product.sku}" in page for product in PRODUCTS)
