"""Versions and keys: a node that does not understand what another has written is accused, and nothing else is."""

from __future__ import annotations

import pytest

from loadtests.model.history import Exchange
from loadtests.session_model.timeline import RunTimeline
from tests.loadtests.session_model.accused import cause, faults, out, strike, where
from tests.loadtests.stories import Story, losses, stored

STORES = ["signed-token", "redis", "token-denylist", "refresh-token", "replicated-memory"]
RENAMED = ("deploy-renamed", "n1")


def deployed(kind: str, node: str, at: float = 1.0) -> object:
    return strike(kind, node, at=at, heal=at + 1)


def told(home: str, now: str) -> list[Exchange]:
    return out(home, now, at=6, login=4)


def place(store: str, *strikes: object) -> RunTimeline:
    return where(store, *strikes)  # type: ignore[arg-type]


@pytest.mark.parametrize("store", STORES)
class TestEveryStore:
    def test_old_meets_new(self, store: str) -> None:
        assert cause(told("n2", "n1"), place(store, deployed(*RENAMED))).startswith("format_changed")

    def test_new_meets_old(self, store: str) -> None:
        records, at = told("n1", "n2"), place(store, deployed(*RENAMED))
        assert cause(records, at).startswith("format_changed")
        assert faults(records, at) == {0}

    def test_both_new(self, store: str) -> None:
        at = place(store, deployed(*RENAMED), deployed("deploy-renamed", "n2"))
        assert "format_changed" not in cause(told("n1", "n2"), at)

    def test_reading_both(self, store: str) -> None:
        at = place(store, deployed(*RENAMED), deployed("deploy-reads-both", "n2"))
        assert "format_changed" not in cause(told("n1", "n2"), at)

    def test_rolled_back(self, store: str) -> None:
        at = place(store, deployed(*RENAMED, at=0.5), deployed("deploy-first", "n1", at=2))
        assert "format_changed" not in cause(told("n1", "n2"), at)

    def test_a_cart_of_another_type(self, store: str) -> None:
        story = Story().at(4).login("n2").add("tea", 2, shows={"tea": 2}, node="n2").at(6).cart({"tea": 1}, node="n1")
        (loss,) = losses(story.exchanges, place(store, deployed("deploy-typed", "n1")))
        assert (loss.kind, loss.cause) == ("items_lost", "format_changed")


def test_a_node_loses_all_that_it_remembers_whatever_it_looked_like() -> None:
    at = place("sticky-memory", strike("deploy-renamed", "n1", at=5, heal=5.5))
    assert cause(out("n1", "n1", at=6, login=1), at) == "node_stopped"


OWN_KEYS = {
    "another node": (
        told("n1", "n2"), place("signed-token", strike("key-per-process", "cluster", at=0)), "key_changed",
    ),
    "the same node": (
        told("n1", "n1"), place("signed-token", strike("key-per-process", "cluster", at=0)), "unexplained",
    ),
    "in a store": (told("n1", "n2"), place("redis", strike("key-per-process", "cluster", at=0)), "unexplained"),
    "another process of the same node": (
        told("n1", "n1"), where("signed-token", strike("key-per-process", "cluster", at=0), node_workers=2),
        "key_changed",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(OWN_KEYS))
def test_keys_of_their_own(name: str) -> None:
    records, at, named = OWN_KEYS[name]
    assert cause(records, at) == named


def test_a_store_that_was_emptied() -> None:
    at = place("redis", strike("store-flush", "store", at=5))
    assert cause(told("n1", "n2"), at) == "store_flushed"
    assert cause(told("n1", "n2"), where("redis", strike("store-flush", "store", at=5), store_append_only=True)) == (
        "store_flushed"
    ), "a file does not help"


@pytest.mark.parametrize(("node", "named"), [("n1", "format_changed"), ("n2", "unexplained")])
def test_an_order_that_a_node_of_another_version_read_lacks_what_it_took_for_something_else(
    node: str, named: str
) -> None:
    told = Story().at(4).login("n2").add("tea", 2, shows={"tea": 2}, node="n2").checkout("o1", node=node)
    order = stored("o1", {"tea": 1}, request=told.last.request)
    (loss,) = losses([*told.exchanges, order], place("redis", deployed("deploy-typed", "n1")))
    assert (loss.kind, loss.cause, loss.items) == ("items_lost", named, 1)
