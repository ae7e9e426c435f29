"""Runs compared: numbers only of the same plan, what differs always, a winner never."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from loadtests import cli
from loadtests.campaigns.bundles.pack import pack
from loadtests.campaigns.comparison.comparison import all_numbers, compare
from loadtests.campaigns.comparison.page import BY_CHANCE, comparison_html, comparison_page
from loadtests.model.plan import read_plan
from loadtests.model.run_folder import RunFolder
from loadtests.running.run import write_results
from tests.loadtests.campaigns.comparison.made_up import ask, made, replan, say, sides
from tests.loadtests.report.parsed import Page


def called(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = cli.main(["compare", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page goes into the folder in which somebody stands."""
    monkeypatch.chdir(tmp_path)


def lose_something(run: RunFolder) -> None:
    """As if shopper 1 had been a stranger once more."""
    lines = run.history.read_bytes().splitlines(keepends=True)
    known = next(it for it in lines if b'"redis"' in it and b'"do":"me"' in it and b'"status":200' in it)
    stranger = json.loads(known)
    for name in ("user", "cart"):
        stranger.pop(name, None)
    stranger |= {"status": 401, "outcome": "failed"}
    changed = json.dumps(stranger, separators=(",", ":")).encode() + b"\n"
    run.history.write_bytes(run.history.read_bytes().replace(known, changed))


def test_equal_runs_are_equal_in_every_number(tmp_path: Path) -> None:
    comparison = compare(sides(made(tmp_path / "a"), made(tmp_path / "b", run="11111111")))
    assert comparison.comparable
    assert list(comparison.architectures) == ["sticky-memory", "redis"]
    for numbers in comparison.architectures.values():
        assert [it.measure for it in numbers.measures] == list(all_numbers())
        assert {it.differences for it in numbers.measures} <= {(0,), (None,)}
    assert [row.what for row in comparison.environment if not row.same] == ["run"]
    assert (comparison.plan, comparison.scenario, comparison.notes) == ((), (), ())


def test_numbers_stand_beside_their_differences_from_the_first(tmp_path: Path) -> None:
    one, other, third = made(tmp_path / "a"), made(tmp_path / "b"), made(tmp_path / "c")
    lose_something(other)
    comparison = compare(sides(one, other, third))
    measures = {it.measure: it for it in comparison.architectures["redis"].measures}
    assert measures["logged_out"].values == (0, 1, 0)
    assert measures["logged_out"].differences == (1, 0)
    assert measures["logged_out"].predicted
    assert not measures["orders_lost"].predicted
    assert measures["store_commands_per_request"].values == (None, None, None)


def test_results_are_counted_again_and_a_lie_is_told(tmp_path: Path) -> None:
    one, other = made(tmp_path / "a"), made(tmp_path / "b", run="11111111")
    write_results(other)
    other.results.write_bytes(other.results.read_bytes().replace(b'"orders_lost": 0', b'"orders_lost": 5'))
    comparison = compare(sides(one, other))
    measures = {it.measure: it.values for it in comparison.architectures["redis"].measures}
    assert measures["orders_lost"] == (0, 0)
    assert comparison.notes == (
        "B: its results.json says otherwise than its evidence; what counts here is the evidence",
    )


def test_other_plans_have_no_numbers_and_every_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = made(tmp_path / "a"), made(tmp_path / "b", seed=2, engine="docker")
    plan = read_plan(one.plan)
    replan(one, replace(plan, seed=1, faults=(replace(plan.faults[0], at_ms=4000),)))
    replan(other, replace(plan, seed=2))
    ask(one, "at_s = 5.0", "at_s = 4.0")
    say(one, seed=1)
    say(other, seed=2)
    code, out, err = called(capsys, one.root, other.root, "--json")
    assert (code, err) == (3, "")
    said = json.loads(out)
    assert (said["comparable"], said["architectures"]) == (False, {})
    assert said["why"] == ["their plans differ: the shoppers did not do the same, or not the same was done to them"]
    plan_rows = {row["what"]: row["values"] for row in said["plan"]}
    assert plan_rows["seed"] == ["1", "2"]
    assert plan_rows["fault[0].at_ms"] == ["4000", "5000"]
    assert {row["what"]: row["values"] for row in said["scenario"]} == {"fault[0].at_s": ["4", "5"]}
    assert ["processes", "docker"] in [row["values"] for row in said["environment"]]
    code, out, _err = called(capsys, one.root, other.root)
    assert code == 3
    assert "not compared: their plans differ" in out
    assert "B − A" not in out
    assert "logged_out" not in out


