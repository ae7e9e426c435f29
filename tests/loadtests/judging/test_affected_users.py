"""Whom a fault hit, by the balancer's log."""

from __future__ import annotations

import msgspec
import pytest

from compose.architectures import ARCHITECTURES
from compose.balancers.access_log import AccessLine
from compose.cluster import Limits
from loadtests.judging.affected_users import BY_LOG, AffectedUsers, HeldByLog
from loadtests.model.application import ApplicationFacts
from loadtests.model.fault_timeline import FaultTimeline
from loadtests.model.history import shopper_of
from loadtests.session_model.timeline import RunTimeline
from tests.loadtests.stories import Story, fault, retold, scene

EPOCH_US = 1_700_000_000_000_000


def line(
    shopper: int, seconds: float, node: str = "n2", path: str = "/cart", status: int = 200, took_us: int = 1000
) -> AccessLine:
    method = {"/login": "POST", "/logout": "POST", "/cart/tea": "DELETE"}.get(path, "GET")
    return AccessLine(round(seconds * 1e6), status, took_us, f"a-{shopper:04d}-0001", method, path, "", node, node)


def login(shopper: int, node: str = "n2") -> AccessLine:
    return line(shopper, 1.0, node, "/login")


def struck_by(kind: str, **changed: object) -> RunTimeline:
    """A scene in which a fault of that kind struck n2 at 5 s."""
    at = scene(("n2", 5))
    return retold(at, kind=kind, **changed)


AT_RISK = {"user-0001"}


def hits(*lines: AccessLine, architecture: str = "sticky-memory") -> AffectedUsers:
    found = AffectedUsers(scene(("n2", 5), architecture=architecture))
    for each in lines:
        found.add(each)
    return found


