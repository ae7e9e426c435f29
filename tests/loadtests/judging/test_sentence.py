"""One sentence, at most 30 words, whatever happened."""

from __future__ import annotations

import random

import msgspec
import pytest

from loadtests.faults import FAULTS
from loadtests.faults.words import victim_in_words, what_was_done
from loadtests.judging.sentence import MOST_WORDS, credited, sentence_of
from loadtests.judging.verdict import AT_RISK_UNKNOWN, NOT_TO_ITS_END, NOTHING_PREDICTED
from loadtests.model.fault_timeline import FaultTimeline
from loadtests.model.plan import PlannedFault
from loadtests.model.results import (
    ArchitectureResult,
    Because,
    Costs,
    Counted,
    ExperimentStep,
    LogoutCounts,
    Loss,
    VerdictWord,
)
from tests.loadtests.example_result import UNEVENTFUL

KILL = PlannedFault("kill", 5000, 8000, "n2")
LOSS = Loss("logged_out", 1, 1.0, "n1", "node_killed", ())
BY_FAULT = (Because("node_killed", 0, 5000.0),)


def result(
    out: int, *, at_risk: int = 0, verdict: VerdictWord = "as predicted", cause: str = "node_killed"
) -> ArchitectureResult:
    because = BY_FAULT if cause == "node_killed" else (Because(cause),)
    losses = tuple(
        msgspec.structs.replace(LOSS, shopper=number, cause=cause, because=because) for number in range(1, out + 1)
    )
    return msgspec.structs.replace(
        UNEVENTFUL, verdict=verdict, shoppers=60, logged_out=LogoutCounts(out, out, 0), at_risk=at_risk, losses=losses
    )


def before(found: ArchitectureResult, lost: int) -> ArchitectureResult:
    kill = FaultTimeline(0, "kill", "n2", injected_us=5_000_000)
    return msgspec.structs.replace(found, logged_out_before_fault=lost, faults=(kill,))


def test_faults_are_credited_with_whom_they_alone_logged_out_and_nobody_else() -> None:
    killed, expired = result(2), result(4, cause="expired")
    others = tuple(msgspec.structs.replace(loss, shopper=loss.shopper + 2) for loss in expired.losses)
    mixed = msgspec.structs.replace(killed, losses=(*killed.losses, *others), logged_out=LogoutCounts(6, 6, 0))
    assert credited(mixed) == {1, 2}
    found = sentence_of([KILL], {"sticky-memory": mixed})
    assert found == ("Killing n2 logged out 2 of 60 shoppers in sticky-memory; time logged out 4 in sticky-memory.")


@pytest.mark.parametrize(
    ("because", "alone"),
    [
        (BY_FAULT, True),
        ((*BY_FAULT, Because("copies_lost", 1)), True),
        ((*BY_FAULT, Because("other_node")), False),
        ((*BY_FAULT, Because("expired", alternative=1)), True),
        ((Because("other_node"), Because("expired", alternative=1)), False),
        ((), False),
    ],
    ids=["a fault", "two faults", "and another node", "or time", "no fault", "unexplained"],
)
def test_who_would_have_been_out_without_it_is_not_credited_to_it(because: tuple[Because, ...], alone: bool) -> None:
    losses = (msgspec.structs.replace(LOSS, because=because),)
    assert credited(msgspec.structs.replace(result(1), losses=losses)) == ({1} if alone else set())


def test_a_fault_among_other_causes_is_neither_credited_nor_left_out() -> None:
    both = msgspec.structs.replace(LOSS, cause="node_killed+other_node", because=(*BY_FAULT, Because("other_node")))
    mixed = msgspec.structs.replace(result(1), losses=(both,))
    found = sentence_of([KILL], {"sticky-memory": result(20, at_risk=20), "roundrobin-memory": mixed})
    assert found == (
        "Killing n2 logged out 20 of 60 shoppers in sticky-memory (all whose sessions it held); "
        "for other or further reasons 1 in roundrobin-memory."
    )
    later = msgspec.structs.replace(mixed, losses=(msgspec.structs.replace(both, at_ms=6000.0),))
    found = sentence_of([KILL], {"roundrobin-memory": before(later, 2)})
    assert found.endswith(
        "roundrobin-memory had already lost 2 of 60 before, and later 1 for other or further reasons."
    )


