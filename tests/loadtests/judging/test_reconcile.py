"""Three logs, one story: what must agree, what may differ, and what is a hidden re-send."""

from __future__ import annotations

import pytest

from compose.balancers.access_log import AccessLine
from loadtests.judging.reconcile import Reconciler, list_mismatches
from loadtests.model.history import Exchange
from loadtests.model.results import Mismatch
from shared.request_log import LoggedRequest, LoggedSession


def asked(status: int = 200, node: str = "n1", request: str = "a-0001-0001") -> Exchange:
    return Exchange("redis", 1, request, "plan", "cart", "ok", 0, 0, 1, status=status, node=node)


def line(
    status: int = 200, node: str = "n1", request: str = "a-0001-0001", flags: str = "", path: str = "/cart"
) -> AccessLine:
    return AccessLine(0, status, 10, request, "GET", path, flags, node, node)


def logged(status: int = 200, node: str = "n1", request: str = "a-0001-0001", path: str = "/cart") -> LoggedRequest:
    return LoggedRequest(0, request, node, "b", "GET", path, status, 10, "")


def found(
    *records: Exchange | AccessLine | LoggedRequest, retries: bool = False, balancer_fell: bool = False
) -> list[Mismatch]:
    return list(told(Reconciler(retries=retries, balancer_fell=balancer_fell), *records).mismatches())


def told(reconciler: Reconciler, *records: Exchange | AccessLine | LoggedRequest) -> Reconciler:
    for record in records:
        if isinstance(record, Exchange):
            reconciler.add(record)
        elif isinstance(record, AccessLine):
            reconciler.add_lines([record])
        else:
            reconciler.add_node(record.node, [record])
    return reconciler


def test_unless_it_is_told_that_the_balancer_fell_it_did_not() -> None:
    unlogged = (asked(0, ""), logged())
    assert len([*told(Reconciler(), *unlogged).mismatches()]) == 1
    assert found(*unlogged, balancer_fell=True) == []


@pytest.mark.parametrize(
    "records",
    [
        pytest.param([asked(), line(), logged()], id="all three agree"),
        pytest.param([asked(503, ""), line(503, "", flags="UH")], id="the balancer had no node"),
        pytest.param([asked(503, ""), line(503, "", flags="UC"), logged()], id="a node died while it answered"),
        pytest.param([asked(0, ""), line(0, "", flags="DC"), logged()], id="the client gave up, the node did not"),
        pytest.param([asked(0, ""), line(), logged()], id="the answer was lost on the way to the client"),
        pytest.param([asked(0, "")], id="the balancer was never reached"),
        pytest.param([asked(request="")], id="never sent"),
        pytest.param([line(path="/healthz", request="ready-1")], id="the harness's own question"),
        pytest.param([logged(path="/healthz", request="ready-1")], id="the harness's own question, in a node"),
        pytest.param([logged(request="probe-1")], id="the harness's own look at a page"),
        pytest.param([line(request="probe-1"), logged(request="probe-1")], id="the same through the balancer"),
    ],
)
def test_agreement(records: list[Exchange | AccessLine | LoggedRequest]) -> None:
    assert found(*records) == []


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([asked(), logged()], "the balancer's log does not have it"),
        ([asked(), line(500), logged(500)], "answered 200, the balancer's log says 500"),
        ([asked(), line(node="n2"), logged(node="n2")], "answered by n1, and by n2"),
        ([asked(), line()], "no node's log has it"),
        ([asked(), line(), logged(404)], "n1 answered 404 by its own"),
        ([asked(), line(), logged(node="n3")], "n3 answered 200 by its own"),
        ([asked(503, ""), line(503, ""), logged()], "the balancer's log knows of no answer"),
        ([asked(), line(), line(), logged()], "the balancer's log have it twice"),
        ([asked(), line(), logged(node="n2"), logged()], "the nodes' logs have it twice"),
        ([asked(), asked(), line(), logged()], "the history have it twice"),
        ([line(), logged()], "no shopper sent it"),
        ([asked(0, ""), logged()], "n1 has it, the balancer's log does not"),
        ([line(request="foreign"), logged(request="foreign")], "no shopper sent it"),
    ],
)
def test_disagreement(records: list[Exchange | AccessLine | LoggedRequest], words: str) -> None:
    mismatches = found(*records)
    assert any(words in mismatch.what for mismatch in mismatches), mismatches
    assert all(mismatch.request for mismatch in mismatches)