def test_a_cure_can_be_compared_with_the_illness(tmp_path: Path) -> None:
    """Another scenario, other settings, other predictions; the same shoppers, the same fault."""
    one, other = made(tmp_path / "a"), made(tmp_path / "b")
    replan(other, replace(read_plan(other.plan), scenario="model-cured"))
    say(other, scenario="model-cured", run="11111111")
    ask(other, "[load]", "[settings]\ncart_lock = true\n\n[load]")
    comparison = compare(sides(one, other))
    assert comparison.comparable
    assert [row.what for row in comparison.plan] == ["scenario"]
    assert [(row.what, row.values) for row in comparison.scenario] == [("settings.cart_lock", ("–", "yes"))]
    assert comparison.notes == (
        "the plans differ in nothing but the scenario's name: the same was done to the same shoppers",
    )


def test_what_differs_around_it_is_always_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes: dict[str, Any] = {
        "twinshop": "0.2.0", "python": "3.13", "platform": "Darwin", "cpus": 8, "memory_mb": 1, "workers": 2,
        "engine": "docker", "packages": {"flask": "4.0"}, "started": "2027-01-01T00:00:00Z", "run": "11111111",
    }  # fmt: skip
    one, other = made(tmp_path / "a", packages={"flask": "3.0", "redis": "5"}), made(tmp_path / "b", **changes)
    events = other.events.read_text()
    other.events.write_text(events.replace('"node_threads":8', '"node_threads":1').replace("1.40.0", "1.41.0"))
    comparison = compare(sides(one, other))
    assert comparison.comparable
    different = {row.what: row.values for row in comparison.environment if not row.same}
    assert different == {
        "run": ("0a1b2c3d", "11111111"), "started": ("2026-11-21T00:00:00Z", "2027-01-01T00:00:00Z"),
        "engine": ("processes", "docker"), "load processes": ("1", "2"), "Twinshop": ("0.1.0", "0.2.0"),
        "Python": ("3.11", "3.13"), "platform": ("Linux", "Darwin"), "processors": ("2", "8"),
        "memory (MB)": ("4096", "1"),
    }  # fmt: skip
    assert {row.what: row.values for row in comparison.packages if not row.same} == {
        "flask": ("3.0", "4.0"), "redis": ("5", "–"), "envoy": ("1.40.0", "1.41.0"),
    }  # fmt: skip
    assert {row.what: row.values for row in comparison.settings if not row.same} == {"node_threads": ("8", "1")}
    _code, out, _err = called(capsys, one.root, other.root)
    lines = {line.split()[1]: line.split()[2:] for line in out.splitlines() if line.startswith("  ≠ ")}
    assert (lines["Twinshop"], lines["node_threads"], lines["flask"]) == (
        ["0.1.0", "0.2.0"],
        ["8", "1"],
        ["3.0", "4.0"],
    )


def test_architectures_that_one_run_alone_measured_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = made(tmp_path / "a"), made(tmp_path / "b", architectures=("redis",))
    comparison = compare(sides(one, other))
    assert list(comparison.architectures) == ["redis"]
    assert comparison.alone == {"sticky-memory": "A"}
    assert "only A measured sticky-memory" in called(capsys, one.root, other.root)[1]