class TestAtRisk:
    def test_logged_in_and_last_answered_by_the_victim(self) -> None:
        assert hits(login(1), login(2, "n1"), login(3)).at_risk() == {"user-0001", "user-0003"}

    def test_moved_away_before_the_blow(self) -> None:
        assert hits(login(1), line(1, 2, "n1")).at_risk() == set()

    def test_what_came_after_the_blow_does_not_count(self) -> None:
        assert hits(login(1), line(1, 5.1, "n1")).at_risk() == {"user-0001"}
        assert hits(login(1), line(1, 4.9, "n1", took_us=200_000)).at_risk() == {"user-0001"}
        assert hits(login(1), line(1, 4.9, "n1", took_us=100_000)).at_risk() == set(), "answered just before"

    def test_the_victims_own_answers_came_before_the_blow(self) -> None:
        """Between the mark of the blow and its observation (20 ms later here) only the victim itself can tell."""
        assert hits(line(1, 5.01, path="/login")).at_risk() == {"user-0001"}
        assert hits(login(1), line(1, 5.01, "n1")).at_risk() == {"user-0001"}
        assert hits(line(1, 5.03, path="/login")).at_risk() == set()

    def test_whose_session_is_over_by_time_is_not_at_risk(self) -> None:
        """Its end is noted in whole seconds: one that was written at 1.9 s and lives 3 s is over at 4 s."""
        for lifetime_s, held in ((3, set()), (4, set()), (5, {"user-0001"})):
            at = msgspec.structs.replace(scene(("n2", 5)), limits=Limits(session_lifetime_s=lifetime_s))
            found = AffectedUsers(at)
            found.add(line(1, 1.9, path="/login"))
            assert found.at_risk() == held, lifetime_s

    def test_a_write_prolongs_a_session_and_a_look_does_not(self) -> None:
        for path, refreshes, held in (
            ("/cart", False, set()), ("/cart", True, {"user-0001"}),
        ):  # fmt: skip
            limits = Limits(session_lifetime_s=3, session_refresh_each_request=refreshes)
            found = AffectedUsers(msgspec.structs.replace(scene(("n2", 5)), limits=limits))
            for each in (login(1), line(1, 4, path=path)):
                found.add(each)
            assert found.at_risk() == held, (path, refreshes)
        added = AffectedUsers(msgspec.structs.replace(scene(("n2", 5)), limits=Limits(session_lifetime_s=3)))
        for each in (login(1), msgspec.structs.replace(line(1, 4), method="POST")):
            added.add(each)
        assert added.at_risk() == {"user-0001"}

    def test_whole_seconds_are_those_of_the_wall_clock(self) -> None:
        at = msgspec.structs.replace(scene(("n2", 5)), limits=Limits(session_lifetime_s=4), epoch_us=EPOCH_US + 300_000)
        for sent_s, took_us, held in ((0.6, 0, set()), (1.2, 0, set()), (1.6, 99_999, set()), (1.7, 0, AT_RISK)):
            found = AffectedUsers(at)
            told = line(1, sent_s, path="/login", took_us=took_us)
            found.add(msgspec.structs.replace(told, at_us=EPOCH_US + 300_000 + told.at_us))
            assert found.at_risk() == held, (sent_s, took_us)

    @pytest.mark.parametrize(
        ("sent_s", "took_us", "may_be_held"),
        [(1.9, 99_999, False), (1.9, 100_000, True), (2.9, 99_999, True)],
        ids=["over before it was asked", "written in this second or the next", "over before the blow"],
    )
    def test_whose_time_ends_between_the_question_and_the_blow_is_for_the_victim_to_say(
        self, sent_s: float, took_us: int, may_be_held: bool
    ) -> None:
        """The fault is due at 4.9 s, when the victim is asked, and strikes at 5.1 s; a session lives 3 s."""
        for by_victim in (("user-0001",), (), ("user-0002",)):
            struck = retold(scene(("n2", 5.1)), planned_us=4_900_000, at_risk=by_victim)
            found = AffectedUsers(msgspec.structs.replace(struck, limits=Limits(session_lifetime_s=3)))
            found.add(line(1, sent_s, path="/login", took_us=took_us))
            assert found.at_risk() == ({*by_victim} & AT_RISK if may_be_held else set())

    def test_where_healing_takes_the_memory_the_victim_is_asked_when_that_is_due(self) -> None:
        told = {"planned_us": 2_000_000, "planned_heal_us": 4_900_000, "healed_us": 5_100_000}
        struck = struck_by("deploy", at_risk=("user-0001",), **told)
        deployed = msgspec.structs.replace(struck, limits=Limits(session_lifetime_s=3))
        for sent_s, held in ((1.5, set()), (2.9, AT_RISK)):
            found = AffectedUsers(deployed)
            found.add(line(1, sent_s, path="/login", took_us=1000))
            assert found.at_risk() == held, sent_s

    def test_only_a_login_that_was_let_in_opens_and_writes_a_session(self) -> None:
        looked = msgspec.structs.replace(line(1, 1, path="/login"), method="GET")
        assert hits(looked).at_risk() == set(), "the page with the form"
        assert hits(line(1, 1, path="/login", status=400)).at_risk() == set()
        assert hits(login(1), line(1, 2, path="/logout", status=503)).at_risk() == AT_RISK
        for status, held in ((399, AT_RISK), (400, set())):
            at = msgspec.structs.replace(scene(("n2", 5)), limits=Limits(session_lifetime_s=3))
            found = AffectedUsers(at)
            for each in (login(1), line(1, 4, path="/cart/tea", status=status)):
                found.add(each)
            assert found.at_risk() == held, status

    def test_many_lines_are_taken_in_as_far_as_they_can_tell_something(self) -> None:
        """The fault of this scene is over when it was seen, 20 ms after its injection."""
        for at_us, held in ((5_020_000, AT_RISK), (5_020_001, set())):
            found = AffectedUsers(scene(("n2", 5)))
            found.add(msgspec.structs.replace(line(1, 0, path="/login", took_us=0), at_us=at_us))
            assert found.at_risk() == held
        calm = AffectedUsers(scene())
        calm.add(login(1))
        assert calm.at_risk() is None

    def test_who_left_is_not_at_risk(self) -> None:
        assert hits(login(1), line(1, 2, path="/logout")).at_risk() == set()

    def test_who_was_never_let_in_is_not_at_risk(self) -> None:
        assert hits(line(1, 1, path="/login", status=401), line(1, 2)).at_risk() == set()

    def test_errors_of_the_balancer_move_nobody(self) -> None:
        assert hits(login(1), line(1, 2, node="", status=503)).at_risk() == {"user-0001"}

    def test_only_where_the_balancer_decides_where_sessions_live(self) -> None:
        assert hits(login(1), architecture="roundrobin-memory").at_risk() is None
        assert hits(login(1), architecture="redis").at_risk() is None

    def test_whoever_was_a_stranger_is_held_by_nobody(self) -> None:
        """A node that came back empty answers whom another start of it held."""
        assert hits(login(1), line(1, 2, status=401)).at_risk() == set()

    def test_only_what_takes_memory_puts_anybody_at_risk(self) -> None:
        found = AffectedUsers(struck_by("freeze"))
        found.add(login(1))
        assert found.at_risk() is None

    def test_a_deploy_takes_the_memory_when_it_is_healed(self) -> None:
        """Until the start of the node that was drained is gone (at 8.2 s here) it may open sessions."""
        found = AffectedUsers(struck_by("deploy", healed_us=8_000_000, at_risk=(), at_risk_us=8_200_000))
        for each in (login(1), line(2, 7.5, path="/login"), line(3, 8.1, path="/login"), line(4, 8.6, path="/login")):
            found.add(each)
        assert found.at_risk() == {"user-0001", "user-0002", "user-0003"}

    def test_where_the_balancer_lost_its_affinity_it_cannot_know(self) -> None:
        at = struck_by("kill")
        lost = fault("cluster", "no-affinity", 5_000_000, 5_020_000, number=1)
        found = AffectedUsers(msgspec.structs.replace(at, faults=(*at.faults, lost)))
        found.add(login(1))
        assert found.at_risk() is None

    def test_without_a_fault_nobody_asks(self) -> None:
        assert AffectedUsers(scene()).at_risk() is None
        assert AffectedUsers(scene()).served_by_victim() == 0


