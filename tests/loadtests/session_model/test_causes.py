"""The table of causes is closed, and every cause in it can come out of a history."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest

from compose.cluster import Limits
from loadtests.checks import CAUSES
from loadtests.faults import FAULTS
from loadtests.model.history import Exchange, Record
from loadtests.session_model.causes import meaning_of, reason_of_shared_session, words_of
from loadtests.session_model.circumstances import circumstances_of
from loadtests.session_model.timeline import RunTimeline
from tests.loadtests.session_model.accused import strike, where
from tests.loadtests.session_model.stores.test_memory import CASES as OF_MEMORY
from tests.loadtests.session_model.stores.test_redis import CASES as OF_REDIS
from tests.loadtests.session_model.stores.test_replicated import CASES as OF_REPLICATED
from tests.loadtests.session_model.stores.test_token import CASES as OF_TOKEN
from tests.loadtests.session_model.stores.test_token import OUTLIVED
from tests.loadtests.stories import Story, losses, scene, stored


def causes(records: Iterable[Record], where: RunTimeline) -> list[str]:
    return [loss.cause for loss in losses(records, where)]


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


def lingered_before() -> list[Exchange]:
    """A slow page was over when the item was put into the cart."""
    return Story().login("n1").say("linger").add("tea", shows={"tea": 1}).at(6).cart({}).exchanges


def hanging(at: float, node: str = "n2") -> list[Exchange]:
    """One write was answered, and another hung before it, at that second."""
    told = Story(architecture="redis").login("n1").at(at).add("mug", status=0, node=node)
    told.at(5.2).add("tea", shows={"tea": 1}).at(6)
    return told.cart({}).exchanges


REFRESHING = msgspec.structs.replace(scene(), limits=Limits(session_refresh_each_request=True))
RETRYING = Limits(balancer_retries=1)
CUT = (strike("replica-cut", "replica", at=0.05), strike("promoted", "store", heal=5.5))

CARTS: dict[str, tuple[list[Exchange], RunTimeline, str]] = {
    "another node": (carts(node="n2"), where("roundrobin-memory"), "other_node"),
    "another node, with affinity": (carts(node="n2"), where("sticky-memory"), "held_for_dead"),
    "another node, while its own was frozen": (
        carts(node="n2"), where("sticky-memory", strike("freeze", "n1")), "node_frozen",
    ),
    "another copy": (carts(node="n2"), where("replicated-memory"), "other_node"),
    "another node of a shop that shares": (
        carts(architecture="redis", node="n2"), where("redis"), "unexplained",
    ),
    "too large": (carts(architecture="signed-token", cookie_refused=True), where("signed-token"), "cookie_too_large"),
    "overlapping": (carts(overlapped=True), scene(), "overlapping_write"),
    "slow page": (lingering(), REFRESHING, "refreshed_by_slow_page"),
    "slow page that was over": (lingered_before(), REFRESHING, "unexplained"),
    "slow page that saves nothing": (lingering(), scene(), "overlapping_write"),
    "got through late": (hanging(4), where("redis", strike("store-cut", heal=5.5, at=3.5)), "delayed_write"),
    "nothing had hung": (
        carts(architecture="redis"), where("redis", strike("store-cut", heal=5.5, at=3.5)), "unexplained",
    ),
    "had hung before it was cut": (hanging(2), where("redis", strike("store-cut", heal=5.5, at=3.5)), "unexplained"),
    "could not get through yet": (hanging(4), where("redis", strike("store-cut", heal=7, at=3.5)), "unexplained"),
    "asked again": (carts(), where("sticky-memory", strike("sick-afterwards"), limits=RETRYING), "request_repeated"),
    "done and not asked again": (carts(), where("sticky-memory", strike("sick-afterwards")), "unexplained"),
    "an older copy": (
        carts(architecture="redis-replica"), where("redis-replica", strike("promoted", "store", at=0.9)),
        "not_replicated",
    ),
    "an older copy by far": (carts(architecture="redis-replica"), where("redis-replica", *CUT), "not_replicated"),
    "a copy that had it": (
        carts(architecture="redis-replica"), where("redis-replica", strike("promoted", "store")), "unexplained",
    ),
}  # fmt: skip


KEPT = strike("page-cache", "cluster", at=-1)
TAKEN = Story(architecture="redis").login().say("browse", kept_from=2, kept_session=True)
PAGES: dict[str, tuple[list[Exchange], RunTimeline, str]] = {
    "a page of another's": (
        Story(architecture="redis").login().say("me", user="user-0002", shows={}, kept_from=2).exchanges,
        where("redis", KEPT), "page_kept",
    ),
    "and nobody keeps pages": (
        Story(architecture="redis").login().say("me", user="user-0002", shows={}, kept_from=2).exchanges,
        where("redis"), "unexplained",
    ),
    "the session that came with one": (
        [*TAKEN.exchanges, *Story(architecture="redis").at(3).me({}, user="user-0002").exchanges],
        where("redis", KEPT), "page_kept",
    ),
    "out with another's session": (
        [*TAKEN.exchanges, *Story(architecture="redis").at(3).stranger().exchanges], where("redis", KEPT), "page_kept",
    ),
    "one's own was given away, perhaps": (
        carts(architecture="redis"), where("redis", KEPT, session_refresh_each_request=True), "page_kept",
    ),
    "pages without a session": (carts(architecture="redis"), where("redis", KEPT), "unexplained"),
    "one's own was given away, perhaps, and the store is empty": (
        Story(architecture="redis").login().at(6).stranger().exchanges,
        where("redis", strike("store-flush", "store"), KEPT, session_refresh_each_request=True), "store_flushed",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(PAGES))
def test_whose_page_was_kept(name: str) -> None:
    records, where, cause = PAGES[name]
    assert causes(records, where) == [cause]


@pytest.mark.parametrize("name", list(CARTS))
def test_why_a_cart_lacked_something(name: str) -> None:
    records, where, cause = CARTS[name]
    assert causes(records, where) == [cause]


def test_a_cart_goes_with_its_session() -> None:
    killed = Story().login("n2").add("tea", shows={"tea": 1}, node="n2").at(6).stranger().login(why="recovery").cart({})
    logout, cart = losses(killed.exchanges, scene(("n2", 5)))
    assert (logout.cause, cart.cause) == ("node_killed", "session_gone_with_login")
    assert cart.because == logout.because, "the cart is credited to what took the session"
    assert cart.counterfactual == logout.counterfactual


def test_a_session_that_somebody_else_had_opened() -> None:
    def kept_ids(architecture: str) -> RunTimeline:
        return msgspec.structs.replace(scene(architecture=architecture), limits=Limits(regenerate_at_login=False))

    for at, cause in (
        (kept_ids("redis"), "fixation"),
        (scene(architecture="redis"), "unexplained"),
        (kept_ids("signed-token"), "unexplained"),
    ):
        assert reason_of_shared_session(circumstances_of(at)).cause == cause


def test_a_cause_of_several_words() -> None:
    assert words_of("node_killed+expired|other_node") == ("node_killed", "expired", "other_node")
    assert words_of("other_node") == ("other_node",)
    assert meaning_of("expired+key_changed", CAUSES) == f"{CAUSES['expired']} {CAUSES['key_changed']}"
    assert meaning_of("something_new", CAUSES) == ""


def test_every_word_that_a_fault_declares_is_a_cause() -> None:
    marks = strike("", heal=6)
    for limits in (Limits(), Limits(balancer_retries=1, store_eviction="allkeys-lru")):
        for fault in FAULTS.values():
            for effect in fault.effects(marks, limits):
                assert effect.word in CAUSES, (fault.kind, effect)


def test_every_cause_is_found_somewhere() -> None:
    """A word that no test brings out of a history is a word that nobody has tried."""
    repeated = [stored("a", {}, request="r"), stored("b", {}, request="r")]
    ignored = [stored("a", {}, request="r", key="k"), stored("b", {}, request="s", key="k")]
    told = [*OF_MEMORY.values(), *OF_REPLICATED.values(), *OF_TOKEN.values(), *OUTLIVED.values(), *OF_REDIS.values()]
    found = {word for _, _, cause in (*told, *CARTS.values(), *PAGES.values()) for word in words_of(cause)}
    found |= {*causes(repeated, scene()), *causes(ignored, scene())}
    elsewhere = {"session_gone_with_login", "fixation", "clock_behind", "written_back", "node_not_told"}
    elsewhere |= {"access_token_good", "refresh_answer_lost", "refresh_race", "refresh_stolen"}  # stores/test_refresh
    elsewhere |= {"format_changed", "store_flushed", "error_taken_for_logout"}  # stores/test_formats
    elsewhere |= {"cookies_stolen"}  # checks/test_impersonated
    assert found | elsewhere == set(CAUSES)


def test_only_nodes_that_were_told_end_a_session_everywhere() -> None:
    told = Story().login("n1").say("login", node="n2", jar="second").say("logout_everywhere", node="n1")
    away = told.at(5).probe("second", node="n2").exchanges
    assert causes(away, where("sticky-memory")) == ["node_not_told"]
    here = [*away[:3], *Story().at(5).probe("second", node="n1").exchanges]
    assert causes(here, where("sticky-memory")) == ["unexplained"]
