"""A session's life at its edges: the microsecond at which two things meet, and what an error tells."""

from __future__ import annotations

import msgspec
import pytest

from compose.cluster import Limits
from loadtests.faults.effects import ClockOff
from loadtests.model.history import Exchange
from loadtests.session_model.circumstances import TIME, Circumstances, Factor, Harm, circumstances_of, seen, setting
from loadtests.session_model.life import (
    SessionLife,
    began_to_stray,
    good_until,
    home_since,
    lifetime_over,
    over_by_clock,
    went_adrift,
)
from loadtests.session_model.stores.memory import held_no_more
from loadtests.session_model.timeline import RunTimeline
from tests.loadtests.session_model.accused import SHORT, where
from tests.loadtests.stories import Story


def one(told: Story, **changes: int | str) -> Exchange:
    """The last exchange of a story, with these fields otherwise."""
    return msgspec.structs.replace(told.last, **changes)


def lived(*exchanges: Exchange, at: RunTimeline | None = None) -> SessionLife:
    """A session after these; in memory, if not said otherwise."""
    life = SessionLife(at or where("sticky-memory"))
    for exchange in exchanges:
        life.saw(exchange)
    return life


LOGIN = Story().login("n2").last


@pytest.mark.parametrize(("status", "adrift"), [(500, True), (503, True), (499, False)])
def test_an_error_of_the_shop_is_no_answer(status: int, adrift: bool) -> None:
    told = Story().at(1).say("cart", status, node="n1")
    assert (lived(LOGIN, one(told, node="n1")).adrift is not None) is adrift


def test_who_was_known_at_the_moment_of_straying_was_not_at_home_again() -> None:
    away = Story().at(1).browse("n1").last
    known = one(Story().at(0.5).me({}, node="n2"), done_us=away.done_us)
    later = Story().at(2).browse("n3").last
    life = lived(LOGIN, away)
    life.known = known
    life.saw(later)
    assert life.strayed is away
    life.known = msgspec.structs.replace(known, done_us=away.done_us + 1)
    life.saw(later)
    assert life.strayed is later


def test_what_came_with_the_last_answer_of_home_is_not_since_then() -> None:
    answer = Story().at(5).stranger(node="n1").last
    life = lived(LOGIN)
    home = home_since(life)
    assert home is LOGIN
    life.strayed = msgspec.structs.replace(answer, done_us=home.done_us)
    assert began_to_stray(life, answer) is answer
    life.strayed = later = msgspec.structs.replace(answer, done_us=home.done_us + 1)
    assert began_to_stray(life, answer) is later


def test_a_page_that_is_asked_for_when_the_lifetime_is_over_refreshes_nothing() -> None:
    refreshing = where("redis", limits=SHORT, session_refresh_each_request=True)
    over_us = LOGIN.done_us + 3_000_000
    for sent_us, perhaps in ((over_us - 1, True), (over_us, False)):
        life = SessionLife(refreshing)
        life.saw(LOGIN)
        life.saw(one(Story().at(3).browse("n1"), sent_us=sent_us, done_us=sent_us + 10_000))
        assert (life.perhaps is not None) is perhaps


def test_a_write_of_which_nobody_knows_what_became_is_no_answer_whatever_its_status() -> None:
    told = Story().at(1).add("tea", node="n2")
    assert lived(LOGIN, one(told, outcome="unknown")).hung is not None
    assert lived(LOGIN, told.last).hung is None


def test_a_lifetime_that_may_be_over_may_be_so_from_the_beginning_of_that_second_on() -> None:
    around = circumstances_of(where("redis", limits=SHORT))
    life = lived(one(Story().at(0.4).login("n2"), done_us=1_200_000))
    begins_us, ends_us = 3_000_000, 4_000_000
    for at_us, sure, since_us in ((begins_us, False, begins_us), (ends_us, True, ends_us)):
        answer = one(Story().at(5).stranger(), sent_us=at_us - (not sure), done_us=at_us)
        (harm,) = lifetime_over(life, answer, around)
        assert (harm.sure, harm.at_us) == (sure, since_us)
    early = one(Story().at(5).stranger(), sent_us=0, done_us=begins_us - 1)
    assert lifetime_over(life, early, around) == []


