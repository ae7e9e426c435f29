"""The page as a whole: the same bytes, whole, small, safe, and true to the results."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from pathlib import Path

import msgspec
import pytest

import loadtests.report
from loadtests.faults import FAULTS
from loadtests.model.events import FaultEvent, read_events
from loadtests.model.history import Exchange, encode_records, read_history
from loadtests.model.plan import Plan, encode_plan
from loadtests.model.results import ArchitectureResult, Costs, Counted, ExperimentStep, Prediction, Results
from loadtests.model.run_folder import Provenance, RunFolder, read_document
from loadtests.report import render_report
from loadtests.report.glossary import definitions
from shared.errors import RunFolderError
from tests.loadtests.report.conftest import MadeUp
from tests.loadtests.report.parsed import Page
from tests.loadtests.synthetic_run import synthetic_run

HOSTILE = "<script>alert('x')</script>\"'&{{ 7*7 }}"


def with_architecture(results: Results, name: str, **changes: object) -> Results:
    changed: ArchitectureResult = msgspec.structs.replace(results.architectures[name], **changes)
    return msgspec.structs.replace(results, architectures={**results.architectures, name: changed})


def test_the_same_folder_gives_the_same_bytes(made_up: MadeUp, tmp_path: Path) -> None:
    assert render_report(made_up.folder, made_up.results) == made_up.html
    again = synthetic_run(tmp_path / "elsewhere")
    assert render_report(tmp_path / "elsewhere", again) == made_up.html


def test_it_only_reads(made_up: MadeUp) -> None:
    before = {path: path.stat().st_mtime_ns for path in made_up.folder.rglob("*")}
    render_report(made_up.folder, made_up.results)
    assert {path: path.stat().st_mtime_ns for path in made_up.folder.rglob("*")} == before


def test_every_tag_is_closed_and_every_id_is_unique(made_up: MadeUp) -> None:
    assert made_up.page.problems == []
    assert [id_ for id_, count in made_up.page.ids.items() if count > 1] == []


def test_every_link_leads_somewhere_on_the_page(made_up: MadeUp) -> None:
    assert [link for link in made_up.page.links if not link.startswith("#")] == []
    assert {link[1:] for link in made_up.page.links} - set(made_up.page.ids) == set()
    patterns = set(re.findall(r"url\(#([\w-]+)\)", made_up.html.decode()))
    assert patterns
    assert patterns <= set(made_up.page.ids)


def test_the_sections_have_stable_ids(made_up: MadeUp) -> None:
    ids = ["answer", "numbers", "architectures", "why", "latency", "experiment", "method", "words", "command"]
    ids += [f"arch-{name}" for name in made_up.results.architectures]
    ids += [f"def-{key}" for key in definitions()]
    assert set(ids) <= set(made_up.page.ids)


def test_it_fits_the_budget(made_up: MadeUp, tmp_path: Path) -> None:
    assert len(made_up.html) < 250_000
    results = synthetic_run(tmp_path / "crowd", shoppers=2000)
    assert len(render_report(tmp_path / "crowd", results)) < 400_000


def test_no_script_but_ours_no_foreign_address_no_style_beside_the_one_named(made_up: MadeUp) -> None:
    script = (Path(loadtests.report.__file__).parent / "report.js").read_bytes()
    assert made_up.html.count(b"<script") == 1
    assert b"<script>" + script + b"</script>" in made_up.html
    assert b64encode(hashlib.sha256(script).digest()) in made_up.html
    assert made_up.page.tags["link"] == 0
    assert [it for it in made_up.page.attributes if it[1] in ("src", "style") or it[1].startswith("on")] == []
    assert b"http://" not in made_up.html
    assert b"https://" not in made_up.html
    assert b"default-src 'none'; style-src 'sha256-" in made_up.html
    assert b"; script-src 'sha256-" in made_up.html


COLUMNS = {
    "logged-out": lambda it: f"{it.logged_out.shoppers:,}",
    "logouts": lambda it: f"{it.logged_out.events:,}",
    "carts-lost": lambda it: f"{it.carts_lost:,}",
    "items-lost": lambda it: f"{it.items_lost:,}",
    "units-lost": lambda it: f"{it.items.lost:,}",
    "other-losses": lambda it: f"{it.carts_rolled_back + it.wrong_user + it.orders_lost + it.orders_duplicated:,}",
    "failed": lambda it: f"{it.actions.failed:,}",
    "unknown": lambda it: f"{it.actions.unknown:,}",
    "not-sent": lambda it: f"{it.actions.not_sent:,}",
    "without-service": lambda it: f"{it.seconds_without_service:,.1f}",
    "p95-raw": lambda it: f"{it.latency_ms.raw.p95:,.1f}",
    "p95-plan": lambda it: f"{it.latency_ms.from_plan.p95:,.1f}",
}


@pytest.mark.parametrize("key", COLUMNS)
def test_every_number_of_the_table_is_that_of_the_results(made_up: MadeUp, key: str) -> None:
    for name, result in made_up.results.architectures.items():
        assert made_up.page.text(f"n-{name}-{key}") == COLUMNS[key](result), name


def test_the_table_has_no_other_numbers(made_up: MadeUp) -> None:
    cells = {id_ for id_ in made_up.page.ids if id_.startswith("n-sticky-memory-")}
    assert cells == {f"n-sticky-memory-{key}" for key in (*COLUMNS, "verdict")}


def test_losses_lead_to_a_witness(made_up: MadeUp) -> None:
    for name in ("sticky-memory", "roundrobin-memory"):
        losses = made_up.results.architectures[name].losses
        first = next(number for number, loss in enumerate(losses) if loss.kind == "logged_out")
        assert f"#loss-{name}-{first}" in made_up.page.links
        assert f"Shopper {losses[first].shopper} was logged out" in made_up.page.text(f"loss-{name}-{first}")


def test_the_answer_the_verdict_and_the_command_stand_there(made_up: MadeUp) -> None:
    assert made_up.page.exact("n-answer") == made_up.results.answer
    assert made_up.page.text("n-verdict").endswith("as predicted")
    assert made_up.page.text("command") == "twinshop run node-kill --seed 1"
    assert made_up.results.plan_sha256 in made_up.page.text("provenance")


def test_every_limit_is_printed(made_up: MadeUp) -> None:
    plan = read_document(made_up.folder / "plan.json", Plan)
    assert len(re.findall("<dt>", made_up.html.decode().split('id="limits-client"')[1].split("</dl>")[0])) == len(
        plan.client.__struct_fields__
    )
    ready = next(event for event in read_events(made_up.folder / "events.ndjson") if hasattr(event, "limits"))
    assert len(re.findall("<dt>", made_up.html.decode().split('id="limits-cluster"')[1].split("</dl>")[0])) == len(
        ready.limits.__struct_fields__
    )


def test_names_in_the_answer_are_not_broken_but_nothing_is_changed(made_up: MadeUp) -> None:
    answer = "60 in roundrobin-memory; nobody in redis."
    page = Page(render_report(made_up.folder, msgspec.structs.replace(made_up.results, answer=answer)))
    assert page.exact("n-answer") == answer
    assert ("span", "class", "whole") in page.attributes


def test_hostile_text_is_only_text(made_up: MadeUp, tmp_path: Path) -> None:
    folder = tmp_path / "hostile"
    results = synthetic_run(folder)
    events = (folder / "events.ndjson").read_bytes()
    escaped = msgspec.json.encode(HOSTILE)[1:-1]
    (folder / "events.ndjson").write_bytes(
        events.replace(b"SIGKILL sent", escaped).replace(b'"envoy"', b'"' + escaped + b'"')
    )
    sticky = results.architectures["sticky-memory"]
    step = msgspec.structs.replace(sticky.experiment[1], evidence=(HOSTILE,))
    loss = msgspec.structs.replace(
        sticky.losses[0], cause=HOSTILE, witness=(msgspec.structs.replace(sticky.losses[0].witness[0], what=HOSTILE),)
    )
    results = with_architecture(
        results,
        "sticky-memory",
        experiment=(sticky.experiment[0], step),
        losses=(loss,),
        reasons=(HOSTILE,),
        predictions=(Prediction(HOSTILE, HOSTILE, 1, 2, False),),
    )
    results = msgspec.structs.replace(results, scenario=HOSTILE, question=HOSTILE, answer=HOSTILE)
    html = render_report(folder, results)
    page = Page(html)
    assert page.problems == []
    assert html.count(b"<script") == 1
    assert page.exact("n-answer") == HOSTILE
    assert HOSTILE in page.text("evidence-sticky-memory")


def test_an_inconclusive_run_says_so_first_with_its_reasons(made_up: MadeUp) -> None:
    reason = "fault 1: the kill of n2 was never observed"
    results = with_architecture(made_up.results, "sticky-memory", verdict="inconclusive", reasons=(reason,))
    page = Page(render_report(made_up.folder, msgspec.structs.replace(results, verdict="inconclusive")))
    assert page.text("n-verdict").endswith("inconclusive")
    assert reason in page.text("reasons")
    assert page.text("reasons").startswith("What this run does not answer, and why"), "the others did happen"
    assert list(page.ids).index("reasons") < list(page.ids).index("numbers")


def test_a_refuted_prediction_is_shown_beside_the_number(made_up: MadeUp) -> None:
    refuted = Prediction("logged_out", "0", 0, 20, False)
    other = Prediction("logged_out_before_fault", "U / N", 20, 0, False)
    results = with_architecture(
        made_up.results,
        "sticky-memory",
        verdict="not as predicted",
        predictions=(refuted, other),
        reasons=("20, not 0",),
    )
    page = Page(render_report(made_up.folder, msgspec.structs.replace(results, verdict="not as predicted")))
    assert "predicted 0 ✗ refuted" in page.text("row-sticky-memory")
    assert "predicted U / N = 20, measured 0 ✗ refuted sticky-memory" in page.text("more-predictions")
    assert "20, not 0" in page.text("reasons")


def test_an_interrupted_run_shows_what_there_is(tmp_path: Path) -> None:
    folder = tmp_path / "interrupted"
    results = synthetic_run(folder)
    files = RunFolder(folder)
    kept = {"sticky-memory", "roundrobin-memory"}
    history = [
        it for it in read_history(files.history) if isinstance(it, Exchange) and it.architecture == "sticky-memory"
    ]
    files.history.write_bytes(encode_records(history))
    lines = files.events.read_bytes().splitlines(keepends=True)
    lines = [
        line for line in lines if b'"sticky-memory"' in line or (b"cluster_ready" in line and b"roundrobin" in line)
    ]
    lines.append(b'{"event":"interrupted","architecture":"roundrobin-memory","at_us":0,"why":"Ctrl-C"}\n')
    files.events.write_bytes(b"".join(lines))
    results = msgspec.structs.replace(
        results, architectures={"sticky-memory": results.architectures["sticky-memory"]}, verdict="inconclusive"
    )
    page = Page(render_report(folder, results))
    assert page.problems == []
    assert {link[1:] for link in page.links} - set(page.ids) == set()
    assert "roundrobin-memory : not measured. Ctrl-C" in page.text("reasons")
    assert "redis : not measured. The run ended before it was begun." in page.text("reasons")
    assert all(f"arch-{name}" in page.ids for name in (*kept, "redis"))


def test_a_control_without_faults(tmp_path: Path) -> None:
    folder = tmp_path / "calm"
    results = synthetic_run(folder)
    files = RunFolder(folder)
    plan = read_document(files.plan, Plan)
    files.plan.write_bytes(encode_plan(msgspec.structs.replace(plan, faults=())))
    lines = files.events.read_bytes().splitlines(keepends=True)
    files.events.write_bytes(b"".join(line for line in lines if b'"fault"' not in line))
    for name in results.architectures:
        results = with_architecture(results, name, experiment=())
    page = Page(render_report(folder, results))
    assert page.problems == []
    assert "Nothing was broken on purpose" in page.text("experiment")
    assert "band-key" not in page.ids


def test_nothing_was_measured_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "nothing"
    results = synthetic_run(folder)
    files = RunFolder(folder)
    files.history.write_bytes(b"")
    files.events.write_bytes(b"")
    page = Page(render_report(folder, msgspec.structs.replace(results, architectures={}, verdict="inconclusive")))
    assert page.problems == []
    assert page.text("reasons").count("not measured") == 4


def test_a_damaged_folder_is_named(made_up: MadeUp, tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"run\.json"):
        render_report(tmp_path, made_up.results)
    synthetic_run(tmp_path / "cut")
    with (tmp_path / "cut" / "history.ndjson").open("ab") as history:
        history.write(b'{"record":"exch')
    with pytest.raises(RunFolderError, match="not a history record"):
        render_report(tmp_path / "cut", made_up.results)


def test_provenance_is_read_from_the_folder(made_up: MadeUp) -> None:
    provenance = read_document(made_up.folder / "run.json", Provenance)
    assert provenance.platform in made_up.page.text("provenance")
    assert provenance.packages["locust"] in made_up.page.text("versions")


def test_what_happened_beside_losses_has_a_column_where_it_happened(made_up: MadeUp) -> None:
    optional = ("flickered", "stalled", "still-logged-in", "sessions-shared", "streams-lost", "rate-limited")
    assert not [id_ for id_ in made_up.page.ids if any(f"-{key}" in id_ and id_.startswith("n-") for key in optional)]
    counts = {"stalled": Counted(41, 44), "streams_lost": Counted(2, 3)}
    results = with_architecture(made_up.results, "redis", counts=counts, still_logged_in=5)
    page = Page(render_report(made_up.folder, results))
    assert page.problems == []
    assert {link[1:] for link in page.links} - set(page.ids) == set()
    assert [page.text(f"n-redis-{key}") for key in ("stalled", "streams-lost", "still-logged-in")] == ["41", "3", "5"]
    assert page.text("n-signed-token-stalled") == "0"
    assert "n-redis-flickered" not in page.ids


def test_what_was_predicted_has_a_column_also_where_nothing_happened(made_up: MadeUp) -> None:
    predicted = (Prediction("stalled", "0.2 * U .. U", 12, 0, False, 60),)
    page = Page(render_report(made_up.folder, with_architecture(made_up.results, "redis", predictions=predicted)))
    assert "predicted 0.2 × U to U (12 to 60) ✗ refuted" in page.text("row-redis")
    assert "more-predictions" not in page.ids


def test_costs_are_a_table_of_what_was_measured(made_up: MadeUp) -> None:
    assert "cost-redis-node_memory_mb" not in made_up.page.ids
    costs = Costs(node_memory_mb=231.44, store_commands_per_request=2.0, busiest_node_share=0.3341)
    predicted = (Prediction("store_commands_per_request", "1 .. 2", 1, 2.0, True, 2),)
    results = with_architecture(made_up.results, "redis", costs=costs, predictions=predicted)
    page = Page(render_report(made_up.folder, results))
    assert page.problems == []
    assert page.text("cost-redis-node_memory_mb") == "231.4 MiB"
    assert page.text("cost-redis-busiest_node_share") == "33.4 %"
    assert page.text("cost-redis-store_commands_per_request") == "2.00 predicted 1 to 2 ✓"
    assert page.text("cost-signed-token-node_memory_mb") == "–"
    assert "cost-redis-node_cpu_ms_per_request" not in page.ids, "nobody measured it anywhere"
    assert "more-predictions" not in page.ids


def test_a_fault_that_found_nothing_there_is_said_in_words(tmp_path: Path) -> None:
    folder = tmp_path / "nothing-there"
    results = synthetic_run(folder)
    files = RunFolder(folder)
    lines = files.events.read_bytes().splitlines(keepends=True)
    lines = [line for line in lines if not (b'"fault"' in line and b'"signed-token"' in line and b"phase" in line)]
    nothing = FaultEvent("signed-token", 5_000_000, 0, "kill", "n2", "nothing_there", ("signed-token has no n2",))
    files.events.write_bytes(b"".join(lines) + msgspec.json.encode(nothing) + b"\n")
    step = ExperimentStep(0, "nothing_there", 5000.0, "n2", nothing.evidence)
    page = Page(render_report(folder, with_architecture(results, "signed-token", experiment=(step,))))
    assert page.problems == []
    assert page.text("nothing-there") == "signed-token : nothing was broken here, for signed-token has no n2."
    assert "nothing there to break" in page.text("fault-steps")


def test_every_fault_can_be_told(made_up: MadeUp, tmp_path: Path) -> None:
    """Each kind, as the plan and the events have it, makes a whole page within the budget."""
    folder = tmp_path / "every-fault"
    results = synthetic_run(folder, shoppers=6)
    events = (folder / "events.ndjson").read_bytes()
    for kind, fault in FAULTS.items():
        victim = "n2" if fault.strikes == "node" else fault.strikes
        told = events.replace(b'"kind":"kill","victim":"n2"', f'"kind":"{kind}","victim":"{victim}"'.encode())
        (folder / "events.ndjson").write_bytes(told)
        html = render_report(folder, results)
        page = Page(html)
        assert page.problems == [], kind
        assert len(html) < 250_000
        assert FAULTS[kind].done in page.text("band-key")


def test_nothing_is_refuted_where_the_experiment_did_not_happen(made_up: MadeUp) -> None:
    results = with_architecture(
        made_up.results,
        "sticky-memory",
        verdict="inconclusive",
        predictions=(Prediction("logged_out_before_fault", "U / N", 20, 0, False),),
        reasons=("the kill hit nobody",),
    )
    page = Page(render_report(made_up.folder, msgspec.structs.replace(results, verdict="inconclusive")))
    assert "predicted U / N = 20, measured 0 ? sticky-memory" in page.text("more-predictions")


def test_a_formula_too_long_for_a_cell_is_told_whole_below(made_up: MadeUp) -> None:
    rolling = "U * (N - 1) / N * ((N / (N - 1)) ** N - 1)"
    predicted = (Prediction("logged_out_events", rolling, 95, 95, True),)
    page = Page(render_report(made_up.folder, with_architecture(made_up.results, "redis", predictions=predicted)))
    assert "predicted 95 ✓" in page.text("row-redis")
    assert "U × (N - 1) / N × ((N / (N - 1)) ^ N - 1) = 95" in page.text("more-predictions")