def twice_out(before_us: int = 58, killed: int = 22, both: int = 20, later: int = 0) -> ArchitectureResult:
    """So many were out before the kill; it logged out so many, of whom `both` had been; the others came later."""
    early = [msgspec.structs.replace(LOSS, shopper=n, cause="other_node", because=()) for n in range(before_us)]
    hit = range(before_us - both, before_us - both + killed)
    by_kill = [msgspec.structs.replace(LOSS, shopper=n, at_ms=5100.0, because=BY_FAULT) for n in hit]
    people = len({loss.shopper for loss in (*early, *by_kill)})
    late = [
        msgspec.structs.replace(LOSS, shopper=1000 + n, at_ms=6000.0, cause="other_node", because=())
        for n in range(later)
    ]
    counts = LogoutCounts(people + later, len(early) + killed + later, both)
    both_times = msgspec.structs.replace(result(0, at_risk=46), losses=(*early, *by_kill, *late), logged_out=counts)
    return before(both_times, before_us)


def test_who_was_out_before_is_said_even_where_there_is_little_room_and_people_are_counted_once() -> None:
    found = sentence_of(
        [KILL],
        {
            "sticky-memory": result(20, at_risk=20),
            "roundrobin-memory": twice_out(),
            "signed-token": result(0),
            "redis": result(0),
        },
    )
    assert found == (
        "Killing n2 logged out 20 of 60 shoppers in sticky-memory (all whose sessions it held) and 22 in "
        "roundrobin-memory (20 of the 58 out before); nobody in signed-token or redis."
    )


def test_who_was_out_before_and_again_and_later_are_all_who_were_logged_out() -> None:
    both = twice_out(30, 10, 4, 6)
    found = sentence_of([KILL], {"roundrobin-memory": both})
    assert found == (
        "Killing n2 logged out 10 of 60 shoppers in roundrobin-memory (4 again); roundrobin-memory had already lost "
        "30 of 60 before, and later 6 for other reasons."
    )
    assert both.logged_out.shoppers == 10 + 30 - 4 + 6


def test_nobody_is_out_again_where_nobody_else_was_out() -> None:
    """Then all who were logged out are told once, as the fault's."""
    found = sentence_of([KILL], {"roundrobin-memory": twice_out(5, 22, 5)})
    assert found == "Killing n2 logged out 22 of 60 shoppers in roundrobin-memory."


def test_where_there_is_no_room_for_again_the_others_are_counted_without_them() -> None:
    some = {name: twice_out() for name in ("roundrobin-memory", "least-request-memory", "sticky-memory")}
    found = sentence_of([KILL], some)
    assert "already" not in found
    assert "again" not in found
    assert "for other reasons 38 in roundrobin-memory" in found


def test_time_alone_is_said_to_be_time() -> None:
    found = sentence_of([KILL], {"redis": result(18, cause="expired"), "signed-token": result(0)})
    assert found == "Killing n2 logged out nobody in signed-token; time logged out 18 in redis."


def test_the_first_comparison() -> None:
    found = sentence_of(
        [KILL],
        {
            "sticky-memory": result(20, at_risk=20),
            "roundrobin-memory": before(result(60, at_risk=47, cause="other_node"), 57),
            "signed-token": result(0),
            "redis": result(0),
        },
    )
    assert found == (
        "Killing n2 logged out 20 of 60 shoppers in sticky-memory (all whose sessions it held); nobody in "
        "signed-token or redis; roundrobin-memory had already lost 57 of 60 before."
    )


def test_a_calm_day() -> None:
    found = sentence_of([], {"sticky-memory": result(0), "roundrobin-memory": result(60), "redis": result(0)})
    assert found == (
        "Without any fault, the shop logged out 60 of 60 shoppers in roundrobin-memory; "
        "nobody in sticky-memory or redis."
    )


