"""The second opinion: it agrees with the judge, notices what was changed by hand, and owes the project nothing.

Three scripts, for not every number fits into 165 lines: who lost what, what single answers show, what it cost.
"""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from loadtests.judging.judge import judge
from loadtests.model.application import ApplicationFacts
from loadtests.model.events import ClusterReady, read_events
from loadtests.model.history import WRITES, Exchange, Record, encode_records, read_history
from loadtests.model.run_folder import RunFolder
from loadtests.second_opinion import costs, losses, service
from tests.loadtests.model_run import write_run

SCRIPT = Path(losses.__file__)
ON_SERVICE = Path(service.__file__)
ON_COSTS = Path(costs.__file__)
SCRIPTS = (SCRIPT, ON_SERVICE, ON_COSTS)
each_script = pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)

LEFT_OUT_BY_ALL = {
    "books_balance", "faults", "predictions", "reasons", "served_by_victim", "thresholds", "verdict",
    "reconciliation.at_risk_by_balancer", "reconciliation.balancer", "reconciliation.mismatch_count",
    "reconciliation.mismatches", "reconciliation.nodes",
}  # fmt: skip
"""Words, comparisons with formulas, what only the logs of balancer and nodes tell, and the faults put together with
what their files say of them: the steps that they are put together from are compared as `experiment`. A number that is
new in `results.json` belongs into one of the scripts, or here."""


def asked(run: Path, script: Path = SCRIPT) -> subprocess.CompletedProcess[str]:
    """The script as its docstring says to call it: on its own, without the project and what it needs."""
    command = [sys.executable, "-I", "-S", str(script), str(run)]
    return subprocess.run(command, cwd=run.parent, capture_output=True, text=True, check=False, timeout=60)


def judged(run: RunFolder) -> RunFolder:
    run.results.write_bytes(msgspec.json.encode(judge(run.root)))
    return run


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return judged(write_run(tmp_path / "20261121-000000-model-1"))


class TestAgrees:
    @pytest.mark.parametrize("seed", range(1, 9))
    def test_with_the_judge_on_a_kill(self, tmp_path: Path, seed: int) -> None:
        names = ("sticky-memory", "roundrobin-memory", "signed-token", "redis")
        run = judged(write_run(tmp_path / "run", seed=seed, architectures=names))
        for script in SCRIPTS:
            done = asked(run.root, script)
            assert (done.returncode, done.stderr) == (0, ""), done.stdout
        losses = [loss for each in judge(run.root).architectures.values() for loss in each.losses]
        assert losses, "there was something to agree on"

    def test_all_numbers_but_those_of_the_logs_are_computed_by_one_of_them(self, run: RunFolder) -> None:
        said = [asked(run.root, script).stdout.strip() for script in SCRIPTS]
        assert all(text.startswith("left out: ") for text in said)
        left_out = [set(text.removeprefix("left out: ").split(", ")) for text in said]
        single = {name for name in left_out[-1] if name.startswith("reconciliation.")}
        assert set.intersection(*left_out) | single == LEFT_OUT_BY_ALL

    def test_on_an_architecture_that_was_cut_off(self, run: RunFolder) -> None:
        lines = run.events.read_bytes().splitlines(keepends=True)
        run.events.write_bytes(b"".join(line for line in lines if b'"load_ended"' not in line))
        judged(run)
        assert [asked(run.root, script).returncode for script in SCRIPTS] == [0, 0, 0]


def first(records: list[Record], do: str, **wanted: object) -> int:
    """The place of the first answered exchange that does this and looks like that."""
    return next(
        place
        for place, record in enumerate(records)
        if isinstance(record, Exchange)
        and record.do == do
        and record.outcome == "ok"
        and all(getattr(record, name) == value for name, value in wanted.items())
    )


def forgotten(records: list[Record]) -> list[Record]:
    place = first(records, "me", why="audit")
    records[place] = msgspec.structs.replace(records[place], status=401, outcome="failed", user="", cart=None)
    return records


def somebody_else(records: list[Record]) -> list[Record]:
    place = first(records, "me")
    records[place] = msgspec.structs.replace(records[place], user="user-0099")
    return records


def emptied(records: list[Record]) -> list[Record]:
    place = next(p for p, r in enumerate(records) if isinstance(r, Exchange) and r.why == "audit" and r.cart)
    records[place] = msgspec.structs.replace(records[place], cart={})
    return records


def more_in_the_cart(records: list[Record]) -> list[Record]:
    place = first(records, "me", why="audit")
    records[place] = msgspec.structs.replace(records[place], cart={"rope": 3})
    return records


def unanswered(records: list[Record]) -> list[Record]:
    place = first(records, "add")
    records[place] = msgspec.structs.replace(records[place], status=503, outcome="unknown", cart=None)
    return records


def one_record_missing(records: list[Record]) -> list[Record]:
    del records[first(records, "add")]
    return records


def one_order_missing(records: list[Record]) -> list[Record]:
    del records[next(place for place, record in enumerate(records) if not isinstance(record, Exchange))]
    return records


