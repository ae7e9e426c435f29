"""The table of causes is closed, and every cause in it can come out of a history."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from compose.cluster import Limits
from loadtests.checks import CAUSES
from loadtests.faults import FAULTS
from loadtests.faults.contract import Fault
from loadtests.model.history import Exchange, Record
from loadtests.session_model.causes import (
    cause_in_words,
    meaning_of,
    reason_of_cart_loss,
    reason_of_logout,
    reason_of_second_order,
    reason_of_shared_session,
    reason_of_short_order,
    repeated,
    words_of,
)
from loadtests.session_model.circumstances import circumstances_of
from loadtests.session_model.shopper_trace import ShopperTrace, packed
from loadtests.session_model.stores.contract import Outlived, UnknownRules
from loadtests.session_model.timeline import RunTimeline
from tests.loadtests.session_model.accused import out, strike, where
from tests.loadtests.session_model.stores.test_memory import CASES as OF_MEMORY
from tests.loadtests.session_model.stores.test_redis import CASES as OF_REDIS
from tests.loadtests.session_model.stores.test_replicated import CASES as OF_REPLICATED
from tests.loadtests.session_model.stores.test_token import CASES as OF_TOKEN
from tests.loadtests.session_model.stores.test_token import OUTLIVED
from tests.loadtests.stories import Story, losses, scene, stored

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "causes.md"


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
    elsewhere |= {"answer_remembered"}  # stores/test_denylist
    assert found | elsewhere == set(CAUSES)


def test_only_nodes_that_were_told_end_a_session_everywhere() -> None:
    told = Story().login("n1").say("login", node="n2", jar="second").say("logout_everywhere", node="n1")
    away = told.at(5).probe("second", node="n2").exchanges
    assert causes(away, where("sticky-memory")) == ["node_not_told"]
    here = [*away[:3], *Story().at(5).probe("second", node="n1").exchanges]
    assert causes(here, where("sticky-memory")) == ["unexplained"]


@pytest.mark.parametrize(
    ("architecture", "overlapped", "named"),
    [("redis", True, "written_back"), ("redis", False, "unexplained"), ("signed-token", False, "not_revoked")],
)
def test_a_cart_that_was_to_go_with_a_logout_outlived_it(architecture: str, overlapped: bool, named: str) -> None:
    told = Story().login().add("tea", shows={"tea": 1}).logout()
    told.exchanges[-1] = msgspec.structs.replace(told.last, overlapped=overlapped)
    (loss,) = [each for each in losses(told.audit({"tea": 1}).exchanges, where(architecture)) if "cart" in each.kind]
    assert (loss.kind, loss.cause) == ("cart_rolled_back", named)


class TestWhatWasSeenOnTheWrite:
    """The cart was put together at 1.00 to 1.01 s, and is not shown at 6 s."""

    WRITE = Story().at(1).add("tea", shows={"tea": 1}).last
    ANSWER = Story().at(6).cart({}).last

    def cause(self, run: RunTimeline, **kept: Exchange) -> str:
        person = ShopperTrace(1, run)
        for exchange in (Story().login().last, self.WRITE):
            person.keep(exchange)
        for name, exchange in kept.items():
            setattr(person, name, exchange)
        return reason_of_cart_loss(circumstances_of(run), person, self.ANSWER).cause

    def at(self, sent_us: int, done_us: int) -> Exchange:
        return msgspec.structs.replace(Story().say("linger").last, sent_us=sent_us, done_us=done_us)

    @pytest.mark.parametrize(("done_us", "named"), [(1_009_999, "unexplained"), (1_010_000, "cookie_too_large")])
    def test_a_cookie_that_was_refused_with_it_or_since(self, done_us: int, named: str) -> None:
        assert self.cause(where("signed-token"), refused=self.at(0, done_us)) == named

    @pytest.mark.parametrize(
        ("sent_us", "done_us", "overlaps"),
        [(0, 1_000_000, False), (0, 1_000_001, True), (1_009_999, 2_000_000, True), (1_010_000, 2_000_000, False)],
    )
    def test_a_slow_page_beside_it(self, sent_us: int, done_us: int, overlaps: bool) -> None:
        named = "refreshed_by_slow_page" if overlaps else "unexplained"
        refreshing = where("redis", session_refresh_each_request=True)
        assert self.cause(refreshing, lingered=self.at(sent_us, done_us)) == named
        assert self.cause(where("redis"), lingered=self.at(sent_us, done_us)) == "unexplained"

    def test_another_write_beside_it(self) -> None:
        beside = msgspec.structs.replace(self.WRITE, overlapped=True)
        assert self.cause(where("redis"), cart=beside) == "overlapping_write"
        assert self.cause(where("redis"), refused=self.at(0, 1_009_999)) == "unexplained"

    def test_what_is_seen_on_it_comes_first(self) -> None:
        beside = msgspec.structs.replace(self.WRITE, overlapped=True)
        both = self.cause(where("signed-token"), cart=beside, refused=self.at(0, 2_000_000))
        assert both == "cookie_too_large"
        store = where("redis", strike("store-kill", "store", heal=5.5))
        assert self.cause(store) == "store_lost"
        assert self.cause(store, cart=beside) == "overlapping_write"


@pytest.mark.parametrize(
    ("since", "known"), [("and was not written since", []), ("and was last written at 1.0 s", [(1, "n1")])]
)
def test_the_end_of_a_lifetime_is_told_with_its_beginning(since: str, known: list[tuple[float, str]]) -> None:
    limits = Limits(session_lifetime_s=3, session_refresh_each_request=True)
    (loss,) = losses(out("n1", "n1", known=known), where("redis", limits=limits))
    ends = 4.0 if known else 3.0
    assert loss.counterfactual == (
        f"without the end of its lifetime at {ends} s (it began at 0.0 s {since}), this session was still good"
    )


def test_settings_were_there_from_the_beginning_and_faults_stand_in_time() -> None:
    run = where("roundrobin-memory", strike("kill", at=5), strike("kill", at=3, heal=4))
    person = ShopperTrace(1, run)
    login, answer = out(now="n1")
    person.keep(login)
    why = reason_of_logout(circumstances_of(run), person.life, answer)
    assert [(because.word, because.fault, because.at_ms, because.alternative) for because in why.because] == [
        ("node_killed", 1, 3000.0, 0), ("node_killed", 0, 5000.0, 0), ("other_node", None, 0.0, 0),
    ]  # fmt: skip
    assert [fault.fault for fault in why.faults] == [1, 0]


def test_who_threw_the_cookies_away_and_which_request_was_sent_twice() -> None:
    told = Story().login().at(1).say("forget_session", 0).at(2).stranger()
    assert causes(told.exchanges, where("redis")) == ["error_taken_for_logout"]
    around = circumstances_of(where("redis", strike("sick-afterwards", "n1", at=1), limits=RETRYING))
    first, last = Story().at(2).checkout("o1").last, Story().at(3).checkout("o2").last
    for asked, word, named in (
        ([first, last], "request_repeated", "request_repeated"),
        ([first, last], "key_ignored", "key_ignored"),
        ([], "request_repeated", "request_repeated"),
    ):
        assert reason_of_second_order(around, word, asked).cause == named
    between = circumstances_of(where("redis", strike("sick-afterwards", "n1", at=2.5), limits=RETRYING))
    for asked, by in (([first, last], 0), ([first], None), ([last], 0)):
        (because,) = reason_of_second_order(between, "request_repeated", asked).because
        assert because.fault == by, "from the sending of the first to the answer to the last"
    calm = circumstances_of(where("redis"))
    seen_at = reason_of_second_order(calm, "request_repeated", [first, last])
    assert [(because.word, because.at_ms) for because in seen_at.because] == [("request_repeated", 3000.0)]
    assert seen_at.counterfactual.endswith(", this checkout would have made one order")


@pytest.mark.parametrize(("from_s", "met"), [(2.01, True), (2.010_001, False)])
def test_a_repeated_request_is_one_of_that_time(from_s: float, met: bool) -> None:
    around = circumstances_of(where("redis", strike("sick-afterwards", "n1", at=from_s), limits=RETRYING))
    asked = Story().at(2).checkout("o1").last
    assert bool(repeated(asked, asked, around)) is met


def test_an_order_that_is_short_for_a_reason_that_the_write_shows() -> None:
    shown = Story().at(2).cart({"tea": 1}).last
    around = circumstances_of(where("redis"))
    promise = packed(Story().checkout("o1").last, {"tea": 1}, msgspec.structs.replace(shown, overlapped=True))
    why = reason_of_short_order(around, promise)
    assert (why.cause, why.because[0].at_ms) == ("overlapping_write", 2000.0)
    assert reason_of_short_order(around, packed(Story().checkout("o1").last, {"tea": 1}, shown)).cause == "unexplained"


def test_causes_in_words() -> None:
    assert words_of("node_killed+expired|node_killed") == ("node_killed", "expired")
    assert cause_in_words("node_killed+expired|store_lost") == "node killed, together with expired, or store lost"
    assert meaning_of("a+b|c", {"a": "A.", "c": "C."}) == "A. C."


def test_a_fault_that_was_over_before_the_session_was_known_last_is_told_with_both_times() -> None:
    told = Story().login("n2").at(5).me({}, node="n2").at(9).stranger(node="n2")
    (loss,) = losses(told.exchanges, where("sticky-memory", strike("kill", "n2", at=-2, heal=-1)))
    assert loss.cause == "unexplained"
    assert any("was over at -1.0 s, and the session was known at 5.0 s" in each for each in loss.considered), loss


def test_where_nobody_said_where_sessions_live_nothing_is_proved() -> None:
    used = Outlived(None, Story().logout().last, Story().me({}).last)
    assert UnknownRules().outlived(used, circumstances_of(where("redis"))) == []


def test_the_page_that_defines_causes_has_every_word_and_every_fault_that_has_effects() -> None:
    """It is to be enough to program all of this a second time; `deploy-…` stands for the versions there."""
    page = PAGE.read_text(encoding="utf-8")
    assert [word for word in CAUSES if f"`{word}`" not in page] == []
    touching = [kind for kind, fault in FAULTS.items() if type(fault).effects is not Fault.effects]
    assert [kind for kind in touching if kind not in page and not kind.startswith("deploy-")] == []