@pytest.mark.parametrize(
    ("records", "what"),
    [
        ([asked(), logged()], ["a shopper was answered 200, the balancer's log does not have it",
                               "n1 has it, the balancer's log does not"]),
        ([asked(), line(500), logged(500)], ["a shopper was answered 200, the balancer's log says 500"]),
        ([asked(503, ""), line(503), logged(503)], ["answered by no shop, and by n1 in the balancer's log"]),
        ([asked(), line(node="n2"), logged(node="n2")], ["answered by n1, and by n2 in the balancer's log"]),
        ([asked(), line()], ["n1 answered by the balancer's log, and no node's log has it"]),
        ([asked(), line(), logged(404)], ["n1 answered 200 by the balancer's log, n1 answered 404 by its own"]),
        ([asked(503, ""), line(503, ""), logged()], ["n1 answered 200, and the balancer's log knows of no answer"]),
        ([asked(503, ""), line(503, ""), logged(request="a-2"), line(200, request="a-2")],
         ["the balancer's log has it, no shopper sent it"]),
        ([asked(0, ""), line(0, "", flags="DC")], []),
    ],
)  # fmt: skip
def test_it_says_who_says_what(records: list[Exchange | AccessLine | LoggedRequest], what: list[str]) -> None:
    assert [mismatch.what for mismatch in found(*records)] == what


def test_what_cannot_tell_is_not_asked() -> None:
    records = asked(), line(request="a-2")
    assert {mismatch.request for mismatch in told(Reconciler(nodes_tell=False), *records).mismatches()} == {
        "a-0001-0001", "a-2",
    }  # fmt: skip
    assert len([*told(Reconciler(nodes_tell=False), asked(), line()).mismatches()]) == 0
    assert len([*told(Reconciler(), asked(), line()).mismatches()]) == 1
    blind = told(Reconciler(balancer_tells=False), *records, asked())
    assert [mismatch.what for mismatch in blind.mismatches()] == [
        "the history have it twice: it was sent again, or written down again"
    ]


def test_of_what_was_asked_several_times_all_are_counted_once() -> None:
    reconciler = told(Reconciler(), asked(), line(), logged(), asked(request="a-2"), line(request="a-2"))
    assert (reconciler.counts, reconciler.by_guests) == ((2, 2, 1), 0)


RETRIED = (asked(node="n3"), line(node="n3"), logged(500, "n2"), logged(200, "n3"))


def test_a_balancer_that_retries_asks_several_nodes() -> None:
    assert found(*RETRIED, retries=True) == []
    assert found(*RETRIED[:2], RETRIED[3], RETRIED[2], retries=True) == [], "in whatever order logs are read"
    assert any("have it twice" in mismatch.what for mismatch in found(*RETRIED))
    assert len(found(asked(), line(), logged(), logged(), retries=True)) == 1, "the same node is not asked again"
    again = (logged(500, "n2"), logged(500, "n2"))
    assert found(asked(500, "n2"), line(500, "n2"), *again, retries=True) == [], "unless it had failed"
    assert found(asked(500, "n2"), line(500, "n2"), *again) != []
    assert found(asked(node="n2"), line(node="n2"), logged(500, "n2"), logged(200, "n2"), retries=True) == []


def test_one_of_the_nodes_that_were_asked_must_have_given_the_answer() -> None:
    (mismatch,) = found(asked(node="n1"), line(node="n1"), logged(500, "n2"), logged(200, "n3"), retries=True)
    assert "n2 answered 500 by its own" in mismatch.what


