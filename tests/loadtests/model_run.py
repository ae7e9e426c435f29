"""A run folder as `twinshop run` leaves it, made from models: true by construction, and at once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from compose.cluster import Limits
from loadtests.model import events as happened
from loadtests.model.history import encode_records
from loadtests.model.plan import encode_plan, plan_sha256
from loadtests.model.run_folder import RUN_SCHEMA, Provenance, RunFolder
from tests.loadtests.model_shop import BACK_US, EPOCH_US, KILL_US, NODES, Model

SCENARIO = """
question = "Who gets logged out when one of three nodes dies, in a model?"
family = "availability"

[load]
shoppers = 9

[[fault]]
kind = "kill"
at_s = 5.0
heal_after_s = 3.0
victim = "n2"

[expect.sticky-memory]
logged_out = "at_risk"
wrong_user = "0"

[expect.redis]
logged_out = "0"
items_lost = "0"
"""
ARCHITECTURES = ("sticky-memory", "redis")


def write_run(root: Path, *, seed: int = 1, architectures: tuple[str, ...] = ARCHITECTURES) -> RunFolder:
    """A finished run of one model for each architecture."""
    run = RunFolder(root)
    models = [
        Model(seed, architecture=name, shoppers=9, steps=16, lost_answers=0.0, leavers=False) for name in architectures
    ]
    run.root.mkdir(parents=True)
    run.scenario.write_text(SCENARIO)
    run.plan.write_bytes(encode_plan(models[0].plan))
    run.provenance.write_bytes(msgspec.json.encode(_provenance(models[0], architectures)))
    run.history.write_bytes(b"".join(encode_records(model.records) for model in models))
    run.events.write_bytes(msgspec.json.Encoder().encode_lines([event for model in models for event in events(model)]))
    for model in models:
        _write_logs(run.logs(model.about.name), model)
    return run


def events(model: Model) -> list[happened.Event]:
    """What the harness would have written of it."""
    name = model.about.name
    fault = [
        happened.FaultEvent(name, at_us, 0, "kill", "n2", phase, ("seen",))  # type: ignore[arg-type]
        for at_us, phase in (
            (KILL_US, "injected"),
            (KILL_US + 20_000, "observed"),
            (BACK_US, "healed"),
            (BACK_US + 900_000, "observed_healed"),
        )
    ]
    return [
        happened.ClusterReady(name, -900_000, model.about, "processes", NODES, Limits(), {"envoy": "1.40.0"}, 2.0),
        happened.LoadStarted(name, 0, EPOCH_US, 1),
        *fault,
        happened.AtRisk(name, KILL_US + 30_000, 0, "n2", model.at_risk, "the model"),
        happened.LoadSample(name, 6_000_000, 0, 21.5),
        happened.LoadEnded(name, 12_000_000, True, 1.0, len(model.records)),
        happened.ClusterStopped(name, 13_000_000, 0.4),
    ]


def _write_logs(logs: Path, model: Model) -> None:
    logs.mkdir(parents=True)
    access = [
        {
            **msgspec.structs.asdict(line),
            "at_us": str(line.at_us),
            "flags": line.flags or "-",
            "answered_by": line.answered_by or None,
        }
        for line in model.access
    ]
    (logs / "access.ndjson").write_bytes(msgspec.json.Encoder().encode_lines(access))
    for node, records in model.node_logs.items():
        (logs / f"{node}.requests.ndjson").write_bytes(msgspec.json.Encoder().encode_lines(records))


def _provenance(model: Model, architectures: tuple[str, ...]) -> Provenance:
    return Provenance(
        RUN_SCHEMA, "0a1b2c3d", "model", 1, plan_sha256(model.plan), "processes", architectures, 9, 1,
        ("twinshop", "run", "model"), "2026-11-21T00:00:00Z", "0.1.0", "3.11", "Linux", 2, 4096, {},
        hashlib.sha256(SCENARIO.encode()).hexdigest(),
    )  # fmt: skip


def predict_otherwise(run: RunFolder, scenario: str) -> None:
    """As if the scenario had said this before the run."""
    run.scenario.write_text(scenario)
    provenance = run.read_provenance()
    now = msgspec.structs.replace(provenance, scenario_sha256=hashlib.sha256(scenario.encode()).hexdigest())
    run.provenance.write_bytes(msgspec.json.encode(now))