def another_shopper(records: list[Record]) -> list[Record]:
    place = first(records, "login")
    records[place] = msgspec.structs.replace(records[place], shopper=records[place].shopper % 9 + 1)
    return records


def slower(records: list[Record]) -> list[Record]:
    place = first(records, "browse", why="plan")
    records[place] = msgspec.structs.replace(records[place], done_us=records[place].done_us + 3_000_000)
    return records


def copied_after_logout(records: list[Record]) -> list[Record]:
    """The last that somebody did becomes a logout, and what a copy of their cookies is answered then."""
    place = first(records, "me", why="audit")
    audit = records[place]
    sent_us, request = audit.done_us + 1, audit.request + "9"
    records[place] = msgspec.structs.replace(audit, do="logout", user="", cart=None)
    copy = msgspec.structs.replace(audit, jar="stolen", cart=None, sent_us=sent_us, done_us=sent_us + 9)
    records.insert(place + 1, msgspec.structs.replace(copy, request=request))
    return records


def ordered_twice(records: list[Record]) -> list[Record]:
    place = next(place for place, record in enumerate(records) if not isinstance(record, Exchange))
    records.insert(place + 1, msgspec.structs.replace(records[place], order="another"))
    return records


def by_another_node(records: list[Record]) -> list[Record]:
    for place, record in enumerate(records):
        if isinstance(record, Exchange) and record.do == "browse" and record.node:
            records[place] = msgspec.structs.replace(record, node="n1")
    return records


def emptied_unread(records: list[Record]) -> list[Record]:
    place = first(records, "cart")
    records[place] = msgspec.structs.replace(records[place], cart=None)
    return records


@pytest.mark.parametrize(
    ("change", "script", "noticed"),
    [
        (forgotten, SCRIPT, "logged_out.events"),
        (somebody_else, SCRIPT, "wrong_user"),
        (emptied, SCRIPT, "carts_lost"),
        (more_in_the_cart, SCRIPT, "carts_rolled_back"),
        (unanswered, SCRIPT, "actions."),
        (one_record_missing, SCRIPT, "items."),
        (one_order_missing, SCRIPT, "orders_lost"),
        (another_shopper, SCRIPT, "logged_out.shoppers"),
        (unanswered, ON_SERVICE, "counts.server_errors.events"),
        (slower, ON_SERVICE, "latency_ms.raw.max"),
        (copied_after_logout, ON_SERVICE, "still_logged_in"),
        (ordered_twice, ON_SERVICE, "order_duplicated of shopper"),
        (by_another_node, ON_COSTS, "costs.busiest_node_share"),
        (one_record_missing, ON_COSTS, "reconciliation.client"),
        (emptied_unread, ON_COSTS, "facts_checked"),
    ],
)
def test_one_record_changed_by_hand_makes_it_disagree(
    run: RunFolder, change: Callable[[list[Record]], list[Record]], script: Path, noticed: str
) -> None:
    run.history.write_bytes(encode_records(change(list(read_history(run.history)))))
    done = asked(run.root, script)
    assert (done.returncode, done.stderr) == (1, "")
    assert noticed in done.stdout
    judged(run)
    assert [asked(run.root, each).returncode for each in SCRIPTS] == [0, 0, 0], "judged again, all say the same"


def refused(records: list[Record], rng: Random) -> list[Record]:
    """One write in three is answered as to a stranger, or as one that cannot be done."""
    for place, record in enumerate(records):
        if isinstance(record, Exchange) and record.do in WRITES and record.status and rng.random() < 1 / 3:
            status = rng.choice((400, 401, 404))
            changed = {"status": status, "outcome": "failed", "user": "", "cart": None, "order": "", "error": ""}
            records[place] = msgspec.structs.replace(record, **changed)
    return records


@pytest.mark.parametrize("seed", range(1, 4))
def test_with_the_judge_on_writes_that_a_balancer_may_have_repeated(tmp_path: Path, seed: int) -> None:
    run = write_run(tmp_path / "run", seed=seed)
    run.history.write_bytes(encode_records(refused(list(read_history(run.history)), Random(seed))))
    once = judge(run.root).architectures
    events = run.events.read_bytes()
    run.events.write_bytes(events.replace(b'"balancer_retries":0', b'"balancer_retries":1'))
    assert run.events.read_bytes() != events
    judged(run)
    said = [asked(run.root, script) for script in SCRIPTS]
    assert [done.returncode for done in said] == [0, 0, 0], said
    for name, twice in judge(run.root).architectures.items():
        assert once[name].actions.unknown == once[name].actions.settled == 0
        assert twice.actions.settled > 0, "the database tells which checkouts were carried out"
        assert twice.actions.failed < once[name].actions.failed
        assert twice.actions.ok > once[name].actions.ok
        assert twice.books_balance


def test_a_number_changed_by_hand_is_named_with_both_values(run: RunFolder) -> None:
    results: dict[str, Any] = json.loads(run.results.read_bytes())
    sticky = results["architectures"]["sticky-memory"]
    truth, sticky["users"]["kept"] = sticky["users"]["kept"], 77
    run.results.write_text(json.dumps(results))
    done = asked(run.root)
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == f"sticky-memory: users.kept: 77 in results.json, {truth} here"


