"""docs/reference/dashboard.md names every address and every limit as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from loadtests.workshop import dashboard_assignment
from loadtests.workshop.contract import SEATS
from loadtests.workshop.dashboard import predictions, request_context, server, stream
from loadtests.workshop.listen_addresses import SEATS_OF_ONE_ADDRESS
from tests.loadtests.workshop.dashboard.room import Room

PAGE = (Path(__file__).parents[4] / "docs" / "reference" / "dashboard.md").read_text(encoding="utf-8")
NUMBERS = {2: "two", 0.25: "four", 10: "ten"}


def test_every_address_is_named(room: Room) -> None:
    named = set(re.findall(r"`(GET|POST) (/[^?` ]*)", PAGE))
    there = {
        (method, rule.rule.replace("<side>", "SIDE").replace("<int:number>", "N"))
        for rule in room.app.url_map.iter_rules()
        for method in (rule.methods or set()) & {"GET", "POST"}
        if rule.endpoint != "static"
    }
    assert named == there


@pytest.mark.parametrize(
    "line",
    [
        f"| watchers | {dashboard_assignment.MOST_WATCHERS}, {NUMBERS[stream.MOST_OF_ONE]} for each person |",
        f"| events waiting for one watcher | {stream.QUEUE_EVENTS},",
        f"| events kept of a round | {stream.MOST_BYTES // 2**20} MiB |",
        f"| silence on a stream | {stream.HEARTBEAT_S:g} s |",
        f"| silence of a connection | {server.SILENT_S:g} s |",
        f"| connections | {server.MOST_CONNECTIONS:,}, of which {server.MOST_UNHEARD} have not said a whole request |",
        f"| connections of one browser's seat | {server.OF_ONE_BROWSER} |",
        f"| time for a request, the silence before it included | {server.REQUEST_WITHIN_S:.0f} s |",
        f"| seats | {SEATS - 1}, of which {SEATS_OF_ONE_ADDRESS} for one other machine |",
        f"| body of a request | {predictions.MOST_BODY_BYTES // 1024} KiB |",
        f"| name, reason | {predictions.MOST_NAME} letters, {predictions.MOST_REASON} letters |",
        f"| predictions in a round | {predictions.MOST_PREDICTIONS:,} |",
        f"{NUMBERS[request_context.MOST_OF_ONE]} a minute from one address",
    ],
)
def test_every_limit_is_as_it_says(line: str) -> None:
    assert line in PAGE
