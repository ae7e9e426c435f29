"""JUnit XML: parsed again, and held against the structure that its readers expect."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from loadtests.report.exports.judged import JudgedRun, one_line
from loadtests.report.exports.junit import DECIDES_NOTHING, junit
from tests.loadtests.report.exports import runs

ATTRIBUTES = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "time", "skipped", "timestamp", "hostname", "id", "package"},
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"name", "time", "classname", "group"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"type", "message"},
    "system-out": set(),
}
"""Of each element, as in the schema that Jenkins' xUnit plugin checks with (junit-10.xsd)."""
REQUIRED = {
    "testsuite": {"name", "tests", "failures", "errors"},
    "property": {"name", "value"},
    "testcase": {"name", "classname", "time"},  # more than the schema wants: GitLab and others group and add by them
}
CHILDREN = {
    "testsuites": ["testsuite"],
    "testsuite": ["properties", "testcase", "system-out", "system-err"],
    "properties": ["property"],
    "testcase": ["skipped", "error", "failure", "system-out", "system-err"],
}
"""Of each element, in that order."""


def parsed(run: JudgedRun) -> ElementTree.Element:
    root = ElementTree.fromstring(junit(run))
    check(root)
    (suite,) = root
    check_counts(root, suite)
    return suite


def check(element: ElementTree.Element) -> None:
    """Nothing but what the schema knows, in its order."""
    assert REQUIRED.get(element.tag, set()) <= set(element.attrib) <= ATTRIBUTES[element.tag], element.attrib
    assert re.fullmatch(r"\d+\.\d{3}", element.get("time", "0.000"))
    known = CHILDREN.get(element.tag, [])
    places = [known.index(child.tag) for child in element]
    assert places == sorted(places)
    for child in element:
        check(child)


def check_counts(root: ElementTree.Element, suite: ElementTree.Element) -> None:
    cases = suite.findall("testcase")
    endings = [child.tag for case in cases for child in case]
    assert all(len(case) <= 1 for case in cases)
    for element in (root, suite):
        assert element.get("tests") == str(len(cases))
        assert element.get("failures") == str(endings.count("failure"))
        assert element.get("errors") == str(endings.count("error"))
    assert suite.get("skipped") == str(endings.count("skipped"))
    names = [(case.get("classname"), case.get("name")) for case in cases]
    assert len(set(names)) == len(names)


def endings(suite: ElementTree.Element) -> dict[tuple[str, str], str]:
    return {
        (case.attrib["classname"].rpartition(".")[2], case.attrib["name"]): case[0].tag if len(case) else "passed"
        for case in suite.findall("testcase")
    }


def test_a_run_as_predicted_passes_case_by_case(run: JudgedRun) -> None:
    suite = parsed(run)
    assert endings(suite) == {
        ("sticky-memory", "verdict"): "passed",
        ("sticky-memory", "logged_out at_risk"): "passed",
        ("sticky-memory", "wrong_user 0"): "passed",
        ("redis", "verdict"): "passed",
        ("redis", "logged_out 0"): "passed",
        ("redis", "items_lost 0"): "passed",
    }
    assert suite.get("timestamp") == "2026-11-21T00:00:00"
    assert float(suite.get("time", "0")) == 26.0  # each cluster was stopped 13 s after its zero


def test_the_suite_says_what_it_was(run: JudgedRun) -> None:
    facts = {it.attrib["name"]: it.attrib["value"] for it in parsed(run).iter("property")}
    assert facts["plan_sha256"] == run.results.plan_sha256
    assert facts["command"] == "twinshop run model"
    assert (facts["seed"], facts["shoppers"], facts["verdict"]) == ("1", "9", "as predicted")


def test_what_was_refuted_is_a_failure_with_its_numbers(tmp_path: Path) -> None:
    suite = parsed(runs.refuted_run(tmp_path / "run"))
    found = endings(suite)
    assert found["sticky-memory", "verdict"] == "failure"
    assert found["sticky-memory", "logged_out 0"] == "failure"
    assert found["redis", "verdict"] == "passed"
    messages = [failure.attrib["message"] for failure in suite.iter("failure")]
    assert {failure.attrib["type"] for failure in suite.iter("failure")} == {"refuted"}
    assert messages[0] == "not as predicted"
    assert messages[1].startswith("predicted logged_out 0, measured ")


def test_a_threshold_that_fired_is_a_failure(tmp_path: Path) -> None:
    suite = parsed(runs.run_with_thresholds(tmp_path / "run"))
    found = endings(suite)
    assert [failure.attrib["type"] for failure in suite.iter("failure")] == ["fired"]
    assert found["sticky-memory", "fail_if logged_out > 0"] == "failure"
    assert found["sticky-memory", "verdict"] == "passed"
    assert found["redis", "fail_if logged_out > 0"] == "passed"
    assert found["redis", "fail_if failed > 2 * U"] == "passed"


def test_inconclusive_is_an_error_and_what_it_decides_is_skipped(tmp_path: Path) -> None:
    suite = parsed(runs.inconclusive_run(tmp_path / "run"))
    found = endings(suite)
    assert found["redis", "verdict"] == "error"
    assert {ending for (name, what), ending in found.items() if name == "redis" and what != "verdict"} == {"skipped"}
    assert {ending for (name, _), ending in found.items() if name == "sticky-memory"} == {"passed"}
    assert all(DECIDES_NOTHING in skipped.attrib["message"] for skipped in suite.iter("skipped"))
    (error,) = suite.iter("error")
    assert error.text == "node_memory_mb was predicted and not measured"


def test_what_was_never_begun_is_an_error(tmp_path: Path) -> None:
    found = endings(parsed(runs.unfinished_run(tmp_path / "run")))
    assert found["signed-token", "verdict"] == "error"


def test_hostile_text_is_text(hostile: JudgedRun) -> None:
    content = junit(hostile)
    suite = parsed(hostile)
    facts = {it.attrib["name"]: it.attrib["value"] for it in suite.iter("property")}
    assert facts["question"] == facts["scenario"] == one_line(runs.HOSTILE)
    assert suite.attrib["name"] == f"twinshop {one_line(runs.HOSTILE)}"
    assert b"<script" not in content
    assert b"]]>" not in content
    assert not any(byte < 0x20 and byte != 0x0A for byte in content)


def test_the_same_run_gives_the_same_bytes(run: JudgedRun) -> None:
    assert junit(run) == junit(run)