def test_a_described_application_is_read_or_refused(run: RunFolder) -> None:
    """How its strangers are answered, and what it remembers, only its description tells."""
    facts = ApplicationFacts("shop", "B", "0" * 64, ("login", "me", "remember", "recall"), names_users=False)
    events = [msgspec.structs.replace(it, application=facts) if isinstance(it, ClusterReady) else it
              for it in read_events(run.events)]  # fmt: skip
    run.events.write_bytes(b"".join(msgspec.json.encode(event) + b"\n" for event in events))
    judged(run)
    numbers = json.loads(run.results.read_bytes())["architectures"]["sticky-memory"]
    assert [numbers[name] for name in ("still_logged_in", "wrong_user", "orders_lost")] == [None] * 3
    assert all(it["measure"] != "wrong_user" for it in numbers["predictions"])
    refused = asked(run.root)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "a described application: not read by this script" in refused.stderr
    assert "not read by this script" in (SCRIPT.parents[2] / "docs/how-to/distrust-the-numbers.md").read_text()
    for script, unread in ((ON_SERVICE, "still_logged_in"), (ON_COSTS, "facts_checked")):
        done = asked(run.root, script)
        assert done.returncode == 0, done.stdout
        assert unread in done.stdout.removeprefix("left out: ").strip().split(", ")


def test_a_loss_struck_out_by_hand_is_named(run: RunFolder) -> None:
    results: dict[str, Any] = json.loads(run.results.read_bytes())
    gone = results["architectures"]["sticky-memory"]["losses"].pop(0)
    run.results.write_text(json.dumps(results))
    done = asked(run.root)
    assert done.returncode == 1
    assert f"{gone['kind']} of shopper {gone['shopper']}, shown by {gone['node']!r}" in done.stdout
    assert f"not found in results.json, found ({gone['items']} items) here" in done.stdout


def test_the_how_to_can_be_followed(run: RunFolder) -> None:
    """As typed, on this run; and what it shows of a disagreement is said like that."""
    page = (SCRIPT.parents[2] / "docs" / "how-to" / "distrust-the-numbers.md").read_text()
    commands = [line.removeprefix("$ ").split() for line in page.splitlines() if line.startswith("$ ")]
    assert [command[2] for command in commands] == [f"loadtests/second_opinion/{script.name}" for script in SCRIPTS]
    for python, *options, place in commands:
        assert (python, place) == ("python3", "runs/latest")
        command = [sys.executable, *options, str(run.root)]
        done = subprocess.run(command, cwd=SCRIPT.parents[2], capture_output=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout
    results: dict[str, Any] = json.loads(run.results.read_bytes())
    results["architectures"]["sticky-memory"]["users"]["kept"] = 77
    run.results.write_text(json.dumps(results))
    assert asked(run.root).stdout.splitlines()[0] in page


class TestUnreadable:
    @each_script
    @pytest.mark.parametrize("name", ["history.ndjson", "events.ndjson", "plan.json", "results.json"])
    def test_cut_off(self, run: RunFolder, name: str, script: Path) -> None:
        path = run.root / name
        path.write_bytes(path.read_bytes()[:-9])
        done = asked(run.root, script)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("cannot read")
        assert "Traceback" not in done.stderr

    @pytest.mark.parametrize("content", [b"null\n", b"[]\n", b"{}\n", b"\xff\n", b'{"architecture":"redis"}\n'])
    def test_something_else(self, run: RunFolder, content: bytes) -> None:
        run.history.write_bytes(content)
        done = asked(run.root)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("cannot read")

    def test_no_such_folder(self, tmp_path: Path) -> None:
        done = asked(tmp_path / "nothing")
        assert done.returncode == 2
        assert done.stderr.startswith("cannot read")


class TestIndependence:
    @each_script
    def test_it_has_at_most_165_lines_of_at_most_120_characters(self, script: Path) -> None:
        lines = script.read_text().splitlines()
        assert len(lines) <= 165
        assert max(map(len, lines)) <= 120

    @each_script
    def test_it_imports_nothing_but_the_standard_library(self, script: Path) -> None:
        tree = ast.parse(script.read_text())
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert names, "it was looked at"
        assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names
        assert not {"importlib", "runpy", "subprocess"} & names, "nor by a side door"

    @each_script
    def test_it_works_where_nothing_else_of_the_project_is(self, run: RunFolder, tmp_path: Path, script: Path) -> None:
        alone = tmp_path / "alone" / "opinion.py"
        alone.parent.mkdir()
        shutil.copy(script, alone)
        assert asked(run.root, alone).returncode == 0

    def test_the_judge_does_not_use_it(self) -> None:
        """Two opinions that lean on each other are one."""
        others = [path for path in SCRIPT.parents[1].rglob("*.py") if path.parent != SCRIPT.parent]
        others.remove(SCRIPT.parents[1] / "campaigns" / "dataset" / "verify.py")  # has it recompute what is published
        assert len(others) > 100
        assert [path for path in others if "loadtests.second_opinion" in path.read_text()] == []