def test_what_was_never_opened_was_not_thrown_out_either() -> None:
    around = circumstances_of(where("sticky-memory"))
    assert held_no_more(SessionLife(around.run), Story().stranger().last, around) == []


REFRESHING = where("redis", limits=SHORT, session_refresh_each_request=True)
SHORT_TOKENS = where("refresh-token", limits=Limits(access_lifetime_s=1.0))


class TestWhatWritesIt:
    """A session is written by its login, by what changes the cart, and by everything where each request refreshes."""

    @pytest.mark.parametrize(
        ("status", "node", "writes"),
        [(200, "n1", True), (200, "", True), (404, "n1", True), (404, "", False), (401, "n1", False)],
    )
    def test_a_page_refreshes_it_unless_the_balancer_answered_or_it_was_not_known(
        self, status: int, node: str, writes: bool
    ) -> None:
        page = one(Story().at(1).say("browse", status), node=node)
        assert lived(LOGIN, page, at=REFRESHING).written is (page if writes else LOGIN)

    def test_a_page_of_another_node_refreshes_nothing_that_is_in_memory(self) -> None:
        sticky = where("sticky-memory", session_refresh_each_request=True)
        for node, writes in (("n2", True), ("n1", False)):
            page = Story().at(1).browse(node).last
            assert lived(LOGIN, page, at=sticky).written is (page if writes else LOGIN)

    @pytest.mark.parametrize(("done_us", "sure"), [(2_699_999, True), (2_700_000, False)])
    def test_it_is_surely_refreshed_until_its_whole_seconds_are_over(self, done_us: int, sure: bool) -> None:
        """Written at 0.4 s of the window, which is 0.7 s by the wall clock: so it is good until 2.7 s of the window."""
        at = msgspec.structs.replace(REFRESHING, epoch_us=300_000)
        login, page = one(Story().at(0.4).login()), one(Story().at(2.6).browse(), done_us=done_us)
        life = lived(login, page, at=at)
        assert (life.written, life.perhaps) == ((page, None) if sure else (login, page))

    def test_by_a_wall_clock_that_began_with_the_window(self) -> None:
        page = one(Story().at(2.9).browse(), done_us=2_999_999)
        assert lived(one(Story().login()), page, at=REFRESHING).written is page

    @pytest.mark.parametrize(("sent_us", "perhaps"), [(5_109_999, True), (5_110_000, False)])
    def test_what_may_have_been_refreshed_may_be_so_again(self, sent_us: int, perhaps: bool) -> None:
        unsure, page = Story().at(2.1).say("browse", 0).last, one(Story().browse(), sent_us=sent_us, done_us=5_200_000)
        assert (lived(LOGIN, unsure, page, at=REFRESHING).perhaps is page) is perhaps

    def test_nobody_knows_of_a_write_that_was_not_answered(self) -> None:
        write, look = Story().at(1).add("tea", status=0).last, Story().at(1).say("cart", 0).last
        redis = where("redis")
        life = lived(LOGIN, write, at=redis)
        assert (life.written, life.perhaps, life.hung) == (LOGIN, write, write)
        for nothing in (look, one(Story().at(1).add("tea", status=0), request="", outcome="not_sent")):
            life = lived(LOGIN, nothing, at=redis)
            assert (life.perhaps, life.hung) == (None, None)
        assert lived(LOGIN, look, at=REFRESHING).perhaps is look

    def test_what_knew_the_shopper_writes_only_what_it_changes(self) -> None:
        look, write = Story().at(1).me({}).last, Story().at(1).add("tea", shows={"tea": 1}).last
        assert lived(LOGIN, look, at=where("redis")).written is LOGIN
        assert lived(LOGIN, write, at=where("redis")).written is write
        assert lived(LOGIN, look, at=REFRESHING).written is look

    def test_a_login_that_nobody_answered_opened_it_if_the_shopper_is_known_afterwards(self) -> None:
        unsure, known = Story().login("n2", status=503).last, Story().at(2).me({}, node="n2").last
        life = lived(unsure, known)
        assert (life.opened, life.written, life.unsure) == (known, unsure, None)
        assert lived(known).written is known

    def test_a_second_one_may_have_opened_another(self) -> None:
        again, known = Story().at(1).login("n2", status=503).last, Story().at(2).me({}, node="n2").last
        life = lived(LOGIN, again, known)
        assert (life.opened, life.written, life.perhaps, life.unsure) == (LOGIN, LOGIN, again, None)

    def test_where_it_is_in_memory_it_lives_where_it_is_known(self) -> None:
        known = Story().at(2).me({}, node="n1").last
        assert lived(LOGIN, known).opened is known
        assert lived(LOGIN, known, at=where("redis")).opened is LOGIN
        assert lived(LOGIN, one(Story().at(2).me({}, node="n2"))).opened is LOGIN