@pytest.mark.parametrize(("cause", "all_of_them"), [("node_killed", True), ("node_killed+other_node", False)])
def test_that_all_whose_sessions_it_held_were_hit_is_said_only_where_they_went_with_it(
    cause: str, all_of_them: bool
) -> None:
    hit = result(20, at_risk=20)
    losses = tuple(msgspec.structs.replace(loss, cause=cause) for loss in hit.losses)
    carts = msgspec.structs.replace(LOSS, kind="cart_lost", cause="expired")
    found = sentence_of([KILL], {"sticky-memory": msgspec.structs.replace(hit, losses=(*losses, carts))})
    assert ("(all whose sessions it held)" in found) is all_of_them


def test_nobody_anywhere() -> None:
    assert sentence_of([KILL], {"redis": result(0)}) == "Killing n2 logged out nobody in redis."


@pytest.mark.parametrize(("count", "named"), [(15, True), (16, False)])
def test_many_that_are_inconclusive_are_counted(count: int, named: bool) -> None:
    names = [f"a{number}" for number in range(count)]
    said = sentence_of([KILL], {name: result(0, verdict="inconclusive") for name in names})
    assert ("a0, a1" in said) is named
    assert (f"{count} architectures" in said) is not named


def test_what_is_inconclusive_claims_nothing() -> None:
    unclear = result(0, verdict="inconclusive")
    assert sentence_of([KILL], {"redis": unclear}) == (
        "Inconclusive: the experiment did not happen as planned in redis."
    )
    found = sentence_of([KILL], {"sticky-memory": result(20, at_risk=20), "redis": unclear})
    assert found.endswith("; inconclusive in redis.")
    assert "nobody" not in found


def test_a_single_other_is_named_however_short_the_sentence_must_be() -> None:
    outlived = msgspec.structs.replace(result(0), still_logged_in=7)
    hit = msgspec.structs.replace(result(9, at_risk=9), still_logged_in=7)
    said = sentence_of(rolling("restart", "n1", "n2", "n3"), {"own-files": hit, "all-files": outlived})
    assert said == (
        "Restarting n1, n2 and n3 logged out 9 in own-files; nobody in all-files; "
        "sessions that outlived their logout: 7 in own-files and 7 in all-files."
    )


AT_RISK = f"logged_out was predicted by at_risk (at_risk), {AT_RISK_UNKNOWN}"


@pytest.mark.parametrize(
    ("reasons", "begins"),
    [
        ((f"{NOT_TO_ITS_END}: the round was left before its end", NOTHING_PREDICTED), "Nothing was predicted, and it "),
        ((f"{NOT_TO_ITS_END}: the round was left before its end",), "Inconclusive: "),
        ((AT_RISK,), "Inconclusive: the predictions go by who was at risk, which was not measured in redis."),
        ((AT_RISK, "the books do not balance: 1 of 2"), "Inconclusive: the experiment did not happen as planned"),
        ((NOTHING_PREDICTED, "the books do not balance: 1 of 2"), "Inconclusive: "),
    ],
)
def test_an_inconclusive_run_says_of_what_kind_its_doubt_is(reasons: tuple[str, ...], begins: str) -> None:
    left = msgspec.structs.replace(result(3, verdict="inconclusive"), reasons=reasons)
    assert sentence_of([KILL], {"redis": left}).startswith(begins)


def test_nothing_measured() -> None:
    assert sentence_of([KILL], {}) == "Nothing was measured."


def rolling(kind: str, *victims: str) -> list[PlannedFault]:
    return [PlannedFault(kind, 1000 * number, 1000 * number + 500, victim) for number, victim in enumerate(victims)]


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        (rolling("restart", "n1", "n2", "n3"), "Restarting n1, n2 and n3 logged out"),
        (rolling("restart", "n3", "n1", "n3"), "Restarting n3 and n1 logged out"),
        (rolling("kill", "n1", "n2", "n3", "n4"), "Killing 4 nodes logged out"),
        (rolling("store-kill", "store"), "Killing the store logged out"),
        (rolling("scale-out", "cluster"), "Adding a node to the cluster logged out"),
        ([*rolling("kill", "n1"), PlannedFault("store-freeze", 9000, 9500, "store")],
         "Killing n1 and freezing the store logged out"),
        ([*rolling("kill", "n1"), *rolling("freeze", "n2"), *rolling("slow", "n3")], "3 faults logged out"),
        (rolling("earthquake", "n2"), "Earthquake of n2 logged out"),
    ],
)  # fmt: skip
def test_it_begins_with_what_was_done(faults: list[PlannedFault], words: str) -> None:
    assert sentence_of(faults, {"redis": result(0)}) == f"{words} nobody in redis."


