"""docs/how-to/add-a-measure.md and add-a-loss.md, followed to the letter: one new file each, and it is everywhere."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import msgspec
import pytest
from pyarrow import parquet

import loadtests.checks
import loadtests.model.measures
from loadtests.checks import CAUSES, CHECKS, MEASURES, find_checks
from loadtests.cli import main
from loadtests.model.history import Exchange, StoredOrder, encode_records, read_history
from loadtests.model.measures import find_measures, in_order
from loadtests.model.run_folder import RunFolder
from loadtests.planning.scenario_file import load_scenario
from loadtests.reference.pages import page
from loadtests.report.exports.forms import FORMS, write_one
from loadtests.report.exports.judged import JudgedRun, judged_run
from loadtests.report.exports.tables import TABLES
from loadtests.report.page import render_report
from loadtests.report.terminal import summary
from loadtests.workshop.measured import known_names
from tests.loadtests.model_run import SCENARIO, predict_otherwise, write_run

DOCS = Path(__file__).parents[3] / "docs" / "how-to"


class Followed(NamedTuple):
    """A page that was followed."""

    measure: str
    toml: str


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Writes the page's file into another folder of the package, as if it lay beside the others."""
    written: list[tuple[ModuleType, str]] = []

    def write(page: str, package: ModuleType) -> list[str]:
        (name,) = re.findall(r"## The file: `[\w/]+/(\w+)\.py`", (DOCS / page).read_text(encoding="utf-8"))
        folder = tmp_path / "beside"
        folder.mkdir()
        (folder / f"{name}.py").write_text(blocks(page, "python")[0], encoding="utf-8")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
        written.append((package, name))
        return [str(folder)]

    yield write
    for package, name in written:
        sys.modules.pop(f"{package.__name__}.{name}")
        delattr(package, name)


@pytest.fixture
def measure(beside: object, monkeypatch: pytest.MonkeyPatch) -> Followed:
    folders = beside("add-a-measure.md", loadtests.model.measures)  # type: ignore[operator]
    (it,) = find_measures(folders, "loadtests.model.measures")
    assert list(in_order([*MEASURES.values(), it]))
    monkeypatch.setitem(MEASURES, it.name, it)
    return Followed(it.name, blocks("add-a-measure.md", "toml")[0])


@pytest.fixture
def loss(beside: object, monkeypatch: pytest.MonkeyPatch) -> Followed:
    folders = beside("add-a-loss.md", loadtests.checks)  # type: ignore[operator]
    (it,) = find_checks(folders, "loadtests.checks")
    assert issubclass(it, loadtests.checks.Check)
    monkeypatch.setitem(CHECKS, it.kind, it)
    for cause in it.causes:
        monkeypatch.setitem(CAUSES, cause.name, cause.meaning)
    (counts,) = it.measures
    monkeypatch.setitem(MEASURES, counts.name, counts)
    return Followed(counts.name, blocks("add-a-loss.md", "toml")[0])


def predicted(followed: Followed, folder: Path) -> RunFolder:
    """A made-up run whose scenario says what the page does."""
    run = write_run(folder)
    head, table, thresholds = re.split(r"\n(?=\[)", followed.toml)
    mine = SCENARIO[: SCENARIO.index("[expect.redis]")] + table + thresholds
    predict_otherwise(run, f"{head}\n{mine}")
    assert load_scenario(str(run.scenario)).headline == followed.measure
    return run


def misdeliver(run: RunFolder) -> None:
    """The orders of one shopper of redis stand under somebody else's name."""
    records = list(read_history(run.history))
    made = {it.request: it for it in records if isinstance(it, Exchange) and it.architecture == "redis"}
    orders = [it for it in records if isinstance(it, StoredOrder) and it.request in made]
    changed = {id(orders[-1]): msgspec.structs.replace(orders[-1], user="user-0999")}
    run.history.write_bytes(encode_records([changed.get(id(it), it) for it in records]))


def exported(run: JudgedRun) -> dict[str, bytes]:
    """Every form, of every table."""
    found = {}
    for form in FORMS:
        for table in TABLES if form in ("csv", "parquet") else [None]:
            write_one(run, form, table, out := io.BytesIO())
            found[f"{form}-{table}" if table else form] = out.getvalue()
    return found


def test_a_measure_is_one_file(measure: Followed, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, run = measure.measure, predicted(measure, tmp_path / "20261121-000000-model-1")
    found = judged_run(run.root)
    redis = found.results.architectures["redis"]
    (prediction,) = redis.predictions
    assert (prediction.measure, prediction.holds) == (name, True)
    assert [(it.measure, it.fired) for it in redis.thresholds] == [(name, False)]
    assert "share of planned actions served: " in found.results.answer
    assert summary(found.results, run.root).splitlines()[2].endswith("  served")
    html = render_report(run.root, found.results).decode()
    for part in ('id="def-served-share"', 'id="n-redis-served-share"', "Served</a></th>"):
        assert part in html
    said = exported(found)
    assert name in said["junit"].decode()
    assert name in said["markdown"].decode().replace("\\", "")
    rows = said["csv-measures"].decode().splitlines()
    assert sum(f",{name}," in row for row in rows) == 2
    assert name in parquet.read_table(io.BytesIO(said["parquet-measures"])).column("measure").to_pylist()
    assert said["badge"]
    assert f"`{name}`" in page("reference/measures.md")
    assert f"left.{name}" in known_names()
    assert main(["list"]) == 0
    assert name in capsys.readouterr().out


def test_a_kind_of_loss_is_one_file(loss: Followed, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, run = loss.measure, predicted(loss, tmp_path / "20261121-000000-model-1")
    misdeliver(run)
    found = judged_run(run.root)
    redis = found.results.architectures["redis"]
    (lost,) = (it for it in redis.losses if it.kind == "order_misdelivered")
    assert lost.cause == "accounts_mixed_up"
    assert len(lost.witness) == 2
    (prediction,) = redis.predictions
    assert (prediction.measure, prediction.measured, prediction.holds) == (name, 1, False)
    assert redis.verdict == "not as predicted", redis.reasons
    assert [(it.measure, it.fired) for it in redis.thresholds] == [(name, True)]
    assert "orders under somebody else's name: 1 in redis" in found.results.answer
    assert "orders misdelivered" in summary(found.results, run.root).splitlines()[2]
    html = render_report(run.root, found.results).decode()
    for part in (
        'id="def-orders-misdelivered"',
        'id="n-redis-orders-misdelivered"',
        ">Accounts mixed up <",
        "<p>The shop took",
    ):
        assert part in html
    said = exported(found)
    for form in ("csv-losses", "parquet-losses"):
        assert b"order_misdelivered" in said[form]
    assert ",accounts_mixed_up," in said["csv-losses"].decode()
    assert "fails if" in said["junit"].decode()
    assert "orders misdelivered" in said["markdown"].decode()
    assert "threshold" in said["badge"].decode()
    for reference in ("reference/checks.md", "reference/glossary.md"):
        assert "`order_misdelivered`" in page(reference)
    assert "`accounts_mixed_up`" in page("reference/causes.md")
    assert f"`{name}`" in page("reference/measures.md")
    assert {"left.orders_misdelivered", "right.cause.accounts_mixed_up"} <= known_names()
    assert main(["list"]) == 0
    assert "order_misdelivered" in capsys.readouterr().out
