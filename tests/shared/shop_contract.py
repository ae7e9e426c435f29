"""The contract of the shop as a JSON interface: written once, inherited by the tests of every session store."""

from __future__ import annotations

import threading

import pytest

from shared.request_log import LoggedRequest, LoggedSession, read_request_log
from shared.sessions import fingerprint
from shared.shop.catalogue import PRODUCTS
from shared.shop.database import read_orders
from tests.shared.shops import CONTROL_TOKEN, JSON, PASSWORD, JsonVisitor, Node
from tests.shared.store_contract import StoreContract

NOT_LOGGED_IN = {"error": "not_logged_in", "message": "log in first"}


class ShopContract(StoreContract):
    """What the JSON interface promises. A subclass says where sessions live."""

    @pytest.fixture
    def stranger(self, shop: Node) -> JsonVisitor:
        return shop.visitor()

    @pytest.fixture
    def shopper(self, shop: Node) -> JsonVisitor:
        return shop.visitor().login()

    # The catalogue

    @pytest.mark.parametrize("path", ["/", "/products"])
    def test_the_catalogue(self, stranger: JsonVisitor, path: str) -> None:
        products = stranger.get(path).json["products"]
        assert len(products) >= 24
        assert {product["sku"] for product in products} == {product.sku for product in PRODUCTS}
        assert all(set(product) == {"sku", "name", "price_cents"} for product in products)

    def test_the_catalogue_does_not_depend_on_the_session(self, shopper: JsonVisitor) -> None:
        answer = shopper.get("/products")
        assert "Cookie" not in answer.headers.get("Vary", "")
        assert "Set-Cookie" not in answer.headers

    # Who is there

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/me"),
            ("GET", "/cart"),
            ("GET", "/orders"),
            ("POST", "/cart"),
            ("DELETE", "/cart/acorn"),
            ("POST", "/checkout"),
            ("POST", "/logout"),
        ],
    )
    def test_a_stranger_is_told_so(self, stranger: JsonVisitor, method: str, path: str) -> None:
        answer = stranger.ask(method, path, {"sku": "acorn", "quantity": 1} if path == "/cart" else None)
        assert (answer.status_code, answer.json) == (401, NOT_LOGGED_IN)
        assert "Set-Cookie" not in answer.headers

    def test_login_and_me(self, shopper: JsonVisitor) -> None:
        assert shopper.get("/me").json == {"user": "user-0001", "node": "n1", "cart": {}}

    @pytest.mark.parametrize(
        ("user", "password"), [("user-0001", "wrong"), ("nobody", PASSWORD), ("user-0001' --", PASSWORD)]
    )
    def test_wrong_credentials(self, stranger: JsonVisitor, user: str, password: str) -> None:
        answer = stranger.post("/login", {"user": user, "password": password})
        assert (answer.status_code, answer.json["error"]) == (401, "bad_credentials")
        assert stranger.get("/me").status_code == 401

    @pytest.mark.parametrize(
        ("body", "word"),
        [
            ({}, "bad_user"),
            ({"user": "user-0001"}, "bad_password"),
            ({"user": 1, "password": PASSWORD}, "bad_user"),
            ({"user": "user-0001", "password": None}, "bad_password"),
        ],
    )
    def test_incomplete_credentials(self, stranger: JsonVisitor, body: object, word: str) -> None:
        answer = stranger.post("/login", body)
        assert (answer.status_code, answer.json["error"]) == (400, word)

    def test_logging_in_again_begins_with_an_empty_cart(self, shopper: JsonVisitor) -> None:
        shopper.add("acorn")
        assert shopper.login("user-0002").get("/me").json == {"user": "user-0002", "node": "n1", "cart": {}}

    def test_logout(self, shopper: JsonVisitor) -> None:
        assert shopper.post("/logout").status_code == 200
        assert shopper.get("/me").status_code == 401
        assert shopper.post("/logout").json == NOT_LOGGED_IN

    def test_visitors_do_not_mix(self, shop: Node) -> None:
        one, other = shop.visitor().login("user-0001"), shop.visitor().login("user-0002")
        one.add("acorn", 2)
        other.add("bell")
        assert one.get("/me").json == {"user": "user-0001", "node": "n1", "cart": {"acorn": 2}}
        assert other.get("/me").json == {"user": "user-0002", "node": "n1", "cart": {"bell": 1}}

    # The cart

    def test_adding_and_removing(self, shopper: JsonVisitor) -> None:
        assert shopper.add("acorn", 2).json == {"cart": {"acorn": 2}}
        assert shopper.add("acorn", 3).json == {"cart": {"acorn": 5}}
        assert shopper.add("bell", 99).json == {"cart": {"acorn": 5, "bell": 99}}
        assert shopper.cart() == {"acorn": 5, "bell": 99}
        assert shopper.ask("DELETE", "/cart/acorn").json == {"cart": {"bell": 99}}
        assert shopper.ask("DELETE", "/cart/acorn").json == {"cart": {"bell": 99}}
        assert shopper.cart() == {"bell": 99}

    @pytest.mark.parametrize("quantity", [0, -1, 100, 10**30, "2", 1.5, True, None, [1]])
    def test_bad_quantities(self, shopper: JsonVisitor, quantity: object) -> None:
        answer = shopper.post("/cart", {"sku": "acorn", "quantity": quantity})
        assert (answer.status_code, answer.json["error"]) == (400, "bad_quantity")
        assert shopper.cart() == {}

    def test_a_missing_quantity(self, shopper: JsonVisitor) -> None:
        assert shopper.post("/cart", {"sku": "acorn"}).json["error"] == "bad_quantity"

    def test_more_of_one_than_a_cart_holds(self, shopper: JsonVisitor) -> None:
        for _ in range(10):
            assert shopper.add("acorn", 99).status_code == 200
        assert shopper.add("acorn", 10).json["error"] == "bad_quantity"
        assert shopper.add("acorn", 9).json == {"cart": {"acorn": 999}}

    @pytest.mark.parametrize("sku", ["nothing", "ACORN", "../acorn", "<b>"])
    def test_unknown_articles(self, shopper: JsonVisitor, sku: str) -> None:
        answer = shopper.add(sku)
        assert (answer.status_code, answer.json["error"]) == (404, "unknown_sku")
        assert shopper.ask("DELETE", "/cart/nothing").json["error"] == "unknown_sku"

    @pytest.mark.parametrize("sku", [None, 7, "", ["acorn"]])
    def test_what_is_not_a_sku(self, shopper: JsonVisitor, sku: object) -> None:
        assert shopper.post("/cart", {"sku": sku, "quantity": 1}).json["error"] == "bad_sku"

    def test_things_made_to_order(self, shop: Node, shopper: JsonVisitor) -> None:
        assert shopper.add("engraved-for-ann-1", 2).json == {"cart": {"engraved-for-ann-1": 2}}
        shopper.add("engraved-for-bob-1")
        assert shopper.ask("DELETE", "/cart/engraved-for-bob-1").json == {"cart": {"engraved-for-ann-1": 2}}
        assert shopper.add("engraved-x").json["error"] == "unknown_sku"
        order = shopper.checkout("k").json
        assert (order["lines"], order["total_cents"]) == ({"engraved-for-ann-1": 2}, 3000)
        assert read_orders(shop.settings.database_url)[0].lines == {"engraved-for-ann-1": 2}

    def test_a_cart_that_is_full(self, shopper: JsonVisitor, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("shared.shop.catalogue.MOST_ARTICLES", 2)
        shopper.add("acorn")
        shopper.add("engraved-for-ann-1")
        answer = shopper.add("bell")
        assert (answer.status_code, answer.json["error"]) == (400, "cart_full")
        assert shopper.cart() == {"acorn": 1, "engraved-for-ann-1": 1}

    # The till

    def test_checkout(self, shop: Node, shopper: JsonVisitor) -> None:
        shopper.add("acorn", 2)
        shopper.add("bell")
        answer = shopper.post("/checkout", None, **{"Idempotency-Key": "k1", "X-Request-Id": "the-request"})
        order = answer.json["order"]
        told = {"order": order, "key": "k1", "lines": {"acorn": 2, "bell": 1}, "total_cents": 2 * 95 + 1120}
        assert (answer.status_code, answer.json) == (201, told)
        assert shopper.cart() == {}
        assert shopper.get("/orders").json == {"orders": [told]}
        (stored,) = read_orders(shop.settings.database_url)
        assert (stored.order, stored.user, stored.key, stored.request) == (order, "user-0001", "k1", "the-request")
        assert stored.lines == {"acorn": 2, "bell": 1}

    def test_the_same_key_again(self, shopper: JsonVisitor) -> None:
        shopper.add("acorn")
        first = shopper.checkout("k1")
        again = shopper.checkout("k1")
        assert (again.status_code, again.json) == (200, first.json)
        shopper.add("bell")
        assert shopper.checkout("k1").json == first.json
        assert shopper.cart() == {"bell": 1}, "what was added since then is still to be ordered"
        shopper.checkout("k2")
        shopper.add("acorn")
        assert shopper.checkout("k1").json == first.json
        assert shopper.cart() == {}, "a cart that was ordered is emptied, also when the first answer was lost"

    def test_the_same_key_of_somebody_else(self, shop: Node) -> None:
        one, other = shop.visitor().login("user-0001"), shop.visitor().login("user-0002")
        one.add("acorn")
        other.add("bell")
        assert one.checkout("k").json["lines"] == {"acorn": 1}
        assert other.checkout("k").status_code == 201
        assert len(read_orders(shop.settings.database_url)) == 2

    def test_the_same_key_at_the_same_time(self, shop: Node) -> None:
        windows = [shop.visitor().login() for _ in range(4)]
        for window in windows:
            window.add("acorn")
        barrier = threading.Barrier(len(windows))
        answers: list[tuple[int, str]] = []

        def press(window: JsonVisitor) -> None:
            barrier.wait(30)
            answer = window.checkout("k")
            answers.append((answer.status_code, answer.json["order"]))

        threads = [threading.Thread(target=press, args=(window,)) for window in windows]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert sorted(status for status, _ in answers) == [200, 200, 200, 201]
        assert len({order for _, order in answers}) == 1 == len(read_orders(shop.settings.database_url))

    def test_without_a_key_every_checkout_is_an_order(self, shopper: JsonVisitor) -> None:
        for _ in range(2):
            shopper.add("acorn")
            answer = shopper.checkout()
            assert (answer.status_code, answer.json["key"]) == (201, None)
        assert len(shopper.get("/orders").json["orders"]) == 2

    def test_an_empty_cart(self, shopper: JsonVisitor) -> None:
        answer = shopper.checkout("new")
        assert (answer.status_code, answer.json["error"]) == (400, "empty_cart")
        assert shopper.get("/orders").json == {"orders": []}

    @pytest.mark.parametrize("key", ["k" * 256, ""])
    def test_a_key_that_cannot_be_one(self, shopper: JsonVisitor, key: str) -> None:
        shopper.add("acorn")
        answer = shopper.ask("POST", "/checkout", headers={"Idempotency-Key": key})
        assert (answer.status_code, answer.json["error"]) == (400, "bad_key")
        assert shopper.cart() == {"acorn": 1}

    # What is refused

    @pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"{}{}", b'{"a":' * 3000])
    def test_bad_json(self, shopper: JsonVisitor, body: bytes) -> None:
        answer = shopper.post("/cart", body)
        assert (answer.status_code, answer.json["error"]) == (400, "bad_json")

    @pytest.mark.parametrize(("method", "path"), [("POST", "/cart"), ("DELETE", "/cart/acorn"), ("POST", "/checkout")])
    def test_writes_need_a_json_content_type(self, shopper: JsonVisitor, method: str, path: str) -> None:
        shopper.add("acorn")
        answer = shopper.ask(method, path, b"sku=acorn&quantity=1", {"Content-Type": "text/plain"})
        assert (answer.status_code, answer.json["error"]) == (415, "unsupported_media_type")
        assert shopper.cart() == {"acorn": 1}

    def test_unknown_paths_and_methods(self, stranger: JsonVisitor) -> None:
        missing, wrong = stranger.get("/nowhere"), stranger.ask("PUT", "/cart")
        assert (missing.status_code, missing.json["error"]) == (404, "not_found")
        assert (wrong.status_code, wrong.json["error"]) == (405, "method_not_allowed")
        assert "POST" in wrong.headers["Allow"]

    @pytest.mark.parametrize(("method", "path"), [("POST", "/login"), ("POST", "/cart"), ("DELETE", "/cart/acorn"),
        ("POST", "/checkout"), ("POST", "/logout"), ("GET", "/me"), ("POST", "/nowhere")])  # fmt: skip
    @pytest.mark.parametrize("chunked", [False, True])
    def test_a_body_that_is_too_large_is_refused_whoever_sent_it(
        self, shopper: JsonVisitor, stranger: JsonVisitor, method: str, path: str, chunked: bool
    ) -> None:
        body = b'{"sku":"' + b"x" * 20_000 + b'"}'
        for visitor in (shopper, stranger):
            answer = visitor.chunked(method, path, body) if chunked else visitor.ask(method, path, body)
            assert (answer.status_code, answer.json["error"]) == (413, "request_entity_too_large")
        assert shopper.get("/me").status_code == 200

    def test_a_body_whose_length_nobody_tells(self, shopper: JsonVisitor) -> None:
        assert shopper.chunked("POST", "/cart", b'{"sku":"acorn","quantity":2}').status_code == 200
        assert shopper.cart() == {"acorn": 2}

    def test_an_error_of_ours_tells_nothing(self, shop: Node, shopper: JsonVisitor) -> None:
        def fail() -> None:
            raise ZeroDivisionError("a secret detail")

        shop.app.view_functions["entrance.me"] = fail
        answer = shopper.get("/me")
        assert (answer.status_code, answer.json["error"]) == (500, "internal_server_error")
        assert "secret" not in answer.text
        assert "Traceback" not in answer.text

    # Marks, health and control

    @pytest.mark.parametrize("path", ["/products", "/me", "/nowhere", "/healthz", "/-/sessions"])
    def test_every_answer_is_marked(self, stranger: JsonVisitor, path: str) -> None:
        answer = stranger.get(path, **{"X-Request-Id": "run.1-a_B"})
        marks = {"X-Node": "n1", "X-Run": "0a1b2c3d", "X-Request-Id": "run.1-a_B", "Cache-Control": "no-store"}
        assert {name: answer.headers.getlist(name) for name in marks} == {name: [mark] for name, mark in marks.items()}

    @pytest.mark.parametrize("asked", ["", "x" * 65, "two words", 'a"b', "ä"])
    def test_a_request_id_that_cannot_be_used_is_replaced(self, stranger: JsonVisitor, asked: str) -> None:
        given = stranger.get("/products", **{"X-Request-Id": asked}).headers["X-Request-Id"]
        assert given != asked
        assert given.isalnum()

    def test_health_touches_no_session(self, shop: Node, shopper: JsonVisitor) -> None:
        answer = shopper.get("/healthz")
        assert answer.json == {"ok": True, "node": "n1", "run": "0a1b2c3d", "boot": answer.json["boot"]}
        assert answer.headers.get("Vary") is None
        assert shopper.get("/healthz").json["boot"] == answer.json["boot"]

    def test_the_control_page_needs_its_token(self, stranger: JsonVisitor) -> None:
        assert stranger.get("/-/sessions").status_code == 404
        assert stranger.get("/-/sessions", **{"X-Control-Token": "guess"}).status_code == 404
        shown = stranger.get("/-/sessions", **{"X-Control-Token": CONTROL_TOKEN}).json
        assert shown == {"node": "n1", "boot": shown["boot"], "store": self.store, "sessions": []}

    # The request log

    def test_the_request_log(self, shop: Node) -> None:
        visitor = shop.visitor()
        visitor.get("/healthz")
        visitor.get("/-/sessions")
        visitor.get("/me", **{"X-Request-Id": "r1"})
        visitor.ask("POST", "/login", {"user": "user-0003", "password": PASSWORD}, {"X-Request-Id": "r2"})
        visitor.get("/cart?page=1", **{"X-Request-Id": "r3"})
        visitor.ask("POST", "/logout", headers={"X-Request-Id": "r4"})
        records = list(read_request_log(shop.log))
        requests = [record for record in records if isinstance(record, LoggedRequest)]
        assert [(r.id, r.method, r.path, r.status, r.user) for r in requests] == [
            ("r1", "GET", "/me", 401, ""),
            ("r2", "POST", "/login", 200, "user-0003"),
            ("r3", "GET", "/cart", 200, "user-0003"),
            ("r4", "POST", "/logout", 200, "user-0003"),
        ]
        assert len({(r.node, r.boot) for r in records}) == 1
        sessions = [record for record in records if isinstance(record, LoggedSession)]
        assert [(s.event, s.id, s.user) for s in sessions] == [
            ("opened", "r2", "user-0003"),
            ("ended", "r4", "user-0003"),
        ]
        assert sessions[0].session == sessions[1].session

    def test_the_log_names_the_session_that_a_stranger_brings(self, shop: Node, shopper: JsonVisitor) -> None:
        shopper.get("/cart", **{"X-Request-Id": "r1"})
        stranger = shop.visitor()
        stranger.client.set_cookie("session", "opened-elsewhere")
        stranger.get("/cart", **{"X-Request-Id": "r2"})
        brought = {r.id: r.session for r in read_request_log(shop.log) if isinstance(r, LoggedRequest)}
        assert (brought["r1"], brought["r2"]) == ("", fingerprint("opened-elsewhere"))

    def test_no_secret_is_logged(self, shop: Node, shopper: JsonVisitor) -> None:
        shopper.add("acorn")
        cookie = shopper.client.get_cookie("session")
        assert cookie is not None
        log = shop.log.read_text()
        for secret in (PASSWORD, cookie.value, shop.settings.secret_key, CONTROL_TOKEN):
            assert secret not in log
            assert secret not in repr(shop.settings)

    # What is asked for

    @pytest.mark.parametrize(
        ("accept", "kind"),
        [
            (JSON, JSON),
            ("application/json, text/plain, */*", JSON),
            ("application/json;q=0.9,text/html;q=0.2", JSON),
            ("*/*", "text/html"),
            ("", "text/html"),
            ("text/html,application/xhtml+xml,application/json;q=0.1", "text/html"),
        ],
    )
    def test_the_kind_of_answer(self, stranger: JsonVisitor, accept: str, kind: str) -> None:
        assert stranger.get("/products", Accept=accept).mimetype == kind
        assert stranger.get("/nowhere", Accept=accept).mimetype == kind
