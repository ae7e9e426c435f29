"""Whom a fault hit, by the balancer's log."""

from __future__ import annotations

import msgspec

from compose.balancers.access_log import AccessLine
from compose.cluster import Limits
from loadtests.judging.affected_users import AffectedUsers
from loadtests.model.history import shopper_of
from loadtests.session_model.timeline import RunTimeline
from tests.loadtests.stories import fault, retold, scene


def line(
    shopper: int, seconds: float, node: str = "n2", path: str = "/cart", status: int = 200, took_us: int = 1000
) -> AccessLine:
    method = "POST" if path in ("/login", "/logout") else "GET"
    return AccessLine(round(seconds * 1e6), f"a-{shopper:04d}-0001", method, path, status, "", node, node, took_us)


def login(shopper: int, node: str = "n2") -> AccessLine:
    return line(shopper, 1.0, node, "/login")


def struck_by(kind: str, **changed: object) -> RunTimeline:
    """A scene in which a fault of that kind struck n2 at 5 s."""
    at = scene(("n2", 5))
    return retold(at, kind=kind, **changed)


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
        in_vain = AccessLine(6_000_000, "a-0002-0001", "GET", "/cart", 503, "UF", "n2", "", 10)
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


class TestServedByVictim:
    def test_within_the_last_second(self) -> None:
        found = hits(line(1, 4.5), line(1, 4.6), line(2, 3.9), line(3, 4.9, "n1"), line(4, 5.03), architecture="redis")
        assert found.served_by_victim() == 1

    def test_a_foreign_id_is_nobody(self) -> None:
        found = hits(AccessLine(4_900_000, "ready-1", "GET", "/", 200, "", "n2", "n2", 10))
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
