"""Made-up worlds: what is named is the truth, is minimal, and a fault that changes nothing is never in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.faults import FAULTS
from tests.loadtests.session_model import truth
from tests.loadtests.session_model.asked_about import ClockBehind, asked, fault, named
from tests.loadtests.session_model.made_up_worlds import demand, demand_not_named, twins, worlds
from tests.loadtests.session_model.truth.causes import Case
from tests.loadtests.session_model.truth.happenings import Fault, Setup, Step, at

OWN_RECORDS = {"loadtests.model.events", "loadtests.model.history"}
OUTLIVED: dict[str, tuple[str, tuple[Fault, ...], str, str]] = {
    "the list was lost": ("token-denylist", (fault("store-kill", "store", 8, 8.3),), "logout", "denylist_lost"),
    "lost, and a node killed": (
        "token-denylist", (fault("store-kill", "store", 8, 8.3), fault("kill", "n3", 7.5, 8)), "logout",
        "denylist_lost",
    ),
    "by a clock that is behind": (
        "token-denylist", (fault("clock-behind", "n1", 6.8, 7.5),), "logout_everywhere", "clock_behind",
    ),
    "lost before it was ended": ("token-denylist", (fault("store-kill", "store", 6.3, 6.4),), "logout", ""),
    "the replica never heard of it": (
        "redis-replica", (fault("replica-cut", "replica", 6.8), fault("promoted", "store", 8, 8.4)), "logout",
        "not_replicated|not_replicated",
    ),
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def clocks_of_either_sign() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(FAULTS, "clock-behind", ClockBehind())
        yield


def test_the_truth_shares_no_code_with_what_it_judges() -> None:
    (folder,) = truth.__path__
    found = set()
    for path in Path(folder).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                found.add(node.module or "")
            elif isinstance(node, ast.Import):
                found |= {each.name for each in node.names}
    products = {
        name
        for name in found
        if name.split(".")[0] in ("loadtests", "compose", "shared", "stateful_app", "stateless_app")
    }
    assert products == OWN_RECORDS
    assert {name for name in found if name.startswith("tests.")} <= {
        f"{truth.__name__}.{name}" for name in ("causes", "happenings", "stores", "world")
    }


# The same worlds each time: others are looked for, by the thousand, in tests/long.
@given(worlds())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_what_is_named_is_true_and_minimal(case: Case) -> None:
    demand(case)


@given(worlds(), st.data())
@settings(max_examples=100, deadline=None, derandomize=True)
def test_a_fault_that_changes_nothing_is_never_named(case: Case, data: st.DataObject) -> None:
    demand_not_named(*data.draw(twins(case)))


@pytest.mark.parametrize("name", list(OUTLIVED))
def test_a_session_that_outlives_its_end(name: str) -> None:
    architecture, faults, end, cause = OUTLIVED[name]
    store = "denylist" if "token" in architecture else "redis"
    jar = "stolen" if end == "logout" else "second"
    steps = [Step(at(6), "login"), Step(at(6.2), "login", jar="second"), Step(at(7.1), end)]
    steps.append(Step(at(9.1), "me", "n2", jar=jar))
    case = Case(architecture, Setup(store, "round-robin", leeway_s=10), faults, tuple(steps))
    answer = case.answers[-1]
    losses = asked(case)[1].losses
    assert answer.knew is bool(cause)
    assert [named(loss) for loss in losses] == [case.cause(answer)] * bool(cause)
    assert ["|".join(because.word for because in loss.because) for loss in losses] == [cause] * bool(cause)


@pytest.mark.parametrize(("asked_at", "retries"), [(0.531, True), (0.806, False)])
def test_whose_turn_it_would_have_been_nobody_sees(asked_at: float, retries: bool) -> None:
    """Without an affinity it was n1's, as it happens, and so without the kill alone the session is known. The history
    does not say so, and both are named."""
    faults = (fault("no-affinity", "cluster", 0.5), fault("kill", "n1", 0.5))
    steps = (Step(at(0.2), "login"), Step(at(asked_at), "me"))
    case = Case("sticky-memory", Setup("memory", "cookie", retries=retries), faults, steps)
    (answer,) = case.lost()
    assert case.cause(answer) == {frozenset({1})}
    assert named(asked(case)[0].losses[0]) == {frozenset({0, 1})}
    demand(case)


def test_who_forgot_the_cookie_twice_went_elsewhere_by_the_first_time() -> None:
    does = (("login", 0.9), ("forget_node", 2.2), ("browse", 2.5), ("forget_node", 2.9), ("browse", 5.6), ("me", 6.1))
    steps = tuple(Step(at(when), do, "n3" if number else "n2") for number, (do, when) in enumerate(does))
    case = Case("sticky-memory", Setup("memory", "cookie"), (), steps)
    assert case.cause(case.answers[-1]) == {frozenset({"affinity_lost"})}
    demand(case)


def test_a_home_that_answers_by_chance_does_not_mend_the_cookie() -> None:
    """The cookie leads to n2. Without an affinity n1 answers all the same, until the balancer heeds cookies again."""
    does = (("login", 0.3), ("forget_node", 0.5), ("browse", 0.6), ("me", 1.1), ("browse", 1.3), ("me", 4.5))
    steps = tuple(Step(at(when), do, "n2" if do == "browse" and when < 1 else "n1") for do, when in does)
    case = Case("sticky-memory", Setup("memory", "cookie"), (fault("no-affinity", "cluster", 0.9, 2.5),), steps)
    assert case.answers[-1].node == "n2"
    assert case.cause(case.answers[-1]) == {frozenset({"affinity_lost"})}
    demand(case)


@pytest.mark.parametrize("led_to", ["n1", "n2"])
def test_a_cookie_that_was_mended_before_is_not_what_led_elsewhere(led_to: str) -> None:
    """The first answer since it was lost says where the cookie leads: back to n1, and then the kill alone moves it."""
    does = (("login", 0.3), ("forget_node", 0.5), ("browse", 0.6), ("me", 1.1), ("me", 4.9))
    steps = tuple(Step(at(when), do, led_to if do == "browse" else "n1" if when < 4 else "n2") for do, when in does)
    faults = (fault("no-affinity", "cluster", 0.9, 2.5), fault("kill", "n1", 4))
    case = Case("sticky-memory", Setup("memory", "cookie"), faults, steps)
    assert case.answers[-1].node == "n2"
    (found,) = named(asked(case)[0].losses[0])
    assert found == ({1} if led_to == "n1" else {1, "affinity_lost"})
    assert case.cause(case.answers[-1]) == {found}


def test_three_nodes_that_had_it_all_ended_and_time_alone_does_not_bring_it_back() -> None:
    """One that is back and waits for a majority has nothing: without the end of the lifetime it would say so."""
    faults = (fault("kill", "n1", 0.5), fault("kill", "n2", 0.5, 1.3), fault("kill", "n3", 0.5))
    steps = tuple(Step(at(when), "login" if when < 0.3 else "me") for when in (0.2, 0.5, 0.6, 1.5, 4))
    case = Case("replicated-memory", Setup("replicated", "cookie", lifetime=at(4), refresh=True), faults, steps)
    assert case.cause(case.answers[-1]) == {frozenset({number, "expired"}) for number in range(3)}
    demand(case)


def test_a_logout_that_a_sick_node_carried_out_was_asked_for_again() -> None:
    faults = (fault("sick-afterwards", "n1", 2.8),)
    steps = (Step(at(0.5), "login"), Step(at(3.5), "logout"))
    case = Case("sticky-memory", Setup("memory", "cookie", retries=True), faults, steps)
    (answer,) = case.lost()
    assert case.cause(answer) == {frozenset({0})}
    demand(case)


@pytest.mark.parametrize(("leeway_s", "cause"), [(0, {0, "expired"}), (10, {"expired"})])
def test_a_login_that_was_acknowledged_is_so_without_a_fault_too(leeway_s: int, cause: set[int | str]) -> None:
    """For n1 the first session was over, so that it need not ask the list, which was away, before it opened another
    one. Without the end of its lifetime it would have had to; the session that was lost is still the second one."""
    faults = (fault("clock-ahead", "n1", 0.5), fault("store-kill", "store", 0.3, 2))
    steps = (Step(at(0.2), "login", "n2"), Step(at(0.531), "login"), Step(at(2.9), "me", "n2"))
    setup = Setup("denylist", "round-robin", lifetime=at(2), leeway_s=leeway_s)
    case = Case("token-denylist", setup, faults, steps)
    assert [answer.status for answer in case.answers] == [200, 200, 401]
    assert case.cause(case.answers[-1]) == {frozenset(cause)}
    demand(case)


@pytest.mark.parametrize(
    ("architecture", "store"),
    [("replicated-memory", "replicated"), ("sticky-memory", "memory"), ("signed-token", "token")],
)
def test_a_clock_ended_it_though_its_time_may_have_run_out_within_the_answer(architecture: str, store: str) -> None:
    """Its lifetime is over at 1.869 s, in the middle of the answer; by the clock of n1, surely before it."""
    setup = Setup(store, "cookie", lifetime=at(2), refresh=True, epoch=130_855)
    steps = (Step(at(0.2), "login"), Step(at(1.861), "logout"))
    case = Case(architecture, setup, (fault("clock-ahead", "n1", 0.5),), steps)
    (answer,) = case.lost()
    assert case.cause(answer) == {frozenset({0})}
    assert [named(loss) for loss in asked(case)[0].losses] == [{frozenset({0})}]
    demand(case)


def test_who_is_known_again_after_a_login_that_nobody_answered_can_be_lost_again() -> None:
    faults = (fault("kill", "n3", 0.5), fault("clock-ahead", "n1", 0.5))
    steps = [Step(at(0.2), "login"), Step(at(0.505), "login", "n3"), Step(at(0.555), "me")]
    steps += [Step(at(0.655), "me", "n2"), Step(at(0.705), "me")]
    case = Case("token-denylist", Setup("denylist", "round-robin", lifetime=at(2)), faults, tuple(steps))
    assert [answer.status for answer in case.answers] == [200, 503, 401, 200, 401]
    assert [answer.number for answer in case.lost()] == [2, 4]
    demand(case)
