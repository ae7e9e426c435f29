"""What a person sees when a run has ended: one sentence, one table, what to do next. Plain text, no colour needed."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from loadtests.checks import MEASURES
from loadtests.model.application import ApplicationFacts, not_measured
from loadtests.model.measures import NOT_MEASURED, Measure
from loadtests.model.results import ArchitectureResult, Results
from loadtests.model.run_folder import Provenance, RunFolder
from loadtests.model.wording import fails_if
from loadtests.report.summary import is_of_interest
from loadtests.report.tables import Table, Text
from shared.plurals import counted

AT_RISK = "at risk: whose sessions the victim held when it was hit. People are counted once, carts each time."


def summary(results: Results, folder: Path, *, report: str = "") -> str:
    """The answer, the table, the reasons, and the next commands. `report` says where it is, if not in the folder."""
    head, *rows = table_of(results)
    lines = [
        results.answer,
        "",
        Text().write(Table(head, tuple(rows), align="<<>")),
        *([AT_RISK] if any(result.at_risk for result in results.architectures.values()) else []),
        "",
        *_reasons(results),
        *_thresholds(results),
        *_unseen(results),
        f"verdict  {results.verdict}",
        f"report   {report or folder / 'report.html'}",
        f"next     {_next(RunFolder(folder).read_provenance())}",
    ]
    return "\n".join(lines)


def _unseen(results: Results) -> list[str]:
    """What of a described application nobody could see, under one heading."""
    facts = _facts(results)
    if facts is None:
        return []
    return [f"{facts.name} is of grade {facts.grade}; not measured:", *(f"  {it}" for it in not_measured(facts)), ""]


def unseen(results: Results) -> list[str]:
    """The same as sentences: the variants of one application are seen alike."""
    facts = _facts(results)
    if facts is None:
        return []
    return [f"{facts.name} is of grade {facts.grade}; not measured: {gap}" for gap in not_measured(facts)]


def _facts(results: Results) -> ApplicationFacts | None:
    return next((result.facts for result in results.architectures.values() if result.facts), None)


def table_of(results: Results) -> list[tuple[str, ...]]:
    """The head, then one row for each architecture: what a reader sees first, on a terminal or in a pull request."""
    shown = _shown(results)
    head = ("architecture", "verdict", "at risk\n(people)", *(_head(measure) for measure in shown))
    return [head, *(_row(name, result, shown) for name, result in results.architectures.items())]


def _next(run: Provenance) -> str:
    """The command that prints this run's plan; the scenario is named as it was asked for: a name or a path.

    A workshop's round was planned by nobody: for that, the command that begins another one.
    """
    if run.command[1] == "workshop":
        return f"{shlex.join(run.command)}   (another round)"
    asked = run.command[2]
    words = ["twinshop", "plan", asked, "--seed", str(run.seed), "--shoppers", str(run.shoppers)]
    # The plan of a described application asks only what is described.
    if "--app" in run.command:
        words += ["--app", run.command[run.command.index("--app") + 1]]
    plan = shlex.join(words)
    return f"{plan}   (who did what when)"


def _shown(results: Results) -> list[Measure]:
    """Those that everybody asks about, then those that these results have something to say of."""
    found = MEASURES.values()
    more = [it for it in found if it.terminal == "if any" and is_of_interest(it, results)]
    return [*(it for it in found if it.terminal == "always"), *more]


def _row(name: str, result: ArchitectureResult, shown: Sequence[Measure]) -> tuple[str, ...]:
    at_risk = NOT_MEASURED if result.at_risk is None else str(result.at_risk)
    return (name, result.verdict, at_risk, *(_cell(measure, result) for measure in shown))


def _head(measure: Measure) -> str:
    """Its name, and below it what is counted: people are counted once, carts each time."""
    word = "people" if measure.of_all else "" if measure.unit else measure.counted
    return f"{measure.head.lower()}\n({word})" if word else measure.head.lower()


def _cell(measure: Measure, result: ArchitectureResult) -> str:
    if measure.of_all:
        return f"{measure.text(measure.read(result))} of {result.shoppers:,}"
    return f"{measure.text(measure.read(result))} {measure.unit}".rstrip()


def _reasons(results: Results) -> list[str]:
    lines = [f"{name}: {reason}" for name, result in results.architectures.items() for reason in result.reasons]
    return [*lines, ""] if lines else []


def _thresholds(results: Results) -> list[str]:
    """Those that fired, each with its numbers; of the others, how many there are."""
    lines = [
        f"{name}: {fails_if(threshold)}" + (", but it is inconclusive" if result.verdict == "inconclusive" else "")
        for name, result in results.architectures.items()
        for threshold in result.thresholds
        if threshold.fired
    ]
    judged = sum(len(result.thresholds) for result in results.architectures.values())
    return [*lines, f"fail_if  {len(lines)} of {counted(judged, 'threshold')} fired", ""] if judged else []
