"""Two orders of one checkout."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from compose.cluster import Limits
from loadtests.checks.order_duplicated import OrderDuplicated
from tests.loadtests.checks.contract import CheckContract, case
from tests.loadtests.stories import PREFIX, Story, fault, losses, scene, stored

TEA = {"tea": 2}
REQUEST = f"{PREFIX}-0001-0003"


def ordered(status: int = 201) -> Story:
    return Story().login().add("tea", 2, shows=TEA).checkout("o1" if status < 300 else "", "k1", status)


class TestOrderDuplicated(CheckContract):
    check = OrderDuplicated
    guilty: ClassVar = {
        "one request, two orders": case(
            ordered(), stored("o1", TEA, request=REQUEST), stored("o2", TEA, request=REQUEST)
        ),
        "one key, two requests": case(
            ordered(), stored("o1", TEA, request=REQUEST, key="k1"), stored("o2", TEA, request="other", key="k1")
        ),
        "the checkout was unknown to the client": case(
            ordered(503), stored("o1", TEA, request=REQUEST), stored("o2", TEA, request=REQUEST)
        ),
        "three orders are two too many": case(
            ordered(), *[stored(f"o{number}", TEA, request=REQUEST) for number in (1, 2, 3)], times=2
        ),
        "a shop that ignores keys stores none": case(
            ordered().checkout("o2", "k1"),
            stored("o1", TEA, request=REQUEST),
            stored("o2", TEA, request=f"{PREFIX}-0001-0004"),
        ),
        "same request and same key is one duplicate": case(
            ordered(), *[stored(f"o{number}", TEA, request=REQUEST, key="k1") for number in (1, 2)]
        ),
    }
    innocent: ClassVar = {
        "one order": case(ordered(), stored("o1", TEA, request=REQUEST, key="k1")),
        "two checkouts, two orders of the same": case(
            ordered().add("tea", 2, shows=TEA).checkout("o2", "k2"),
            stored("o1", TEA, request=REQUEST, key="k1"),
            stored("o2", TEA, request=f"{PREFIX}-0001-0005", key="k2"),
        ),
        "the same key of two shoppers": case(
            stored("o1", TEA, request="a", key="k1"), stored("o2", TEA, request="b", key="k1", user="user-0002")
        ),
        "no key, two requests": case(stored("o1", TEA, request="a"), stored("o2", TEA, request="b")),
    }

    def test_what_nobody_knows_of_is_the_users_whose_order_it_is(self) -> None:
        orders = [stored(f"o{number}", {"tea": number}, request="x", user="user-0007") for number in (1, 2)]
        (loss,) = losses(orders, scene())
        assert (loss.shopper, loss.at_ms, loss.node, loss.items) == (7, 0.0, "", 2)
        assert len(loss.witness) == 2

    def test_the_last_checkout_tells_when_and_where(self) -> None:
        told = ordered().at(5).checkout("o2", "k1", node="n2")
        orders = [stored("o2", TEA, request=told.last.request), stored("o1", TEA, request=REQUEST)]
        (loss,) = losses([*told.exchanges, *orders], scene())
        assert (loss.at_ms, loss.node, loss.items) == (5010.0, "n2", 2)
        assert [event.at_ms for event in loss.witness] == [210.0, 5010.0, 5010.0, 5010.0]

    def test_the_cause_tells_a_repeated_request_from_an_ignored_key(self) -> None:
        repeated = losses(
            [*ordered().exchanges, stored("o1", TEA, request="r"), stored("o2", TEA, request="r")], scene()
        )
        ignored = losses([stored("o1", TEA, request="r", key="k"), stored("o2", TEA, request="s", key="k")], scene())
        assert repeated[0].cause == "request_repeated"
        assert [loss.cause for loss in ignored] == ["key_ignored"]
        assert [because.word for loss in (*repeated, *ignored) for because in loss.because] == [
            "request_repeated", "key_ignored",
        ]  # fmt: skip

    def test_a_fault_that_has_the_balancer_repeat_requests_is_its_cause_and_only_then(self) -> None:
        orders = [stored(name, TEA, request=REQUEST) for name in ("o1", "o2")]
        sick = fault("n1", "sick-afterwards", 100_000, 120_000, 900_000, 950_000)
        retried = msgspec.structs.replace(scene(), faults=(sick,), limits=Limits(balancer_retries=1))
        for run, by, sentence in (
            (retried, 0, "without breaking n1 at 0.1 s, this checkout would have made one order"),
            (
                msgspec.structs.replace(retried, limits=Limits()), None,
                "without the second sending of one request at 0.2 s, this checkout would have made one order",
            ),
            (
                msgspec.structs.replace(retried, faults=(fault("n1", "sick-afterwards", 300_000, 310_000),)), None,
                "without the second sending of one request at 0.2 s, this checkout would have made one order",
            ),
        ):  # fmt: skip
            (loss,) = [each for each in losses([*ordered().exchanges, *orders], run) if each.kind == "order_duplicated"]
            assert loss.cause == "request_repeated"
            assert [because.fault for because in loss.because] == [by]
            assert loss.counterfactual == sentence

    def test_a_shop_that_ignores_keys_is_the_cause_whatever_is_broken(self) -> None:
        again = ordered().checkout("o2", "k1")
        orders = [stored("o1", TEA, request=REQUEST), stored("o2", TEA, request=again.last.request)]
        found = [
            each for each in losses([*again.exchanges, *orders], scene(("n1", 0.2))) if each.cause == "key_ignored"
        ]
        assert [each.counterfactual for each in found] == [
            "without a shop that makes a second order for a key that it has seen, this checkout would have made one "
            "order"
        ]
