"""The table of causes is closed, and every cause in it can come out of a history."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest

from compose.architectures import ARCHITECTURES
from compose.cluster import Limits
from loadtests.checks import CAUSES
from loadtests.model.history import Exchange, Record
from loadtests.session_model.causes import (
    cause_of_shared_session,
    cause_of_use_after_logout,
    fault_behind,
)
from loadtests.session_model.shopper_trace import ShopperTrace
from loadtests.session_model.timeline import RunTimeline
from tests.loadtests.stories import Story, fault, losses, retold, scene, stored


def after(kind: str, victim: str = "n2", architecture: str = "sticky-memory", at: float = 5) -> RunTimeline:
    """A scene in which a fault of that kind was there from that second on, for two seconds."""
    us = round(at * 1e6)
    told = fault(victim, kind, us, us + 20_000, us + 2_000_000, us + 2_020_000)
    return msgspec.structs.replace(scene(architecture=architecture), faults=(told,))


def out(architecture: str = "sticky-memory", home: str = "n2", now: str = "n2", at: float = 6) -> list[Exchange]:
    """Logged in at one node, answered as a stranger by a node later."""
    return Story(architecture=architecture).login(home).at(at).stranger(node=now).exchanges


def causes(records: Iterable[Record], where: RunTimeline) -> list[str]:
    return [loss.cause for loss in losses(records, where)]


AHEAD = after("clock-ahead", "n2", "signed-token", at=-0.5)

LOGOUTS = {
    "killed": (out(now="n1"), after("kill"), "node_killed"),
    "stopped": (out(now="n1"), after("stop"), "node_stopped"),
    "restarted": (out(), after("restart"), "node_stopped"),
    "removed": (out(now="n1"), after("scale-in"), "node_stopped"),
    "rekeyed, with the session in its memory": (out(), after("key-swap"), "node_stopped"),
    "another node was killed": (out(now="n1"), after("kill", "n3"), "other_node"),
    "killed only later": (out(now="n1"), after("kill", at=7), "other_node"),
    "no fault": (out(now="n1"), scene(), "other_node"),
    "no fault, the same node": (out(), scene(), "unexplained"),
    "frozen": (out(now="n1"), after("freeze"), "node_frozen"),
    "frozen, and still answered by it": (out(), after("freeze"), "unexplained"),
    "another one frozen": (out(now="n1"), after("freeze", "n3"), "other_node"),
    "slow": (out(now="n1"), after("slow"), "other_node"),
    "without affinity": (out(now="n1"), after("no-affinity", "cluster"), "affinity_lost"),
    "without affinity, long ago": (out(now="n1", at=60), after("no-affinity", "cluster", at=-9), "other_node"),
    "the ring turned": (out("sticky-hash", now="n1"), after("kill", "n3", "sticky-hash"), "moved_by_ring"),
    "the ring grew": (out("sticky-hash", now="n4"), after("scale-out", "cluster", "sticky-hash"), "moved_by_ring"),
    "the ring stood still": (out("sticky-hash", now="n1"), after("slow", "n3", "sticky-hash"), "other_node"),
    "no ring to turn": (out(now="n1"), after("kill", "n3"), "other_node"),
    "capped": (out(), after("memory-cap"), "memory_cap"),
    "another one capped": (out(), after("memory-cap", "n1"), "unexplained"),
    "two processes": (out(), after("workers", "cluster", at=0), "worker"),
    "a replica is behind": (out("replicated-memory", now="n1"), scene(architecture="replicated-memory"), "other_node"),
    "rekeyed": (out("signed-token", now="n1"), after("key-swap", "n2", "signed-token"), "key_changed"),
    "rekeyed only later": (out("signed-token"), after("key-swap", "n2", "signed-token", at=7), "unexplained"),
    "ahead": (out("signed-token", now="n1"), AHEAD, "clock_ahead"),
    "ahead, and put right since": (out("signed-token"), AHEAD, "clock_ahead"),
    "ahead, and still so": (out("signed-token", at=1), AHEAD, "unexplained"),
    "ahead, but signed elsewhere": (
        out("signed-token", home="n1", now="n3"), AHEAD, "unexplained",
    ),
    "a killed node holds no token": (out("signed-token"), after("kill", "n2", "signed-token"), "unexplained"),
    "store killed": (out("redis"), after("store-kill", "store", "redis"), "store_lost"),
    "store killed only later": (out("redis"), after("store-kill", "store", "redis", at=7), "unexplained"),
    "store full": (out("redis"), after("store-full", "store", "redis"), "store_evicted"),
    "promoted": (out("redis-replica"), after("promoted", "store", "redis-replica"), "not_replicated"),
    "store frozen": (out("redis"), after("store-freeze", "store", "redis"), "unexplained"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(LOGOUTS))
def test_why_somebody_was_logged_out(name: str) -> None:
    records, where, cause = LOGOUTS[name]
    assert causes(records, where) == [cause]


def test_a_node_that_holds_as_many_as_it_may() -> None:
    for held, cause in ((5, "memory_cap"), (4, "unexplained")):
        full = msgspec.structs.replace(scene(), limits=Limits(session_cap=5), fullest={"n1": 5, "n2": held})
        assert causes(out(), full) == [cause]


def test_a_fault_that_nobody_observed_explains_nothing() -> None:
    for kind in ("kill", "freeze", "memory-cap"):
        assert causes(out(), retold(after(kind), observed_us=None)) == ["unexplained"]


def test_a_browser_that_lost_the_balancers_cookie() -> None:
    told = Story().login("n2").say("forget_node", status=0, node="")
    forgot = msgspec.structs.replace(told.last, outcome="ok", request="")
    records = [told.exchanges[0], forgot, *told.stranger(node="n1").exchanges[2:]]
    assert causes(records, scene()) == ["affinity_lost"]


def carts(*, architecture: str = "sticky-memory", node: str = "n1", **of_the_write: object) -> list[Exchange]:
    """An item was put into the cart, and is not in it any more."""
    told = Story(architecture=architecture).login("n1").add("tea", shows={"tea": 1}, node="n1")
    told.exchanges[-1] = msgspec.structs.replace(told.last, **of_the_write)
    return told.at(6).cart({}, node=node).exchanges


def lingering() -> list[Exchange]:
    """A slow page was on its way while the item was put into the cart."""
    told = Story().login("n1").say("linger")
    slow = msgspec.structs.replace(told.last, done_us=told.last.sent_us + 400_000, overlapped=True)
    told.add("tea", shows={"tea": 1})
    write = msgspec.structs.replace(told.last, overlapped=True)
    return [told.exchanges[0], write, slow, *told.at(6).cart({}).exchanges[3:]]


CARTS = {
    "another node": (carts(node="n2"), scene(), "other_node"),
    "another node of a shop that shares": (
        carts(architecture="redis", node="n2"), scene(architecture="redis"), "unexplained",
    ),
    "too large": (carts(architecture="signed-token", cookie_refused=True), scene(architecture="signed-token"),
                  "cookie_too_large"),
    "overlapping": (carts(overlapped=True), scene(), "overlapping_write"),
    "slow page": (lingering(), scene(), "refreshed_by_slow_page"),
    "got through late": (carts(architecture="redis"), after("store-cut", "n2", "redis", at=3.5), "delayed_write"),
    "could not get through yet": (carts(architecture="redis"), after("store-cut", "n2", "redis"), "unexplained"),
    "asked again": (
        carts(),
        msgspec.structs.replace(after("sick-afterwards"), limits=Limits(balancer_retries=1)), "request_repeated",
    ),
    "done and not asked again": (carts(), after("sick-afterwards"), "unexplained"),
    "an older copy": (
        carts(architecture="redis-replica"), after("promoted", "store", "redis-replica"), "not_replicated",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(CARTS))
def test_why_a_cart_lacked_something(name: str) -> None:
    records, where, cause = CARTS[name]
    assert causes(records, where) == [cause]


def test_a_cart_goes_with_its_session() -> None:
    killed = Story().login("n2").add("tea", shows={"tea": 1}, node="n2").at(6).stranger().login(why="recovery").cart({})
    assert causes(killed.exchanges, scene(("n2", 5))) == ["node_killed", "session_gone_with_login"]


def test_a_session_that_is_good_after_its_logout() -> None:
    assert cause_of_use_after_logout(scene(architecture="signed-token")) == "not_revoked"
    assert cause_of_use_after_logout(scene(architecture="token-denylist")) == "unexplained"
    assert cause_of_use_after_logout(scene(architecture="redis")) == "unexplained"


def test_a_session_that_somebody_else_had_opened() -> None:
    def kept_ids(architecture: str) -> RunTimeline:
        return msgspec.structs.replace(scene(architecture=architecture), limits=Limits(regenerate_at_login=False))

    assert cause_of_shared_session(kept_ids("redis")) == "fixation"
    assert cause_of_shared_session(scene(architecture="redis")) == "unexplained"
    assert cause_of_shared_session(kept_ids("signed-token")) == "unexplained"


def test_every_cause_is_found_somewhere() -> None:
    repeated = [stored("a", {}, request="r"), stored("b", {}, request="r")]
    ignored = [stored("a", {}, request="r", key="k"), stored("b", {}, request="s", key="k")]
    found = {cause for _, _, cause in (*LOGOUTS.values(), *CARTS.values())}
    found |= {*causes(repeated, scene()), *causes(ignored, scene()), "session_gone_with_login"}
    assert found | {"fixation", "not_revoked"} == set(CAUSES)


def test_the_fault_behind_a_loss_stands_in_its_witness() -> None:
    at = after("store-kill", "store", "redis")
    (loss,) = losses(out("redis"), at)
    assert any("store-kill" in event.what for event in loss.witness), loss.witness
    assert fault_behind(scene(), ShopperTrace(1), out()[-1]) is None


def test_every_architecture_has_rules() -> None:
    for name in ARCHITECTURES:
        (cause,) = causes(out(name), scene(architecture=name))
        assert cause in CAUSES


def test_sentences() -> None:
    assert all(sentence.endswith(".") for sentence in CAUSES.values())