def test_a_balancer_that_fell_wrote_nothing_down_of_what_it_had_begun() -> None:
    assert found(asked(0, ""), logged(), balancer_fell=True) == []
    assert found(asked(0, ""), logged()) != []
    assert found(asked(), logged(), balancer_fell=True) != [], "what it answered it must have written down"
    assert found(asked(404, ""), balancer_fell=True) == [], "but for refusals before it has read where to write"
    assert found(asked(404, "")) != []
    assert found(asked(404, "n1"), balancer_fell=True) != []


def test_sessions_opened_are_not_requests() -> None:
    reconciler = Reconciler()
    reconciler.add_node("n1", [LoggedSession(0, "opened", "a", "n1", "b", "user-0001", "s")])
    assert reconciler.counts == (0, 0, 0)


def test_a_hundred_are_listed_and_all_counted() -> None:
    listed, count = list_mismatches([Mismatch(f"{number:04d}", "so") for number in range(250, 0, -1)])
    assert (len(listed), count, listed[0].request) == (100, 250, "0001")
    alike = [Mismatch("1", what) for what in "ba"]
    assert list_mismatches(alike)[0] == (Mismatch("1", "a"), Mismatch("1", "b"))


class TestGuests:
    """In a run whose ids begin with "a-"."""

    GUEST = "8a2f0c3e-1d4b-4c55-8123-0123456789ab"

    def admitted(self, *records: Exchange | AccessLine | LoggedRequest, balancer_fell: bool = False) -> Reconciler:
        guests = Reconciler(balancer_fell=balancer_fell, is_guests=lambda request: not request.startswith("a-"))
        return told(guests, *records)

    def words(self, *records: Exchange | AccessLine | LoggedRequest, balancer_fell: bool = False) -> list[str]:
        return [mismatch.what for mismatch in self.admitted(*records, balancer_fell=balancer_fell).mismatches()]

    def guest(self, status: int = 200, node: str = "n1", flags: str = "") -> AccessLine:
        return line(status, node, self.GUEST, flags)

    def test_what_they_ask_is_in_no_history(self) -> None:
        records = (asked(), line(), logged(), self.guest(), logged(request=self.GUEST))
        reconciler = self.admitted(*records)
        assert list(reconciler.mismatches()) == []
        assert (reconciler.counts, reconciler.by_guests) == ((1, 1, 1), 1)
        assert "no shopper sent it" in " ".join(mismatch.what for mismatch in found(*records)), "without guests"

    def test_a_hidden_resend_of_a_shoppers_is_as_visible_as_ever(self) -> None:
        assert "twice" in self.words(asked(), line(), line(), logged())[0]
        assert "twice" in self.words(asked(), line(), logged(), logged())[0]

    def test_a_shoppers_request_that_nobody_recorded(self) -> None:
        assert self.words(line(), logged()) == ["the balancer's log has it, no shopper sent it"]
        assert self.words(asked(), line(), logged(), logged(request="a-9")) == [
            "n1 has it, the balancer's log does not"
        ]

    def test_a_shoppers_request_that_lost_its_id_on_the_way(self) -> None:
        assert "the balancer's log does not have it" in self.words(asked(), self.guest(), logged(request=self.GUEST))[0]

    @pytest.mark.parametrize("balancer_fell", [False, True])
    def test_what_a_guest_asks_makes_no_experiment_doubtful(self, *, balancer_fell: bool) -> None:
        not_logged = (self.guest(),)  # GET /metrics, say
        differ = (self.guest(), logged(404, request=self.GUEST))
        not_passed_on = (logged(request=self.GUEST),)  # its id could not be logged: the node gave it another one
        twice = (self.guest(), self.guest(404), logged(404, request=self.GUEST), logged(request=self.GUEST))
        for records in (not_logged, differ, not_passed_on, twice):
            assert self.words(*records, balancer_fell=balancer_fell) == []
        assert self.admitted(*not_logged).by_guests == 1