class TestTokens:
    @pytest.mark.parametrize(
        ("status", "jar", "writes"),
        [
            (0, "main", False), (1, "main", True), (200, "main", True), (401, "main", False), (402, "main", True),
            (499, "main", True), (500, "main", False), (200, "stolen", False),
        ],
    )  # fmt: skip
    def test_whoever_was_given_another_one_has_it_renewed(self, status: int, jar: str, writes: bool) -> None:
        life = lived(LOGIN, one(Story().at(1.5).logout()), LOGIN, at=SHORT_TOKENS)
        life.renewed(asked := one(Story().at(2).say("me", status), jar=jar))
        assert (life.written is asked) is writes
        assert life.perhaps is None

    def test_perhaps_if_nobody_knows_whether_its_time_was_over(self) -> None:
        asked = one(Story().me({}), sent_us=1_005_000, done_us=1_020_000)
        life = lived(LOGIN, asked, at=SHORT_TOKENS)
        assert (life.written, life.perhaps) == (LOGIN, asked)

    @pytest.mark.parametrize(
        ("do", "status"), [("me", 200), ("browse", 200), ("browse", 404), ("me", 401), ("me", 503), ("logout", 200)]
    )
    def test_every_request_may_have_shown_it_whatever_came_back(self, do: str, status: int) -> None:
        asked = Story().at(2).say(do, status).last  # type: ignore[arg-type]
        life = lived(LOGIN, asked, at=SHORT_TOKENS)
        assert life.tokens is not None
        assert [use.exchange for use in life.tokens.uses] == [asked]

    def test_they_are_over_with_the_session_at_the_latest(self) -> None:
        life = lived(LOGIN, at=where("refresh-token", limits=Limits(access_lifetime_s=9.0, session_lifetime_s=3)))
        assert life.tokens is not None
        assert life.tokens.use_by(Story().at(3.1).me({}).last) is not None
        assert lived(LOGIN, at=where("redis")).tokens is None


