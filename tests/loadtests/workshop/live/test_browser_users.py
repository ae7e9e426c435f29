"""What can be known of people with browsers, and what cannot."""

from __future__ import annotations

import pytest

from loadtests.model.events import FaultEvent, FaultPhase
from loadtests.workshop.contract import GuestView
from loadtests.workshop.live.browser_users import MOST_WAITING, BalancerLine, BrowserUsers
from shared.request_log import LoggedRequest, LoggedSession

ANN, BEN = "user-0061", "user-0062"


@pytest.fixture
def guests() -> BrowserUsers:
    return BrowserUsers((ANN, BEN))


def asked(at_us: int, node: str, user: str = "", *, path: str = "/me", status: int = 200) -> LoggedRequest:
    return LoggedRequest(at_us, f"r{at_us}", node, "b", "GET", path, status, 500, user)


def opened(at_us: int, node: str, user: str = ANN) -> LoggedSession:
    return LoggedSession(at_us, "opened", f"r{at_us}", node, "b", user, "s")


def balanced(at_us: int, connection: int) -> BalancerLine:
    return BalancerLine(at_us, f"r{at_us}", connection)


def step(phase: FaultPhase, kind: str = "kill", victim: str = "n2") -> FaultEvent:
    return FaultEvent("sticky-memory", 0, 0, kind, victim, phase)


def shown(guests: BrowserUsers) -> dict[str, tuple[str, bool]]:
    return {view.user: (view.node, view.logged_in) for view in guests.all()}


def test_nobody_is_shown_before_they_come(guests: BrowserUsers) -> None:
    guests.logged(asked(1, "n1"))
    guests.logged(asked(2, "n1", "user-0007"))
    assert guests.all() == ()


def test_a_guest_is_where_they_were_served_last(guests: BrowserUsers) -> None:
    guests.logged(opened(1, "n2"))
    guests.logged(asked(3, "n3", ANN))
    guests.logged(asked(2, "n1", ANN))  # read later, and older
    assert shown(guests) == {ANN: ("n3", True)}
    assert guests.news() == (GuestView(ANN, "n3", logged_in=True),)
    assert guests.news() == ()


def test_who_logs_out_is_out(guests: BrowserUsers) -> None:
    guests.logged(opened(1, "n2"))
    guests.logged(LoggedSession(3, "ended", "r2", "n2", "b", ANN, "s"))
    guests.logged(asked(2, "n2", ANN))
    assert shown(guests) == {ANN: ("n2", False)}


@pytest.mark.parametrize("node_first", [True, False])
def test_a_stranger_on_a_guests_connection_is_the_guest(guests: BrowserUsers, *, node_first: bool) -> None:
    lines = [asked(1, "n2", ANN), balanced(1, 7), asked(2, "n1", status=401), balanced(2, 7)]
    order = lines if node_first else [lines[1], lines[0], lines[3], lines[2]]
    for line in order:
        guests.logged(line)
    assert shown(guests) == {ANN: ("n1", False)}


@pytest.mark.parametrize(
    "stranger",
    [
        asked(3, "n1", path="/static/shop.css"),  # nobody looks who asks for a picture
        asked(3, "n1", status=503),  # nor can a node whose store is gone
    ],
    ids=["static", "outage"],
)
def test_where_no_node_looked_who_it_was_nobody_is_out(guests: BrowserUsers, stranger: LoggedRequest) -> None:
    for line in (asked(1, "n2", ANN), balanced(1, 7), stranger, balanced(3, 7)):
        guests.logged(line)
    assert shown(guests) == {ANN: ("n2", True)}


def test_a_stranger_on_another_connection_is_just_a_stranger(guests: BrowserUsers) -> None:
    for line in (asked(1, "n2", ANN), balanced(1, 7), asked(2, "n1", status=401), balanced(2, 8)):
        guests.logged(line)
    assert shown(guests) == {ANN: ("n2", True)}


def test_a_connection_is_whose_was_known_on_it_last(guests: BrowserUsers) -> None:
    for line in (
        asked(1, "n2", ANN), balanced(1, 7), asked(2, "n2", BEN), balanced(2, 7), asked(3, "n1"), balanced(3, 7),
    ):  # fmt: skip
        guests.logged(line)
    assert shown(guests) == {ANN: ("n2", True), BEN: ("n1", False)}