@pytest.mark.parametrize("kind", FAULTS)
def test_every_fault_has_words(kind: str) -> None:
    victim = {"node": "n2"}.get(FAULTS[kind].strikes, FAULTS[kind].strikes)
    found = sentence_of(rolling(kind, victim), {"redis": result(0)})
    assert found.startswith(f"{FAULTS[kind].doing} {victim_in_words(victim)} logged out")
    assert what_was_done(kind, victim) == f"{victim_in_words(victim)} {FAULTS[kind].done}"


def test_several_victims_held_sessions_together() -> None:
    found = sentence_of(rolling("restart", "n1", "n2"), {"sticky-memory": result(40, at_risk=40)})
    assert found.endswith("in sticky-memory (all whose sessions they held).")


def counted(value: int, verdict: VerdictWord = "as predicted") -> ArchitectureResult:
    return msgspec.structs.replace(UNEVENTFUL, verdict=verdict, counts={"stalled": Counted(value, value + 3)})


def test_where_there_is_little_room_those_who_were_hit_are_told_together() -> None:
    """Nine architectures: the wording without reasons is the first that fits."""
    names = ("sticky-memory", "sticky-hash", "signed-token", "redis", "redis-replica", "token-denylist")
    some = {name: result(20 if name.startswith("sticky") else 0, at_risk=20) for name in names}
    found = sentence_of([KILL], {**some, "sticky-address": result(30, at_risk=7), "redis-weighted": result(0)})
    assert found == (
        "Killing n2 logged out 20 in sticky-memory, 20 in sticky-hash and 30 in sticky-address; nobody in 5 others."
    )


@pytest.mark.parametrize(
    ("unclear", "end"), [(1, "inconclusive in tail-0."), (7, "inconclusive in 7.")], ids=["named", "counted"]
)
def test_the_faults_doing_comes_first_also_where_little_is_said_of_anything_else(unclear: int, end: str) -> None:
    hit, others = result(22), result(30, cause="other_node")
    later = tuple(msgspec.structs.replace(loss, shopper=loss.shopper + 22) for loss in others.losses)
    mixed = msgspec.structs.replace(hit, losses=(*hit.losses, *later), logged_out=LogoutCounts(52, 52, 0))
    some = {"sticky-memory": result(20, at_risk=20), "roundrobin-memory": mixed, "redis": result(0)}
    some |= {f"tail-{number}": result(0, verdict="inconclusive") for number in range(unclear)}
    found = sentence_of([KILL], {**some, "signed-token": result(0)})
    assert found == (
        "Killing n2 logged out 20 in sticky-memory and 22 in roundrobin-memory; nobody in 2 others; "
        f"for other reasons 30 in roundrobin-memory; {end}"
    )


class TestAnotherHeadline:
    faults = rolling("store-freeze", "store")

    def test_says_what_was_counted_and_where(self) -> None:
        found = sentence_of(self.faults, {"redis": counted(59), "signed-token": counted(0)}, "stalled")
        assert found == (
            "After freezing the store, shoppers who waited more than 0.9 s: 59 in redis; none in signed-token."
        )

    def test_without_a_fault_and_without_a_phrase_of_its_own(self) -> None:
        assert sentence_of([], {"redis": counted(4)}, "stalls") == "Without any fault, stalls: 7 in redis."

    def test_nobody_anywhere(self) -> None:
        found = sentence_of(self.faults, {"redis": counted(0), "sticky-memory": counted(0)}, "stalled")
        assert found.endswith("0.9 s: none in redis or sticky-memory.")

    def test_inconclusive_ones_claim_nothing(self) -> None:
        found = sentence_of(self.faults, {"redis": counted(59), "signed-token": counted(7, "inconclusive")}, "stalled")
        assert found.endswith("59 in redis; inconclusive in signed-token.")

    def test_what_was_not_measured_is_not_none(self) -> None:
        costs = msgspec.structs.replace(counted(0), costs=Costs(node_memory_mb=81.25))
        found = sentence_of([], {"redis": costs, "signed-token": counted(0)}, "node_memory_mb")
        assert found == "Without any fault, memory of all nodes, in MiB: 81.25 in redis; not measured in 1."

    @pytest.mark.parametrize("seed", range(200))
    def test_never_more_than_thirty_words(self, seed: int) -> None:
        chance = random.Random(seed)
        verdicts: list[VerdictWord] = ["as predicted", "not as predicted", "inconclusive"]
        results = {
            f"architecture-{number}": counted(chance.choice((0, 7, 60)), chance.choice(verdicts))
            for number in range(chance.randint(1, 14))
        }
        faults = rolling(chance.choice(list(FAULTS)), *(f"n{number}" for number in range(chance.randint(0, 5))))
        for headline in ("stalled", "streams_lost", "node_memory_mb"):
            found = sentence_of(faults, results, headline)
            assert len(found.split()) <= MOST_WORDS, found
            assert found.endswith(".")


