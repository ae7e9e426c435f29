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
from msgspec.structs import replace

from compose.applications.contract import Grade
from compose.balancers import balancer_named
from compose.balancers.access_log import read_access_batches
from loadtests.judging.judge import judge
from loadtests.model.application import ApplicationFacts
from loadtests.model.events import AtRisk, ClusterReady, NodeSample, PartSample, read_events
from loadtests.model.history import Exchange, encode_records, read_history
from loadtests.model.results import ArchitectureResult, Results
from loadtests.model.run_folder import RunFolder
from loadtests.running.application import name_in_log
from shared.whole_file import write_whole

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
    before = _nodes(place / "b")
    see_as("B", place / "b")
    see_as("C", place / "c")
    return Judged(judge(root), judge(place / "b"), judge(place / "c"), before == _nodes(place / "b"))


def see_as(grade: Grade, folder: Path) -> None:
    """Take from a run of the twins what an application of that grade does not tell."""
    run = RunFolder(folder)
    records = [record for record in read_history(run.history) if isinstance(record, Exchange)]
    asked = tuple(sorted({record.do for record in records}))
    facts = ApplicationFacts("twins", grade, "0" * 64, asked, names_users=True)
    events = [
        replace(event, application=facts) if isinstance(event, ClusterReady) else event
        for event in read_events(run.events)
        if not isinstance(event, NodeSample | AtRisk | PartSample)
    ]
    write_whole(run.events, b"".join(msgspec.json.encode(event) + b"\n" for event in events))
    nodes: dict[str, str] = {}
    for logs in sorted((folder / "logs").iterdir()):
        for log in logs.glob("*.requests.ndjson"):
            log.unlink()
        nodes |= _named_by_balancer(logs / "access.ndjson", keep=grade == "B")
    write_whole(
        run.history, encode_records([replace(record, node=nodes.get(record.request, "")) for record in records])
    )


def _named_by_balancer(access: Path, *, keep: bool) -> dict[str, str]:
    if not keep:
        access.unlink(missing_ok=True)
        return {}
    lines = [replace(line, answered_by=None) for lines in read_access_batches(access) for line in lines]
    write_whole(access, b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    return name_in_log(access, balancer_named("envoy"))


def _nodes(folder: Path) -> list[tuple[str, str]]:
    records = read_history(RunFolder(folder).history)
    return [(record.request, record.node) for record in records if isinstance(record, Exchange) and record.request]


def _lost(result: ArchitectureResult) -> list[tuple[object, ...]]:
    """All that was lost but orders: those are counted in a database that only the twins show."""
    losses = [loss for loss in result.losses if not loss.kind.startswith("order")]
    return sorted((loss.kind, loss.shopper, loss.at_ms, loss.items) for loss in losses)


def _causes(result: ArchitectureResult) -> dict[tuple[object, ...], str]:
    return {(loss.kind, loss.shopper, loss.at_ms): loss.cause for loss in result.losses}


def test_the_balancers_log_names_the_nodes_that_named_themselves(judged: Judged) -> None:
    assert judged.named


@pytest.mark.parametrize("grade", ["B", "C"])
def test_each_grade_counts_the_same_losses_of_the_same_people_at_the_same_time(judged: Judged, grade: Grade) -> None:
    for seen, less in judged.pairs(grade):
        assert _lost(less) == _lost(seen)
        assert (less.users, less.logged_out) == (seen.users, seen.logged_out)


def test_grade_b_reckons_the_same_people_at_risk_or_says_that_it_cannot(judged: Judged) -> None:
    for seen, less in judged.pairs("B"):
        for fault, reckoned in zip(seen.faults, less.faults, strict=True):
            assert reckoned.at_risk is None or set(reckoned.at_risk) == set(fault.at_risk or ())


def test_grade_b_names_the_same_causes_but_what_only_nodes_tell(judged: Judged) -> None:
    for seen, less in judged.pairs("B"):
        found = _causes(less)
        apart = {cause for loss, cause in _causes(seen).items() if loss in found and found[loss] != cause}
        assert apart <= ONLY_NODES_TELL
        assert all(found[loss] == "unexplained" for loss, cause in _causes(seen).items() if cause in apart)


def test_grade_c_leaves_unexplained_what_hangs_on_nodes_and_nothing_else(judged: Judged) -> None:
    for seen, less in judged.pairs("C"):
        found = _causes(less)
        for loss, cause in _causes(seen).items():
            if loss in found and found[loss] != cause:
                assert found[loss] == "unexplained"
                assert set(cause.replace("|", "+").split("+")) & OF_NODES


def test_grade_c_knows_nobody_at_risk_where_sessions_live_in_nodes(judged: Judged) -> None:
    for seen, less in judged.pairs("C"):
        lost_with_a_node = [fault for fault in seen.faults if fault.at_risk]
        assert not lost_with_a_node or less.at_risk is None


def test_there_are_twenty_scenarios_and_more_among_them() -> None:
    assert len({name.removesuffix("-on-docker") for name in NAMES}) > 20