class TestReached:
    def test_a_node_by_answering_or_by_being_asked_in_vain(self) -> None:
        found = AffectedUsers(struck_by("freeze", healed_us=8_000_000, observed_healed_us=8_100_000))
        in_vain = AccessLine(6_000_000, 503, 10, "a-0002-0001", "GET", "/cart", "UF", "n2", "")
        for each in (line(1, 4.5), in_vain, line(3, 6, "n1"), line(4, 3.5), line(5, 8.5)):
            found.add(each)
        assert found.reached(0) == 2
        assert found.reached(1) == 0

    def test_a_node_that_is_killed_reaches_whom_it_served_just_before(self) -> None:
        assert hits(line(1, 4.5), line(2, 5.03), line(3, 3.5), architecture="redis").reached(0) == 1

    def test_another_part_by_whatever_is_asked_meanwhile(self) -> None:
        found = AffectedUsers(
            struck_by("store-kill", victim="store", healed_us=8_000_000, observed_healed_us=8_100_000)
        )
        for each in (line(1, 4.5), line(2, 6, "n1"), line(3, 7, "", status=503), line(4, 9)):
            found.add(each)
        assert found.reached(0) == 2

    def test_the_balancer_by_whom_it_served_just_before(self) -> None:
        """While it is down nobody reaches it, and so it writes nothing down."""
        found = AffectedUsers(struck_by("balancer-restart", victim="balancer", observed_healed_us=8_100_000))
        for each in (line(1, 4.5), line(2, 3.5), line(3, 9)):
            found.add(each)
        assert found.reached(0) == 1

    @pytest.mark.parametrize(
        ("victim", "kind", "before_us"),
        [("n2", "freeze", 1_000_000), ("balancer", "balancer-restart", 1_000_000), ("store", "store-kill", 0)],
    )
    def test_from_when_on_and_until_when(self, victim: str, kind: str, before_us: int) -> None:
        """By when it was answered at the beginning, and by when it was asked at the end."""
        at = struck_by(kind, victim=victim, healed_us=8_000_000, observed_healed_us=8_100_000)
        for at_us, took_us, met in (
            (3_000_000, 2_000_000 - before_us, 1), (3_000_000, 1_999_999 - before_us, 0),
            (8_100_000, None, 1), (8_100_001, 0, 0), (5_000_000 - before_us, None, 1), (4_999_999 - before_us, None, 0),
        ):  # fmt: skip
            found = AffectedUsers(at)
            found.add(msgspec.structs.replace(line(1, 0), at_us=at_us, took_us=took_us))
            assert found.reached(0) == met, (at_us, took_us)


