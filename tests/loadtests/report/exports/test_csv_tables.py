"""Tables as CSV, read back by the csv module."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO
from typing import Any

import msgspec
import pytest

from loadtests.model.application import ApplicationFacts
from loadtests.model.history import Exchange, read_history
from loadtests.report.exports.csv_tables import write_csv
from loadtests.report.exports.judged import JudgedRun
from loadtests.report.exports.tables import ACTIONS, LOSSES, Column, ExportTable
from tests.loadtests.report.exports.runs import HOSTILE


def written(table: ExportTable[Any], run: JudgedRun) -> bytes:
    out = BytesIO()
    write_csv(table, run, out)
    return out.getvalue()


def read_back(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(content.decode(), newline=""), strict=True))


def test_each_exchange_is_a_row_in_the_order_of_the_history(run: JudgedRun) -> None:
    rows = read_back(written(ACTIONS, run))
    exchanges = [record for record in read_history(run.folder.history) if isinstance(record, Exchange)]
    assert len(rows) == len(exchanges) > 100
    for row, exchange in zip(rows, exchanges, strict=True):
        assert (row["run"], row["scenario"], row["seed"]) == ("0a1b2c3d", "model", "1")
        assert (row["architecture"], row["request"]) == (exchange.architecture, exchange.request)
        assert (row["shopper"], row["do"]) == (str(exchange.shopper), exchange.do)
        assert (row["planned_us"], row["outcome"]) == (str(exchange.planned_us), exchange.outcome)
        assert row["number"] == ("" if exchange.step < 0 else str(exchange.step))
        assert row["started_us"] == ("" if exchange.sent_us < 0 else str(exchange.sent_us))
        assert row["ended_us"] == ("" if exchange.sent_us < 0 else str(exchange.done_us))
        assert row["status"] == (str(exchange.status) if exchange.status else "")
        assert row["overlapped"] == ("true" if exchange.overlapped else "false")


def test_an_answer_that_shows_an_empty_cart_is_not_one_that_shows_none(run: JudgedRun) -> None:
    carts = {row["cart"] for row in read_back(written(ACTIONS, run))}
    assert {"", "{}"} < carts
    assert all(isinstance(msgspec.json.decode(cart), dict) for cart in carts if cart)


def test_what_was_never_sent_has_no_times_and_no_sizes(run: JudgedRun) -> None:
    waiting = Exchange("redis", 1, "", "plan", "add", "not_sent", 5000, step=0, error="late")
    forgot = Exchange("redis", 1, "", "plan", "forget_node", "ok", 6000, sent_us=6001, done_us=6002, step=1)
    table = ExportTable("t", "", ACTIONS.columns, lambda _run: [waiting, forgot])
    first, second = read_back(written(table, run))
    assert (first["planned_us"], first["outcome"], first["error"]) == ("5000", "not_sent", "late")
    assert {first[name] for name in ("started_us", "ended_us", "cookie_bytes", "body_bytes", "status")} == {""}
    assert (second["started_us"], second["ended_us"], second["method"], second["path"]) == ("6001", "6002", "", "")


def test_method_and_path_are_those_of_the_request(run: JudgedRun) -> None:
    asked = {(row["do"], row["method"], row["path"].replace(row["sku"] or "-", "SKU")) for row in
             read_back(written(ACTIONS, run))}  # fmt: skip
    assert {("login", "POST", "/login"), ("add", "POST", "/cart"), ("remove", "DELETE", "/cart/SKU")} <= asked


def test_the_twins_paths_are_not_said_of_another_application(run: JudgedRun) -> None:
    facts = ApplicationFacts("notes", "B", "0" * 64, ("login", "me"))
    told = {name: msgspec.structs.replace(it, application=facts) for name, it in run.results.architectures.items()}
    results = msgspec.structs.replace(run.results, architectures=told)
    rows = read_back(written(ACTIONS, msgspec.structs.replace(run, results=results)))
    assert {(row["method"], row["path"]) for row in rows} == {("", "")}
    assert "login" in {row["do"] for row in rows}


def test_each_loss_is_a_row_with_its_witness_and_the_fault_behind_it(run: JudgedRun) -> None:
    rows = read_back(written(LOSSES, run))
    losses = [(name, at, loss) for name, result in run.results.architectures.items() for at, loss in
              enumerate(result.losses)]  # fmt: skip
    assert len(rows) == len(losses) > 0
    requests = {row["request"] for row in read_back(written(ACTIONS, run))}
    for row, (name, at, loss) in zip(rows, losses, strict=True):
        assert (row["architecture"], row["number"], row["kind"]) == (name, str(at), loss.kind)
        assert (row["cause"], row["items"]) == (loss.cause, str(loss.items))
        assert float(row["at_ms"]) == loss.at_ms
        assert set(row["witness_requests"].split()) <= requests
        assert [event["what"] for event in msgspec.json.decode(row["witness"])] == [it.what for it in loss.witness]
    assert {row["fault"] for row in rows if row["cause"] == "node_killed"} == {"0"}


def test_hostile_text_comes_back_as_it_was(hostile: JudgedRun) -> None:
    assert {row["scenario"] for row in read_back(written(ACTIONS, hostile))} == {HOSTILE}


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", '=cmd|" /C calc"!A0'])
def test_no_text_is_a_formula(run: JudgedRun, formula: str) -> None:
    table = ExportTable("t", "", (Column("c", "text", "", lambda it: it),), lambda _run: [formula])
    assert read_back(written(table, run))[0]["c"] == f"'{formula}"


def test_a_negative_number_stays_one(run: JudgedRun) -> None:
    table = ExportTable("t", "", (Column("c", "number", "", lambda it: it),), lambda _run: [-1.5])
    assert read_back(written(table, run))[0]["c"] == "-1.5"


def test_the_same_run_gives_the_same_bytes(run: JudgedRun) -> None:
    for table in (ACTIONS, LOSSES):
        assert written(table, run) == written(table, run)


def test_no_two_columns_have_one_name() -> None:
    for table in (ACTIONS, LOSSES):
        names = [head.name for head in table.heads()]
        assert len(set(names)) == len(names)
