"""One and the same run, judged by what each grade can see of it: what can be counted at all is counted the same.

The recorded runs are of the twins, grade A. For grade B the nodes' words are taken away: the header that names the node
(in the history and in the balancer's log), their request logs, their lists of sessions, their database; the balancer's
log then names who answered, as of any described application. For grade C its log goes, too.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from compose.applications.contract import Grade
from loadtests.judging.judge import judge
from loadtests.model.results import ArchitectureResult, Results
from tests.loadtests.judging.grades import causes, lost, nodes_of, see_as

RUNS = Path(__file__).parents[2] / "golden" / "runs"
NAMES = sorted(path.stem for path in RUNS.glob("*.zip"))
OF_NODES = frozenset(
    ("affinity_lost", "key_changed", "memory_cap", "moved_by_ring", "node_killed", "node_stopped", "other_node",
     "retried_elsewhere")
)  # fmt: skip
"""Causes that hang on which node answered: nobody can prove them who does not know it."""
ONLY_NODES_TELL = frozenset(("memory_cap",))
"""How many sessions a node holds."""


class Judged(msgspec.Struct):
    """One run, thrice."""

    a: Results
    b: Results
    c: Results
    named: bool
    """Whether the balancer's log named the same nodes as the answers had."""

    def pairs(self, grade: Grade) -> Iterator[tuple[ArchitectureResult, ArchitectureResult]]:
        """By architecture: as grade A sees it, and as that grade does."""
        other = self.b if grade == "B" else self.c
        for name, result in self.a.architectures.items():
            yield result, other.architectures[name]


@pytest.fixture(scope="module", params=NAMES)
def judged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """A recorded run, judged by what each grade can see of it."""
    place = tmp_path_factory.mktemp(request.param)
    with zipfile.ZipFile(RUNS / f"{request.param}.zip") as packed:
        packed.extractall(place / "packed")
    root = next(path for path in sorted(place.rglob("plan.json"))).parent
    for grade in ("b", "c"):
        shutil.copytree(root, place / grade)
    before = nodes_of(place / "b")
    see_as("B", place / "b")
    see_as("C", place / "c")
    return Judged(judge(root), judge(place / "b"), judge(place / "c"), before == nodes_of(place / "b"))


def test_the_balancers_log_names_the_nodes_that_named_themselves(judged: Judged) -> None:
    assert judged.named


@pytest.mark.parametrize("grade", ["B", "C"])
def test_each_grade_counts_the_same_losses_of_the_same_people_at_the_same_time(judged: Judged, grade: Grade) -> None:
    for seen, less in judged.pairs(grade):
        assert lost(less) == lost(seen)
        assert (less.users, less.logged_out) == (seen.users, seen.logged_out)


def test_grade_b_reckons_the_same_people_at_risk_or_says_that_it_cannot(judged: Judged) -> None:
    for seen, less in judged.pairs("B"):
        for fault, reckoned in zip(seen.faults, less.faults, strict=True):
            assert reckoned.at_risk is None or set(reckoned.at_risk) == set(fault.at_risk or ())


def test_grade_b_names_the_same_causes_but_what_only_nodes_tell(judged: Judged) -> None:
    for seen, less in judged.pairs("B"):
        found = causes(less)
        apart = {cause for loss, cause in causes(seen).items() if loss in found and found[loss] != cause}
        assert apart <= ONLY_NODES_TELL
        assert all(found[loss] == "unexplained" for loss, cause in causes(seen).items() if cause in apart)


def test_grade_c_leaves_unexplained_what_hangs_on_nodes_and_nothing_else(judged: Judged) -> None:
    for seen, less in judged.pairs("C"):
        found = causes(less)
        for loss, cause in causes(seen).items():
            if loss in found and found[loss] != cause:
                assert found[loss] == "unexplained"
                assert set(cause.replace("|", "+").split("+")) & OF_NODES


def test_grade_c_knows_nobody_at_risk_where_sessions_live_innodes_of(judged: Judged) -> None:
    for seen, less in judged.pairs("C"):
        lost_with_a_node = [fault for fault in seen.faults if fault.at_risk]
        assert not lost_with_a_node or less.at_risk is None


def test_there_are_twenty_scenarios_and_more_among_them() -> None:
    assert len({name.removesuffix("-on-docker") for name in NAMES}) > 20
