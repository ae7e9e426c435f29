"""Which node answered somebody's own application, each balancer's log alone tells: held against the nodes' own words.

The application is one of the twins, described as anybody's; its nodes write request logs that nobody else reads.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from compose.balancers import BALANCERS
from compose.engines.registry import engine_named
from loadtests.model.history import Exchange, read_history
from loadtests.running.application import ApplicationUnderTest
from loadtests.running.progress import Silent
from loadtests.running.run import RunRequest, run
from shared.request_log import LoggedRequest, read_request_log
from tests.applications import EXAMPLES, SHORT
from tests.loadtests.test_every_balancer import SIX

pytestmark = [pytest.mark.long, pytest.mark.cluster]


@pytest.mark.parametrize("balancer", [name for name in SIX if BALANCERS[name].can.tells_health])
def test_its_log_names_the_nodes_that_answered(balancer: str, tmp_path: Path) -> None:
    logs = f'TWINSHOP_REQUEST_LOG = "{tmp_path}/{{node}}.ndjson", '
    text = (EXAMPLES / "twins" / "app.toml").read_text()
    text = text.replace("ready_within_s = 30", "ready_within_s = 120")  # a bound: the machine may have much to do
    app = tmp_path / "app.toml"
    app.write_text(text.replace("env = { TWINSHOP_NODE", f"env = {{ {logs}TWINSHOP_NODE"))
    under_test = ApplicationUnderTest.load(app)
    request = RunRequest(
        str(SHORT), ("memory", "token"), 1, runs=tmp_path / "runs", application=under_test, balancer=balancer
    )
    finished = run(request, engine_named("processes"), Silent())
    said = {
        record.id: record.node
        for log in tmp_path.glob("n*.ndjson")
        for record in read_request_log(log)
        if isinstance(record, LoggedRequest)
    }
    asked = [it for it in read_history(finished.folder.history) if isinstance(it, Exchange) and it.request]
    assert len(asked) > 100
    assert {it.request: it.node for it in asked if it.node} == {it.request: said[it.request] for it in asked if it.node}
    assert [it for it in asked if it.status and it.status < 500 and not it.node] == []
    for result in finished.results.architectures.values():
        assert (result.verdict, result.reasons) == ("as predicted", ())
        assert result.books_balance