class TestServedByVictim:
    @pytest.mark.parametrize(("done_us", "served"), [(3_999_999, 0), (4_000_000, 1)])
    def test_by_the_microsecond(self, done_us: int, served: int) -> None:
        found = hits(msgspec.structs.replace(line(1, 3, took_us=0), took_us=done_us - 3_000_000), architecture="redis")
        assert found.served_by_victim() == served

    def test_within_the_last_second(self) -> None:
        found = hits(line(1, 4.5), line(1, 4.6), line(2, 3.9), line(3, 4.9, "n1"), line(4, 5.03), line(5, 4.7),
                     architecture="redis")  # fmt: skip
        assert found.served_by_victim() == 2

    def test_a_foreign_id_is_nobody(self) -> None:
        found = hits(AccessLine(4_900_000, 200, 10, "ready-1", "GET", "/", "", "n2", "n2"))
        assert found.served_by_victim() == 0


def test_the_shopper_is_in_the_request_id() -> None:
    assert shopper_of("0a1b2c3da-0042-0007") == 42
    assert shopper_of("run-with-dashes-0042-0007") == 42
    assert shopper_of("ready-f896dbb5") == 0
    assert shopper_of("") == 0


def test_a_guest_is_no_shopper_whatever_the_id_looks_like() -> None:
    """A browser's request gets its id from the balancer, which may have a number where a shopper's stands."""
    guest = msgspec.structs.replace(login(1), id="8a2f0c3e-1d4b-4c55-8123-0123456789ab")
    open_house = msgspec.structs.replace(scene(("n2", 5)), guests=("user-0061",), run="a")
    found = AffectedUsers(open_house)
    found.add(guest)
    found.add(login(2))
    assert found.at_risk() == {"user-0002"}
    assert hits(guest).at_risk() == {"user-8123"}, "nobody was admitted: then it must be a shopper"


SEEN = ApplicationFacts("shop", "B", "0", ("login", "me", "logout"))


def by_log(*told: Story, faults: tuple[FaultTimeline, ...] | None = None, **changes: object) -> HeldByLog:
    """An application whose victim cannot be asked: n2 was killed at 5 s, and seen to be 20 ms later."""
    at = msgspec.structs.replace(scene(("n2", 5)), **{"application": SEEN, **changes})
    if faults is not None:
        at = msgspec.structs.replace(at, faults=faults)
    held = HeldByLog(at)
    for story in told:
        for exchange in story.exchanges:
            held.add(exchange)
    return held


def at_risk(*told: Story, **changes: object) -> tuple[str, ...] | None:
    held = by_log(*told, **changes)
    (fault_of_it,) = held.faults()
    return fault_of_it.at_risk


