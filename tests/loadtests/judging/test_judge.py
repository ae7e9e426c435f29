"""From a run's folder to its results; and what damaged, tampered or unfinished folders come to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from loadtests.checks.logged_out import LoggedOut
from loadtests.checks.stalled import Stalled
from loadtests.judging import judge as judge_module
from loadtests.judging.judge import judge
from loadtests.model.events import AtRisk, Event, FaultEvent, LoadEnded, RunInterrupted, read_events
from loadtests.model.history import Exchange, Record, encode_records, read_history
from loadtests.model.plan import encode_plan, read_plan
from loadtests.model.results import Results
from loadtests.model.run_folder import RunFolder
from shared.errors import RunFolderError
from tests.loadtests.model_run import predict_otherwise, write_run


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return write_run(tmp_path / "20261121-000000-model-1")


def rewrite_events(run: RunFolder, change: Callable[[Event], Event | None]) -> None:
    changed = [change(event) for event in read_events(run.events)]
    run.events.write_bytes(msgspec.json.Encoder().encode_lines([event for event in changed if event is not None]))


def rewrite_history(run: RunFolder, change: Callable[[list[Record]], list[Record]]) -> None:
    run.history.write_bytes(encode_records(change(list(read_history(run.history)))))


def reasons(results: Results, architecture: str = "sticky-memory") -> str:
    return "; ".join(results.architectures[architecture].reasons)


class TestAFinishedRun:
    def test_is_as_predicted(self, run: RunFolder) -> None:
        results = judge(run.root)
        sticky, redis = results.architectures["sticky-memory"], results.architectures["redis"]
        assert (results.verdict, sticky.reasons, redis.reasons) == ("as predicted", (), ())
        assert sticky.logged_out.shoppers == sticky.at_risk == sticky.reconciliation.at_risk_by_balancer > 0
        assert (redis.logged_out.shoppers, redis.losses, redis.at_risk) == (0, (), 0)
        assert sticky.books_balance
        assert sticky.facts_checked > 50
        assert sticky.logged_out_before_fault == 0
        assert [step.step for step in sticky.experiment] == [
            "planned", "injected", "observed", "healed", "observed_healed",
        ]  # fmt: skip
        assert results.answer.startswith(f"Killing n2 logged out {sticky.at_risk} of 9 shoppers in sticky-memory")

    def test_before_the_fault_means_before_it(self, run: RunFolder) -> None:
        """Whoever was logged out in the very moment of the blow was not logged out before it."""
        outs = sorted(loss.at_ms for loss in judge(run.root).architectures["sticky-memory"].losses
                      if loss.kind == "logged_out")  # fmt: skip
        for number, at_ms in enumerate(outs[:3]):
            at_us = round(at_ms * 1000)
            rewrite_events(run, lambda event, at_us=at_us: msgspec.structs.replace(event, at_us=at_us)
                           if isinstance(event, FaultEvent) and event.phase == "injected" else event)  # fmt: skip
            assert judge(run.root).architectures["sticky-memory"].logged_out_before_fault == number

    def test_who_is_without_service_at_the_end_is_so_until_the_end_of_the_window(self, run: RunFolder) -> None:
        asked = [it for it in read_history(run.history) if isinstance(it, Exchange) and it.architecture == "redis"]
        last = max((it for it in asked if it.why == "plan" and it.shopper == 1), key=lambda it: it.sent_us)
        before_s = judge(run.root).architectures["redis"].seconds_without_service
        assert last.outcome == "ok"
        failed = msgspec.structs.replace(last, status=404, outcome="failed", cart=None, order="")
        rewrite_history(run, lambda records: [failed if record == last else record for record in records])
        window_us = read_plan(run.plan).window_ms * 1000
        now_s = judge(run.root).architectures["redis"].seconds_without_service
        assert round(now_s - before_s, 3) == round((window_us - last.sent_us) / 1e6, 3) > 0

    def test_the_same_files_give_the_same_bytes(self, run: RunFolder) -> None:
        assert msgspec.json.encode(judge(run.root)) == msgspec.json.encode(judge(run.root))

    def test_every_loss_names_requests_of_the_history(self, run: RunFolder) -> None:
        asked = {record.request for record in read_history(run.history) if isinstance(record, Exchange)}
        losses = judge(run.root).architectures["sticky-memory"].losses
        assert losses
        assert {event.request for loss in losses for event in loss.witness} <= asked | {""}

    def test_a_refuted_prediction(self, run: RunFolder) -> None:
        predict_otherwise(run, run.scenario.read_text().replace('"at_risk"', '"at_risk + 1"'))
        results = judge(run.root)
        assert results.verdict == "not as predicted"
        assert "predicted logged_out at_risk + 1" in reasons(results)


class TestInconclusive:
    def test_the_kill_was_not_observed(self, run: RunFolder) -> None:
        def unseen(event: Event) -> Event:
            if isinstance(event, FaultEvent) and event.phase == "observed":
                return msgspec.structs.replace(event, phase="not_observed")
            return event

        rewrite_events(run, unseen)
        results = judge(run.root)
        assert results.verdict == "inconclusive"
        assert "nobody observed that it happened" in reasons(results)
        assert "nobody observed that it happened" in reasons(results, "redis")

    def test_nobody_was_at_risk(self, run: RunFolder) -> None:
        def nobody(event: Event) -> Event:
            return msgspec.structs.replace(event, users=()) if type(event).__name__ == "AtRisk" else event

        rewrite_events(run, nobody)
        assert "hit nobody" in reasons(judge(run.root))

    def test_victim_and_balancer_disagree_on_who_was_at_risk(self, run: RunFolder) -> None:
        rewrite_events(run, lambda event: msgspec.structs.replace(event, users=event.users[1:])
                       if isinstance(event, AtRisk) and event.users else event)  # fmt: skip
        results = judge(run.root)
        assert results.verdict == "inconclusive"
        assert "the balancer's log says" in reasons(results)

    def test_the_load_did_not_end_cleanly(self, run: RunFolder) -> None:
        rewrite_events(run, lambda event: msgspec.structs.replace(event, clean=False, why="it died")
                       if isinstance(event, LoadEnded) else event)  # fmt: skip
        assert "the load did not end cleanly: it died" in reasons(judge(run.root))

    def test_the_books_do_not_balance(self, run: RunFolder) -> None:
        rewrite_history(run, lambda records: records[1:])
        results = judge(run.root)
        assert not results.architectures["sticky-memory"].books_balance
        assert "the books do not balance" in reasons(results)

    def test_the_logs_disagree(self, run: RunFolder) -> None:
        log = run.logs("sticky-memory") / "n1.requests.ndjson"
        lines = log.read_bytes().splitlines(keepends=True)
        log.write_bytes(b"".join([*lines[1:], lines[-1]]))
        results = judge(run.root)
        found = results.architectures["sticky-memory"].reconciliation
        assert found.mismatch_count == 2
        assert "the logs of client, balancer and nodes disagree on 2 requests" in reasons(results)

    def test_a_missing_log(self, run: RunFolder) -> None:
        (run.logs("redis") / "access.ndjson").unlink()
        assert judge(run.root).architectures["redis"].verdict == "inconclusive"

    def test_a_check_that_crashes_is_never_a_pass(self, run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
        def crash(*_: object) -> None:
            raise KeyError("ouch")

        monkeypatch.setattr(LoggedOut, "contradicted", crash)
        results = judge(run.root)
        assert results.architectures["sticky-memory"].verdict == "inconclusive"
        assert "the check 'logged_out' crashed" in reasons(results)
        assert results.architectures["sticky-memory"].logged_out.shoppers > 0, "the books still count them"

    def test_a_tally_that_crashes_is_never_a_pass(self, run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
        def crash(*_: object) -> None:
            raise KeyError("ouch")

        monkeypatch.setattr(Stalled, "saw", crash)
        results = judge(run.root)
        assert results.architectures["sticky-memory"].verdict == "inconclusive"
        assert "the tally 'stalled' crashed" in reasons(results)

    def test_what_nobody_measured_was_predicted(self, run: RunFolder) -> None:
        predict_otherwise(run, run.scenario.read_text() + 'node_memory_mb = "< 500"\n')
        assert reasons(judge(run.root), "redis") == "node_memory_mb was predicted and not measured"

    def test_nothing_was_predicted(self, run: RunFolder) -> None:
        predict_otherwise(run, run.scenario.read_text().split("[expect.redis]")[0])
        assert reasons(judge(run.root), "redis") == "the scenario predicts nothing for it"


class TestUnfinished:
    def test_interrupted(self, run: RunFolder) -> None:
        rewrite_events(run, lambda event: RunInterrupted("redis", 1, "Ctrl-C") if isinstance(event, LoadEnded)
                       and event.architecture == "redis" else event)  # fmt: skip
        results = judge(run.root)
        assert results.architectures["sticky-memory"].verdict == "as predicted"
        assert reasons(results, "redis") == "it was not measured to its end: Ctrl-C"
        assert results.architectures["redis"].predictions == (), "half a run refutes and confirms nothing"
        assert results.verdict == "inconclusive"

    def test_cut_off_without_a_word(self, run: RunFolder) -> None:
        rewrite_history(run, lambda records: [each for each in records if each.architecture != "redis"])
        rewrite_events(run, lambda event: None if isinstance(event, LoadEnded)
                       and event.architecture == "redis" else event)  # fmt: skip
        results = judge(run.root)
        assert "the run was cut off" in reasons(results, "redis")
        assert results.architectures["redis"].losses == ()

    def test_never_begun(self, run: RunFolder) -> None:
        rewrite_history(run, lambda records: [each for each in records if each.architecture != "redis"])
        rewrite_events(run, lambda event: None if event.architecture == "redis" else event)
        assert list(judge(run.root).architectures) == ["sticky-memory"]

    def test_nothing_at_all(self, run: RunFolder) -> None:
        run.history.write_bytes(b"")
        run.events.write_bytes(b"")
        results = judge(run.root)
        assert (results.verdict, results.answer, results.architectures) == ("inconclusive", "Nothing was measured.", {})


class TestDamage:
    @pytest.mark.parametrize("name", ["run.json", "plan.json", "scenario.toml", "events.ndjson", "history.ndjson"])
    def test_a_missing_file(self, run: RunFolder, name: str) -> None:
        (run.root / name).unlink()
        with pytest.raises(RunFolderError, match=name):
            judge(run.root)

    @pytest.mark.parametrize("name", ["events.ndjson", "history.ndjson"])
    def test_cut_off_in_the_middle_of_a_line(self, run: RunFolder, name: str) -> None:
        path = run.root / name
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) - 20])
        lines = len(whole.splitlines())
        with pytest.raises(RunFolderError, match=f"{name}, line {lines}"):
            judge(run.root)

    def test_another_plan_than_the_one_that_was_carried_out(self, run: RunFolder) -> None:
        plan = msgspec.structs.replace(read_plan(run.plan), seed=99)
        run.plan.write_bytes(encode_plan(plan))
        with pytest.raises(RunFolderError, match="not the one that was carried out"):
            judge(run.root)

    def test_other_predictions_than_those_that_stood_before_the_run(self, run: RunFolder) -> None:
        run.scenario.write_text(run.scenario.read_text().replace('"at_risk"', '"at_risk + 1"'))
        with pytest.raises(RunFolderError, match=r"scenario\.toml is not the one that was carried out"):
            judge(run.root)

    def test_a_damaged_line(self, run: RunFolder) -> None:
        lines = run.history.read_bytes().splitlines(keepends=True)
        lines[2] = b'{"record":"exchange"}\n'
        run.history.write_bytes(b"".join(lines))
        with pytest.raises(RunFolderError, match=r"history\.ndjson, line 3"):
            judge(run.root)

    def test_records_of_one_architecture_that_stand_apart(self, run: RunFolder) -> None:
        rewrite_history(run, lambda records: [*records, records[0]])
        with pytest.raises(RunFolderError, match="twice"):
            judge(run.root)

    def test_records_of_which_no_event_tells(self, run: RunFolder) -> None:
        rewrite_events(run, lambda event: None if event.architecture == "redis" else event)
        with pytest.raises(RunFolderError, match="no event"):
            judge(run.root)


def test_the_judge_never_looks_at_the_clock_or_the_network() -> None:
    source = Path(judge_module.__file__).read_text()
    assert not {"time", "socket", "random", "datetime"} & set(source.replace(",", " ").split())
