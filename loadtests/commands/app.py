"""`twinshop app`: describe your own application, and see what Twinshop understands of it."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from loadtests.commands import options
from loadtests.running.console import interrupts_raise, json_text, pasteable, tell
from shared.errors import DescriptionError, Interrupted, NotReadyInTime, TwinshopError, UsageError

if TYPE_CHECKING:
    from compose.engines.contract import Cluster
    from loadtests.running.application import ApplicationUnderTest
    from loadtests.running.walk import WalkStep

FILE = click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
TEMPLATE = Path(__file__).with_name("app_template.toml")


@click.group()
def app() -> None:
    """\b
    Examples:
      twinshop app new shop.toml                    a commented file to fill in
      twinshop app check shop.toml                  start one node of it, and walk through it once
      twinshop run node-kill --app shop.toml        then ask it what the twins are asked
      twinshop app table shop.toml blog.toml        several applications, several scenarios, one table

    Your own application: one file describes it, and it gets the same shoppers, faults, checks and report.
    """


@app.command()
@click.argument("file", metavar="[FILE]", type=click.Path(dir_okay=False, path_type=Path), required=False)
@options.DEBUG_OPTION
def new(file: Path | None) -> None:
    """Write a commented description to be filled in: to FILE, or to the screen."""
    text = TEMPLATE.read_text()
    if file is None:
        tell(text, nl=False)
        return
    try:
        with file.open("x") as out:  # never over what somebody has filled in
            out.write(text)
    except FileExistsError:
        raise UsageError(f"{file} exists already", next_step=f"twinshop app check {shlex.quote(str(file))}") from None
    except OSError as error:
        raise UsageError(f"cannot write {file}", why=error.strerror or str(error)) from error
    tell(pasteable(f"{file} is there. Fill it in, then: twinshop app check {shlex.quote(str(file))}"))


@app.command()
@options.DEBUG_OPTION
def schema() -> None:
    """Print the JSON Schema of a description: editors complete and check by it."""
    from compose.applications.description_file import description_schema

    tell(description_schema().decode(), nl=False)


@app.command()
@FILE
@click.option("--variant", metavar="NAME", help="Which one is started.  [default: the first]")
@options.BEYOND_OPTION
@options.JSON_OPTION
@options.DEBUG_OPTION
def check(file: Path, variant: str | None, beyond: bool, as_json: bool) -> None:
    """Start one node of the application, walk through it once, and say what was understood, and what is missing."""
    from loadtests.running.application import ApplicationUnderTest

    under_test = ApplicationUnderTest.load(file, beyond=beyond)
    name = under_test.chosen((variant,) if variant else ())[0]
    with interrupts_raise(), _one_node(under_test, name) as cluster:
        steps = list(_walk(under_test, cluster, as_json))
    if as_json:
        tell(json_text({"schema": 1, "variant": name, "steps": steps, "understood": _understood(under_test)}))
    else:
        for line in _understood(under_test):
            tell(line)
    # A remark is about the application, which may be as it is; the description is right all the same.
    wrong = [step for step in steps if not step.ok and not step.remark]
    if wrong:
        raise DescriptionError(
            f"{file} does not describe what {name} does: {len(wrong)} of {len(steps)} steps went otherwise",
            why=f"{wrong[0].what}: {wrong[0].words}",
            next_step=f"fix {file}, and check again: twinshop app check {shlex.quote(str(file))}",
        )
    if not as_json:
        tell(pasteable(f"Next: twinshop run node-kill --app {shlex.quote(str(file))}"))


@contextmanager
def _one_node(under_test: ApplicationUnderTest, name: str) -> Iterator[Cluster]:
    """A cluster of one node, with our balancer in front; nothing is left of it."""
    from compose.cluster import ClusterSpec, Limits
    from compose.engines.registry import engine_named
    from compose.running import folder_of, new_run_id
    from compose.supervision.ledger import Ledger, recover, state_folder

    state = state_folder()
    for line in recover(state).lines():
        click.echo(line, err=True)
    description = under_test.description
    # Two accounts: a second person is needed to see whether the shop tells people apart.
    spec = ClusterSpec(
        new_run_id(), under_test.architectures()[name], nodes=1, accounts=2, application=description,
        limits=under_test.patient(Limits()),
    )  # fmt: skip
    folder = folder_of(state, spec.run)
    with Ledger.open(state, spec.run) as ledger:
        ledger.make_folder(folder)
        try:
            cluster = (under_test.engine or engine_named(under_test.runs_on)).start(spec, folder, ledger)
        except NotReadyInTime as error:
            if error.log is not None and error.log.exists():
                # The cluster's folder goes when the ledger is closed; what the message names has to be there.
                error.log = Path(shutil.copy(error.log, state / f"failed-{error.log.name}"))
            raise
        try:
            yield cluster
        finally:
            cluster.stop()


def _walk(under_test: ApplicationUnderTest, cluster: Cluster, quiet: bool) -> Iterator[WalkStep]:
    from loadtests.running.application import accounts_of
    from loadtests.running.walk import walk

    it = under_test.description
    for step in walk(it, accounts_of(it, 2, checked=True), cluster.url, cluster.spec.run):
        if not quiet:
            mark = "ok    " if step.ok else "remark" if step.remark else "WRONG "
            tell(f"{mark}  {step.what}\n        {step.went}\n        {step.words}")
        yield step


def _understood(under_test: ApplicationUnderTest) -> list[str]:
    """The grade, what can be compared, and what each gap costs."""
    from loadtests.model.application import like, not_measured

    facts = under_test.facts
    lines = [f"grade {facts.grade}; asked: {', '.join(facts.asked)}"]
    for name, architecture in under_test.architectures().items():
        twin = like(architecture)
        told = f"predicted as {twin}" if twin else "nothing is predicted: say in [variant] where its sessions live"
        lines.append(f"variant {name}: {architecture.summary} ({told})")
    return [*lines, *(f"not measured: {gap}" for gap in not_measured(facts))]


@app.command()
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--scenario", "scenarios", multiple=True, metavar="NAME", default=("node-kill", "rolling-deploy", "calm"),
    show_default=True, help="Which ones (repeatable).",
)  # fmt: skip
@options.SHOPPERS_OPTION
@options.seed_option("Of the plans.")
@options.runs_option("Where run folders go.")
@options.JSON_OPTION
@options.QUIET_OPTION
@options.DEBUG_OPTION
def table(
    files: tuple[Path, ...], scenarios: tuple[str, ...], shoppers: int | None, seed: int, runs: Path, as_json: bool,
    quiet: bool,
) -> int:  # fmt: skip
    """Run several scenarios on all variants of several applications, and print who was logged out, as one table."""
    with interrupts_raise():
        cells = [
            cell for file in files for scenario in scenarios
            for cell in _cells(file, scenario, shoppers, seed, runs, quiet)
        ]  # fmt: skip
    tell(json_text({"schema": 1, "cells": cells}) if as_json else _as_table(cells, scenarios))
    codes = {cell.code for cell in cells}
    return 1 if 1 in codes else max(codes)  # as everywhere: no failure is masked by what proved nothing


class TableCell(msgspec.Struct, frozen=True):
    """What one variant did in one scenario."""

    architecture: str
    scenario: str
    shoppers: int
    logged_out: int
    at_risk: int | None
    verdict: str
    code: int
    run: str
    exactly: bool = False
    """Whoever was at risk was logged out, and nobody else."""
    why: str = ""
    """Why it was not run."""

    @property
    def text(self) -> str:
        """In a table."""
        if self.why:
            return self.verdict
        risk = "" if self.at_risk is None else f", {self.at_risk} at risk"
        if self.exactly and self.at_risk:
            risk = f", the {self.at_risk} at risk"
        return f"{self.logged_out} of {self.shoppers}{risk}; {self.verdict}"


def _cells(file: Path, scenario: str, shoppers: int | None, seed: int, runs: Path, quiet: bool) -> list[TableCell]:
    """What came of it; what could not be carried out is said, and the others go on."""
    from loadtests.running.application import ApplicationUnderTest

    try:
        return _run_one(file, scenario, shoppers, seed, runs, quiet)
    except (Interrupted, UsageError):
        raise  # what was asked wrongly, or ended by hand, is no cell of a table
    except TwinshopError as error:
        why, name = f"{error.what}: {error.why}", Path(scenario).stem
        tell(f"{file}, {name}, was not run: {why}", err=True)
        variants = ApplicationUnderTest.load(file).chosen(())
        return [TableCell(it, name, 0, 0, None, "not run", error.exit_code, "", why=why) for it in variants]


def _run_one(file: Path, scenario: str, shoppers: int | None, seed: int, runs: Path, quiet: bool) -> list[TableCell]:
    from compose.engines.registry import engine_named
    from loadtests.judging.verdict import exit_code
    from loadtests.running.application import ApplicationUnderTest
    from loadtests.running.progress import watcher_for
    from loadtests.running.run import RunRequest, run

    under_test = ApplicationUnderTest.load(file)
    with closing(watcher_for(sys.stderr, under_test.chosen(()), quiet=quiet)) as watcher:
        request = RunRequest(scenario, (), seed, shoppers, runs=runs, application=under_test)
        finished = run(request, under_test.engine or engine_named(under_test.runs_on), watcher)
    if finished.interrupted is not None:
        raise finished.interrupted
    return [
        TableCell(
            name, finished.results.scenario, it.shoppers, it.logged_out.shoppers, it.at_risk, it.verdict,
            exit_code(it.verdict), str(finished.folder.root), it.exactly_those_at_risk,
        )
        for name, it in finished.results.architectures.items()
    ]  # fmt: skip


def _as_table(cells: list[TableCell], scenarios: tuple[str, ...]) -> str:
    from loadtests.report.tables import Table, Text

    names = [Path(scenario).stem for scenario in scenarios]
    found = {(cell.architecture, cell.scenario): cell.text for cell in cells}
    rows = [
        (architecture, *(found.get((architecture, name), "") for name in names))
        for architecture in dict.fromkeys(cell.architecture for cell in cells)
    ]
    return Text().write(Table(("logged out", *names), tuple(rows)))
