"""Whom a fault hit, by the balancer's log."""

from __future__ import annotations

from compose.access_log import AccessLine
from loadtests.judging.hits import Hits, shopper_of_request
from tests.loadtests.stories import scene


def line(
    shopper: int, seconds: float, node: str = "n2", path: str = "/cart", status: int = 200, took_us: int = 1000
) -> AccessLine:
    method = "POST" if path in ("/login", "/logout") else "GET"
    return AccessLine(round(seconds * 1e6), f"a-{shopper:04d}-0001", method, path, status, "", node, node, took_us)


def login(shopper: int, node: str = "n2") -> AccessLine:
    return line(shopper, 1.0, node, "/login")


def hits(*lines: AccessLine, architecture: str = "sticky-memory") -> Hits:
    found = Hits(scene(("n2", 5), architecture=architecture))
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

    def test_who_left_is_not_at_risk(self) -> None:
        assert hits(login(1), line(1, 2, path="/logout")).at_risk() == set()

    def test_who_was_never_let_in_is_not_at_risk(self) -> None:
        assert hits(line(1, 1, path="/login", status=401), line(1, 2)).at_risk() == set()

    def test_errors_of_the_balancer_move_nobody(self) -> None:
        assert hits(login(1), line(1, 2, node="", status=503)).at_risk() == {"user-0001"}

    def test_only_where_the_balancer_decides_where_sessions_live(self) -> None:
        assert hits(login(1), architecture="roundrobin-memory").at_risk() is None
        assert hits(login(1), architecture="redis").at_risk() is None

    def test_without_a_fault_nobody_asks(self) -> None:
        assert Hits(scene()).at_risk() is None
        assert Hits(scene()).served_by_victim() == 0


class TestServedByVictim:
    def test_within_the_last_second(self) -> None:
        found = hits(line(1, 4.5), line(1, 4.6), line(2, 3.9), line(3, 4.9, "n1"), line(4, 5.03), architecture="redis")
        assert found.served_by_victim() == 1

    def test_a_foreign_id_is_nobody(self) -> None:
        found = hits(AccessLine(4_900_000, "ready-1", "GET", "/", 200, "", "n2", "n2", 10))
        assert found.served_by_victim() == 0


def test_the_shopper_is_in_the_request_id() -> None:
    assert shopper_of_request("0a1b2c3da-0042-0007") == 42
    assert shopper_of_request("run-with-dashes-0042-0007") == 42
    assert shopper_of_request("ready-f896dbb5") == 0
    assert shopper_of_request("") == 0
