"""`twinshop check EPISODE`: judged by outcome, from the newest round's evidence."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from loadtests import cli
from loadtests.model.events import GuestsAdmitted
from loadtests.model.results import Results
from loadtests.model.run_folder import RunFolder, read_document
from loadtests.running.run import write_results
from loadtests.workshop.contract import CommittedPrediction
from loadtests.workshop.episode_file import episode_named
from loadtests.workshop.predictions import append_prediction
from loadtests.workshop.progress import newest_round, progress_of, values_of
from shared.errors import UsageError
from shared.request_log import LoggedSession, RequestLog
from tests.loadtests.model_run import write_run
from tests.loadtests.model_shop import EPOCH_US

EARLY = CommittedPrediction(EPOCH_US - 1_000_000, "a1", "", {"left": "3"}, "it knew them")


def a_round(
    root: Path, *, started: str = "2026-11-21T00:00:00+00:00", closed: bool = True, **fields: object
) -> RunFolder:
    """A round of episode 2 with nine model shoppers, n2 killed; nobody has predicted anything."""
    run = write_run(root)
    told = msgspec.structs.replace(
        run.read_provenance(), scenario="kill-one-of-three", started=started, **fields  # type: ignore[arg-type]
    )  # fmt: skip
    run.provenance.write_bytes(msgspec.json.encode(told))
    if closed:
        write_results(run)
    return run


def unmet(run: RunFolder) -> list[str]:
    return [one.what for one in progress_of(episode_named("2"), run).shown if not one.met]


def test_a_good_round_has_shown_everything(tmp_path: Path) -> None:
    run = a_round(tmp_path / "runs" / "one")
    append_prediction(run.root, EARLY)
    found = progress_of(episode_named("2"), run)
    assert found.met
    assert [one.met for one in found.shown] == [True] * 6


def test_a_prediction_that_came_with_the_shoppers_is_none(tmp_path: Path) -> None:
    run = a_round(tmp_path / "runs" / "one")
    assert unmet(run) == ["A prediction was committed before the first shopper came."]
    append_prediction(run.root, msgspec.structs.replace(EARLY, at_us=EPOCH_US))
    assert unmet(run) == ["A prediction was committed before the first shopper came."]
    append_prediction(run.root, msgspec.structs.replace(EARLY, at_us=EPOCH_US - 1))
    assert unmet(run) == []


def test_where_nobody_was_to_predict_nobody_is_asked_for_it(tmp_path: Path) -> None:
    run = a_round(tmp_path / "runs" / "one", command=("twinshop", "workshop", "--no-predict"))
    assert unmet(run) == []


def test_a_fault_that_nobody_saw_has_shown_nothing(tmp_path: Path) -> None:
    run = a_round(tmp_path / "runs" / "one", command=("twinshop", "workshop", "--no-predict"))
    lines = [line for line in run.events.read_text().splitlines() if '"observed"' not in line]
    run.events.write_text("\n".join(lines) + "\n")
    assert unmet(run)[:2] == [
        "A node of the left shop was killed, and was seen to be dead.",
        "A node of the right shop was killed, and was seen to be dead.",
    ]


def test_people_who_logged_in_with_a_browser_are_counted_and_no_shopper_with_them(tmp_path: Path) -> None:
    run = a_round(tmp_path / "runs" / "one")
    results = read_document(run.results, Results)
    with run.events.open("ab") as events:
        events.write(
            msgspec.json.encode(GuestsAdmitted("redis", 0, ("guest-07", "user-0031", "guest-08"), "1a")) + b"\n"
        )
    run.logs("redis").mkdir(parents=True, exist_ok=True)
    log = RequestLog(run.logs("redis") / "n9.requests.ndjson")
    for user in ("user-0001", "user-0031", "user-0031", "somebody", "guest-07"):
        log.write(LoggedSession(1, "opened", "", "n9", "", user, ""))
    log.close()
    values = values_of(episode_named("2"), run, results)
    assert (values["left.visitors"], values["right.visitors"]) == (0, 2)


def test_a_results_file_that_was_polished_is_not_believed(tmp_path: Path) -> None:
    run = a_round(tmp_path / "runs" / "one", command=("twinshop", "workshop", "--no-predict"))
    lines = [line for line in run.events.read_text().splitlines() if '"observed"' not in line]
    polished = run.results.read_bytes()
    run.events.write_text("\n".join(lines) + "\n")
    run.results.write_bytes(polished)
    assert unmet(run)


def test_the_newest_closed_round_of_that_episode_is_looked_at(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    a_round(runs / "c", started="2026-11-21T08:00:00+00:00")
    newest = a_round(runs / "a", started="2026-11-21T09:00:00+00:00")
    a_round(runs / "b", started="2026-11-21T10:00:00+00:00", closed=False)
    another = a_round(runs / "d", started="2026-11-21T11:00:00+00:00")
    told = msgspec.structs.replace(another.read_provenance(), scenario="node-kill")
    another.provenance.write_bytes(msgspec.json.encode(told))
    (runs / "latest").symlink_to(another.root)
    (runs / "damaged").mkdir()
    (runs / "damaged" / "run.json").write_text("{")
    assert newest_round(runs, episode_named("2")).root == newest.root


@pytest.mark.parametrize(("begun", "next_step"), [(False, "twinshop goto 2"), (True, "close the round")])
def test_without_a_closed_round_it_says_what_to_do(tmp_path: Path, begun: bool, next_step: str) -> None:
    if begun:
        a_round(tmp_path / "runs" / "one", closed=False)
    with pytest.raises(UsageError, match="has no result yet") as caught:
        newest_round(tmp_path / "runs", episode_named("2"))
    assert next_step in caught.value.next_step


class TestCommand:
    def test_all_met_leads_to_the_next_episode(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        append_prediction(a_round(tmp_path / "one").root, EARLY)
        assert cli.main(["check", "kill-one-of-three", "--runs", str(tmp_path)]) == 0
        said = capsys.readouterr().out
        assert said.startswith("episode  2, Kill one of three\n")
        assert said.endswith("next     all met: twinshop goto 3\n")
        assert "not yet" not in said

    def test_what_is_missing_comes_with_its_next_step(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        a_round(tmp_path / "one")
        assert cli.main(["check", "2", "--runs", str(tmp_path)]) == 1
        said = capsys.readouterr().out
        assert "not yet  A prediction was committed" in said
        assert "         next: begin the episode again" in said
        assert said.endswith("next     1 of 6 not yet: twinshop goto 2\n")

    def test_as_json(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        run = a_round(tmp_path / "one")
        assert cli.main(["check", "2", "--runs", str(tmp_path), "--json"]) == 1
        found = json.loads(capsys.readouterr().out)
        assert (found["episode"], found["round"], found["met"]) == ("kill-one-of-three", str(run.root), False)

    def test_no_round_is_a_mistake_in_the_question(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["check", "5", "--runs", str(tmp_path)]) == 2
        assert "next: twinshop goto 5" in capsys.readouterr().err

    def test_a_run_that_is_called_like_an_episode_is_a_run(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_round(tmp_path / "2")
        monkeypatch.chdir(tmp_path)
        assert cli.main(["check", "2"]) == 0
        assert "results.json agrees" in capsys.readouterr().out