class TestRouting:
    def test_only_what_is_in_memory_has_a_home(self) -> None:
        page = Story().at(1).browse("n1").last
        life = lived(LOGIN, page, at=where("redis"))
        assert (life.strayed, life.at_home) == (None, None)
        assert lived(page).strayed is None, "before any login"
        assert lived(LOGIN, one(Story().at(1).browse(), node="")).strayed is None, "answered by the balancer"

    @pytest.mark.parametrize(("sent_us", "strays"), [(9_999, False), (10_000, True)])
    def test_what_was_sent_before_the_login_was_answered_tells_nothing(self, sent_us: int, strays: bool) -> None:
        page = one(Story().browse("n1"), sent_us=sent_us, done_us=50_000)
        assert (lived(LOGIN, page).strayed is page) is strays

    def test_a_strangers_answer_tells_too_who_answered(self) -> None:
        away, home = Story().at(1).stranger(node="n1").last, Story().at(1).stranger(node="n2").last
        assert lived(LOGIN, away).strayed is away
        assert lived(LOGIN, away, home).at_home is home
        assert lived(LOGIN, away, home).strayed is None

    def test_it_went_adrift_with_the_first_error_since_home(self) -> None:
        def error(at_us: int) -> Exchange:
            return one(Story().say("cart", 503), sent_us=at_us - 10_000, done_us=at_us)

        first, home, second = error(1_000_000), one(Story().at(1.5).browse("n2"), done_us=2_000_000), error(3_000_000)
        assert lived(LOGIN, first, second).adrift is first
        assert lived(LOGIN, first, home, second).adrift is second
        timeout = Story().at(1).say("cart", 0).last
        assert lived(LOGIN, timeout).adrift is None, "it carried no cookie of the balancer's"
        for done_us, adrift in ((999_999, first), (1_000_000, second), (1_000_001, second)):
            life = lived(LOGIN, first)
            life.known = one(Story().me({}, node="n2"), done_us=done_us)
            life.saw(second)
            assert life.adrift is adrift

    def test_the_sooner_of_both(self) -> None:
        answer = Story().at(9).stranger(node="n1").last
        error, away = Story().at(2).say("cart", 503).last, Story().at(3).browse("n1").last
        assert went_adrift(lived(LOGIN, error, away), answer) is error
        assert went_adrift(lived(LOGIN, away, one(Story().at(4).say("cart", 503))), answer) is away
        assert went_adrift(lived(LOGIN, one(Story().at(3).say("cart", 503)), away), answer) is away
        assert went_adrift(lived(LOGIN), answer) is answer

    def test_home_is_the_last_answer_of_either_kind(self) -> None:
        page, known = Story().at(1).browse("n2").last, Story().at(2).me({}, node="n2").last
        assert home_since(lived()) is None
        assert home_since(lived(LOGIN, page)) is page
        assert home_since(lived(LOGIN, page, known)) is known
        assert home_since(lived(LOGIN, known, one(Story().at(2).browse("n2")))) is known, "at the same moment"

    def test_cookies_that_are_lost(self) -> None:
        forgot, gave_up = (one(Story().at(1).say(do, 0)) for do in ("forget_node", "forget_session"))  # type: ignore[arg-type]
        life = lived(LOGIN, forgot, gave_up)
        assert (life.forgot, life.gave_up) == (forgot, gave_up)
        life.saw(one(Story().at(2).login("n1")))
        assert (life.forgot, life.gave_up) == (forgot, None)


def test_a_logout_ends_all_of_it() -> None:
    told = Story().at(1).browse("n2").browse("n1").say("cart", 503).add("tea", status=0).login(status=503)
    life = lived(LOGIN, *told.exchanges)
    assert None not in (life.at_home or life.strayed, life.adrift, life.perhaps, life.unsure)
    life.saw(one(Story().at(3).logout(status=503)))
    assert life.opened is LOGIN
    life.saw(one(Story().at(3).logout()))
    left = (life.opened, life.written, life.perhaps, life.unsure, life.strayed, life.adrift, life.at_home)
    assert left == (None,) * 7
    assert life.everywhere is None
    assert good_until(life, circumstances_of(where("redis"))) is None
    life.saw(everywhere := one(Story().at(4).say("logout_everywhere")))
    assert life.everywhere is everywhere


def test_so_long_after_its_login_it_is_over_however_much_it_was_used() -> None:
    around = circumstances_of(where("redis", session_absolute_s=5))
    life = lived(LOGIN, Story().at(4).add("tea", shows={"tea": 1}).last, at=around.run)
    for sent_us, done_us, sure in ((4_900_000, 4_999_999, None), (4_900_000, 5_000_000, False),
                                   (5_009_999, 5_020_000, False), (5_010_000, 5_020_000, True)):  # fmt: skip
        over = lifetime_over(life, one(Story().stranger(), sent_us=sent_us, done_us=done_us), around)
        assert over == ([] if sure is None else [Harm(TIME, "expired", 5_010_000, sure)])
    assert lifetime_over(life, one(Story().at(6).stranger()), around.but_for(frozenset({TIME}))) == []


AROUND = circumstances_of(where("redis", limits=SHORT))


def test_pages_are_watched_where_they_tell_something() -> None:
    for at, watched in ((AROUND.run, False), (REFRESHING, True), (where("sticky-memory"), True), (SHORT_TOKENS, True)):
        assert SessionLife(at).watches_pages is watched


