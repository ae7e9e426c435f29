"""JUnit XML: one test suite for the run; one case for each verdict, each prediction and each threshold.

What did not go as predicted, and a threshold that fired, are *failures*. An architecture whose part of the experiment
did not happen is an *error*, as a test is that could not be carried out, and so is one that was never begun; its
predictions and thresholds are *skipped*.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple
from xml.etree import ElementTree

from loadtests.model.events import ClusterStopped, read_events
from loadtests.model.results import ArchitectureResult
from loadtests.model.wording import beside, fails_if
from loadtests.report.exports.judged import JudgedRun, one_line

Ending = Literal["", "failure", "error", "skipped"]
DECIDES_NOTHING = "it decides nothing: the experiment did not happen here as planned"


class JUnitCase(NamedTuple):
    """One test case."""

    architecture: str
    name: str
    ending: Ending = ""
    message: str = ""
    details: tuple[str, ...] = ()
    seconds: float = 0.0
    kind: str = "refuted"
    """Of a failure."""


def junit(run: JudgedRun) -> bytes:
    """The document."""
    cases = list(_cases(run))
    document = ElementTree.Element("testsuites", {"name": "twinshop", **_totals(cases)})
    suite = ElementTree.SubElement(document, "testsuite", _suite(run, cases))
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in _facts(run):
        ElementTree.SubElement(properties, "property", {"name": name, "value": one_line(value)})
    for case in cases:
        _add(suite, run.results.scenario, case)
    ElementTree.SubElement(suite, "system-out").text = one_line(run.results.answer)
    ElementTree.indent(document)
    text = ElementTree.tostring(document, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _cases(run: JudgedRun) -> Iterator[JUnitCase]:
    seconds = _seconds(run)
    for name, result in run.results.architectures.items():
        yield _verdict(name, result, seconds.get(name, 0.0))
        for prediction in result.predictions:
            case = JUnitCase(name, f"{prediction.measure} {prediction.predicted}")
            yield _unless_inconclusive(case, result, "" if prediction.holds else "failure", beside(prediction))
        for threshold in result.thresholds:
            case = JUnitCase(name, f"fail_if {threshold.measure} {threshold.fail_if}", kind="fired")
            yield _unless_inconclusive(case, result, "failure" if threshold.fired else "", fails_if(threshold))
    for name in run.missing:
        yield JUnitCase(name, "verdict", "error", "never begun", ("the run ended before",))


def _verdict(name: str, result: ArchitectureResult, seconds: float) -> JUnitCase:
    # An error and no skipped case, which would be green in most places: nothing may pass that nobody has seen.
    endings: dict[str, Ending] = {"not as predicted": "failure", "inconclusive": "error"}
    ending = endings.get(result.verdict, "")
    return JUnitCase(
        name, "verdict", ending, result.verdict if ending else "", result.reasons if ending else (), seconds
    )


def _unless_inconclusive(case: JUnitCase, result: ArchitectureResult, ending: Ending, words: str) -> JUnitCase:
    # Its verdict is an error already: one failure is not told twice.
    if result.verdict == "inconclusive":
        return case._replace(ending="skipped", message=f"{DECIDES_NOTHING} ({words})")
    return case._replace(ending=ending, message=words) if ending else case


def _add(suite: ElementTree.Element, scenario: str, case: JUnitCase) -> None:
    attributes = {
        "classname": one_line(f"twinshop.{scenario}.{case.architecture}"),
        "name": one_line(case.name),
        "time": f"{case.seconds:.3f}",
    }
    element = ElementTree.SubElement(suite, "testcase", attributes)
    if not case.ending:
        return
    ended = ElementTree.SubElement(element, case.ending, {"message": one_line(case.message)})
    if case.ending != "skipped":
        ended.set("type", "inconclusive" if case.ending == "error" else case.kind)
        ended.text = "\n".join(map(one_line, case.details)) or None


def _totals(cases: list[JUnitCase]) -> dict[str, str]:
    count = {ending: str(sum(case.ending == ending for case in cases)) for ending in ("failure", "error")}
    time = sum(case.seconds for case in cases)
    return {"tests": str(len(cases)), "failures": count["failure"], "errors": count["error"], "time": f"{time:.3f}"}


def _suite(run: JudgedRun, cases: list[JUnitCase]) -> dict[str, str]:
    return {
        "name": one_line(f"twinshop {run.results.scenario}"),
        **_totals(cases),
        "skipped": str(sum(case.ending == "skipped" for case in cases)),
        # Ant's schema of these files allows no time zone: it is UTC.
        "timestamp": one_line(run.provenance.started.removesuffix("Z")),
    }


def _facts(run: JudgedRun) -> list[tuple[str, str]]:
    results, provenance = run.results, run.provenance
    return [
        ("run", provenance.run),
        ("scenario", results.scenario),
        ("question", results.question),
        ("answer", results.answer),
        ("verdict", results.verdict),
        ("seed", str(results.seed)),
        ("shoppers", str(results.shoppers)),
        ("nodes", str(results.nodes)),
        ("engine", results.engine),
        *((("balancer", provenance.balancer),) if provenance.balancer else ()),
        ("plan_sha256", results.plan_sha256),
        ("command", run.command),
        ("twinshop", provenance.twinshop),
    ]


def _seconds(run: JudgedRun) -> dict[str, float]:
    """Until each architecture's cluster was stopped, from the zero of its load window."""
    events = read_events(run.folder.events)
    return {event.architecture: event.at_us / 1e6 for event in events if isinstance(event, ClusterStopped)}