def test_nothing_in_common_is_no_comparison(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = made(tmp_path / "a", architectures=("sticky-memory",))
    other = made(tmp_path / "b", architectures=("redis",))
    replan(other, read_plan(one.plan))
    code, out, _err = called(capsys, one.root, other.root)
    assert code == 3
    assert "not compared: no architecture was measured by more than one of them" in out


def test_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = made(tmp_path / "a"), made(tmp_path / "b", run="11111111")
    lose_something(other)
    code, out, err = called(capsys, one.root, other.root)
    assert (code, err) == (0, "")
    assert "\x1b" not in out, "no colour where nobody looks"
    lines = out.splitlines()
    assert lines[:2] == [f"A  {one.root}", f"B  {other.root}"]
    redis = lines[lines.index("redis") :]
    assert redis[1].split() == ["A", "B", "B", "−", "A"]
    (row,) = (line for line in redis if line.split()[:1] == ["logged_out"])
    assert row.split() == ["logged_out", "0", "1", "+1"]
    (row,) = (line for line in redis if line.split()[:1] == ["items_lost"])
    assert row.split() == ["items_lost", "0", "0", "="], "0 in each, but predicted"
    assert not any(line.split()[:1] == ["orders_lost"] for line in redis)
    assert "B, redis, inconclusive: " in out
    assert lines[-3].endswith("Nothing here says which is better.")
    assert lines[-2].startswith("next     ")
    assert lines[-1] == "page     runs/comparison.html"
    assert not {"winner", "wins", "faster", "slower", "best", "worse"} & set(out.lower().split())


def test_the_same_as_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = made(tmp_path / "a"), made(tmp_path / "b", run="11111111")
    lose_something(other)
    assert called(capsys, one.root, other.root, "--html", "new/beside.html")[0] == 0
    html = (tmp_path / "new" / "beside.html").read_bytes()
    page = Page(html)
    assert page.problems == []
    assert [link for link in page.links if link[1:] not in page.ids] == []
    assert "Logged out in A and B: " in page.text("n-answer")
    assert "redis 0 and 1" in page.text("n-answer")
    assert re.search(r"Logged out 0 1 \+1", page.text("arch-redis"))
    assert "11111111" in page.text("facts"), "what differs is told"
    assert "B, redis, inconclusive: " in page.text("notes")
    assert comparison_html(compare(sides(one, other))).count(b"<script") == 0


def test_runs_that_cannot_be_compared_have_a_page_that_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, _ = called(capsys, made(tmp_path / "a").root, made(tmp_path / "b", seed=2).root)
    page = Page((tmp_path / "runs" / "comparison.html").read_bytes())
    assert code == 3
    assert page.text("n-answer").startswith("Not compared: their plans differ")
    assert "plan (SHA-256)" in page.text("facts"), "what differs is told"
    assert "numbers" not in page.ids


def test_json_alone_writes_no_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = made(tmp_path / "a")
    assert called(capsys, run.root, run.root, "--json")[0] == 0
    assert not (tmp_path / "runs").exists()


def test_a_page_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = made(tmp_path / "a")
    (tmp_path / "file").touch()
    code, _, err = called(capsys, run.root, run.root, "--html", "file/page.html")
    assert code == 4
    assert "cannot write file/page.html" in err


def test_the_same_run_twice_is_noticed(tmp_path: Path) -> None:
    run = made(tmp_path / "a")
    assert compare(sides(run, run)).notes == ("A and B are the same run",)


def test_bundles_are_as_good_as_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = made(tmp_path / "a")
    bundle = pack(run.root, tmp_path / "a.zip").file
    from_folders = json.loads(called(capsys, run.root, run.root, "--json")[1])
    from_both = json.loads(called(capsys, bundle, run.root, "--json")[1])
    assert [it["asked"] for it in from_both["runs"]] == [str(bundle), str(run.root)]
    assert {**from_both, "runs": []} == {**from_folders, "runs": []}


@pytest.mark.parametrize(
    ("carried_out", "again"),
    [
        ("twinshop run calm --seed 1", "twinshop run calm --seed 1 --repeat 20"),
        ("twinshop run 'my calm.toml' --control no-fault --app a.toml",
         "twinshop run 'my calm.toml' --app a.toml --repeat 20"),
        ("twinshop workshop --episode 1", ""),
        ("rm run -rf ~", ""),  # of a stranger's bundle
    ],
)  # fmt: skip
def test_how_much_is_chance_is_told_by_a_command_that_can_be_pasted(
    tmp_path: Path, carried_out: str, again: str
) -> None:
    one, other = made(tmp_path / "a", command=tuple(shlex.split(carried_out))), made(tmp_path / "b")
    comparison = compare(sides(one, other))
    said = f"next     {again}   (by how much they differ by chance)"
    assert comparison_page(comparison).splitlines()[-1] == (said if again else BY_CHANCE)
    assert (f"chance, this tells: {again}" if again else BY_CHANCE) in Page(comparison_html(comparison)).text()


class TestRefused:
    def refused(self, capsys: pytest.CaptureFixture[str], *arguments: object, says: str) -> None:
        code, out, err = called(capsys, *arguments)
        assert (code, out) == (2, "")
        assert says in err
        assert "Traceback" not in err

    def test_one_run_alone(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.refused(capsys, made(tmp_path / "a").root, says="1 to compare; at least 2")

    def test_more_than_there_are_letters(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.refused(capsys, *["x"] * 27, says="at most 26")

    def test_no_run(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.refused(capsys, made(tmp_path / "a").root, tmp_path / "no", says=f"B ({tmp_path / 'no'}): there is no run")

    def test_a_damaged_run_is_named(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        one, other = made(tmp_path / "a"), made(tmp_path / "b")
        other.history.write_bytes(other.history.read_bytes()[:-5])
        self.refused(capsys, one.root, other.root, says=f"B ({other.root}): history.ndjson, line")

    def test_a_plan_that_was_not_carried_out(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        one, other = made(tmp_path / "a"), made(tmp_path / "b")
        other.plan.write_bytes(other.plan.read_bytes().replace(b'"seed":1', b'"seed":2'))
        self.refused(capsys, one.root, other.root, says="is not the one that was carried out")

    def test_no_bundle(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "no.zip").write_text("no")
        self.refused(capsys, made(tmp_path / "a").root, tmp_path / "no.zip", says="no.zip is no whole bundle")