def test_a_cookie_that_is_refused_wrote_nothing_where_the_session_is_in_it() -> None:
    write = Story().at(1).say("add", sku="tea", quantity=1, shows={"tea": 1}, cookie_refused=True).last
    for name, writes in (("redis", True), ("signed-token", False), ("token-denylist", False)):
        assert lived(LOGIN, write, at=where(name)).written is (write if writes else LOGIN)


class TestClocks:
    """The writer's may be one second ahead, the reader's two; sessions live three seconds."""

    WRITER, READER = (Factor("fault", "clock-ahead", number) for number in (0, 1))

    def harms(self, answer: Exchange, *perhaps: Exchange, certain: bool) -> list[Harm]:
        surely = (-(10**9), 10**9) if certain else (10**9, -(10**9))
        off = (
            (self.WRITER, ClockOff(-5, 10**9, "clock_ahead", "n1", 1.0, *surely)),
            (self.READER, ClockOff(-5, 10**9, "clock_ahead", "n2", 2.0, *surely)),
        )
        life = lived(one(Story().at(1).login("n1")), at=where("redis"))
        for one_more in perhaps:
            life.perhaps = one_more
        assert over_by_clock(SessionLife(AROUND.run), answer, AROUND, "n1", "n2") == []
        return over_by_clock(life, answer, Circumstances(where("redis", limits=SHORT), off, {}), "n1", "n2")

    @pytest.mark.parametrize(
        ("certain", "sent_us", "done_us", "sure"),
        [
            (True, 1_900_000, 1_999_999, None), (True, 1_900_000, 2_000_000, False),
            (True, 2_009_999, 2_020_000, False), (True, 2_010_000, 2_020_000, True),
            (False, 900_000, 999_999, None), (False, 900_000, 1_000_000, False),
            (False, 4_009_999, 4_020_000, False), (False, 4_010_000, 4_020_000, True),
        ],
    )  # fmt: skip
    def test_it_is_over_by_theirs(self, certain: bool, sent_us: int, done_us: int, sure: bool | None) -> None:
        answer = one(Story().stranger(), sent_us=1_000_000 + sent_us, done_us=1_000_000 + done_us)
        found = self.harms(answer, certain=certain)
        named = [(harm.factor, harm.sure) for harm in found]
        assert named == ([] if sure is None else [(self.WRITER, sure), (self.READER, sure)])

    def test_what_may_have_written_it_since_makes_it_younger(self) -> None:
        answer = one(Story().stranger(), sent_us=3_500_000, done_us=3_600_000)
        assert [harm.sure for harm in self.harms(answer, certain=True)] == [True, True]
        since = Story().at(2).add("tea", status=0).last
        assert [harm.sure for harm in self.harms(answer, since, certain=True)] == [False, False]

    @pytest.mark.parametrize("number", [0, 1])
    def test_one_that_is_off_is_the_harm_and_time_is_none_without_it(self, number: int) -> None:
        """The writer's three seconds behind, or the reader's three seconds ahead."""
        node, seconds = (("n1", -3.0), ("n2", 3.0))[number]
        factor = (self.WRITER, self.READER)[number]
        off = ((factor, ClockOff(-5, 10**9, "clock", node, seconds, -(10**9), 10**9)),)
        around = Circumstances(AROUND.run, off, {})
        life, answer = lived(LOGIN, at=AROUND.run), Story().at(2).stranger().last
        assert over_by_clock(life, answer, around, "n1", "n2") == [Harm(factor, "clock", -5)]
        for without in ({TIME}, {factor}):
            assert over_by_clock(life, answer, around.but_for(frozenset(without)), "n1", "n2") == []
        assert over_by_clock(life, answer, around, "n3", "n3") == []


def test_what_is_seen_or_set_is_a_harm_of_itself() -> None:
    assert seen("affinity_lost", 5) == Harm(Factor("seen", "affinity_lost"), "affinity_lost", 5, sure=True)
    assert setting("worker", sure=False) == Harm(Factor("setting", "worker"), "worker", -1, sure=False)
    assert setting("fixation").sure
