"""Does results.json say what the evidence gives?"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.faults import FAULTS
from loadtests.judging.judge import MOST, agreement, judge
from loadtests.model.results import Results
from loadtests.model.run_folder import encode_document
from shared.errors import RunFolderError
from tests.loadtests.model_run import write_run


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return judge(write_run(tmp_path_factory.mktemp("run") / "run", architectures=("sticky-memory",)).root)


@pytest.fixture(scope="module")
def document(results: Results) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(encode_document(results))
    return loaded


def written(tmp_path: Path, document: Any) -> Path:
    path = tmp_path / "results.json"
    path.write_text(json.dumps(document))
    return path


def leaves(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where a plain value stands."""
    if isinstance(value, dict | list):
        inside = value.items() if isinstance(value, dict) else enumerate(value)
        return [leaf for key, it in inside for leaf in leaves(it, (*place, key))]
    return [place]


def test_it_agrees_however_it_is_spaced(results: Results, document: dict[str, Any], tmp_path: Path) -> None:
    found = agreement(written(tmp_path, document), results)
    assert (found.otherwise, found.lacking) == ((), ())


@settings(deadline=None)
@given(st.data())
def test_any_value_changed_is_found(
    results: Results, document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    changed = copy.deepcopy(document)
    *way, last = data.draw(st.sampled_from(leaves(document)))
    inside = changed
    for key in way:
        inside = inside[key]
    value = inside[last]
    inside[last] = (not value) if isinstance(value, bool) else value + 1 if isinstance(value, int | float) else "other"
    found = agreement(written(tmp_path_factory.mktemp("changed"), changed), results)
    assert len(found.otherwise) == 1
    assert str(last) in found.otherwise[0]


def test_what_this_version_writes_and_is_not_in_it_was_taken_out(
    results: Results, document: dict[str, Any], tmp_path: Path
) -> None:
    less = copy.deepcopy(document)
    del less["architectures"]["sticky-memory"]["counts"]
    found = agreement(written(tmp_path, less), results)
    (said,) = found.otherwise
    assert said.startswith("architectures.sticky-memory.counts: nothing in results.json, ")
    assert (found.lacking, found.left_out) == ((), ())


def test_an_earlier_schema_that_lacks_something_is_no_lie_and_is_named(
    results: Results, document: dict[str, Any], tmp_path: Path
) -> None:
    older = copy.deepcopy(document)
    del older["architectures"]["sticky-memory"]["faults"]
    found = agreement(written(tmp_path, {**older, "schema": 2}), results)
    assert (found.otherwise, found.lacking, found.earlier) == ((), ("architectures.sticky-memory.faults",), 2)
    (said,) = agreement(written(tmp_path, {**document, "schema": 1}), results).otherwise
    assert said == "schema: 1 in results.json, 3 by the evidence"


def test_what_a_fault_was_called_before_says_the_same(results: Results, tmp_path: Path) -> None:
    renamed = {fault.formerly: fault.doing for fault in FAULTS.values() if fault.formerly}
    assert renamed == {"Sickening": "Breaking"}
    now = msgspec.structs.replace(results, answer="Breaking n1 logged out 1. After a flush and breaking n2, 2.")
    document = msgspec.to_builtins(now)
    before = {**document, "answer": "Sickening n1 logged out 1. After a flush and sickening n2, 2."}
    assert agreement(written(tmp_path, before), now).otherwise == ()
    (said,) = agreement(written(tmp_path, {**before, "answer": "Sickening n1 logged out 2."}), now).otherwise
    assert said.startswith("answer: ")


def test_what_the_evidence_does_not_give_is_a_lie(results: Results, document: dict[str, Any], tmp_path: Path) -> None:
    more = {**document, "applause": 100}
    assert agreement(written(tmp_path, more), results).otherwise == (
        "applause: 100 in results.json, nothing by the evidence",
    )


def test_losses_left_out_are_found(results: Results, document: dict[str, Any], tmp_path: Path) -> None:
    fewer = copy.deepcopy(document)
    losses = fewer["architectures"]["sticky-memory"]["losses"]
    assert losses, "the model loses something"
    gone = losses.pop()
    found = agreement(written(tmp_path, fewer), results)
    (said,) = found.otherwise
    assert said.startswith("architectures.sticky-memory.losses: ")
    at = f"{gone['at_ms'] / 1000:.3f} s"
    assert found.left_out == (f"sticky-memory: {gone['kind']} of shopper {gone['shopper']} at {at}",)


def test_no_more_are_named_than_help(results: Results, document: dict[str, Any], tmp_path: Path) -> None:
    book = document["architectures"]["sticky-memory"]["items"]
    other = copy.deepcopy(document)
    other["architectures"]["sticky-memory"]["items"] = {name: value + 1 for name, value in book.items()}
    assert len(book) > MOST
    assert len(agreement(written(tmp_path, other), results).otherwise) == MOST


@pytest.mark.parametrize("content", ["", "[]", "{", "\x00"])
def test_no_document_is_an_error(results: Results, tmp_path: Path, content: str) -> None:
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(RunFolderError, match=r"results\.json"):
        agreement(tmp_path / "results.json", results)
