"""Worlds drawn at random (for hypothesis), and what is demanded of the causes that are named in them."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from hypothesis import assume
from hypothesis import strategies as st

from compose.architectures import ARCHITECTURES
from tests.loadtests.session_model.asked_about import Remembering, asked, factor_of, named
from tests.loadtests.session_model.truth.causes import Case, Sets
from tests.loadtests.session_model.truth.happenings import NEVER, TOOK, Answer, Fault, Setup, Step, at

NODES = ("n1", "n2", "n3")
ON_NODES = (
    "kill", "stop", "restart", "scale-in", "deploy", "key-announce", "key-one-phase", "key-swap", "key-switch",
    "freeze", "drain", "clock-ahead", "clock-behind", "sick", "sick-afterwards", "slow",
)  # fmt: skip
LEAVE_NO_TRACE = ("kill", "stop", "restart", "freeze", "drain", "clock-ahead", "clock-behind", "sick")
ELSEWHERE = {
    "sticky-memory": ("no-affinity",), "sticky-hash": ("no-affinity", "scale-out"), "roundrobin-memory": (),
    "replicated-memory": (), "signed-token": (), "token-denylist": ("store-kill",), "redis": ("store-kill",),
    "redis-replica": ("promoted",),
}  # fmt: skip
VICTIMS = {"no-affinity": "cluster", "scale-out": "cluster", "store-kill": "store", "promoted": "store"}
RESIGN = ("key-one-phase", "key-switch", "key-swap")
STAYS = ("scale-in", "scale-out")
MOVES = (
    "no-affinity",
    "scale-out",
    "scale-in",
    "freeze",
    "sick",
    "sick-afterwards",
    "kill",
    "stop",
    "restart",
    "deploy",
)


@st.composite
def faults(draw: st.DrawFn, kinds: tuple[str, ...], since: float = 0.5, until: float = 14.0) -> list[Fault]:
    """One fault; or two where one alone would do nothing."""
    kind = draw(st.sampled_from(kinds))
    victim = VICTIMS.get(kind) or draw(st.sampled_from(NODES))
    began = at(since) + draw(st.integers(0, at(until - since) // 1000)) * 1000
    healed = began + draw(st.integers(800, 6000)) * 1000
    healed = NEVER if kind in STAYS or draw(st.integers(0, 6)) == 0 else healed
    it = Fault(kind, victim, began, began + 20_000, healed, healed + 400_000 if healed < NEVER else NEVER)
    if kind != "promoted":
        return [it]
    cut = max(at(0.1), began - draw(st.integers(500, 5000)) * 1000)
    return [Fault("replica-cut", "replica", cut, cut + 20_000), it]


@st.composite
def worlds(draw: st.DrawFn) -> Case:
    """One shopper, up to five faults, no two of them at one victim at a time."""
    name = draw(st.sampled_from(sorted(ELSEWHERE)))
    about = ARCHITECTURES[name]
    chosen: list[Fault] = []
    for some in draw(st.lists(faults((*ON_NODES, *ELSEWHERE[name] * 3)), min_size=1, max_size=4)):
        if not any(_meet(one, other) for one in some for other in chosen):
            chosen += some
    setup = Setup(
        about.store, about.affinity, lifetime=at(draw(st.sampled_from((2, 3, 4, 6, 3600, 3600)))),
        refresh=draw(st.integers(0, 4)) == 0, leeway_s=draw(st.sampled_from((0, 0, 2, 10))),
        retries=draw(st.booleans()), append_only=draw(st.integers(0, 4)) == 0, epoch=draw(st.integers(0, 10**6)),
    )  # fmt: skip
    # A page does not say whom it knew: where it would write the session of somebody known, nobody can tell.
    does = ["me", "me", "me", "me", "add", "add", "login", "logout"] + ["browse", "browse"] * (not setup.refresh)
    does += ["forget_node"] * (about.affinity == "cookie")
    steps, now, many = [], at(0.2) + draw(st.integers(0, 1800)) * 1000, draw(st.integers(5, 14))
    for number in range(many):
        do = "login" if number == 0 else "me" if number == many - 1 else draw(st.sampled_from(does))
        steps.append(Step(now, do, draw(st.sampled_from(NODES))))
        now += draw(st.integers(50, 2500)) * 1000
    return Case(name, setup, tuple(chosen), tuple(steps))


def _meet(one: Fault, other: Fault) -> bool:
    """Whether both are there at one time: then which of them did what, they alone know."""
    same = one.victim == other.victim or ("promoted" in (one.kind, other.kind) and one.victim[:2] == other.victim[:2])
    return same and one.injected - at(0.1) < other.over + at(1.6) and other.injected - at(0.1) < one.over + at(1.6)


def _since_login(case: Case, answer: Answer) -> list[Answer]:
    """What came back since the last acknowledged login; since the beginning, if none was."""
    steps = [each for each in case.answers if each.number <= answer.number]
    logins = [each.number for each in steps if each.step.do == "login" and each.knew]
    return [each for each in steps if each.number >= max(logins, default=0)]


def _in_error(answers: list[Answer]) -> list[Answer]:
    """Those of which nobody knows by whom they were answered, and what was done."""
    return [each for each in answers if each.status in (0, 500, 503)]


def _signed_again(case: Case, since: list[Answer]) -> bool:
    """Who signed it again may only have known it because of another change of keys: the page holds that fixed."""
    keys = [it for it in case.faults if it.kind in RESIGN]
    return len(keys) > 1 and any(each.step.do == "add" or case.setup.refresh for each in since[1:-1])


def clear(case: Case, answer: Answer) -> bool:
    """Whether the history determines it: nothing that counts happened while nobody could see on which side of it."""
    since = _since_login(case, answer)
    if answer.retried and (case.setup.affinity == "round-robin" or case.setup.store != "memory"):
        return False  # who had been asked before, the history does not say
    moving = [it for it in case.faults if it.kind in (*MOVES, "drain") or it.kind.startswith("key")]
    moved = [it for it in moving if it.injected <= answer.done and since[0].step.at <= it.over]
    if any(it.kind == "no-affinity" for it in moved) and len(moved) > 1:
        return False  # nor whose it would have been, were there no affinity, and nobody missing
    if answer.on_edge or _in_error(since):
        return False
    marks = [
        marks for it in case.faults for marks in ((it.injected, it.observed), (it.healed, it.over)) if marks[0] < NEVER
    ]
    if any(each.step.at - TOOK <= b and a - TOOK <= each.done for each in since for a, b in marks):
        return False
    return not _signed_again(case, since) and (case.setup.affinity != "hash" or len(moving) <= 1)


def _may_be(case: Case, answer: Answer, true: Sets, found: Sets) -> bool:
    """Where the history does not determine it: it is no more than the truth or no less.

    Who answered with an error, and whose cookie came with it, nobody sees: then they must have something in common. And
    nothing is demanded where a login was answered so: which of two sessions was lost, nobody knows.
    """
    since = _since_login(case, answer)
    errors = _in_error(since)
    if (
        _signed_again(case, since)
        or case.setup.affinity == "hash"
        or (answer.retried and "roundrobin" in case.architecture)
    ):
        return True
    if any(each.step.do == "login" for each in errors):
        return True
    if errors:
        return all(any(some & each for each in true) for some in found)
    # That its time was over may be said, unless something else surely ended it: the history does not decide it then.
    by_time = [frozenset({"expired"})] if answer.on_edge else []
    return all(some in by_time or any(some <= each or each <= some for each in true) for some in found)


def demand(case: Case) -> tuple[int, int]:
    """What is named is the truth, where that can be known; how often it was, of how many losses.

    Where it cannot, it is no more than the truth or no less.
    """
    check, _ = asked(case)
    lost = case.lost()
    assert [(loss.shopper, loss.at_ms) for loss in check.losses] == [(it.step.shopper, it.done / 1000) for it in lost]
    exact = 0
    for number, (answer, loss) in enumerate(zip(lost, check.losses, strict=True)):
        true, found = case.cause(answer), named(loss)
        if clear(case, answer):
            exact += 1
            assert found == true, (true, loss)
            _demand_minimal_in_truth(case, answer, found)
        else:
            assert _may_be(case, answer, true, found), (true, loss)
        _demand_minimal(case, check, number)
    return exact, len(lost)


def _demand_minimal_in_truth(case: Case, answer: Answer, found: frozenset[frozenset[int | str]]) -> None:
    for each in found:
        assert case.knows(answer, each)
        assert not any(case.knows(answer, each - {member}) for member in each)


def _demand_minimal(case: Case, check: Remembering, number: int) -> None:
    """By the model itself: without all members of a set the shopper would have been known, without any fewer not."""
    loss = check.losses[number]
    sure = any(harm.sure for harm in check.harms(number, frozenset()))

    def known(without: frozenset[object]) -> bool:
        return not any(harm.sure or not sure for harm in check.harms(number, without))  # type: ignore[arg-type]

    for alternative in {because.alternative for because in loss.because}:
        members = {factor_of(because, case) for because in loss.because if because.alternative == alternative}
        assert known(frozenset(members))
        assert not any(known(frozenset(some)) for some in combinations(members, len(members) - 1))


@st.composite
def twins(draw: st.DrawFn, case: Case) -> tuple[Case, Case]:
    """The world with one more fault that changes nothing in it, the last; and the same world without that."""
    how = draw(st.sampled_from(("after", "before", "elsewhere")))
    end = case.steps[-1].at / at(1)
    if how == "after":
        more = draw(faults((*ON_NODES, *ELSEWHERE[case.architecture]), end + 1, end + 5))
        more = [it for it in more if it.injected > at(end + 0.5)]  # not the cut that a promotion comes with
    elif how == "before":
        case = replace(
            case, steps=tuple(replace(step, at=step.at + at(12)) for step in case.steps),
            faults=tuple(_later(it) for it in case.faults),
        )  # fmt: skip
        more = [replace(it, healed=at(9), over=at(9.4)) for it in draw(faults(LEAVE_NO_TRACE, 0.5, 4))]
    else:
        case = replace(case, setup=replace(case.setup, nodes=(*NODES, "n4")))
        more = [replace(it, victim="n4") for it in draw(faults(ON_NODES))]
        assume(case.setup.affinity != "hash" and case.setup.store != "replicated")  # there any node is one's own
        # Which of two sick nodes had a request done again, the history does not say: both are named (docs, 9).
        kinds = [{it.kind for it in some} for some in (case.faults, more)]
        assume(not all("sick-afterwards" in some for some in kinds) or not case.setup.retries)
    more_of_it = replace(case, faults=(*case.faults, *more))
    assume(not any("n4" in answer.by for answer in (*case.answers, *more_of_it.answers)))
    return more_of_it, case


def _later(it: Fault) -> Fault:
    times = {
        name: getattr(it, name) + at(12)
        for name in ("injected", "observed", "healed", "over")
        if getattr(it, name) < NEVER
    }
    return replace(it, **times)


def demand_not_named(case: Case, without: Case) -> None:
    """The faults that only `case` has changed nothing, and nothing that is named is otherwise with them."""
    assert [(it.status, it.node) for it in case.answers] == [(it.status, it.node) for it in without.answers]
    assert [named(loss) for loss in asked(case)[0].losses] == [named(loss) for loss in asked(without)[0].losses]