class TestHeldByLog:
    def test_whoever_the_victim_had_answered_last(self) -> None:
        told = (Story(3).login("n2"), Story(2).login("n1"), Story(1).login("n1").at(2).me({}, node="n2"))
        assert at_risk(*told) == ("user-0001", "user-0003")
        assert at_risk(Story().login("n2").at(2).me({}, node="n1")) == ()
        assert at_risk(Story().login("n2").at(2).cart(None, status=503)) == ("user-0001",), "an error moves nobody"

    @pytest.mark.parametrize(
        ("node", "done_us", "held"),
        [
            ("n2", 5_020_000, ("user-0001",)), ("n2", 5_020_001, ()),
            ("n1", 5_000_000, ()), ("n1", 5_000_001, ("user-0001",)),
        ],
    )  # fmt: skip
    def test_until_it_was_hit(self, node: str, done_us: int, held: tuple[str, ...]) -> None:
        """The victim's own answers came before the blow, until that was seen."""
        told = Story().login("n1" if node == "n2" else "n2").me({}, node=node)
        told.exchanges[-1] = msgspec.structs.replace(told.last, done_us=done_us)
        assert at_risk(told) == held

    def test_who_is_logged_out_is_nowhere(self) -> None:
        assert at_risk(Story().login("n2").logout(node="n2")) == ()
        assert at_risk(Story().login("n2").say("logout_everywhere", node="n2")) == ()
        assert at_risk(Story().login("n2").logout(status=503)) == ("user-0001",)
        assert at_risk(Story().login("n2").stranger(node="n2")) == ()
        assert at_risk(Story().login("n2").stranger(node="n2").browse(node="n2")) == ()

    def test_a_login_that_was_refused_ends_nothing_and_opens_nothing(self) -> None:
        assert at_risk(Story().login("n2").login("n2", status=401)) == ("user-0001",)
        assert at_risk(Story().login("n2", status=401)) == ()
        assert at_risk(Story().browse("n2")) == ()

    def test_only_what_the_shopper_asked_with_the_cookies_of_its_own(self) -> None:
        assert at_risk(Story().login("n1").probe("second", node="n2")) == ()
        forgot = Story().login("n1").say("forget_node", node="n2")
        assert at_risk(forgot) == ()

    def test_only_where_the_last_answer_tells_where_a_session_is(self) -> None:
        told = Story().login("n2")
        robin, redis, token = (ARCHITECTURES[name] for name in ("roundrobin-memory", "redis", "signed-token"))
        unseen = msgspec.structs.replace(SEEN, grade="C")
        assert at_risk(told, description=robin) is None
        assert at_risk(told, application=unseen) is None
        assert at_risk(told, application=None) is None
        assert at_risk(told, description=ARCHITECTURES["sticky-hash"]) is None
        assert at_risk(told, description=redis) == at_risk(told, description=token) == ()

    def test_only_what_takes_memory_and_was_made(self) -> None:
        freeze = fault("n2", "freeze", 5_000_000, 5_020_000)
        planned = fault("n2", "kill", None)
        told = Story().login("n2")
        assert at_risk(told, faults=(freeze,)) is None
        assert at_risk(told, faults=(planned,)) is None
        assert at_risk(told, faults=(fault("n2", "kill", 5_000_000),)) == ("user-0001",), "though nobody observed it"

    def test_each_fault_by_itself_and_by_what_it_is_known(self) -> None:
        second = fault("n1", "kill", 7_000_000, 7_020_000, number=1)
        freeze = fault("n3", "freeze", 8_000_000, 8_020_000, number=2)
        held = by_log(Story().login("n2").at(6).login("n1"), faults=(*scene(("n2", 5)).faults, second, freeze))
        told = [(each.fault, each.at_risk, each.at_risk_source) for each in held.faults()]
        assert told == [(0, ("user-0001",), BY_LOG), (1, ("user-0001",), BY_LOG), (2, None, "")]
        assert held.at_risk(fault("n2", "kill", 1)) is None, "a fault of another run"
