"""The contract of the event stream of one's order's progress, for every session store."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest
from werkzeug.test import TestResponse

from shared.request_log import LoggedRequest, read_request_log
from shared.shop.routes import orders
from tests.shared.shops import JsonVisitor, Node
from tests.shared.store_contract import StoreContract

PATH = "/orders/progress"


class Event:
    """One event of a stream, taken apart."""

    def __init__(self, chunk: bytes) -> None:
        assert chunk.endswith(b"\n\n")
        fields = dict(line.split(": ", 1) for line in chunk.decode().strip().split("\n"))
        self.id, self.name = int(fields["id"]), fields["event"]
        self.told = json.loads(fields["data"])


def events(answer: TestResponse) -> Iterator[Event]:
    assert (answer.status_code, answer.mimetype) == (200, "text/event-stream")
    return (Event(chunk) for chunk in answer.response)


class ProgressContract(StoreContract):
    """What the stream promises. A subclass names the store."""

    @pytest.fixture(autouse=True)
    def quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(orders, "HEARTBEAT_S", 0.01)

    @pytest.fixture
    def shopper(self, shop: Node) -> JsonVisitor:
        return shop.visitor().login()

    def watch(self, visitor: JsonVisitor, **headers: str) -> TestResponse:
        return visitor.client.get(PATH, headers={"Accept": "text/event-stream", **headers})

    def test_events(self, shopper: JsonVisitor) -> None:
        shopper.add("acorn")
        order = shopper.checkout("k").json["order"]
        answer = self.watch(shopper)
        told = [next(heard) for heard in [events(answer)] for _ in range(3)]
        answer.close()
        assert [(event.id, event.name) for event in told] == [(1, "status"), (2, "heartbeat"), (3, "heartbeat")]
        assert told[0].told == {
            "user": "user-0001", "node": "n1", "orders": 1, "count": 1, "order": order, "stage": "received",
        }  # fmt: skip
        assert "Set-Cookie" not in answer.headers

    @pytest.mark.parametrize(("last", "first"), [("41", 42), ("", 1), ("x", 1), ("-1", 1), ("9" * 10, 1), ("٣", 1)])
    def test_it_goes_on_where_it_was_left(self, shopper: JsonVisitor, last: str, first: int) -> None:
        answer = self.watch(shopper, **{"Last-Event-ID": last})
        heard = events(answer)
        assert [next(heard).id, next(heard).id] == [first, first + 1]
        answer.close()

    def test_without_an_order(self, shopper: JsonVisitor) -> None:
        answer = self.watch(shopper)
        told = next(events(answer)).told
        answer.close()
        assert (told["orders"], told["order"], told["stage"]) == (0, "", "")

    def test_a_stranger_is_told_so(self, shop: Node) -> None:
        assert self.watch(shop.visitor()).status_code == 401
        assert shop.visitor().get(PATH).json["error"] == "not_logged_in"

    def test_it_ends(self, shopper: JsonVisitor, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(orders, "LASTS_S", 0.1)
        answer = self.watch(shopper)
        told = list(events(answer))
        answer.close()
        assert 1 <= len(told) <= 11

    def test_it_is_logged_once_and_when_it_begins(self, shop: Node, shopper: JsonVisitor) -> None:
        answer = self.watch(shopper, **{"X-Request-Id": "the-stream"})
        logged = [r for r in read_request_log(shop.log) if isinstance(r, LoggedRequest) and r.path == PATH]
        next(events(answer))
        answer.close()
        assert [(r.id, r.status, r.user) for r in logged] == [("the-stream", 200, "user-0001")]
        again = [r for r in read_request_log(shop.log) if isinstance(r, LoggedRequest) and r.path == PATH]
        assert again == logged

    def test_there_are_only_so_many(self, shop: Node, shopper: JsonVisitor) -> None:
        for _ in range(2):
            open_ones = [self.watch(shopper) for _ in range(orders.MOST_STREAMS)]
            refused = shopper.get(PATH)
            assert (refused.status_code, refused.json["error"]) == (503, "too_many_streams")
            for answer in open_ones:
                answer.close()
                answer.close()
        answer = self.watch(shopper)
        assert next(events(answer)).name == "status"
        answer.close()

    def test_others_are_served_meanwhile(self, shopper: JsonVisitor) -> None:
        answers = [self.watch(shopper) for _ in range(orders.MOST_STREAMS)]
        heard: list[int] = []
        thread = threading.Thread(target=lambda: heard.append(shopper.get("/me").status_code))
        thread.start()
        thread.join(20)
        for answer in answers:
            answer.close()
        assert heard == [200]
