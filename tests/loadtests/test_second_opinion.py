"""The second opinion: it agrees with the judge, notices what was changed by hand, and owes the project nothing."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from loadtests import second_opinion
from loadtests.history import Exchange, Record, encode_records, read_history
from loadtests.judging.judge import judge
from loadtests.run_folder import RunFolder
from tests.loadtests.model_run import write_run

SCRIPT = Path(second_opinion.__file__)
LEFT_OUT = {
    "books_balance", "costs", "counts", "experiment", "facts_checked", "latency_ms", "orders_duplicated", "predictions",
    "reasons", "reconciliation", "seconds_without_service", "served_by_victim", "sessions_shared", "still_logged_in",
    "thresholds", "verdict",
}  # fmt: skip
"""What `results.json` says of an architecture and this script does not compute. A new number belongs here or there."""


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
        done = asked(run.root)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        losses = [loss for each in judge(run.root).architectures.values() for loss in each.losses]
        assert losses, "there was something to agree on"

    def test_and_says_what_it_leaves_out(self, run: RunFolder) -> None:
        """Words, what needs the logs or the samples, and what needs no memory of a shopper."""
        done = asked(run.root)
        assert done.stdout.startswith("left out: ")
        assert set(done.stdout.strip().removeprefix("left out: ").split(", ")) == LEFT_OUT

    def test_on_an_architecture_that_was_cut_off(self, run: RunFolder) -> None:
        lines = run.events.read_bytes().splitlines(keepends=True)
        run.events.write_bytes(b"".join(line for line in lines if b'"load_ended"' not in line))
        assert asked(judged(run).root).returncode == 0


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


@pytest.mark.parametrize(
    ("change", "noticed"),
    [
        (forgotten, "logged_out.events"),
        (somebody_else, "wrong_user"),
        (emptied, "carts_lost"),
        (more_in_the_cart, "carts_rolled_back"),
        (unanswered, "actions."),
        (one_record_missing, "items."),
        (one_order_missing, "orders_lost"),
        (another_shopper, ""),
    ],
)
def test_one_record_changed_by_hand_makes_it_disagree(
    run: RunFolder, change: Callable[[list[Record]], list[Record]], noticed: str
) -> None:
    run.history.write_bytes(encode_records(change(list(read_history(run.history)))))
    done = asked(run.root)
    assert (done.returncode, done.stderr) == (1, "")
    assert noticed in done.stdout
    assert asked(judged(run).root).returncode == 0, "judged again, both say the same of what was changed"


def test_a_number_changed_by_hand_is_named_with_both_values(run: RunFolder) -> None:
    results: dict[str, Any] = json.loads(run.results.read_bytes())
    sticky = results["architectures"]["sticky-memory"]
    truth, sticky["users"]["kept"] = sticky["users"]["kept"], 77
    run.results.write_text(json.dumps(results))
    done = asked(run.root)
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == f"sticky-memory: users.kept: 77 in results.json, {truth} here"


def test_a_loss_struck_out_by_hand_is_named(run: RunFolder) -> None:
    results: dict[str, Any] = json.loads(run.results.read_bytes())
    gone = results["architectures"]["sticky-memory"]["losses"].pop(0)
    run.results.write_text(json.dumps(results))
    done = asked(run.root)
    assert done.returncode == 1
    assert f"{gone['kind']} of shopper {gone['shopper']}, shown by {gone['node']!r}" in done.stdout


class TestUnreadable:
    @pytest.mark.parametrize("name", ["history.ndjson", "events.ndjson", "plan.json", "results.json"])
    def test_cut_off(self, run: RunFolder, name: str) -> None:
        path = run.root / name
        path.write_bytes(path.read_bytes()[:-9])
        done = asked(run.root)
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
    def test_it_has_at_most_150_lines_of_at_most_120_characters(self) -> None:
        lines = SCRIPT.read_text().splitlines()
        assert len(lines) <= 150
        assert max(map(len, lines)) <= 120

    def test_it_imports_nothing_but_the_standard_library(self) -> None:
        tree = ast.parse(SCRIPT.read_text())
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert names, "it was looked at"
        assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names
        assert not {"importlib", "runpy", "subprocess"} & names, "nor by a side door"

    def test_it_works_where_nothing_else_of_the_project_is(self, run: RunFolder, tmp_path: Path) -> None:
        alone = tmp_path / "alone" / "opinion.py"
        alone.parent.mkdir()
        shutil.copy(SCRIPT, alone)
        assert asked(run.root, alone).returncode == 0

    def test_the_judge_does_not_use_it(self) -> None:
        """Two opinions that lean on each other are one."""
        house = SCRIPT.parents[1]
        others = [path for path in (house / "loadtests").rglob("*.py") if path != SCRIPT]
        assert [path for path in others if "second_opinion" in path.read_text()] == []