@pytest.mark.parametrize("seed", range(300))
def test_never_more_than_thirty_words(seed: int) -> None:
    chance = random.Random(seed)
    names = [f"architecture-{number}" for number in range(chance.randint(1, 14))]
    verdicts: list[VerdictWord] = ["as predicted", "not as predicted", "inconclusive"]
    results = {}
    for name in names:
        out = chance.choice((0, 20, 60))
        results[name] = result(out, at_risk=chance.choice((out, 7)), verdict=chance.choice(verdicts))
    kinds = ["kill", "freeze", "slow"]
    faults = [PlannedFault(chance.choice(kinds), 0, 1, f"n{chance.randint(1, 4)}") for _ in range(chance.randint(0, 5))]
    found = sentence_of(faults, results)
    assert len(found.split()) <= MOST_WORDS, found
    assert found.endswith(".")
    assert found.count(".") == 1


class TestFreePlay:
    NOTHING: VerdictWord = "inconclusive"

    def free(self, out: int, *reasons: str, at_risk: int = 0) -> ArchitectureResult:
        measured = result(out, at_risk=at_risk, verdict=self.NOTHING)
        return msgspec.structs.replace(measured, reasons=(NOTHING_PREDICTED, *reasons))

    def test_where_nothing_was_predicted_there_is_nothing_to_doubt(self) -> None:
        assert sentence_of([KILL], {"sticky-memory": self.free(20), "redis": self.free(0)}) == (
            "Killing n2 logged out 20 of 60 shoppers in sticky-memory; nobody in redis."
        )

    def test_another_doubt_is_one(self) -> None:
        found = sentence_of([KILL], {"sticky-memory": self.free(20, "the load died"), "redis": self.free(0)})
        assert found.startswith("Inconclusive")

    def test_what_one_was_spared_was_not_done_to_both(self) -> None:
        step = ExperimentStep(0, "spared", 5000.0, "n2", ("somebody made it on sticky-memory only",))
        spared = msgspec.structs.replace(self.free(0), experiment=(step,))
        found = sentence_of([KILL], {"sticky-memory": self.free(20, at_risk=20), "redis": spared})
        assert found == (
            "Faults that not every architecture met logged out 20 of 60 shoppers in sticky-memory "
            "(all whose sessions it held); nobody in redis."
        )
        found = sentence_of([KILL], {"sticky-memory": self.free(20), "redis": spared}, "carts_lost")
        assert found.startswith("After faults that not every architecture met, carts lost: none in")

    def test_each_may_have_met_the_same_at_another_node(self) -> None:
        def met_one(out: int, spared: int) -> ArchitectureResult:
            step = ExperimentStep(spared, "spared", 5000.0, "", ("somebody made it elsewhere only",))
            return msgspec.structs.replace(self.free(out, at_risk=out), experiment=(step,))

        faults = [KILL, msgspec.structs.replace(KILL, victim="n1")]
        met = {"sticky-memory": met_one(20, 1), "redis": met_one(0, 0)}
        assert sentence_of(faults, met) == (
            "Killing n2 or n1 logged out 20 of 60 shoppers in sticky-memory (all whose sessions it held); "
            "nobody in redis."
        )
        assert sentence_of([*faults, KILL], met).startswith("Faults that not every")