def test_a_balancer_that_was_started_again_counts_connections_anew(guests: BrowserUsers) -> None:
    for line in (asked(1, "n2", ANN), balanced(1, 7)):
        guests.logged(line)
    guests.fault(step("observed", "balancer-restart", "balancer"), 2, in_memory=True)
    for line in (asked(3, "n1"), balanced(3, 7)):
        guests.logged(line)
    assert shown(guests) == {ANN: ("n2", True)}


def test_a_guest_is_out_when_the_memory_that_held_their_session_is_gone(guests: BrowserUsers) -> None:
    guests.logged(opened(1, "n2"))
    guests.logged(opened(1, "n1", BEN))
    guests.fault(step("injected"), 4, in_memory=True)
    assert shown(guests)[ANN] == ("n2", True)
    guests.fault(step("observed"), 5, in_memory=True)
    assert shown(guests) == {ANN: ("n2", False), BEN: ("n1", True)}
    guests.logged(asked(3, "n2", ANN))  # from before the blow
    assert shown(guests)[ANN] == ("n2", False)
    guests.logged(opened(6, "n3"))
    guests.fault(step("observed"), 7, in_memory=True)
    assert shown(guests)[ANN] == ("n3", True)


def test_where_sessions_live_elsewhere_a_killed_node_logs_nobody_out(guests: BrowserUsers) -> None:
    guests.logged(opened(1, "n2"))
    guests.fault(step("observed"), 5, in_memory=False)
    guests.fault(step("observed", "freeze"), 6, in_memory=True)
    assert shown(guests) == {ANN: ("n2", True)}


def lost_and_undecided(guests: BrowserUsers) -> tuple[bool, bool]:
    view = guests.all()[0]
    return view.lost, view.undecided


def stranger_with(at_us: int, node: str, path: str, session: str = "s") -> LoggedRequest:
    return LoggedRequest(at_us, f"r{at_us}", node, "b", "POST", path, 401, 500, "", session)


def test_who_has_not_asked_since_the_blow_is_undecided_until_they_are_told(guests: BrowserUsers) -> None:
    guests.logged(opened(1, "n2"))
    guests.fault(step("observed"), 5, in_memory=True)
    assert lost_and_undecided(guests) == (False, True)
    guests.logged(stranger_with(6, "n1", "/orders/progress"))  # their page asks by itself
    assert lost_and_undecided(guests) == (False, True)
    guests.logged(stranger_with(7, "n1", "/cart"))
    assert guests.all() == (GuestView(ANN, "n1", logged_in=False, lost=True),)


def test_who_logs_in_anew_without_looking_was_logged_out_all_the_same(guests: BrowserUsers) -> None:
    guests.logged(opened(1, "n2"))
    guests.fault(step("observed"), 5, in_memory=True)
    guests.logged(opened(6, "n3"))
    assert guests.all() == (GuestView(ANN, "n3", logged_in=True, lost=True),)


def test_a_stranger_who_brings_a_guests_session_is_the_guest_on_whatever_connection(guests: BrowserUsers) -> None:
    for line in (opened(1, "n1"), stranger_with(2, "n3", "/cart", "another")):
        guests.logged(line)
    assert shown(guests) == {ANN: ("n1", True)}
    guests.logged(stranger_with(3, "n3", "/login"))  # nobody is told anything by that
    assert shown(guests) == {ANN: ("n1", True)}
    guests.logged(stranger_with(4, "n3", "/cart"))
    assert guests.all() == (GuestView(ANN, "n3", logged_in=False, lost=True),)


def test_a_deploy_takes_the_memory_when_it_is_healed(guests: BrowserUsers) -> None:
    guests.logged(opened(1, "n2"))
    guests.fault(step("observed", "deploy"), 5, in_memory=True)
    assert shown(guests)[ANN] == ("n2", True)
    guests.fault(step("observed_healed", "deploy"), 6, in_memory=True)
    assert shown(guests)[ANN] == ("n2", False)


def test_requests_that_only_one_log_tells_of_are_forgotten(guests: BrowserUsers) -> None:
    guests.logged(balanced(1, 7))
    for at_us in range(2, MOST_WAITING + 3):
        guests.logged(balanced(at_us, 8))
    guests.logged(asked(1, "n2", ANN))
    guests.logged(asked(MOST_WAITING + 9, "n1"))
    guests.logged(balanced(MOST_WAITING + 9, 7))
    assert shown(guests) == {ANN: ("n2", True)}
