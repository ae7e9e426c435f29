"""Facts side by side."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.campaigns.comparison.side import NONE, FactRow, by_architecture, different, flat, rows

FACTS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["0", "1", "2"]))


@settings(deadline=None)
@given(st.lists(FACTS, min_size=2, max_size=4))
def test_every_fact_of_every_run_has_a_row_and_none_is_called_the_same_that_is_not(runs: list[dict[str, str]]) -> None:
    found = rows(runs)
    assert {row.what for row in found} == {name for run in runs for name in run}
    for row in found:
        assert row.values == tuple(run.get(row.what, NONE) for run in runs)
        assert row.same == all(run.get(row.what) == runs[0].get(row.what) for run in runs)
    assert [row for row in found if row not in different(found)] == [row for row in found if row.same]


def test_a_run_without_it_differs() -> None:
    assert rows([{"a": "1"}, {}]) == (FactRow("a", ("1", NONE), same=False),)


@pytest.mark.parametrize(
    ("document", "facts"),
    [
        ({"load": {"shoppers": 60, "mix": {"add": 2.0}}}, {"load.shoppers": "60", "load.mix.add": "2"}),
        ({"fault": [{"kind": "kill"}, {"at_s": 0.5}]}, {"fault[0].kind": "kill", "fault[1].at_s": "0.5"}),
        ({"names": ["a", "b"], "none": [], "story": "two\n  lines"},
         {"names": "a, b", "none": "none", "story": "two lines"}),
        ({"alone": True, "cap": None, "text": ""}, {"alone": "yes", "cap": "none", "text": "none"}),
    ],
)  # fmt: skip
def test_a_document_is_told_key_by_key(document: object, facts: dict[str, str]) -> None:
    assert flat(document) == facts


LEAVES = st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(["x", "y"])
DOCUMENTS = st.recursive(
    LEAVES, lambda inside: st.dictionaries(st.sampled_from("abc"), inside, min_size=1) | st.lists(inside, min_size=1)
)


@settings(deadline=None)
@given(DOCUMENTS, DOCUMENTS)
def test_documents_that_differ_have_facts_that_differ(one: object, other: object) -> None:
    """But for what means the same in words: nothing and an empty text, a list of one and the one."""
    if flat(one, "it") == flat(other, "it"):
        assert repr_of(one) == repr_of(other)


def repr_of(value: object) -> str:
    """Without what a reader would not tell apart either."""
    if isinstance(value, list) and len(value) == 1 and not isinstance(value[0], dict | list):
        return repr_of(value[0])
    if isinstance(value, list):
        return "[" + ", ".join(map(repr_of, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {repr_of(value[key])}" for key in sorted(value)) + "}"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value or (0 if value == 0 else "none"))


def test_what_architectures_agree_on_is_said_once() -> None:
    assert by_architecture({"redis": {"a": "1", "b": "1"}, "sticky": {"a": "1", "b": "2"}}) == {
        "a": "1", "b": "redis 1, sticky 2",
    }  # fmt: skip
    assert by_architecture({"redis": {"a": "1"}, "sticky": {}}) == {"a": f"redis 1, sticky {NONE}"}
    assert by_architecture({}) == {}
