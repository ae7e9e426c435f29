"""`results.json` and its schema in the docs."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import msgspec

from loadtests.checks import CAUSES, CHECKS, MEASURES, TALLIES
from loadtests.judging.judge import judge
from loadtests.model.results import Results, results_schema
from tests.loadtests.model_run import write_run

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
WRITE_IT = (
    'python -c "import sys; from loadtests.model.results import results_schema; '
    'sys.stdout.buffer.write(results_schema())"'
)


def test_the_schema_in_the_docs_is_up_to_date() -> None:
    path = REFERENCE / "results.schema.json"
    assert path.read_bytes() == results_schema(), f"{WRITE_IT} > {path.relative_to(REFERENCE.parents[1])}"


def test_results_fit_their_schema_and_come_back_the_same(tmp_path: Path) -> None:
    results = judge(write_run(tmp_path / "20261121-000000-model-1").root)
    document = msgspec.json.encode(results)
    jsonschema.validate(msgspec.json.decode(document), msgspec.json.decode(results_schema()))
    assert msgspec.json.decode(document, type=Results) == results


def defined() -> str:
    """What the page of results says, and those that are made from the program and that it refers to."""
    pages = ("results.md", "measures.md", "checks.md")
    assert all(f"({page})" in (REFERENCE / "results.md").read_text() for page in pages[1:])
    return " ".join(" ".join((REFERENCE / page).read_text() for page in pages).split())


def test_the_reference_defines_every_number() -> None:
    for name in [*MEASURES, *(check.kind for check in CHECKS.values()), *_fields()]:
        assert f"`{name}`" in defined(), f"docs/reference/results.md does not define {name}"


def test_the_reference_says_what_the_code_says() -> None:
    text = defined()
    for sentence in [
        *(check.rule for check in CHECKS.values()),
        *(tally.rule for tally in TALLIES.values()),
        *(measure.definition for measure in MEASURES.values()),
    ]:
        assert sentence in text, sentence


def test_the_reference_says_what_each_cause_means() -> None:
    text = (REFERENCE / "causes.md").read_text()
    for name, meaning in CAUSES.items():
        assert f"| `{name}` | {meaning} |" in text, name


def _fields() -> set[str]:
    """The names of all fields, at every depth."""
    schema = msgspec.json.decode(results_schema())
    return {name for each in schema["$defs"].values() for name in each.get("properties", {})}
