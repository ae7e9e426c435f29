"""A run of the twins as an application of a lesser grade would have left it, and what is compared between the two."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec.structs import replace

from compose.applications.contract import Grade
from compose.balancers import balancer_named
from compose.balancers.access_log import read_access_batches
from loadtests.model.application import ApplicationFacts
from loadtests.model.events import AtRisk, ClusterReady, NodeSample, PartSample, read_events
from loadtests.model.history import Exchange, encode_records, read_history
from loadtests.model.results import ArchitectureResult
from loadtests.model.run_folder import RunFolder
from loadtests.running.application import name_in_log
from shared.whole_file import write_whole


def see_as(grade: Grade, folder: Path) -> None:
    """Take from a run of the twins what an application of that grade does not tell."""
    run = RunFolder(folder)
    records = [record for record in read_history(run.history) if isinstance(record, Exchange)]
    asked = tuple(sorted({record.do for record in records}))
    facts = ApplicationFacts("twins", grade, "0" * 64, asked, names_users=True)
    events = [
        replace(event, application=facts) if isinstance(event, ClusterReady) else event
        for event in read_events(run.events)
        if not isinstance(event, NodeSample | AtRisk | PartSample)
    ]
    write_whole(run.events, b"".join(msgspec.json.encode(event) + b"\n" for event in events))
    nodes: dict[str, str] = {}
    for logs in sorted((folder / "logs").iterdir()):
        for log in logs.glob("*.requests.ndjson"):
            log.unlink()
        nodes |= _named_by_balancer(logs / "access.ndjson", keep=grade == "B")
    write_whole(
        run.history, encode_records([replace(record, node=nodes.get(record.request, "")) for record in records])
    )


def _named_by_balancer(access: Path, *, keep: bool) -> dict[str, str]:
    if not keep:
        access.unlink(missing_ok=True)
        return {}
    lines = [replace(line, answered_by=None) for lines in read_access_batches(access) for line in lines]
    write_whole(access, b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    return name_in_log(access, balancer_named("envoy"))


def nodes_of(folder: Path) -> list[tuple[str, str]]:
    records = read_history(RunFolder(folder).history)
    return [(record.request, record.node) for record in records if isinstance(record, Exchange) and record.request]


def lost(result: ArchitectureResult) -> list[tuple[object, ...]]:
    """All that was lost but what only a database shows, which only the twins have: orders, and goods that were not
    ordered."""
    losses = [
        loss
        for loss in result.losses
        if not loss.kind.startswith("order") and not any("the database holds" in event.what for event in loss.witness)
    ]
    return sorted((loss.kind, loss.shopper, loss.at_ms, loss.items) for loss in losses)


def causes(result: ArchitectureResult) -> dict[tuple[object, ...], str]:
    return {(loss.kind, loss.shopper, loss.at_ms): loss.cause for loss in result.losses}
