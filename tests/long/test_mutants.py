"""Random mutants of judging, checks and the session model: most are killed by the unit tests, and all are mistakes."""

from __future__ import annotations

import ast
import functools
import os
from pathlib import Path

import pytest

from tests.long import mutants
from tests.long.mutants import ROOT, Header, Record, Tried, drawn, share, told
from tests.long.mutations import Came, Draft, Mutant
from tests.long.touched import Touched, function_at, stages

COUNT = int(os.environ.get("TWINSHOP_MUTANTS", "300"))
JOBS = int(os.environ.get("TWINSHOP_MUTANT_JOBS", "2"))
WANTED = 0.95

SOURCE = b'''
def of(a: int | None, b: int = 1) -> bool:
    """A text with 1 < 2."""
    if a is None and not b:
        return True
    c.d = of(a, max(a, b)) + 2
    if a == "word":
        raise ValueError("a" + f"{b + 1}")
    return a < b
'''


@functools.cache
def every() -> list[Mutant]:
    return mutants.mutants_of(ROOT)


def made(source: bytes = SOURCE) -> list[Mutant]:
    return Draft("loadtests/checks/a.py", source).look()


def changed(mutant: Mutant) -> str:
    before, after = SOURCE.decode().splitlines(), mutant.applied(SOURCE).decode().splitlines()
    return next(new.strip() for old, new in zip(before, after, strict=True) if old != new)


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("comparison", "return (a <= b)"),
        ("comparison", "if (a is not None) and not b:"),
        ("comparison", "if (a != 'word'):"),
        ("boolean", "if (a is None or not b):"),
        ("boolean", "if a is None and (b):"),
        ("boolean", "return False"),
        ("constant", "c.d = of(a, max(a, b)) + 3"),
        ("constant", "if a == 'wordx':"),
        ("arithmetic", "c.d = (of(a, max(a, b)) - 2)"),
        ("swapped", "c.d = of(max(a, b), a) + 2"),
        ("removed", "pass"),
        ("return", "return None"),
    ],
)
def test_each_kind_of_mistake_is_made(kind: str, line: str) -> None:
    assert line in [changed(mutant) for mutant in made() if mutant.kind == kind]


def test_types_docstrings_and_messages_are_left_alone() -> None:
    lines = {mutant.line for mutant in made()}
    assert lines.isdisjoint({1, 3})
    assert [mutant.kind for mutant in made() if mutant.line == 8] == ["removed"]
    assert {mutant.kind for mutant in made() if mutant.line == 2} <= {"constant"}


def test_the_larger_of_two_is_the_same_either_way() -> None:
    assert not [mutant for mutant in made() if "max(b, a)" in changed(mutant)]


def test_all_of_them_are_programs_and_differ_from_the_original() -> None:
    sources = {path: (ROOT / path).read_bytes() for path in {mutant.path for mutant in every()}}
    assert {path.split("/")[1] for path in sources} == set(mutants.ROOMS)
    for mutant in drawn(every(), 200, 7):
        after = mutant.applied(sources[mutant.path])
        assert ast.dump(ast.parse(after)) != ast.dump(ast.parse(sources[mutant.path])), mutant.name
        assert mutant.diff(sources[mutant.path]).startswith("@@")


def test_a_draw_is_the_seeds_and_the_beginning_of_a_larger_one() -> None:
    assert drawn(every(), 20, 1) == drawn(every(), 20, 1) == drawn(every(), 50, 1)[:20]
    assert drawn(every(), 20, 1) != drawn(every(), 20, 2)
    assert len({mutant.place for mutant in every()}) == len(every())


def test_whatever_is_called_equivalent_can_still_be_made() -> None:
    assert not mutants.EQUIVALENT.keys() - {mutant.name for mutant in every()}


def test_the_nearest_tests_come_first_and_those_that_cannot_see_it_are_left_out() -> None:
    mutant = next(mutant for mutant in every() if mutant.path.endswith("judging/books.py"))
    function = function_at(mutant.path, (ROOT / mutant.path).read_bytes(), mutant.line)
    own, quick, slow, other = (
        f"tests/loadtests/{name}.py"
        for name in ("judging/test_books", "judging/test_judge", "judging/test_slow", "checks/test_found")
    )
    touched = {
        other: Touched(0.1, {function}), slow: Touched(9, {function}), quick: Touched(1, {function}),
        own: Touched(1, set()), "tests/loadtests/judging/test_costs.py": Touched(0.5, {f"{function}0"}),
    }  # fmt: skip
    assert stages(mutant.path, mutant.line, ROOT, touched) == [[own], [quick, slow, other]]
    unseen = {path: Touched(about.seconds, set()) for path, about in touched.items()}
    assert stages(mutant.path, mutant.line, ROOT, unseen) == [
        [own],
        ["tests/loadtests/judging/test_costs.py", quick, slow],
    ]


def test_a_function_is_named_as_python_names_its_code() -> None:
    def outer() -> object:
        @functools.cache
        def inner() -> int:
            return 1

        return inner

    source = Path(__file__).read_bytes()
    code = outer.__code__
    inside = next(each for each in code.co_consts if hasattr(each, "co_firstlineno"))
    for line, expected in ((code.co_firstlineno, code), (inside.co_firstlineno + 2, inside)):
        assert function_at("it", source, line) == f"it:{expected.co_firstlineno}"


def tried(mutant: Mutant, came: Came) -> Tried:
    return Tried(mutant.place, mutant.name, mutant.line, mutant.kind, came, "", 0.1, mutant.diff(SOURCE))


def test_the_file_goes_on_where_it_ended_even_in_the_middle_of_a_line(tmp_path: Path) -> None:
    one, other, *_ = made()
    path = tmp_path / "mutants.ndjson"
    Record(path, Header(1, 2, "code")).add(tried(one, "killed"))
    with path.open("ab") as file:
        file.write(b'{"place":"loadtes')
    again = Record(path, Header(1, 2, "code"))
    assert set(again.done) == {one.place}
    again.add(tried(other, "survived"))
    assert set(Record(path, Header(1, 2, "code")).done) == {one.place, other.place}
    with pytest.raises(SystemExit, match="other code"):
        Record(path, Header(1, 2, "other"))


def test_survivors_are_told_with_their_diff_and_equivalent_ones_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other, third, *_ = made()
    all_three = [tried(one, "killed"), tried(other, "survived"), tried(third, "timed out")]
    assert share(all_three) == pytest.approx(2 / 3)
    assert f"survived: {other.name}" in told(all_three)
    assert other.diff(SOURCE) in told(all_three)
    monkeypatch.setitem(mutants.EQUIVALENT, other.name, "the same for every number")
    assert share(all_three) == 1.0
    assert "equivalent (the same for every number)" in told(all_three)


@pytest.mark.long
def test_the_unit_tests_kill_random_mutants(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = mutants.run(ROOT, tmp_path / "mutants.ndjson", count=COUNT, seed=1, jobs=JOBS)
    with capsys.disabled():
        print(f"\n{told(found)}")  # noqa: T201
    assert len(found) == COUNT
    assert share(found) >= WANTED
