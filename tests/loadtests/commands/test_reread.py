"""`twinshop check` and `twinshop report`: again, offline, to the same bytes."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from loadtests import cli
from loadtests.model.run_folder import RunFolder
from tests.loadtests.campaigns.bundles.made_up import bundle_of, files_below, finished_run


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return finished_run(tmp_path / "run")


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_arguments: Any, **_named: Any) -> None:
        raise AssertionError("it asked the network")

    monkeypatch.setattr(socket, "socket", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)


@pytest.mark.usefixtures("no_network")
def test_report_twice_gives_the_same_bytes_offline(
    run: RunFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files_below(run.root)
    assert cli.main(["report", str(run.root)]) == 0
    assert files_below(run.root) == before
    run.results.unlink()
    run.report.unlink()
    monkeypatch.chdir(run.root)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert cli.main(["report", "."]) == 0
    assert files_below(run.root) == before
    assert capsys.readouterr().out.splitlines() == [str(run.report), "report.html"]


def test_a_report_of_a_bundle_has_no_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = bundle_of(tmp_path / "run", tmp_path / "run.zip")
    assert cli.main(["report", str(bundle)]) == 2
    assert f"twinshop open {bundle}" in capsys.readouterr().err


@pytest.mark.usefixtures("no_network")
class TestCheck:
    def test_it_agrees_and_writes_nothing(self, run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
        before = {path: path.stat().st_mtime_ns for path in run.root.rglob("*")}
        code = cli.main(["check", str(run.root)])
        said = capsys.readouterr()
        assert (code, said.err) == (0, "")
        assert said.out.splitlines()[-1] == "results  results.json agrees with the evidence"
        assert {path: path.stat().st_mtime_ns for path in run.root.rglob("*")} == before

    def test_as_json_it_prints_the_document_alone(self, run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["check", str(run.root), "--json"]) == 0
        assert capsys.readouterr().out == run.results.read_text()

    def test_a_number_changed_by_hand(self, run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
        document = json.loads(run.results.read_text())
        document["architectures"]["sticky-memory"]["logged_out"]["shoppers"] += 1
        run.results.write_text(json.dumps(document))
        changed = run.results.read_bytes()
        for _again in range(2):
            assert cli.main(["check", str(run.root)]) == 2
            said = capsys.readouterr()
            assert said.out == "", "no table that looks as if all were well"
            assert "says otherwise than its evidence: architectures.sticky-memory.logged_out" in said.err
        assert run.results.read_bytes() == changed, "what it found is not wiped out"
        assert cli.main(["report", str(run.root)]) == 0
        assert cli.main(["check", str(run.root)]) == 0

    def test_evidence_changed_by_hand(self, run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
        lines = run.history.read_bytes().splitlines(keepends=True)
        stranger = next(line for line in lines if b'"status":401' in line)
        run.history.write_bytes(run.history.read_bytes().replace(stranger, stranger.replace(b":401", b":200")))
        assert cli.main(["check", str(run.root)]) == 2
        assert "results.json of" in capsys.readouterr().err

    def test_without_results_it_says_how_to_write_them(
        self, run: RunFolder, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run.results.unlink()
        assert cli.main(["check", str(run.root)]) == 0
        assert f"there is no results.json; twinshop report {run.root}" in capsys.readouterr().out
        assert not run.results.exists()

    def test_results_that_lack_a_number(self, run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
        document = json.loads(run.results.read_text())
        del document["architectures"]["sticky-memory"]["facts_checked"]
        run.results.write_text(json.dumps(document))
        assert cli.main(["check", str(run.root)]) == 2
        assert "sticky-memory.facts_checked: nothing in results.json" in capsys.readouterr().err

    @pytest.mark.parametrize("how", ["one", "all", "key", "architecture", "earlier"])
    def test_results_that_leave_out_losses(self, run: RunFolder, how: str, capsys: pytest.CaptureFixture[str]) -> None:
        document = json.loads(run.results.read_text())
        its = document["architectures"]["sticky-memory"]
        losses = its["losses"]
        shopper = losses[-1]["shopper"]
        if how == "one":
            losses.pop()
        elif how in ("all", "earlier"):
            losses.clear()
            document["schema"] = 2 if how == "earlier" else document["schema"]
        elif how == "key":
            del its["losses"]
        else:
            del document["architectures"]["sticky-memory"]
        run.results.write_text(json.dumps(document))
        assert cli.main(["check", str(run.root)]) == 1
        said = capsys.readouterr()
        assert said.out == ""
        assert "of the losses that its evidence proves: sticky-memory: " in said.err
        assert f"of shopper {shopper} at " in said.err

    def test_results_that_call_a_loss_twice_and_leave_out_another(self, run: RunFolder) -> None:
        document = json.loads(run.results.read_text())
        losses = document["architectures"]["sticky-memory"]["losses"]
        assert len(losses) > 1
        losses[-1] = losses[0]
        run.results.write_text(json.dumps(document))
        assert cli.main(["check", str(run.root)]) == 1

    def test_a_byte_that_is_no_text_in_any_file(self, run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
        (run.root / "logs" / "sticky-memory" / "n1.log").write_text("some\nlines\n")
        files = [path for path in sorted(run.root.rglob("*")) if path.is_file()]
        assert {"plan.json", "history.ndjson", "n1.log", "report.html"} <= {path.name for path in files}
        for path in files:
            whole = path.read_bytes()
            for place in {0, len(whole) // 2, len(whole) - 1}:
                path.write_bytes(whole[:place] + b"\xff" + whole[place + 1 :])
                assert cli.main(["check", str(run.root)]) == 2, path
                assert path.name in capsys.readouterr().err
            path.write_bytes(whole)

    def test_a_half_letter_at_the_end_of_a_log_is_no_damage(self, run: RunFolder) -> None:
        (run.root / "logs" / "sticky-memory" / "n1.log").write_bytes("killed in the middle of an \u00fc".encode()[:-1])
        assert cli.main(["check", str(run.root)]) == 0

    def test_a_bundle(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        bundle = bundle_of(tmp_path / "run", tmp_path / "run.zip")
        before = files_below(tmp_path)
        assert cli.main(["check", str(bundle)]) == 0
        said = capsys.readouterr().out
        assert f"report   in the bundle: twinshop open {bundle}" in said
        assert said.endswith("agrees with the evidence\n")
        assert files_below(tmp_path) == before
